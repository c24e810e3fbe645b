//! The document as JSON, for the sandbox: it routes and validates by the spec itself, and a published crate
//! cannot reach `spec/`.

use crate::codegen::load::Document;
use crate::codegen::{Failure, Output};

/// Where the copy goes.
pub const PATH: &str = "crates/transak-sandbox/src/generated/openapi.json";

/// The document in one line of JSON per top-level part, numbers as they stand in the spec.
///
/// # Errors
/// [`Failure::Generator`] when the document has no text of its own.
pub fn emit(doc: &Document) -> Result<Output, Failure> {
    let keys = doc.json.as_object().into_iter().flat_map(|map| map.keys());
    let mut parts = vec!["\"x-generated-by\":\"cargo xtask codegen; do not edit\"".to_owned()];
    for key in keys {
        let text = doc.source.verbatim(&format!("#/{key}"));
        let text = text.ok_or_else(|| Failure::Generator(format!("#/{key} has no text")))?;
        parts.push(format!("{key:?}:{text}"));
    }
    parts.sort();
    Ok(Output {
        path: PATH.to_owned(),
        text: format!("{{\n{}\n}}\n", parts.join(",\n")),
    })
}
