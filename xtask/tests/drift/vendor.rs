//! Our own spec, rewritten the way the vendor's pages are, must agree with itself.

use serde_json::{Map, Value, json};
use xtask::drift::{Verdict, compare, fragments, text};

/// Our spec as pages, one per operation: OpenAPI 3.1, credentials as parameters, other names for schemas.
pub(super) fn pages(spec: &Value) -> Vec<String> {
    let mut pages = Vec::new();
    for (path, item) in spec["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation.get("operationId").is_none() {
                continue;
            }
            let servers = operation
                .get("servers")
                .or(item.get("servers"))
                .or(spec.get("servers"))
                .unwrap();
            let mut operation = operation.clone();
            let mut parameters = credentials(spec, &operation);
            let lists = [item.get("parameters"), operation.get("parameters")];
            parameters.extend(
                lists
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_array)
                    .flatten()
                    .cloned(),
            );
            let fields = operation.as_object_mut().unwrap();
            fields.remove("security");
            fields.insert("parameters".to_owned(), parameters.into());
            let components = components(spec, &operation);
            let mut page = json!({
                "openapi": "3.1.0",
                "info": {"title": "whitelabel-api", "version": "1.0.0"},
                "paths": {path: {method: operation}},
                "servers": [{"url": servers[0]["url"], "description": "Staging"}],
                "components": components,
            });
            modernize(&mut page, false);
            let yaml = serde_yaml::to_string(&page).unwrap();
            pages.push(format!(
                "# A page\n\n## OpenAPI Specification\n\n```yaml\n{yaml}```\n\n## SDK Code Examples\n\n```rust\nfn main() {{}}\n```\n"
            ));
        }
    }
    pages
}

/// What an operation refers to, and nothing else.
fn components(spec: &Value, operation: &Value) -> Value {
    let mut components = json!({});
    let mut waiting = vec![operation];
    while let Some(value) = waiting.pop() {
        match value {
            Value::Array(items) => waiting.extend(items),
            Value::Object(object) => {
                waiting.extend(object.values());
                let target = object.get("$ref").and_then(Value::as_str);
                let path = target.and_then(|target| target.strip_prefix("#/components/")?.split_once('/'));
                let Some((section, name)) = path else { continue };
                let target = &spec["components"][section][name];
                if components[section].get(name).is_none() {
                    components[section][name] = target.clone();
                    waiting.push(target);
                }
            }
            _ => {}
        }
    }
    components
}

fn credentials(spec: &Value, operation: &Value) -> Vec<Value> {
    let alternatives = operation["security"].as_array().into_iter().flatten();
    let schemes = alternatives.filter_map(Value::as_object).flat_map(Map::keys);
    let mut headers: Vec<String> = schemes
        .map(|name| {
            spec["components"]["securitySchemes"][name]["name"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    headers.sort();
    headers.dedup();
    let parameter = |name| json!({"name": name, "in": "header", "required": true, "schema": {"type": "string"}});
    headers.into_iter().map(parameter).collect()
}

/// 3.0 to 3.1, in place. `names` says that the keys are names and no keywords.
fn modernize(value: &mut Value, names: bool) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| modernize(item, false)),
        Value::Object(object) => {
            if names {
                object.values_mut().for_each(|value| modernize(value, false));
                return;
            }
            if object.get("x-transak-opaque") != Some(&json!(true)) {
                object.retain(|key, _| !key.starts_with("x-"));
            }
            object.remove("example");
            object.remove("examples");
            if object.get("format") == Some(&json!("decimal")) {
                object.remove("format");
                if object["type"] == "number" {
                    object.insert("type".to_owned(), json!("integer"));
                }
            }
            if object.remove("nullable") == Some(json!(true)) {
                match object.get_mut("type") {
                    Some(kind) => *kind = json!([kind.take(), "null"]),
                    None => {
                        let inner = Value::Object(std::mem::take(object));
                        object.insert("anyOf".to_owned(), json!([{"type": "null"}, inner]));
                    }
                }
            }
            if let Some([only]) = object.get("enum").and_then(Value::as_array).map(Vec::as_slice) {
                let only = only.clone();
                object.remove("enum");
                object.insert("const".to_owned(), only);
            }
            if let Some(Value::String(target)) = object.get_mut("$ref") {
                *target = target.replace("#/components/schemas/", "#/components/schemas/subpackage_");
                object.insert("description".to_owned(), json!("Beside a reference"));
            }
            if let Some(schemas) = object.get_mut("schemas").and_then(Value::as_object_mut) {
                let renamed = std::mem::take(schemas).into_iter();
                schemas.extend(renamed.map(|(name, schema)| (format!("subpackage_{name}"), schema)));
            }
            for (key, value) in object {
                if !matches!(key.as_str(), "default" | "const" | "enum") {
                    modernize(
                        value,
                        matches!(key.as_str(), "properties" | "schemas" | "responses" | "parameters"),
                    );
                }
            }
        }
        _ => {}
    }
}

#[test]
fn our_own_spec_does_not_drift_from_itself() {
    let path = xtask::steps::workspace_root().join("spec/transak.yaml");
    let ours = xtask::codegen::load::load(&path).unwrap().json;
    let pages = pages(&ours);
    let all: Vec<_> = pages.iter().flat_map(|page| fragments("page.md", page)).collect();
    assert_eq!(all.len(), pages.len());
    let report = compare(&ours, &all);
    assert_eq!(report.verdict(), Verdict::Agrees, "{}", text(&report));
    assert_eq!((report.operations, report.without_page.len()), (pages.len(), 0));
}
