//! JSON to the generator's model, and the innermost place where that fails.
//!
//! The model is full of untagged unions, whose errors name neither place nor cause. When the whole
//! document does not fit, every part of it is tried on its own and the innermost misfit is told.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::shape::{self, Kind};
use crate::codegen::{problem::Failure, source::SourceMap};

pub(super) fn parse(path: &Path, json: &Value, source: &SourceMap) -> Result<openapiv3::OpenAPI, Failure> {
    serde_path_to_error::deserialize(json).map_err(|error| {
        let (pointer, message) = innermost(json, source).unwrap_or_else(|| {
            // The path of a whole-document error is only as deep as the first untagged union.
            let pointer = error.path().iter().fold("#".to_owned(), |pointer, segment| {
                use serde_path_to_error::Segment;
                match segment {
                    Segment::Map { key } => shape::join(&pointer, key),
                    Segment::Seq { index } => shape::join(&pointer, &index.to_string()),
                    Segment::Enum { .. } | Segment::Unknown => pointer,
                }
            });
            (pointer, error.inner().to_string())
        });
        Failure::Model {
            path: path.to_owned(),
            line: source.line(&pointer),
            pointer,
            message,
        }
    })
}

/// The deepest part that does not fit, and why.
fn innermost(json: &Value, source: &SourceMap) -> Option<(String, String)> {
    let nodes = shape::walk(json, source);
    // Children follow their parents, so the last misfit has no misfit below it.
    nodes
        .iter()
        .rev()
        .filter(|node| node.kind != Kind::Document && node.reference().is_none())
        .find_map(|node| Some((node.pointer.clone(), misfit(node.kind, node.value)?)))
}

fn misfit(kind: Kind, value: &Value) -> Option<String> {
    fn of<T: DeserializeOwned>(value: &Value) -> Option<String> {
        serde_path_to_error::deserialize::<_, T>(value).err().map(|error| {
            let message = error.inner().to_string();
            match error.path().to_string() {
                path if path == "." || path.contains('?') => message,
                path => format!("{path}: {message}"),
            }
        })
    }
    match kind {
        Kind::Document | Kind::Provenance | Kind::ServerLists => None,
        Kind::Components => of::<openapiv3::Components>(value),
        Kind::Contact => of::<openapiv3::Contact>(value),
        Kind::Example => of::<openapiv3::Example>(value),
        Kind::ExternalDocs => of::<openapiv3::ExternalDocumentation>(value),
        Kind::Header => of::<openapiv3::Header>(value),
        Kind::Info => of::<openapiv3::Info>(value),
        Kind::License => of::<openapiv3::License>(value),
        Kind::MediaType => of::<openapiv3::MediaType>(value),
        Kind::Operation | Kind::Message => of::<openapiv3::Operation>(value),
        Kind::Parameter => of::<openapiv3::Parameter>(value),
        Kind::PathItem | Kind::Webhook => of::<openapiv3::PathItem>(value),
        Kind::RequestBody => of::<openapiv3::RequestBody>(value),
        Kind::Response => of::<openapiv3::Response>(value),
        Kind::Schema => of::<openapiv3::Schema>(value),
        Kind::SecurityScheme => of::<openapiv3::SecurityScheme>(value),
        Kind::Server => of::<openapiv3::Server>(value),
        Kind::Tag => of::<openapiv3::Tag>(value),
    }
}
