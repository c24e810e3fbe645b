//! Tools from PyPI, in virtual environments below `target/`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::steps::{self, StepError};

/// What to do when Python is missing.
pub const HELP: &str = "install Python 3.10 or newer; these tools come from PyPI";

/// Why the tools cannot be installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PythonError {
    /// A step failed.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The virtual environment cannot be made.
    #[error("{0}\n  help: python3 needs its venv module; on Debian it is the package python3-venv")]
    Venv(StepError),
    /// A file cannot be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
}

/// A virtual environment and what is pinned for it, both below the workspace.
#[derive(Debug, Clone, Copy)]
pub struct Environment {
    /// Its folder.
    pub folder: &'static str,
    /// The file with the pinned versions.
    pub requirements: &'static str,
}

impl Environment {
    fn programs(self, root: &Path) -> PathBuf {
        root.join(self.folder)
            .join(if cfg!(windows) { "Scripts" } else { "bin" })
    }

    /// The search path with this environment's programs first.
    #[must_use]
    pub fn path(self, root: &Path) -> String {
        let others = std::env::var_os("PATH").unwrap_or_default();
        let paths = std::iter::once(self.programs(root)).chain(std::env::split_paths(&others));
        let joined = std::env::join_paths(paths).unwrap_or(others.clone());
        joined.to_string_lossy().into_owned()
    }

    /// Its Python, after installing what is pinned unless that is there.
    ///
    /// # Errors
    /// [`PythonError`] when Python or a package cannot be had.
    pub fn python(self, root: &Path) -> Result<String, PythonError> {
        let python = self.programs(root).join("python").display().to_string();
        let pinned = root.join(self.requirements);
        let pinned = fs::read_to_string(&pinned).map_err(|error| PythonError::File { path: pinned, error })?;
        let installed = root.join(self.folder).join("installed.txt");
        if fs::read_to_string(&installed).is_ok_and(|installed| installed == pinned) {
            return Ok(python);
        }
        steps::run("python3", &["-m", "venv", "--clear", self.folder], &[], HELP).map_err(|error| match error {
            StepError::Failed { .. } => PythonError::Venv(error),
            StepError::Start { .. } => error.into(),
        })?;
        let install = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--requirement",
        ];
        steps::run(&python, &[&install[..], &[self.requirements]].concat(), &[], HELP)?;
        fs::write(&installed, pinned).map_err(|error| PythonError::File { path: installed, error })?;
        Ok(python)
    }
}
