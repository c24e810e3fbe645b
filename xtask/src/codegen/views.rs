//! Views: pure functions that lower the honest document to what the generator handles correctly.
//!
//! Both views share the schema lowering. The *client view* keeps only successful responses, so that every
//! failure reaches our own error type with its status and unread body. The *mock view* keeps all responses
//! and turns the `security` rules into optional header parameters, so that a test can demand them.

use serde_json::{Map, Value, json};

use super::emit::model::leaf;
use super::forms;
use super::problem::Failure;

/// Prefix of the stand-in for a property whose name starts with an underscore; see [`restore_name`].
const UNDERSCORE: &str = "underscored-";

/// The document as the client generator should see it.
///
/// # Errors
/// [`Failure::Generator`] when the lowered document no longer fits the OpenAPI model.
pub fn client(json: &Value) -> Result<openapiv3::OpenAPI, Failure> {
    let mut doc = lowered(json);
    for_each_operation(&mut doc, |operation| {
        keep_success(operation);
    });
    model(doc)
}

/// The document as the mock generator should see it.
///
/// # Errors
/// [`Failure::Generator`] when the lowered document no longer fits the OpenAPI model.
pub fn mock(json: &Value) -> Result<openapiv3::OpenAPI, Failure> {
    let mut doc = lowered(json);
    let default_security = doc.get("security").cloned();
    let schemes = doc
        .pointer("/components/securitySchemes")
        .cloned()
        .unwrap_or(Value::Null);
    for_each_operation(&mut doc, |operation| {
        let security = operation.get("security").cloned().or_else(|| default_security.clone());
        for header in headers_of(security.as_ref(), &schemes) {
            push_parameter(
                operation,
                json!({ "in": "header", "name": header, "required": false, "schema": { "type": "string" },
                        "description": "Credential header; `None` demands its absence." }),
            );
        }
        plain_secrets(operation);
        drop_examples_of_responses(operation);
    });
    model(doc)
}

/// The mocks compare a query with the text of a value, which secrets do not give.
fn plain_secrets(operation: &mut Map<String, Value>) {
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        if let Some(schema) = parameter.get_mut("schema").and_then(Value::as_object_mut)
            && schema.get("format").and_then(Value::as_str) == Some("password")
        {
            schema.remove("format");
        }
    }
}

/// The name a property has in JSON, given the name it has in the views.
pub fn restore_name(name: &str) -> Option<String> {
    name.strip_prefix(UNDERSCORE).map(|rest| format!("_{rest}"))
}

fn model(doc: Value) -> Result<openapiv3::OpenAPI, Failure> {
    serde_json::from_value(doc).map_err(|e| Failure::Generator(format!("a view no longer fits the OpenAPI model: {e}")))
}

/// Steps that both views share. Keys are sorted, so that the output does not depend on how `serde_json`
/// orders maps in the current build.
fn lowered(json: &Value) -> Value {
    let mut doc = sorted(json);
    forms::remove(&mut doc);
    let nullable = take_nullable(&mut doc);
    if let Some(schemas) = doc.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        for schema in schemas.values_mut() {
            lower_schema(schema);
            null_at_reference(schema, &nullable);
        }
    }
    if let Some(components) = doc.get_mut("components").and_then(Value::as_object_mut) {
        components.remove("examples");
    }
    let parameters = doc.pointer("/components/parameters").cloned().unwrap_or(Value::Null);
    let request_bodies = doc.pointer("/components/requestBodies").cloned().unwrap_or(Value::Null);
    let responses = doc.pointer("/components/responses").cloned().unwrap_or(Value::Null);
    let schemas = doc.pointer("/components/schemas").cloned().unwrap_or(Value::Null);
    hoist_path_parameters(&mut doc);
    for_each_operation(&mut doc, |operation| {
        inline_list(operation, "parameters", &parameters);
        if let Some(body) = operation.get_mut("requestBody") {
            inline(body, &request_bodies);
        }
        if let Some(map) = operation.get_mut("responses").and_then(Value::as_object_mut) {
            for response in map.values_mut() {
                inline(response, &responses);
                if let Some(response) = response.as_object_mut() {
                    response.remove("headers");
                    response.remove("links");
                }
            }
        }
        if let Some(list) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
            for parameter in list {
                lower_parameter(parameter, &schemas);
            }
        }
    });
    doc
}

/// Takes `nullable` off the component schemas, whose types would otherwise not know of it, and returns the
/// references to them.
fn take_nullable(doc: &mut Value) -> Vec<String> {
    let mut references = Vec::new();
    let Some(schemas) = doc.pointer_mut("/components/schemas").and_then(Value::as_object_mut) else {
        return references;
    };
    for (name, schema) in schemas {
        let Some(schema) = schema.as_object_mut() else { continue };
        if schema.remove("nullable") == Some(Value::Bool(true)) {
            references.push(format!("#/components/schemas/{name}"));
            if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
                values.retain(|v| !v.is_null());
            }
        }
    }
    references
}

/// A property that refers to a nullable schema becomes nullable itself, hence an `Option`.
fn null_at_reference(schema: &mut Value, nullable: &[String]) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    for property in properties.values_mut() {
        if property
            .get("$ref")
            .and_then(Value::as_str)
            .is_some_and(|r| nullable.iter().any(|n| n == r))
        {
            *property = json!({ "nullable": true, "allOf": [property.take()] });
        }
    }
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|a, b| a.0.cmp(b.0));
            Value::Object(entries.into_iter().map(|(k, v)| (k.clone(), sorted(v))).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// Lowers one schema and all it contains.
fn lower_schema(schema: &mut Value) {
    let Some(map) = schema.as_object_mut() else { return };
    let personal = map.get("x-transak-personal") == Some(&Value::Bool(true));
    if map.contains_key("x-transak-opaque") {
        // The known shapes are for readers; the type takes anything.
        map.remove("anyOf");
    }
    map.retain(|key, _| !key.starts_with("x-") && !matches!(key.as_str(), "example" | "xml" | "externalDocs"));
    // Generated code would want a crate for regular expressions, to refuse what the API refuses.
    map.remove("pattern");
    if personal {
        map.insert("format".into(), json!("personal"));
    }
    for key in ["items", "additionalProperties", "not"] {
        if let Some(child) = map.get_mut(key) {
            lower_schema(child);
        }
    }
    for key in ["oneOf", "allOf", "anyOf"] {
        if let Some(list) = map.get_mut(key).and_then(Value::as_array_mut) {
            list.iter_mut().for_each(lower_schema);
        }
    }
    lower_properties(map);
}

fn lower_properties(map: &mut Map<String, Value>) {
    let required: Vec<String> = map
        .get("required")
        .and_then(Value::as_array)
        .map(|list| list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect())
        .unwrap_or_default();
    let Some(properties) = map.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    let names: Vec<String> = properties.keys().cloned().collect();
    let mut renamed = Vec::new();
    for name in &names {
        let Some(property) = properties.get_mut(name) else {
            continue;
        };
        lower_schema(property);
        if !required.contains(name) {
            keep_empty_collections(property);
        }
        // `_id` and `id` would become the same Rust field.
        if let Some(rest) = name.strip_prefix('_')
            && names.iter().any(|other| other == rest)
            && let Some(property) = properties.remove(name)
        {
            let stand_in = format!("{UNDERSCORE}{rest}");
            properties.insert(stand_in.clone(), property);
            renamed.push((name.clone(), stand_in));
        }
    }
    if let Some(list) = map.get_mut("required").and_then(Value::as_array_mut) {
        for item in list {
            if let Some((_, stand_in)) = renamed.iter().find(|(old, _)| item.as_str() == Some(old)) {
                *item = json!(stand_in);
            }
        }
    }
}

/// An optional array or map becomes nullable, hence `Option<Vec<_>>`: otherwise an empty one would be
/// dropped when it is encoded again, and `null` would fail to decode.
fn keep_empty_collections(property: &mut Value) {
    let is_map = property.get("additionalProperties").is_some() && property.get("properties").is_none();
    let is_array = property.get("type").and_then(Value::as_str) == Some("array");
    if (is_array || is_map)
        && let Some(map) = property.as_object_mut()
    {
        map.insert("nullable".into(), Value::Bool(true));
    }
}

/// Lowers one parameter. The schema of what is not an enum is inlined and loses its bounds: for a number of at
/// least 1 the builder would want a `NonZeroU64`, for a text of some length a type of its own, in exchange for a
/// check that the API makes anyway.
fn lower_parameter(parameter: &mut Value, schemas: &Value) {
    let Some(parameter) = parameter.as_object_mut() else {
        return;
    };
    parameter.retain(|key, _| !key.starts_with("x-") && !matches!(key.as_str(), "example" | "examples"));
    let Some(schema) = parameter.get_mut("schema") else {
        return;
    };
    let name = schema.get("$ref").and_then(Value::as_str).map(leaf);
    let target = name.and_then(|name| schemas.get(name));
    if let Some(target) = target.filter(|target| target.get("enum").is_none()) {
        *schema = target.clone();
    }
    lower_schema(schema);
    if let Some(map) = schema.as_object_mut() {
        map.retain(|key, _| !BOUNDS.contains(&key.as_str()));
        if map.get("type").and_then(Value::as_str) == Some("integer") {
            map.remove("format");
        }
    }
    // `Amount` writes raw JSON, which a query serializer cannot take.
    if schema.get("format").and_then(Value::as_str) == Some("decimal")
        && let Some(map) = schema.as_object_mut()
    {
        map.insert("format".into(), json!("query-decimal"));
    }
}

const BOUNDS: [&str; 7] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
];

fn keep_success(operation: &mut Map<String, Value>) {
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    let success = responses
        .iter()
        .find(|(status, _)| status.starts_with('2'))
        .map(|(_, response)| response.clone());
    responses.clear();
    if let Some(response) = success {
        // Any 2xx is read as the documented success: a 201 where the page says 200 is no reason to fail.
        responses.insert("2XX".into(), response);
    }
    drop_examples_of_responses(operation);
}

fn drop_examples_of_responses(operation: &mut Map<String, Value>) {
    let strip = |content: Option<&mut Value>| {
        if let Some(content) = content.and_then(Value::as_object_mut) {
            for media in content.values_mut().filter_map(Value::as_object_mut) {
                media.remove("example");
                media.remove("examples");
            }
        }
    };
    if let Some(body) = operation.get_mut("requestBody") {
        strip(body.get_mut("content"));
    }
    if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
        for response in responses.values_mut() {
            strip(response.get_mut("content"));
        }
    }
}

/// Every credential header any alternative of an operation names, in order of first appearance.
fn headers_of(security: Option<&Value>, schemes: &Value) -> Vec<String> {
    let mut headers: Vec<String> = Vec::new();
    for alternative in security.and_then(Value::as_array).into_iter().flatten() {
        for scheme in alternative.as_object().into_iter().flat_map(Map::keys) {
            let name = schemes.get(scheme).and_then(|s| s.get("name")).and_then(Value::as_str);
            if let Some(name) = name
                && !headers.iter().any(|h| h == name)
            {
                headers.push(name.to_owned());
            }
        }
    }
    headers
}

fn push_parameter(operation: &mut Map<String, Value>, parameter: Value) {
    let list = operation.entry("parameters").or_insert_with(|| json!([]));
    if let Some(list) = list.as_array_mut() {
        list.push(parameter);
    }
}

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

fn for_each_operation(doc: &mut Value, mut change: impl FnMut(&mut Map<String, Value>)) {
    let Some(paths) = doc.get_mut("paths").and_then(Value::as_object_mut) else {
        return;
    };
    for item in paths.values_mut().filter_map(Value::as_object_mut) {
        for method in METHODS {
            if let Some(operation) = item.get_mut(method).and_then(Value::as_object_mut) {
                change(operation);
            }
        }
    }
}

/// Moves parameters of a path item into its operations, where the other steps look for them.
fn hoist_path_parameters(doc: &mut Value) {
    let Some(paths) = doc.get_mut("paths").and_then(Value::as_object_mut) else {
        return;
    };
    for item in paths.values_mut().filter_map(Value::as_object_mut) {
        let Some(shared) = item.remove("parameters").and_then(|p| p.as_array().cloned()) else {
            continue;
        };
        for method in METHODS {
            if let Some(operation) = item.get_mut(method).and_then(Value::as_object_mut) {
                for parameter in &shared {
                    push_parameter(operation, parameter.clone());
                }
            }
        }
    }
}

fn inline_list(operation: &mut Map<String, Value>, key: &str, components: &Value) {
    if let Some(list) = operation.get_mut(key).and_then(Value::as_array_mut) {
        for item in list {
            inline(item, components);
        }
    }
}

/// Replaces a local `$ref` by what it names. Lint has already refused references that do not resolve.
fn inline(item: &mut Value, components: &Value) {
    let name = item
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|r| r.rsplit('/').next())
        .map(str::to_owned);
    if let Some(target) = name.and_then(|name| components.get(name)) {
        *item = target.clone();
    }
}
