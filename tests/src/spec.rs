//! The spec as an independent reader sees it: plain YAML, and a JSON Schema validator nobody here wrote.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

/// Root of the workspace.
#[must_use]
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The document.
///
/// # Panics
/// When it cannot be read.
#[must_use]
pub fn document() -> Value {
    let text = std::fs::read_to_string(root().join("spec/transak.yaml")).expect("the spec is readable");
    serde_yaml::from_str(&text).expect("the spec is YAML")
}

/// Validators for the document's schemas.
#[derive(Debug)]
pub struct Schemas {
    schemas: Value,
}

impl Schemas {
    /// Turns the component schemas into JSON Schema: OpenAPI 3.0 says `nullable` where JSON Schema has a
    /// `null` type, and formats of ours mean nothing to a validator.
    #[must_use]
    pub fn of(document: &Value) -> Self {
        let mut schemas = document["components"]["schemas"].clone();
        json_schema(&mut schemas);
        Self { schemas }
    }

    /// Everything the validator has against this value; empty when it is fine.
    ///
    /// # Panics
    /// When the schema itself is no valid JSON Schema.
    #[must_use]
    pub fn complaints(&self, schema: &str, value: &Value) -> Vec<String> {
        let whole = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$ref": format!("#/components/schemas/{schema}"),
            "components": { "schemas": self.schemas },
        });
        let validator = jsonschema::validator_for(&whole).expect("a component is a valid schema");
        validator
            .iter_errors(value)
            .map(|e| format!("{}: {e}", e.instance_path()))
            .collect()
    }
}

fn json_schema(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if map.get("nullable") == Some(&Value::Bool(true)) {
                allow_null(map);
            }
            map.remove("example");
            map.remove("format");
            map.values_mut().for_each(json_schema);
        }
        Value::Array(items) => items.iter_mut().for_each(json_schema),
        _ => {}
    }
}

fn allow_null(map: &mut Map<String, Value>) {
    map.remove("nullable");
    if let Some(kind) = map.get("type").cloned() {
        map.insert("type".into(), json!([kind, "null"]));
    }
}

/// Visits every string of an example that the schema marks as secret or personal, or that sits in opaque JSON.
pub fn for_each_sensitive(document: &Value, schema: &Value, value: &mut Value, visit: &mut dyn FnMut(&mut String)) {
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        return for_each_sensitive(document, &document["components"]["schemas"][name], value, visit);
    }
    let opaque = schema["x-transak-opaque"] == true;
    match value {
        Value::String(text) if opaque || schema["x-transak-personal"] == true || schema["format"] == "password" => {
            visit(text);
        }
        Value::Object(members) => {
            for (name, member) in members {
                let part = if opaque {
                    schema
                } else if schema["properties"][name].is_null() {
                    &schema["additionalProperties"]
                } else {
                    &schema["properties"][name]
                };
                for_each_sensitive(document, part, member, visit);
            }
        }
        Value::Array(items) => {
            let part = if opaque { schema } else { &schema["items"] };
            items
                .iter_mut()
                .for_each(|item| for_each_sensitive(document, part, item, visit));
        }
        _ => {}
    }
    for variant in schema["oneOf"].as_array().into_iter().flatten() {
        for_each_sensitive(document, variant, value, visit);
    }
}
