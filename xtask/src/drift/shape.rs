//! What a schema says, in OpenAPI 3.0 and 3.1 alike.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::api::resolve;

/// References and combinations in a row that are followed.
const MAX_DEPTH: usize = 32;
/// Schemas that are looked at for one place; circles of combinations would otherwise double at each step.
const MAX_SCHEMAS: usize = 2_000;

/// All schemas that describe one place together.
pub(super) type Parts<'a> = Vec<&'a Value>;

/// The union of what the schemas of a place allow.
#[derive(Debug, Default)]
pub(super) struct Shape<'a> {
    /// JSON types, `null` among them.
    pub(super) types: BTreeSet<&'a str>,
    /// The values of an enum as JSON text, null left out.
    pub(super) values: Option<BTreeSet<String>>,
    pub(super) properties: BTreeMap<&'a str, Parts<'a>>,
    pub(super) required: BTreeSet<&'a str>,
    pub(super) items: Parts<'a>,
    /// Schemas of members that are not named.
    pub(super) others: Parts<'a>,
    /// Exact money: a page that says integer has only seen whole amounts.
    pub(super) decimal: bool,
    /// It says less than it may mean: opaque JSON, or a reference that leads nowhere.
    pub(super) unknown: bool,
}

impl<'a> Shape<'a> {
    pub(super) fn of(root: &'a Value, parts: &[&'a Value]) -> Self {
        let mut shape = Self::default();
        let mut left = MAX_SCHEMAS;
        for part in parts {
            shape.add(root, part, MAX_DEPTH, &mut left);
        }
        if shape.types.is_empty() {
            shape.infer();
        }
        shape
    }

    fn add(&mut self, root: &'a Value, schema: &'a Value, depth: usize, left: &mut usize) {
        let (Some(object), true) = (schema.as_object(), depth > 0 && *left > 0) else {
            self.unknown = true;
            return;
        };
        *left -= 1;
        if object.get("x-transak-opaque") == Some(&Value::Bool(true)) {
            self.unknown = true;
        }
        // In 3.1 the siblings of a reference count as well.
        if object.contains_key("$ref") {
            match target(root, schema) {
                Some(target) => self.add(root, target, depth - 1, left),
                None => self.unknown = true,
            }
        }
        match object.get("type") {
            Some(Value::String(one)) => {
                self.types.insert(one);
            }
            Some(Value::Array(several)) => self.types.extend(several.iter().filter_map(Value::as_str)),
            _ => {}
        }
        if object.get("nullable") == Some(&Value::Bool(true)) {
            self.types.insert("null");
        }
        if object.get("format").and_then(Value::as_str) == Some("decimal") {
            self.decimal = true;
        }
        let values = object.get("enum").and_then(Value::as_array).map(Vec::as_slice);
        if let Some(values) = values.or_else(|| object.get("const").map(std::slice::from_ref)) {
            if values.contains(&Value::Null) {
                self.types.insert("null");
            }
            let texts = values.iter().filter(|value| !value.is_null()).map(Value::to_string);
            self.values.get_or_insert_default().extend(texts);
        }
        let properties = object.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            self.properties.entry(name).or_default().push(property);
        }
        let required = object.get("required").and_then(Value::as_array);
        self.required
            .extend(required.into_iter().flatten().filter_map(Value::as_str));
        self.items.extend(object.get("items"));
        // `true` and `{}` allow members without saying anything of them.
        self.others.extend(
            object
                .get("additionalProperties")
                .filter(|value| value.as_object().is_some_and(|o| !o.is_empty())),
        );
        for member in members(object, "allOf") {
            self.add(root, member, depth - 1, left);
        }
        for key in ["oneOf", "anyOf"] {
            self.add_alternatives(root, members(object, key), depth, left);
        }
    }

    /// One of several: all their members may come, and only what all objects among them require must.
    fn add_alternatives(&mut self, root: &'a Value, members: &'a [Value], depth: usize, left: &mut usize) {
        let mut required: Option<BTreeSet<&str>> = None;
        let mut values = Some(BTreeSet::new());
        for member in members {
            let mut shape = Self::default();
            shape.add(root, member, depth - 1, left);
            if shape.types.is_empty() {
                shape.infer();
            }
            if shape.types.contains("object") {
                required = Some(match required {
                    None => shape.required,
                    Some(others) => others.intersection(&shape.required).copied().collect(),
                });
            }
            let null = shape.types.iter().all(|one| *one == "null") && !shape.unknown;
            match (&mut values, shape.values) {
                (Some(all), Some(these)) => all.extend(these),
                (_, None) if null => {}
                (all, _) => *all = None,
            }
            self.types.extend(shape.types);
            for (name, parts) in shape.properties {
                self.properties.entry(name).or_default().extend(parts);
            }
            self.items.extend(shape.items);
            self.others.extend(shape.others);
            self.decimal |= shape.decimal;
            self.unknown |= shape.unknown;
        }
        self.required.extend(required.into_iter().flatten());
        if let Some(values) = values.filter(|values| !values.is_empty()) {
            self.values.get_or_insert_default().extend(values);
        }
    }

    /// The types that follow from the other keywords.
    fn infer(&mut self) {
        if !self.properties.is_empty() || !self.others.is_empty() {
            self.types.insert("object");
        }
        if !self.items.is_empty() {
            self.types.insert("array");
        }
        for value in self.values.iter().flatten() {
            self.types.insert(match value.as_bytes().first() {
                Some(b'"') => "string",
                Some(b't' | b'f') => "boolean",
                Some(b'{') => "object",
                Some(b'[') => "array",
                _ if value.contains(['.', 'e', 'E']) => "number",
                _ => "integer",
            });
        }
        self.unknown |= self.types.is_empty();
    }
}

fn members<'a>(object: &'a crate::api::Object, key: &str) -> &'a [Value] {
    object
        .get(key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// What a reference leads to. Names in `$defs` are looked up wherever those stand.
fn target<'a>(root: &'a Value, schema: &'a Value) -> Option<&'a Value> {
    let reference = schema.get("$ref")?.as_str()?;
    let found = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
    if let Some(found) = found.filter(|_| reference != "#") {
        return if found.get("$ref").is_some() && found.as_object().is_some_and(|object| object.len() == 1) {
            resolve(root, found)
        } else {
            Some(found)
        };
    }
    definition(root, reference.split_once("$defs/")?.1)
}

/// The first entry of this name in any `$defs` of the document.
fn definition<'a>(root: &'a Value, name: &str) -> Option<&'a Value> {
    let mut waiting = vec![root];
    while let Some(value) = waiting.pop() {
        match value {
            Value::Array(items) => waiting.extend(items),
            Value::Object(object) => {
                if let Some(found) = object.get("$defs").and_then(|definitions| definitions.get(name)) {
                    return Some(found);
                }
                waiting.extend(object.values());
            }
            _ => {}
        }
    }
    None
}
