//! `cargo xtask codegen`: load → lint → views → emit → format → write.
//!
//! The spec on disk stays honest OpenAPI. What the generator cannot take is refused by [`lint`] or lowered
//! by [`views`]; everything else is emitted from the same parsed document, so the crates cannot disagree.

pub mod emit;
pub mod format;
pub mod forms;
pub mod lint;
pub mod load;
pub mod problem;
pub mod source;
pub mod views;
pub mod write;

use std::path::{Path, PathBuf};

pub use problem::{Failure, Problem};

/// Where the spec is read from and where the generated files go.
#[derive(Debug, Clone)]
pub struct Options {
    /// The OpenAPI document.
    pub spec: PathBuf,
    /// Root below which generated files are written; normally the workspace root.
    pub root: PathBuf,
}

impl Options {
    /// The committed spec and the workspace it belongs to.
    pub fn workspace(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Self {
            spec: root.join("spec/transak.yaml"),
            root,
        }
    }
}

/// One generated file: its path below the root and its whole text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Path relative to [`Options::root`], with forward slashes.
    pub path: String,
    /// Final text, header included.
    pub text: String,
}

/// Runs every step but the last and returns what should be on disk, sorted by path.
///
/// # Errors
/// The first step that refuses the spec says why, with JSON pointer and line.
pub fn generate(spec: &Path) -> Result<Vec<Output>, Failure> {
    let doc = load::load(spec)?;
    let problems = lint::lint(&doc);
    if !problems.is_empty() {
        return Err(Failure::Lint(problems));
    }
    let model = emit::model::Model::read(&doc)?;
    let header = format::Header::new(&doc);
    let mut outputs = emit::all(&doc, &model, &header)?;
    outputs.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(outputs)
}
