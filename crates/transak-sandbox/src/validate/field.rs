//! What is wrong with a value, in words that name the field and never repeat the value.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

/// The path of an error inside a body, as in `widgetParams.nftData[0].price`.
pub(super) fn path(error: &ValidationError<'_>) -> String {
    let mut path = String::new();
    for part in error
        .instance_path()
        .as_str()
        .split('/')
        .filter(|part| !part.is_empty())
    {
        let part = part.replace("~1", "/").replace("~0", "~");
        push(&mut path, &part);
    }
    if let ValidationErrorKind::Required {
        property: Value::String(name),
    } = error.kind()
    {
        push(&mut path, name);
    }
    if path.is_empty() { "body".to_owned() } else { path }
}

fn push(path: &mut String, part: &str) {
    if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) && !path.is_empty() {
        path.push('[');
        path.push_str(part);
        path.push(']');
        return;
    }
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(part);
}

/// What is wrong with the field.
pub(super) fn problem(error: &ValidationError<'_>) -> String {
    match error.kind() {
        ValidationErrorKind::Required { .. } => "is required".to_owned(),
        ValidationErrorKind::Type { kind } => match kind {
            TypeKind::Single(kind) => format!("must be of type {kind}"),
            TypeKind::Multiple(_) => "is of the wrong type".to_owned(),
        },
        ValidationErrorKind::Enum { options } => format!("must be one of {}", listed(options)),
        ValidationErrorKind::Format { format } => format!("must be a {format}"),
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            format!("has members the spec does not know: {}", unexpected.join(", "))
        }
        kind => format!("breaks the rule `{}`", kind.keyword()),
    }
}

fn listed(options: &Value) -> String {
    let Value::Array(values) = options else {
        return options.to_string();
    };
    let texts: Vec<String> = values
        .iter()
        .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        .collect();
    texts.join(", ")
}
