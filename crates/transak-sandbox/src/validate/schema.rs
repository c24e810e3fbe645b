//! OpenAPI 3.0 schemas as JSON Schema, compiled when they are first needed.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use super::SpecError;
use super::document::{Document, reference};

const COMPONENTS: &str = "#/components/schemas/";

/// Whose words a schema checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaker {
    /// A caller: may send members the spec does not know.
    Caller,
    /// The sandbox: members the spec does not know are typing errors of ours.
    Sandbox,
}

/// One schema of the spec, self-contained and compiled on first use.
pub(super) struct Schema {
    at: String,
    source: Value,
    compiled: OnceLock<Result<Validator, SpecError>>,
}

impl Schema {
    /// Prepares a schema; `at` names it in errors.
    pub(super) fn new(document: &Document, at: &str, schema: &Value, speaker: Speaker) -> Result<Self, SpecError> {
        let mut definitions = BTreeMap::new();
        let mut root = convert(document, schema, speaker, &mut definitions)?;
        if let Value::Object(members) = &mut root {
            members.insert("$defs".to_owned(), Value::Object(definitions.into_iter().collect()));
        }
        Ok(Self {
            at: at.to_owned(),
            source: root,
            compiled: OnceLock::new(),
        })
    }

    /// The compiled schema.
    pub(super) fn validator(&self) -> Result<&Validator, SpecError> {
        let compiled = self.compiled.get_or_init(|| {
            jsonschema::options()
                .with_draft(Draft::Draft202012)
                .should_validate_formats(true)
                .with_format("decimal", super::parameter::is_decimal)
                .build(&self.source)
                .map_err(|error| SpecError::new(&self.at, error.to_string()))
        });
        compiled.as_ref().map_err(Clone::clone)
    }
}

/// Copies a schema in JSON Schema's words, and everything it refers to into `definitions`.
fn convert(
    document: &Document,
    schema: &Value,
    speaker: Speaker,
    definitions: &mut BTreeMap<String, Value>,
) -> Result<Value, SpecError> {
    if let Some(reference) = reference(schema) {
        let name = reference
            .strip_prefix(COMPONENTS)
            .ok_or_else(|| SpecError::new(reference, "only schemas of the components can be referred to"))?;
        if !definitions.contains_key(name) {
            // Entered before its members are converted, since a schema may refer to itself.
            definitions.insert(name.to_owned(), Value::Bool(true));
            let converted = convert(document, document.target(reference)?, speaker, definitions)?;
            definitions.insert(name.to_owned(), converted);
        }
        return Ok(json!({ "$ref": format!("#/$defs/{name}") }));
    }
    let Value::Object(members) = schema else {
        return Ok(schema.clone());
    };
    let mut out = Map::new();
    for (key, value) in members {
        match key.as_str() {
            "type" | "enum" | "format" | "required" | "pattern" | "minimum" | "maximum" | "minLength" | "maxLength"
            | "minItems" | "maxItems" | "uniqueItems" | "multipleOf" | "minProperties" | "maxProperties" => {
                out.insert(key.clone(), value.clone());
            }
            "properties" => {
                let Value::Object(properties) = value else { continue };
                let mut converted = Map::new();
                for (name, property) in properties {
                    converted.insert(name.clone(), convert(document, property, speaker, definitions)?);
                }
                out.insert(key.clone(), Value::Object(converted));
            }
            "items" | "additionalProperties" | "not" => {
                out.insert(key.clone(), convert(document, value, speaker, definitions)?);
            }
            "oneOf" | "anyOf" | "allOf" => {
                let Value::Array(list) = value else { continue };
                let converted: Result<Vec<Value>, SpecError> = list
                    .iter()
                    .map(|item| convert(document, item, speaker, definitions))
                    .collect();
                out.insert(key.clone(), Value::Array(converted?));
            }
            // Descriptions, examples, defaults and extensions decide nothing.
            _ => {}
        }
    }
    if members.get("nullable") == Some(&Value::Bool(true)) {
        if let Some(kind) = out.get("type").cloned() {
            out.insert("type".to_owned(), json!([kind, "null"]));
        }
        if let Some(Value::Array(values)) = out.get_mut("enum")
            && !values.contains(&Value::Null)
        {
            values.push(Value::Null);
        }
    }
    let closed = speaker == Speaker::Sandbox && out.contains_key("properties") && !combines(members);
    if closed && !out.contains_key("additionalProperties") {
        out.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    Ok(Value::Object(out))
}

/// Whether other schemas may add members to the same object.
fn combines(schema: &Map<String, Value>) -> bool {
    ["oneOf", "anyOf", "allOf"].iter().any(|key| schema.contains_key(*key))
}
