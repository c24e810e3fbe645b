//! Holds every reply of the world against the spec, independently of the server's own check.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

use serde_json::{Value, json};
use transak_client::Operation;

static SPEC: LazyLock<Value> = LazyLock::new(|| {
    let mut spec: Value = serde_json::from_str(include_str!("../../src/generated/openapi.json")).unwrap();
    allow_nulls(&mut spec["components"]["schemas"]);
    spec
});

type Validators = HashMap<(&'static str, u16), Arc<jsonschema::Validator>>;
static VALIDATORS: LazyLock<Mutex<Validators>> = LazyLock::new(Mutex::default);

/// OpenAPI 3.0 says `nullable` where JSON Schema says `"type": [.., "null"]`.
fn allow_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if members.get("nullable") == Some(&json!(true))
                && let Some(kind) = members.get("type").filter(|kind| kind.is_string()).cloned()
            {
                members.insert("type".to_owned(), json!([kind, "null"]));
            }
            members.values_mut().for_each(allow_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(allow_nulls),
        _ => {}
    }
}

fn resolved(value: &Value) -> &Value {
    match value["$ref"].as_str() {
        Some(reference) => SPEC.pointer(reference.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

/// Panics when the spec does not list the status for the operation, or the body does not fit.
#[track_caller]
pub fn check(operation: &'static Operation, status: u16, body: Option<&Value>) {
    let id = operation.id();
    let path = operation.path().replace('/', "~1");
    let pointer = format!("/paths/{path}/{}/responses/{status}", operation.method().to_lowercase());
    let response = SPEC
        .pointer(&pointer)
        .unwrap_or_else(|| panic!("{id} does not document {status}"));
    let Some(body) = body else { return };
    let known = VALIDATORS.lock().unwrap().get(&(id, status)).map(Arc::clone);
    let validator = known.unwrap_or_else(|| {
        let mut schema = resolved(response)["content"]["application/json"]["schema"].clone();
        assert!(schema.is_object(), "{id} {status} has no schema");
        schema["components"] = SPEC["components"].clone();
        let validator = Arc::new(jsonschema::validator_for(&schema).unwrap());
        VALIDATORS.lock().unwrap().insert((id, status), Arc::clone(&validator));
        validator
    });
    let problems: Vec<String> = validator
        .iter_errors(body)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    assert!(problems.is_empty(), "{id} {status}: {problems:#?}\n{body}");
}
