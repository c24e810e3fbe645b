//! Puts what our extensions say where a renderer shows it.

use serde_json::{Map, Value, json};

use crate::api::METHODS;
use crate::provenance::Confidence;

/// The spec with provenance and safety in the descriptions of operations, schemas and whatever else has them, and a
/// badge with the confidence at each operation.
#[must_use]
pub fn lowered(spec: &Value) -> Value {
    let mut spec = spec.clone();
    describe(&mut spec);
    let items = spec.get_mut("paths").and_then(Value::as_object_mut);
    for item in items.into_iter().flat_map(|items| items.values_mut()) {
        for method in METHODS {
            if let Some(operation) = item.get_mut(method).and_then(Value::as_object_mut) {
                operation_notes(operation);
            }
        }
    }
    spec
}

fn operation_notes(operation: &mut Map<String, Value>) {
    if let Some(told) = operation.get("x-transak-safety").and_then(Value::as_str).map(safety) {
        append(operation, &told);
    }
    let confidence = operation
        .get("x-transak-provenance")
        .and_then(|one| one.get("confidence")?.as_str());
    if let Some(confidence) = confidence.map(str::to_owned) {
        let badge = json!([{"name": confidence, "position": "after", "color": color(&confidence)}]);
        operation.insert("x-badges".to_owned(), badge);
    }
}

fn safety(safety: &str) -> String {
    let means = match safety {
        "safe" => "changes nothing and may be repeated",
        "idempotent" => "may be repeated; the outcome is the same",
        "once" => "is never repeated automatically",
        _ => "is not described",
    };
    format!("**Safety: {safety}** ({means})")
}

fn color(confidence: &str) -> &'static str {
    match Confidence::parse(confidence) {
        Some(Confidence::Documented) => "#1b7f3b",
        Some(Confidence::VendorCode) => "#1f5fa8",
        Some(Confidence::PublicCode) => "#8a5a00",
        Some(Confidence::Inferred) | None => "#a82020",
    }
}

/// Adds the provenance of every object that has one to its description. Examples are data and stay as they are.
fn describe(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(describe),
        Value::Object(object) => {
            for (key, value) in &mut *object {
                if !matches!(key.as_str(), "example" | "examples" | "x-transak-provenance") {
                    describe(value);
                }
            }
            if let Some(told) = object.get("x-transak-provenance").and_then(provenance) {
                append(object, &told);
            }
        }
        _ => {}
    }
}

/// The provenance as Markdown.
fn provenance(value: &Value) -> Option<String> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let list = |key: &str| {
        let list = value.get(key).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str)
    };
    let sources: Vec<String> = list("source").map(|source| format!("`{source}`")).collect();
    let mut told = format!(
        "**Provenance: {}**, as of {}. Read in {}.",
        text("confidence")?,
        text("asOf").unwrap_or("an unknown day"),
        sources.join(", ")
    );
    let notes: String = list("notes").map(|note| format!("\n- {note}")).collect();
    if !notes.is_empty() {
        told += "\n";
        told += &notes;
    }
    Some(told)
}

fn append(object: &mut Map<String, Value>, text: &str) {
    let before = object.get("description").and_then(Value::as_str).unwrap_or_default();
    let after = if before.is_empty() {
        text.to_owned()
    } else {
        format!("{}\n\n{text}", before.trim_end())
    };
    object.insert("description".to_owned(), Value::String(after));
}
