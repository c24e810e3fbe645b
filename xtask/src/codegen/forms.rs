//! Operations whose body is a form. The generator knows JSON bodies only, so their calls are written by hand; everything
//! else of them, such as the entry in the operation table, is generated as for any other.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The media type of a form.
pub const MULTIPART: &str = "multipart/form-data";

/// Operations with a form whose call is written by hand, in `crates/transak-client/src/upload.rs`.
pub const HANDWRITTEN: &[&str] = &["uploadProofDocument"];

/// The reference to the schema of an operation's form, if it has one.
#[must_use]
pub fn schema(operation: &Map<String, Value>) -> Option<&str> {
    let media = operation.get("requestBody")?.get("content")?.get(MULTIPART)?;
    media.get("schema")?.get("$ref")?.as_str()
}

/// Takes operations with a form off a document, and the schemas of their forms.
pub fn remove(doc: &mut Value) {
    let mut schemas = BTreeSet::new();
    let paths = doc.get_mut("paths").and_then(Value::as_object_mut);
    for item in paths
        .into_iter()
        .flat_map(Map::values_mut)
        .filter_map(Value::as_object_mut)
    {
        item.retain(|_, operation| {
            let form = operation.as_object().and_then(schema).map(str::to_owned);
            let keep = form.is_none();
            schemas.extend(form);
            keep
        });
    }
    if let Some(map) = doc.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        map.retain(|name, _| !schemas.contains(&format!("#/components/schemas/{name}")));
    }
}
