//! Write: puts generated files on disk, or compares them with what is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use similar::TextDiff;

use super::{Failure, Output, emit};

/// Folders that hold nothing but generated files; anything else in them is stale.
const OWNED: [&str; 3] = [emit::client::FOLDER, emit::mock::FOLDER, "tests/src/generated"];

/// Longest diff that is printed, in lines; a changed spec easily produces tens of thousands.
const DIFF_LINES: usize = 400;

/// Longest line that is printed, in characters.
const LINE_LENGTH: usize = 240;

/// Writes every file that differs and removes generated files that are no longer emitted.
/// Returns the paths that changed.
///
/// # Errors
/// [`Failure::Io`] with the path.
pub fn write(outputs: &[Output], root: &Path) -> Result<Vec<String>, Failure> {
    let mut changed = Vec::new();
    for output in outputs {
        let path = root.join(&output.path);
        if read(&path)?.as_deref() == Some(output.text.as_str()) {
            continue;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|e| io(folder, e))?;
        }
        // A reader, or a crash, never sees half a file.
        let half = path.with_extension("codegen-tmp");
        fs::write(&half, &output.text).map_err(|e| io(&half, e))?;
        fs::rename(&half, &path).map_err(|e| io(&path, e))?;
        changed.push(output.path.clone());
    }
    for stale in stale_files(outputs, root)? {
        fs::remove_file(root.join(&stale)).map_err(|e| io(&root.join(&stale), e))?;
        changed.push(stale);
    }
    Ok(changed)
}

/// Compares with what is on disk.
///
/// # Errors
/// [`Failure::Stale`] with a unified diff when anything differs; [`Failure::Io`] when a file cannot be read.
pub fn check(outputs: &[Output], root: &Path) -> Result<(), Failure> {
    let mut diff = String::new();
    let mut files = 0_usize;
    for output in outputs {
        let found = read(&root.join(&output.path))?;
        if found.as_deref() != Some(output.text.as_str()) {
            files += 1;
            let old = found.as_deref().unwrap_or_default();
            let name = if found.is_some() {
                output.path.as_str()
            } else {
                "/dev/null"
            };
            let text_diff = TextDiff::from_lines(old, &output.text);
            diff.push_str(
                &text_diff
                    .unified_diff()
                    .context_radius(2)
                    .header(name, &output.path)
                    .to_string(),
            );
        }
    }
    for stale in stale_files(outputs, root)? {
        files += 1;
        diff.push_str(&format!("--- {stale}\n+++ /dev/null\n(no longer generated)\n"));
    }
    if files == 0 {
        return Ok(());
    }
    let total = diff.lines().count();
    diff = diff.lines().take(DIFF_LINES).map(clipped).collect();
    if total > DIFF_LINES {
        diff.push_str(&format!("… {} more lines\n", total - DIFF_LINES));
    }
    Err(Failure::Stale { files, diff })
}

/// A line of the diff with its end; data files have lines nobody wants in a terminal.
fn clipped(line: &str) -> String {
    match line.char_indices().nth(LINE_LENGTH) {
        Some((end, _)) => format!("{}…\n", &line[..end]),
        None => format!("{line}\n"),
    }
}

fn read(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(path) {
        // A checkout may have translated the line ends.
        Ok(text) => Ok(Some(text.replace("\r\n", "\n"))),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(io(path, e)),
    }
}

fn stale_files(outputs: &[Output], root: &Path) -> Result<Vec<String>, Failure> {
    let wanted: BTreeSet<PathBuf> = outputs.iter().map(|o| root.join(&o.path)).collect();
    let mut stale = Vec::new();
    for folder in OWNED {
        let mut queue = vec![root.join(folder)];
        while let Some(folder) = queue.pop() {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
                Err(e) => return Err(io(&folder, e)),
            };
            for entry in entries {
                let entry = entry.map_err(|e| io(&folder, e))?;
                let path = entry.path();
                if entry.file_type().map_err(|e| io(&path, e))?.is_dir() {
                    queue.push(path);
                } else if !wanted.contains(&path) {
                    stale.push(
                        path.strip_prefix(root)
                            .unwrap_or(&path)
                            .to_string_lossy()
                            .replace('\\', "/"),
                    );
                }
            }
        }
    }
    stale.sort();
    Ok(stale)
}

fn io(path: &Path, error: std::io::Error) -> Failure {
    Failure::Io {
        path: path.to_owned(),
        error,
    }
}
