//! `cargo xtask judges`: what other people's tools make of the spec.
//!
//! Redocly's linter is part of every test run. The others are asked here: a second validator, and two generators for
//! other languages, which must accept the spec without a warning and write code that its own compiler accepts.

use std::fs;
use std::path::{Path, PathBuf};

use crate::python::{self, PythonError};
use crate::steps::{self, StepError};

/// Why the judges did not approve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JudgesError {
    /// A tool is missing, or it refused.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The tools from PyPI cannot be installed.
    #[error(transparent)]
    Python(#[from] PythonError),
    /// A file or folder cannot be read or made.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
}

const NODE: &str = "install Node.js 20 or newer with npm; the spec is judged by tools from there";
const SPEC: &str = "spec/transak.yaml";
/// What the generators write, below the workspace.
const OUTPUT: &str = "target/judges";

/// Asks all of them.
///
/// # Errors
/// [`JudgesError`] with the command that failed.
pub fn run() -> Result<(), JudgesError> {
    let root = steps::workspace_root();
    let output = root.join(OUTPUT);
    fs::create_dir_all(&output).map_err(|error| JudgesError::Io { path: output, error })?;
    install_npm()?;
    lint()?;
    typescript()?;
    let environment = python::Environment {
        folder: "target/generators-venv",
        requirements: "tests/judges/generators.txt",
    };
    let python = environment.python(&root)?;
    // What the module says about a document is only on its standard output; its status is what counts.
    steps::run(&python, &["-m", "openapi_spec_validator", SPEC], &[], python::HELP)?;
    let client = format!("{OUTPUT}/python");
    let generate = ["-m", "openapi_python_client", "generate", "--path", SPEC];
    let to = [
        "--output-path",
        &client,
        "--overwrite",
        "--meta",
        "none",
        "--fail-on-warning",
    ];
    let formatter = environment.path(&root);
    steps::run(
        &python,
        &[&generate[..], &to].concat(),
        &[("PATH", &formatter)],
        python::HELP,
    )?;
    Ok(steps::run(
        &python,
        &["-m", "compileall", "-q", "-f", &client],
        &[],
        python::HELP,
    )?)
}

/// Installs the tools of `tests/judges/package-lock.json`, unless they are there.
///
/// # Errors
/// [`JudgesError`] when npm is missing or fails.
pub fn install_npm() -> Result<(), JudgesError> {
    let judges = steps::workspace_root().join("tests/judges");
    let io = |path: &Path, error| JudgesError::Io {
        path: path.to_owned(),
        error,
    };
    let lock = judges.join("package-lock.json");
    let pinned = fs::read_to_string(&lock).map_err(|error| io(&lock, error))?;
    // `npm ci` begins by removing the folder, and with it this.
    let installed = judges.join("node_modules/.installed.json");
    if fs::read_to_string(&installed).is_ok_and(|installed| installed == pinned) {
        return Ok(());
    }
    let install = [
        "--prefix",
        "tests/judges",
        "ci",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ];
    steps::run("npm", &install, &[], NODE)?;
    fs::write(&installed, pinned).map_err(|error| io(&installed, error))
}

/// Redocly's linter; [`install_npm`] comes first.
///
/// # Errors
/// [`JudgesError`] when it finds anything.
pub fn lint() -> Result<(), JudgesError> {
    let quiet = [("REDOCLY_TELEMETRY", "off"), ("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true")];
    tool(&["redocly", "lint", "--config", "redocly.yaml", SPEC], &quiet)
}

/// The types for TypeScript, and whether they are any.
fn typescript() -> Result<(), JudgesError> {
    let types = format!("{OUTPUT}/transak.d.ts");
    tool(&["openapi-typescript", SPEC, "--output", &types], &[])?;
    tool(&["tsc", "--noEmit", "--strict", &types], &[])
}

fn tool(command: &[&str], envs: &[(&str, &str)]) -> Result<(), JudgesError> {
    let npm = ["--prefix", "tests/judges", "exec", "--offline", "--"];
    Ok(steps::run("npm", &[&npm[..], command].concat(), envs, NODE)?)
}
