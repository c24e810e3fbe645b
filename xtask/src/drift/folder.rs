//! Reads the saved pages.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::blocks::{Fragment, fragments, whole};

/// Larger files are no pages.
const MAX_BYTES: u64 = 8 * 1024 * 1024;
/// More files than this are no folder of pages.
const MAX_FILES: usize = 5_000;
const MAX_DEPTH: usize = 8;

/// Why the folder cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The system refuses.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
    /// There is nothing to compare.
    #[error(
        "{}: no page with an OpenAPI block in it\n  help: save the reference's pages with `.md` behind their \
         address, or its openapi.yaml or openapi.json", path.display()
    )]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// This is not a folder of pages.
    #[error("{}: {what}", path.display())]
    TooLarge {
        /// The file or folder.
        path: PathBuf,
        /// What is too large.
        what: String,
    },
}

/// Every fragment in the files below `folder`, in the order of their names. `folder` may be one file.
///
/// # Errors
/// [`FolderError`] when files cannot be read, or none holds a fragment. What is wrong inside of a page is told with its
/// fragment.
pub fn read(folder: &Path) -> Result<Vec<Fragment>, FolderError> {
    let mut files = Vec::new();
    let io = |path: &Path, error| FolderError::Io {
        path: path.to_owned(),
        error,
    };
    let kind = std::fs::metadata(folder).map_err(|error| io(folder, error))?;
    if kind.is_file() {
        files.push(folder.to_owned());
    } else {
        list(folder, 0, &mut files)?;
    }
    let mut found = Vec::new();
    for path in files {
        let name = path.strip_prefix(folder).unwrap_or(&path);
        let name = if name.as_os_str().is_empty() { &path } else { name };
        let name = name.display().to_string();
        let mut bytes = Vec::new();
        let file = File::open(&path).map_err(|error| io(&path, error))?;
        file.take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| io(&path, error))?;
        if bytes.len() as u64 > MAX_BYTES {
            let what = format!("larger than {MAX_BYTES} bytes");
            return Err(FolderError::TooLarge { path, what });
        }
        // A page may be cut in the middle of a character.
        let text = String::from_utf8_lossy(&bytes);
        match extension(&path).as_str() {
            "yaml" | "yml" | "json" => found.extend(whole(&name, &text)),
            _ => found.extend(fragments(&name, &text)),
        }
    }
    if found.is_empty() {
        return Err(FolderError::Empty {
            path: folder.to_owned(),
        });
    }
    Ok(found)
}

fn list(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), FolderError> {
    let io = |error| FolderError::Io {
        path: folder.to_owned(),
        error,
    };
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .map_err(io)?
        .collect::<Result<_, _>>()
        .map_err(io)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        // Links are not followed, so there is no circle.
        let kind = entry.file_type().map_err(io)?;
        let path = entry.path();
        if kind.is_dir() && depth < MAX_DEPTH {
            list(&path, depth + 1, files)?;
        } else if kind.is_file() && KINDS.contains(&extension(&path).as_str()) {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            let what = format!("more than {MAX_FILES} files");
            return Err(FolderError::TooLarge {
                path: folder.to_owned(),
                what,
            });
        }
    }
    Ok(())
}

const KINDS: [&str; 7] = ["md", "mdx", "markdown", "txt", "yaml", "yml", "json"];

fn extension(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}
