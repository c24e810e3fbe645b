//! Operations: their names, paths, safety and documentation.

use std::collections::BTreeMap;

use heck::{ToPascalCase, ToSnakeCase};
use serde_json::Value;

use super::{
    Report, Rule,
    spec::{Operation, Spec, is_true, listed},
};
use crate::codegen::{
    emit::names,
    load::shape::{Kind, Node},
};

const SAFETIES: &[&str] = &["safe", "idempotent", "once"];

/// What the client has already, as methods of its own or of its traits.
const CLIENT_METHODS: &[&str] = &[
    "api_version",
    "baseurl",
    "builder",
    "client",
    "clone",
    "credentials",
    "environment",
    "exec",
    "inner",
    "new",
    "new_with_client",
    "post",
    "pre",
    "with_credential",
    "with_credentials",
    "without_credential",
];

/// Methods of the mock server, or of everything; they hide or fight those of the mock crate's trait, which are named
/// after operations.
const SERVER_METHODS: &[&str] = &[
    "address",
    "base_url",
    "host",
    "into",
    "mock",
    "mock_async",
    "port",
    "reset",
    "reset_async",
    "try_into",
    "url",
];

/// What a builder of that name would stand beside or hide in its module.
const BUILDER_NAMES: &[&str] = &[
    "ByteStream",
    "ClientHooks",
    "ClientInfo",
    "Error",
    "From",
    "OperationInfo",
    "Option",
    "RequestBuilderExt",
    "ResponseValue",
    "Result",
    "String",
];

/// The list of all operations stands beside the table entry of each.
const ALL: &str = "ALL";

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "operation-id",
        why: "progenitor unwraps the operation id and makes Rust names of it",
        check: operation_id,
    },
    Rule {
        name: "operation-id-unique",
        why: "two ids that are equal in snake_case or PascalCase make two methods or builders of one name",
        check: operation_id_unique,
    },
    Rule {
        name: "operation-method",
        why: "the HTTP client has no TRACE and OPTIONS by name, and an answer to HEAD has no body to decode",
        check: method,
    },
    Rule {
        name: "operation-safety",
        why: "without `x-transak-safety` nobody knows whether a call may be repeated",
        check: safety,
    },
    Rule {
        name: "safety-method",
        why: "`safe` is a promise that nothing changes, which a writing method cannot keep",
        check: safety_method,
    },
    Rule {
        name: "operation-docs",
        why: "summary and description become the documentation of the method",
        check: docs,
    },
    Rule {
        name: "path-template",
        why: "progenitor rewrites double slashes, the mocks do not escape paths, and equal templates answer for each other",
        check: template,
    },
    Rule {
        name: "path-parameters",
        why: "progenitor panics when the parameters of a path and its template differ",
        check: path_parameters,
    },
];

/// progenitor calls `operation_id.unwrap()` and derives a method, a builder and type names.
fn operation_id(spec: &Spec<'_>, report: &mut Report<'_>) {
    for operation in &spec.operations {
        let node = spec.node(operation);
        match operation.id {
            None => report.add(
                &node.pointer,
                "the operation has no `operationId`",
                "add one in camelCase, such as `getOrders`",
            ),
            Some(id) if !is_camel_case(id) => report.add(
                &node.at("operationId"),
                format!("`{id}` is not in camelCase"),
                "use letters and digits, starting with a small letter, such as `getOrders`",
            ),
            Some(id) => {
                if let Some(taken) = taken(id) {
                    report.add(
                        &node.at("operationId"),
                        taken,
                        "choose a longer name, such as `getClient`",
                    );
                }
            }
        }
    }
}

/// Who else uses one of the Rust names made of an operation id.
fn taken(id: &str) -> Option<String> {
    let [method, builder, entry] = [names::snake(id), names::pascal(id), names::shouty(id)];
    if CLIENT_METHODS.contains(&method.as_str()) {
        Some(format!("the client has a method `{method}` of its own"))
    } else if SERVER_METHODS.contains(&method.as_str()) {
        Some(format!("the mock server has a method `{method}` of its own"))
    } else if BUILDER_NAMES.contains(&builder.as_str()) {
        Some(format!(
            "the builders' module uses the name `{builder}` for something else"
        ))
    } else if entry == ALL {
        Some(format!("the operation table itself is called `{ALL}`"))
    } else {
        None
    }
}

/// Method names are snake_case, builders PascalCase; equal ones do not compile.
fn operation_id_unique(spec: &Spec<'_>, report: &mut Report<'_>) {
    let mut snake: BTreeMap<String, &str> = BTreeMap::new();
    let mut pascal: BTreeMap<String, &str> = BTreeMap::new();
    for operation in &spec.operations {
        let Some(id) = operation.id else { continue };
        let earlier = snake
            .get(&id.to_snake_case())
            .or_else(|| pascal.get(&id.to_pascal_case()));
        if let Some(earlier) = earlier {
            let message = match *earlier == id {
                true => format!("the operation id `{id}` is used twice"),
                false => format!("`{id}` and `{earlier}` become the same Rust name"),
            };
            report.add(
                &spec.node(operation).at("operationId"),
                message,
                "rename one of the two operations",
            );
        }
        snake.entry(id.to_snake_case()).or_insert(id);
        pascal.entry(id.to_pascal_case()).or_insert(id);
    }
}

/// progenitor calls a method of `reqwest::Client` by the name of the HTTP method.
fn method(spec: &Spec<'_>, report: &mut Report<'_>) {
    for operation in &spec.operations {
        let node = spec.node(operation);
        let message = match operation.method.as_str() {
            method @ ("trace" | "options") => format!("the generator cannot send {}", method.to_ascii_uppercase()),
            "head" if answers_with_body(spec, node) => "an answer to HEAD never has a body".to_owned(),
            _ => continue,
        };
        report.add(
            &node.pointer,
            message,
            "leave the operation out of the spec, or take `content` off the responses to HEAD",
        );
    }
}

fn answers_with_body<'a>(spec: &Spec<'a>, node: &Node<'a>) -> bool {
    let responses = node.get("responses").and_then(Value::as_object);
    let mut responses = responses.into_iter().flat_map(|map| map.values());
    responses.any(|response| {
        spec.resolve_object(response)
            .is_some_and(|response| response.contains_key("content"))
    })
}

/// The session retries by this value alone.
fn safety(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.all(Kind::Operation) {
        let help = format!(
            "write one of {}; `once` is never retried",
            listed(SAFETIES.iter().copied())
        );
        match node.get("x-transak-safety") {
            None => report.add(&node.pointer, "the operation has no `x-transak-safety`", help),
            Some(value) if !value.as_str().is_some_and(|value| SAFETIES.contains(&value)) => {
                report.add(
                    &node.at("x-transak-safety"),
                    "`x-transak-safety` has a value that means nothing",
                    help,
                );
            }
            Some(_) => {}
        }
    }
}

/// A GET may be said to be less than safe; a writing method may not be said to be safe.
fn safety_method(spec: &Spec<'_>, report: &mut Report<'_>) {
    for operation in &spec.operations {
        let node = spec.node(operation);
        let writes = matches!(operation.method.as_str(), "post" | "put" | "patch" | "delete");
        if writes && node.text("x-transak-safety") == Some("safe") {
            report.add(
                &node.at("x-transak-safety"),
                format!("{} cannot be `safe`", operation.method.to_ascii_uppercase()),
                "write `idempotent` if repeating it changes nothing more, otherwise `once`",
            );
        }
    }
}

/// progenitor prints both into the documentation of the method; without them it is empty.
fn docs(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.all(Kind::Operation) {
        for key in ["summary", "description"] {
            if node.text(key).is_none_or(|text| text.trim().is_empty()) {
                report.add(
                    &node.pointer,
                    format!("the operation has no {key}"),
                    format!("add a `{key}` in our own words"),
                );
            }
        }
    }
}

/// progenitor's template parser merges `//`, and its mocks use the path as a regular expression
/// without escaping it.
fn template(spec: &Spec<'_>, report: &mut Report<'_>) {
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    for node in spec.all(Kind::PathItem) {
        let path = node.key.as_str();
        let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~".contains(c);
        let fits = match split(path) {
            Some((constants, _)) => {
                path.starts_with('/') && !path.contains("//") && constants.iter().all(|text| text.chars().all(plain))
            }
            None => false,
        };
        if !fits {
            report.add(
                &node.pointer,
                format!("`{path}` is no path the generator reproduces"),
                "write `/segments/{name}` with letters, digits and `-._~`; queries are parameters",
            );
            continue;
        }
        let shape = split(path)
            .map(|(constants, _)| constants.join("{}"))
            .unwrap_or_default();
        if let Some(earlier) = known.insert(shape, path) {
            report.add(
                &node.pointer,
                format!("`{path}` and `{earlier}` match the same requests"),
                "merge the two path items",
            );
        }
    }
}

/// progenitor looks every path parameter up in the template and every name of the template up in
/// the parameters, and panics either way; it also asserts that they are required.
fn path_parameters(spec: &Spec<'_>, report: &mut Report<'_>) {
    for operation in &spec.operations {
        let Some((_, names)) = split(&operation.path) else {
            continue;
        };
        let node = spec.node(operation);
        let declared = || operation.parameters.iter().filter(|p| p.location == "path");
        for name in &names {
            if !declared().any(|parameter| parameter.name == *name) {
                report.add(
                    &node.pointer,
                    format!("`{{{name}}}` in the path is no parameter of the operation"),
                    format!("add a parameter `{name}` with `in: path` and `required: true`"),
                );
            }
        }
        for parameter in declared().filter(|parameter| !names.contains(&parameter.name)) {
            report.add(
                &parameter.pointer,
                format!("the path has no `{{{}}}`", parameter.name),
                "add it to the path, or remove the parameter",
            );
        }
    }
    for node in spec.all(Kind::Parameter) {
        if node.text("in") == Some("path") && !is_true(node.get("required")) {
            report.add(
                &node.pointer,
                "the path parameter is not required",
                "add `required: true`",
            );
        }
    }
}

/// The constant parts and the names of a path template; `None` if braces do not match.
fn split(path: &str) -> Option<(Vec<&str>, Vec<&str>)> {
    let mut constants = Vec::new();
    let mut names = Vec::new();
    let mut rest = path;
    while let Some((constant, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        if name.is_empty() || name.contains(['{', '/']) || constant.contains('}') {
            return None;
        }
        constants.push(constant);
        names.push(name);
        rest = after;
    }
    constants.push(rest);
    (!rest.contains('}')).then_some((constants, names))
}

pub(super) fn is_camel_case(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_lowercase()) && id.chars().all(|c| c.is_ascii_alphanumeric())
}

impl Operation<'_> {
    /// What the operation is called in messages.
    pub(super) fn label(&self) -> String {
        match self.id {
            Some(id) => format!("`{id}`"),
            None => format!("{} {}", self.method.to_ascii_uppercase(), self.path),
        }
    }
}
