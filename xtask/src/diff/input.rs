//! Where the two specs come from: files, or what git remembers.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::codegen::{
    load::{self, Document},
    problem::Failure,
};
use crate::steps;

/// The spec's path in the repository, for a revision that names none.
const SPEC: &str = "spec/transak.yaml";

/// Why one side cannot be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// It is neither a file nor something git knows.
    #[error(
        "`{given}` is neither a file nor in git: {said}\n  help: write a file, a revision such as `HEAD~1`, or \
         `main:spec/transak.yaml`"
    )]
    Unknown {
        /// What was given.
        given: String,
        /// What git said.
        said: String,
    },
    /// Git could not be started.
    #[error("`{given}` is no file, and git could not be started: {error}")]
    Git {
        /// What was given.
        given: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// It is no spec.
    #[error(transparent)]
    Spec(#[from] Failure),
}

/// One of the two specs, by how it was named.
#[derive(Debug, Clone)]
pub struct Side {
    given: String,
    repository: PathBuf,
}

impl Side {
    /// `given` is a file, a revision of this repository, or `revision:path` in it.
    #[must_use]
    pub fn new(given: impl Into<String>) -> Self {
        Self::in_repository(given, steps::workspace_root())
    }

    /// The same in another repository.
    #[must_use]
    pub fn in_repository(given: impl Into<String>, repository: impl Into<PathBuf>) -> Self {
        Self {
            given: given.into(),
            repository: repository.into(),
        }
    }

    /// Reads it. A file wins over a revision of the same name.
    ///
    /// # Errors
    /// [`InputError`] when it is not there or no spec.
    pub fn load(&self) -> Result<Document, InputError> {
        let file = Path::new(&self.given);
        if file.is_file() {
            return Ok(load::load(file)?);
        }
        let object = if self.given.contains(':') {
            self.given.clone()
        } else {
            format!("{}:{SPEC}", self.given)
        };
        let unknown = |said: String| InputError::Unknown {
            given: self.given.clone(),
            said,
        };
        if self.given.is_empty() {
            return Err(unknown("it is empty".to_owned()));
        }
        if object.starts_with('-') {
            return Err(unknown("it looks like an option".to_owned()));
        }
        let output = Command::new("git")
            .arg("-C")
            .arg(&self.repository)
            .args(["cat-file", "blob", &object])
            .output()
            .map_err(|error| InputError::Git {
                given: self.given.clone(),
                error,
            })?;
        if !output.status.success() {
            return Err(unknown(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        let text = String::from_utf8(output.stdout).map_err(|_| unknown("it is not text in UTF-8".to_owned()))?;
        Ok(Document::parse(Path::new(&object), text)?)
    }
}
