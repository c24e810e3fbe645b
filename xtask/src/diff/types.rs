//! What a schema is called in the generated Rust, and what JSON it stands for.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::api::{flag, leaf, resolve};

/// More nodes than this are not unfolded to find out whether two schemas mean the same JSON.
const MAX_NODES: usize = 20_000;
/// Circles end somewhere: deeper differences are found at the schema they are in.
const MAX_DEPTH: usize = 24;

/// A schema without the wrapper that makes a reference nullable, and whether null is allowed.
pub(super) fn unwrapped(schema: &Value) -> (&Value, bool) {
    let nullable = schema.as_object().is_some_and(|object| flag(object, "nullable"));
    match schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        Some([only]) if schema.get("properties").is_none() => {
            let (inner, also) = unwrapped(only);
            (inner, nullable || also)
        }
        _ => (schema, nullable),
    }
}

/// The type in words: two schemas with different words become different Rust types.
pub(super) fn name(schema: &Value) -> String {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        return format!("`{}`", leaf(target));
    }
    let text = |key: &str| schema.get(key).and_then(Value::as_str);
    let set = |key: &str| schema.as_object().is_some_and(|object| flag(object, key));
    if set("x-transak-opaque") {
        return "opaque JSON".to_owned();
    }
    for (key, told) in [("oneOf", "a union"), ("anyOf", "a union"), ("allOf", "a combination")] {
        if schema.get(key).is_some() {
            return told.to_owned();
        }
    }
    let kind = text("type").unwrap_or(if schema.get("properties").is_some() {
        "object"
    } else {
        "any"
    });
    if schema.get("enum").is_some() {
        return format!("{kind} enum");
    }
    if kind == "object" {
        let open = schema
            .get("additionalProperties")
            .is_some_and(|v| v != &Value::Bool(false));
        return match (schema.get("properties").is_some(), open) {
            (true, true) => "an object with more".to_owned(),
            (false, true) => "a map".to_owned(),
            _ => "an object".to_owned(),
        };
    }
    match (text("format"), set("x-transak-personal")) {
        (_, true) => format!("{kind} (personal)"),
        (Some(format), false) => format!("{kind} ({format})"),
        (None, false) => kind.to_owned(),
    }
}

/// Whether a program made for `old` is broken by `new` in a place where it sends or receives the value.
pub(super) fn breaks_wire(roots: (&Value, &Value), old: &Value, new: &Value, sent: bool, received: bool) -> bool {
    let (Some(a), Some(b)) = (unfolded(roots.0, old), unfolded(roots.1, new)) else {
        return true;
    };
    if a == b {
        return false;
    }
    let (was, is) = (json_types(&a), json_types(&b));
    let structured = |types: &BTreeSet<&str>| types.iter().any(|one| matches!(*one, "object" | "array" | "any"));
    if structured(&was) || structured(&is) {
        return true;
    }
    let fits = |small: &BTreeSet<&str>, large: &BTreeSet<&str>| {
        small
            .iter()
            .all(|one| large.contains(one) || (*one == "integer" && large.contains("number")))
    };
    // Stricter where it is sent, or looser where it is received.
    let narrows = |from: &Value, to: &Value| {
        let key = |value: &Value, key: &str| value.get(key).cloned();
        let values = |value: &Value| value.get("enum").and_then(Value::as_array).cloned();
        let enums = match (values(from), values(to)) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(from), Some(to)) => !from.iter().all(|value| to.contains(value)),
        };
        let format = key(to, "format").is_some() && key(to, "format") != key(from, "format");
        (format, enums)
    };
    let (format, enums) = narrows(&a, &b);
    let (loose, _) = narrows(&b, &a);
    // Enums are open: a value that was not known is received all the same.
    (sent && (!fits(&was, &is) || format || enums)) || (received && (!fits(&is, &was) || loose))
}

/// The JSON types a schema allows; `any` if it does not say.
fn json_types(schema: &Value) -> BTreeSet<&str> {
    for key in ["oneOf", "anyOf", "allOf"] {
        if let Some(list) = schema.get(key).and_then(Value::as_array) {
            return list.iter().flat_map(json_types).collect();
        }
    }
    let kind = schema.get("type").and_then(Value::as_str);
    BTreeSet::from([kind.unwrap_or("any")])
}

/// The schema with references followed and without what does not show in JSON. Nothing if it is too large.
fn unfolded(root: &Value, schema: &Value) -> Option<Value> {
    let mut left = MAX_NODES;
    unfold(root, schema, MAX_DEPTH, &mut left)
}

fn unfold(root: &Value, schema: &Value, depth: usize, left: &mut usize) -> Option<Value> {
    *left = left.checked_sub(1)?;
    let (schema, nullable) = unwrapped(schema);
    let Some(object) = resolve(root, schema).and_then(Value::as_object) else {
        return Some(schema.clone());
    };
    if depth == 0 {
        return Some(Value::Null);
    }
    let mut plain = Map::new();
    for (key, value) in object {
        let value = match key.as_str() {
            "properties" => {
                let entries = value.as_object()?;
                let mut unfolded = Map::new();
                for (name, property) in entries {
                    unfolded.insert(name.clone(), unfold(root, property, depth - 1, left)?);
                }
                Value::Object(unfolded)
            }
            "items" | "additionalProperties" | "not" => unfold(root, value, depth - 1, left)?,
            "oneOf" | "anyOf" | "allOf" => {
                let list = value.as_array()?.iter();
                Value::Array(
                    list.map(|one| unfold(root, one, depth - 1, left))
                        .collect::<Option<_>>()?,
                )
            }
            "required" => {
                let names = value.as_array()?.iter().filter_map(Value::as_str);
                json!(names.collect::<BTreeSet<_>>())
            }
            "format" if matches!(value.as_str(), Some("password" | "personal")) => continue,
            "description" | "title" | "example" | "examples" | "deprecated" | "externalDocs" | "xml" | "nullable" => {
                continue;
            }
            key if key.starts_with("x-") => continue,
            _ => value.clone(),
        };
        plain.insert(key.clone(), value);
    }
    if nullable || flag(object, "nullable") {
        plain.insert("nullable".to_owned(), Value::Bool(true));
    }
    Some(Value::Object(plain))
}
