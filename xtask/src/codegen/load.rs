//! Reads the spec once: as text, as JSON, as the generator's model and as a map of places.
//!
//! Two YAML parsers look at the file. serde_yaml, the one the generator itself uses, decides what
//! every value is; saphyr says where it stands and how it is spelt. Where the two disagree the
//! file is refused, so no later step can see another document than the one in the editor.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{problem::Failure, source::SourceMap};

pub(crate) mod json;
mod model;
pub(crate) mod shape;

/// The largest file accepted. The spec is a few hundred KiB.
pub const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// The spec in all the forms the pipeline needs.
#[derive(Debug, Clone)]
pub struct Document {
    /// The file as it was given, for messages.
    pub path: PathBuf,
    /// The text, without a byte order mark.
    pub text: String,
    /// The whole document with aliases expanded, including what the typed model drops.
    pub json: Value,
    /// The document as the generator sees it.
    pub api: openapiv3::OpenAPI,
    /// Where everything stands, and how it is spelt.
    pub source: SourceMap,
}

/// Reads and parses the spec at `path`.
///
/// # Errors
/// The first thing that keeps the file from being one OpenAPI 3.0 document, with its line.
pub fn load(path: &Path) -> Result<Document, Failure> {
    Document::parse(path, read(path)?)
}

impl Document {
    /// Parses `text`; `path` is only used in messages.
    ///
    /// # Errors
    /// As [`load`], but for reading.
    pub fn parse(path: &Path, text: String) -> Result<Self, Failure> {
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        };
        let json = json::parse(path, &text)?;
        let source = SourceMap::new(path, &text, &json)?;
        check_version(path, &json, &source)?;
        let api = model::parse(path, &json, &source)?;
        Ok(Self {
            path: path.to_owned(),
            text,
            json,
            api,
            source,
        })
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    let failed = |source| Failure::Read {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    // One byte more than allowed, so that a file that grows meanwhile is refused as well.
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Failure::TooLarge {
            path: path.to_owned(),
            limit: MAX_BYTES,
        });
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        Failure::NotUtf8 {
            path: path.to_owned(),
            line: 1 + valid.iter().filter(|byte| **byte == b'\n').count(),
        }
    })
}

/// Refuses other kinds of document before the typed model reports their first difference.
fn check_version(path: &Path, json: &Value, source: &SourceMap) -> Result<(), Failure> {
    let found = match (json.get("openapi"), json.get("swagger")) {
        (Some(Value::String(version)), _) => {
            if version == "3.0" || version.starts_with("3.0.") {
                return Ok(());
            }
            format!("this is OpenAPI {version}")
        }
        (Some(_), _) => "`openapi` is not a string".to_owned(),
        (None, Some(_)) => "this is a Swagger 2 document".to_owned(),
        (None, None) if json.is_object() => "there is no `openapi` key".to_owned(),
        (None, None) => "the file does not hold a mapping".to_owned(),
    };
    Err(Failure::NotOpenApi30 {
        path: path.to_owned(),
        line: source.line("#/openapi"),
        found,
    })
}
