//! What passes the lint also passes the generator: the promise the lint exists for.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use xtask::codegen::{generate, lint::lint, load::Document};

use super::GOOD;

/// One in so many edits is tried; all of them take a minute.
const STRIDE: usize = 31;

#[test]
fn the_good_spec_generates() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("spec.yaml");
    std::fs::write(&path, GOOD).unwrap();
    if let Err(failure) = generate(&path) {
        panic!("{failure}");
    }
}

/// Puts other schemas in the place of every node. Most results are refused by the lint; the rest
/// must generate.
#[test]
fn what_lints_clean_generates() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("spec.yaml");
    let good = Document::parse(Path::new("spec.yaml"), GOOD.to_owned()).unwrap().json;
    let mut pointers = Vec::new();
    collect(&good, String::new(), &mut pointers);
    pointers.retain(|pointer| pointer.starts_with("/components") || pointer.starts_with("/paths"));
    pointers.retain(|pointer| !pointer.contains("provenance") && !pointer.contains("/examples"));
    let schemas = schemas();
    let edits = pointers
        .iter()
        .flat_map(|pointer| schemas.iter().map(move |schema| (pointer, schema)));
    let mut generated = 0;
    for (pointer, schema) in edits.step_by(STRIDE) {
        let mut json = good.clone();
        *json.pointer_mut(pointer).unwrap() = schema.clone();
        let text = json.to_string();
        let Ok(doc) = Document::parse(&path, text.clone()) else {
            continue;
        };
        if !lint(&doc).is_empty() {
            continue;
        }
        std::fs::write(&path, text).unwrap();
        if let Err(failure) = generate(&path) {
            panic!("{pointer} = {schema}: {failure}");
        }
        generated += 1;
    }
    assert!(generated > 0, "no edit passed the lint");
}

fn collect(node: &Value, pointer: String, pointers: &mut Vec<String>) {
    match node {
        Value::Object(map) => {
            for (key, child) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                collect(child, format!("{pointer}/{key}"), pointers);
            }
        }
        Value::Array(list) => {
            for (index, child) in list.iter().enumerate() {
                collect(child, format!("{pointer}/{index}"), pointers);
            }
        }
        _ => {}
    }
    pointers.push(pointer);
}

fn schemas() -> Vec<Value> {
    let named = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    vec![
        json!("type"),
        json!([]),
        json!({"type": "string"}),
        json!({"type": "string", "minLength": 3, "pattern": "^a"}),
        json!({"type": "string", "format": "date", "nullable": true}),
        json!({"type": "boolean", "nullable": true}),
        json!({"type": "integer", "default": 3, "format": "int32"}),
        json!({"type": "array", "items": {"type": "string"}}),
        json!({"type": "array", "items": {"type": "array", "items": named("User")}}),
        json!({"type": "object", "additionalProperties": {"type": "array", "items": {"type": "number", "format": "decimal"}}}),
        named("Level"),
        named("PaidFlag"),
        named("OpaqueJson"),
        json!({"description": "d", "allOf": [named("User"), named("Failure")]}),
    ]
}
