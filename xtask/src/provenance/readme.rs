//! Keeps the table in a Markdown file true: it stands between two comments and nowhere else.

use std::path::{Path, PathBuf};

use super::{Report, markdown};

/// Marks the start of the table.
pub const BEGIN: &str = "<!-- totals of `cargo xtask provenance`, written by `cargo xtask codegen` -->\n";
/// Marks its end.
pub const END: &str = "<!-- end of totals -->\n";

/// Why the table in a file is not what the spec says.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadmeError {
    /// The file cannot be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
    /// The two comments are missing, twice there or in the wrong order.
    #[error("{}: no place for the totals; write these two lines, once:\n{BEGIN}{END}", path.display())]
    NoPlace {
        /// The file.
        path: PathBuf,
    },
    /// The numbers are old.
    #[error("{}: the provenance totals are not those of the spec; run `cargo xtask codegen`. They are:\n\n{table}", path.display())]
    Stale {
        /// The file.
        path: PathBuf,
        /// The true table.
        table: String,
    },
}

/// `text` with `table` between the two comments, or nothing if they are not there exactly once, in order.
#[must_use]
pub fn with_table(text: &str, table: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (old, after) = rest.split_once(END)?;
    let strays = [before, old, after]
        .iter()
        .any(|part| part.contains(BEGIN) || part.contains(END));
    (!strays).then(|| format!("{before}{BEGIN}\n{table}\n{END}{after}"))
}

/// Fails unless the table in the file is that of `report`.
///
/// # Errors
/// [`ReadmeError`]; [`ReadmeError::Stale`] holds the true table.
pub fn check(path: &Path, report: &Report) -> Result<(), ReadmeError> {
    match renewed(path, report)? {
        None => Ok(()),
        Some(_) => Err(ReadmeError::Stale {
            path: path.to_owned(),
            table: markdown(report),
        }),
    }
}

/// Puts the table into the file and says whether that changed it.
///
/// # Errors
/// [`ReadmeError`] when the file cannot be read or written, or has no place for the table.
pub fn write(path: &Path, report: &Report) -> Result<bool, ReadmeError> {
    let Some(text) = renewed(path, report)? else {
        return Ok(false);
    };
    std::fs::write(path, text).map_err(|error| io(path, error))?;
    Ok(true)
}

/// The text the file should have, if it is another.
fn renewed(path: &Path, report: &Report) -> Result<Option<String>, ReadmeError> {
    let text = std::fs::read_to_string(path).map_err(|error| io(path, error))?;
    let new = with_table(&text, &markdown(report)).ok_or_else(|| ReadmeError::NoPlace { path: path.to_owned() })?;
    Ok((new != text).then_some(new))
}

fn io(path: &Path, error: std::io::Error) -> ReadmeError {
    ReadmeError::Io {
        path: path.to_owned(),
        error,
    }
}
