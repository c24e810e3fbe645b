//! What only readers notice: texts, examples, provenance.

use std::collections::BTreeMap;

use serde_json::Value;

use super::change::{Change, Kind, Level};
use crate::codegen::load::shape::join;

/// Keywords that say something to people only.
const DOCS: [&str; 10] = [
    "description",
    "summary",
    "title",
    "example",
    "examples",
    "externalDocs",
    "tags",
    "info",
    "x-transak-provenance",
    "x-enumDescriptions",
];

/// Keywords whose members are names, which may be spelt like a keyword.
const NAMES: [&str; 4] = ["properties", "schemas", "parameters", "responses"];

/// Adds one change for all texts that differ, and one if the documents differ in what nothing else has told.
pub(super) fn compare(old: &Value, new: &Value, changes: &mut Vec<Change>) {
    let (was, is) = (texts(old), texts(new));
    let exists = |root: &Value, pointer: &str| {
        let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        root.pointer(parent).is_some()
    };
    let pointers = was
        .keys()
        .chain(is.keys().filter(|pointer| !was.contains_key(*pointer)));
    let count = pointers
        .filter(|pointer| was.get(*pointer) != is.get(*pointer) && exists(old, pointer) && exists(new, pointer))
        .count();
    if count > 0 {
        let what = format!("differs: texts, examples or notes in {count} place(s)");
        changes.push(Change::new(Kind::Changed, "documentation", what, Level::Patch, false));
    }
    if changes.is_empty() && old != new {
        let what = "differs in a way that shows neither in the generated crates nor on the wire";
        changes.push(Change::new(Kind::Changed, "layout", what, Level::Patch, false));
    }
}

/// Everything under a keyword of [`DOCS`], by pointer.
fn texts(root: &Value) -> BTreeMap<String, &Value> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![(String::new(), root, false)];
    while let Some((pointer, value, names)) = waiting.pop() {
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    let pointer = join(&pointer, key);
                    if !names && DOCS.contains(&key.as_str()) {
                        found.insert(pointer, value);
                    } else {
                        let names = !names && NAMES.contains(&key.as_str());
                        waiting.push((pointer, value, names));
                    }
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    waiting.push((join(&pointer, &index.to_string()), value, false));
                }
            }
            _ => {}
        }
    }
    found
}
