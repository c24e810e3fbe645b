//! `cargo xtask fuzz`: schemathesis against the sandbox, so that somebody else's reading of the spec judges both.
//!
//! What it needs to know of the sandbox is in `tests/judges/schemathesis_hooks.py`, which checks are off and why in
//! `tests/judges/schemathesis.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::python::{Environment, PythonError};
use crate::steps::{self, StepError};

/// Why the fuzzing failed.
#[derive(Debug, thiserror::Error)]
pub enum FuzzError {
    /// A step failed; schemathesis' own findings are of this kind.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The fuzzer cannot be installed.
    #[error(transparent)]
    Python(#[from] PythonError),
    /// A file cannot be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The sandbox cannot be built or started.
    #[error("the sandbox did not start: {0}")]
    Sandbox(String),
    /// The sandbox ended while it was fuzzed.
    #[error("the sandbox ended in the middle of the fuzzing: {0}")]
    Crashed(std::process::ExitStatus),
    /// Operations never gave what they are for.
    #[error("no call succeeded of: {0}\n  help: teach tests/judges/schemathesis_hooks.py values they accept")]
    Unreached(String),
}

const PYTHON: &str = "install Python 3.10 or newer; the fuzzer, schemathesis, comes from PyPI";
const JUDGES: &str = "tests/judges";
const VENV: Environment = Environment {
    folder: "target/judges-venv",
    requirements: "tests/judges/requirements.txt",
};
/// Cases per operation and stateful scenarios; the short form is for every change, the long one for an afternoon.
const SHORT: &str = "60";
const LONG: &str = "500";

/// Fuzzes the sandbox with the spec.
///
/// # Errors
/// [`FuzzError`] when something is missing, the sandbox does not hold, or schemathesis finds anything.
pub fn run(short: bool) -> Result<(), FuzzError> {
    let root = steps::workspace_root();
    let python = VENV.python(&root)?;
    let program = build(&root, short)?;
    fuzz(&root, &python, &Sandbox::command(&program), short)?;
    if short {
        return Ok(());
    }
    let mut other = Sandbox::command(&program);
    other.extend(["--settings", "tests/judges/other-readings.json"]);
    fuzz(&root, &python, &other, short)
}

/// One run against one sandbox.
fn fuzz(root: &Path, python: &str, command: &[&str], short: bool) -> Result<(), FuzzError> {
    let sandbox = Sandbox::start(root, command)?;
    let answers = root.join("target/fuzz-answers.json");
    let file = answers.display().to_string();
    let cases = if short { SHORT } else { LONG };
    let mut envs = sandbox.envs();
    envs.extend([
        ("PYTHONPATH", JUDGES),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("PYTHONHASHSEED", "0"),
        ("HYPOTHESIS_STORAGE_DIRECTORY", "target/hypothesis"),
        // A proxy has no business between two processes of this machine.
        ("NO_PROXY", "127.0.0.1"),
        ("no_proxy", "127.0.0.1"),
        ("SANDBOX_ANSWERS", &file),
    ]);
    let arguments = [
        "-m",
        "schemathesis.cli",
        "--config-file",
        "tests/judges/schemathesis.toml",
        "run",
        "spec/transak.yaml",
        "--url",
        sandbox.value("api")?,
        "--max-examples",
        cases,
    ];
    let outcome = steps::run(python, &arguments, &envs, PYTHON);
    // Told first: what schemathesis reports of a dead server is only what follows from it.
    sandbox.stop()?;
    let reached = reached(&answers);
    outcome?;
    reached
}

fn read(path: &Path) -> Result<String, FuzzError> {
    fs::read_to_string(path).map_err(|error| FuzzError::File {
        path: path.to_owned(),
        error,
    })
}

/// A sandbox of our own. It ends with this value, whatever happens in between.
struct Sandbox {
    child: Child,
    /// What it said of itself: the words in front of each line, and the value behind them.
    said: BTreeMap<String, String>,
}

/// The names the program prints, and those the hooks read.
const SAID: [(&str, &str); 5] = [
    ("api", "SANDBOX_API"),
    ("gateway", "SANDBOX_GATEWAY"),
    ("control", "SANDBOX_CONTROL"),
    ("x-api-key", "SANDBOX_API_KEY"),
    ("api-secret", "SANDBOX_API_SECRET"),
];

impl Sandbox {
    /// The command line of one: any free ports, and the same ids and times in every run.
    fn command(program: &str) -> Vec<&str> {
        let mut command = vec![program, "--seed", "1", "--start", "2026-11-22T12:00:00Z"];
        command.extend(["--api-port", "0", "--gateway-port", "0", "--control-port", "0"]);
        command
    }

    fn start(root: &Path, command: &[&str]) -> Result<Self, FuzzError> {
        let failed = |error: io::Error| FuzzError::Sandbox(error.to_string());
        let (program, arguments) = command.split_first().unwrap_or((&"", &[]));
        let mut child = Command::new(program)
            .args(arguments)
            .current_dir(root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let out = child.stdout.take();
        let mut sandbox = Self {
            child,
            said: BTreeMap::new(),
        };
        for line in out.into_iter().flat_map(|out| BufReader::new(out).lines()) {
            let line = line.map_err(failed)?;
            let Some((name, value)) = line.split_once(' ') else {
                break;
            };
            sandbox.said.insert(name.to_owned(), value.trim().to_owned());
        }
        for (name, _) in SAID {
            sandbox.value(name)?;
        }
        Ok(sandbox)
    }

    fn value(&self, name: &str) -> Result<&str, FuzzError> {
        let value = self.said.get(name).map(String::as_str);
        value.ok_or_else(|| FuzzError::Sandbox(format!("it did not say its {name}")))
    }

    fn envs(&self) -> Vec<(&str, &str)> {
        let known = |(name, variable)| Some((variable, self.said.get(name)?.as_str()));
        SAID.into_iter().filter_map(known).collect()
    }

    /// Ends it, unless it has ended by itself.
    fn stop(mut self) -> Result<(), FuzzError> {
        match self.child.try_wait() {
            Ok(Some(status)) => Err(FuzzError::Crashed(status)),
            _ => Ok(()),
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // It may have ended already; either way nothing is left running.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Builds the sandbox and returns the program's path, wherever this machine's target folder is.
fn build(root: &Path, short: bool) -> Result<String, FuzzError> {
    let failed = |what: String| FuzzError::Sandbox(what);
    let mut command = Command::new("cargo");
    command
        .args(["build", "--package", "transak-sandbox", "--bin", "transak-sandbox"])
        .args(["--message-format", "json-render-diagnostics"])
        .args(if short { None } else { Some("--release") })
        .current_dir(root)
        .stderr(Stdio::inherit());
    let output = command.output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(format!("the build failed with {}", output.status)));
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|message| message["executable"].as_str().map(str::to_owned))
        .next_back()
        .ok_or_else(|| failed("cargo named no program".to_owned()))
}

/// Prints what each operation answered, and wants a success of each.
#[expect(clippy::print_stderr, reason = "a command line tool talks to its user")]
fn reached(path: &Path) -> Result<(), FuzzError> {
    let text = read(path)?;
    let answers: BTreeMap<String, BTreeMap<String, u64>> =
        serde_json::from_str(&text).map_err(|error| FuzzError::File {
            path: path.to_owned(),
            error: error.into(),
        })?;
    eprintln!("\nAnswers by operation and status:");
    for (operation, statuses) in &answers {
        let counts: Vec<String> = statuses
            .iter()
            .map(|(status, count)| format!("{status}: {count}"))
            .collect();
        eprintln!("  {operation:<24}{}", counts.join(", "));
    }
    let succeeded = |statuses: &BTreeMap<String, u64>| statuses.keys().any(|status| status.starts_with('2'));
    let missed: Vec<&str> = answers
        .iter()
        .filter(|(_, statuses)| !succeeded(statuses))
        .map(|(operation, _)| operation.as_str())
        .collect();
    if missed.is_empty() {
        Ok(())
    } else {
        Err(FuzzError::Unreached(missed.join(", ")))
    }
}
