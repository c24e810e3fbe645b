//! The commands behind `cargo xtask`: each step is one child process whose output goes straight through.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A step that failed, with the command a person can run again.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The program could not be started.
    #[error("`{command}` could not be started: {error}\n  help: {help}")]
    Start {
        /// The command line.
        command: String,
        /// What the system said.
        error: std::io::Error,
        /// What to install.
        help: &'static str,
    },
    /// The program reported failure.
    #[error("`{command}` failed with {status}; run it again by itself to see more")]
    Failed {
        /// The command line.
        command: String,
        /// Its exit status.
        status: std::process::ExitStatus,
    },
}

/// Root of the workspace.
#[must_use]
pub fn workspace_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Runs one command in the workspace root.
///
/// # Errors
/// [`StepError`] when it cannot be started or fails.
pub fn run<S: AsRef<OsStr>>(
    program: &str,
    arguments: &[S],
    envs: &[(&str, &str)],
    help: &'static str,
) -> Result<(), StepError> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .envs(envs.iter().copied())
        .current_dir(workspace_root());
    let shown = std::iter::once(program.to_owned())
        .chain(arguments.iter().map(|a| a.as_ref().to_string_lossy().into_owned()))
        .collect::<Vec<_>>()
        .join(" ");
    announce(&shown);
    let status = command.status().map_err(|error| StepError::Start {
        command: shown.clone(),
        error,
        help,
    })?;
    if status.success() {
        Ok(())
    } else {
        Err(StepError::Failed { command: shown, status })
    }
}

#[expect(clippy::print_stderr, reason = "a command line tool talks to its user")]
fn announce(command: &str) {
    eprintln!("\n── {command}");
}
