//! The spec as JSON, and following its references.

use serde_json::Value;

use super::SpecError;

/// Written by `cargo xtask codegen` from spec/transak.yaml.
const TEXT: &str = include_str!("../generated/openapi.json");

/// The spec.
pub(super) struct Document {
    root: Value,
}

impl Document {
    pub(super) fn load() -> Result<Self, SpecError> {
        let root = serde_json::from_str(TEXT).map_err(|error| SpecError::new("/", error.to_string()))?;
        Ok(Self { root })
    }

    /// The operation object of a path template and a method.
    pub(super) fn operation(&self, path: &str, method: &str) -> Result<&Value, SpecError> {
        self.root
            .get("paths")
            .and_then(|paths| paths.get(path))
            .and_then(|item| item.get(method.to_ascii_lowercase()))
            .ok_or_else(|| SpecError::new(format!("{method} {path}"), "no such operation"))
    }

    /// The value itself, or what it refers to.
    pub(super) fn resolve<'a>(&'a self, value: &'a Value) -> Result<&'a Value, SpecError> {
        let mut value = value;
        // A chain of references is short; a longer one is a circle.
        for _ in 0..16 {
            let Some(reference) = reference(value) else {
                return Ok(value);
            };
            value = self.target(reference)?;
        }
        Err(SpecError::new("/", "references in a circle"))
    }

    /// What a local reference points to.
    pub(super) fn target(&self, reference: &str) -> Result<&Value, SpecError> {
        let pointer = reference.strip_prefix('#');
        pointer
            .and_then(|pointer| self.root.pointer(pointer))
            .ok_or_else(|| SpecError::new(reference, "leads nowhere"))
    }
}

/// The reference a value is, if it is one.
pub(super) fn reference(value: &Value) -> Option<&str> {
    value.get("$ref").and_then(Value::as_str)
}
