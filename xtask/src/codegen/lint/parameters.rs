//! Parameters: names, places and spellings the generator gets right.

use std::collections::{BTreeMap, BTreeSet};

use heck::ToSnakeCase;
use serde_json::{Map, Value};

use super::{
    Report, Rule,
    spec::{Operation, Spec, is_true},
};
use crate::codegen::load::shape::{Kind, Node};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "parameter-unique",
        why: "progenitor keys parameters by name alone and silently drops one of two",
        check: unique,
    },
    Rule {
        name: "parameter-names",
        why: "names that are equal in snake_case make two methods of one name in a builder or mock, or hide a variable",
        check: names,
    },
    Rule {
        name: "parameter-style",
        why: "progenitor repeats keys whatever `explode` says and refuses other styles without a place",
        check: style,
    },
    Rule {
        name: "parameter-content",
        why: "progenitor refuses parameters with a media type",
        check: content,
    },
    Rule {
        name: "parameter-cookie",
        why: "progenitor refuses cookies",
        check: cookie,
    },
    Rule {
        name: "parameter-shape",
        why: "objects panic in the builders, header lists do not compile, query lists do not compile in the mocks",
        check: shape,
    },
    Rule {
        name: "secret-in-url",
        why: "URLs end up in logs, proxies and browser histories",
        check: secret,
    },
    Rule {
        name: "parameter-docs",
        why: "a parameter without a description has an undocumented builder method",
        check: docs,
    },
];

/// progenitor collects parameters into a map by name: `id` in the path and `id` in the query are
/// one of the two.
fn unique(spec: &Spec<'_>, report: &mut Report<'_>) {
    for operation in &spec.operations {
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for parameter in &operation.parameters {
            if let Some(location) = seen.insert(parameter.name, parameter.location) {
                report.add(
                    &parameter.pointer,
                    format!(
                        "{} has the parameter `{}` in {location} and in {}",
                        operation.label(),
                        parameter.name,
                        parameter.location
                    ),
                    "keep one; the generator cannot tell parameters of one name apart",
                );
            }
        }
    }
}

/// Builder methods are snake_case and stand beside the builder's own; the request body is `body`.
fn names(spec: &Spec<'_>, report: &mut Report<'_>) {
    for operation in &spec.operations {
        let mut taken: BTreeMap<String, (&str, &str)> = ["new", "send", "body_map", "into_inner"]
            .map(|method| (method.to_owned(), (method, "a method of every builder or mock")))
            .into();
        taken.insert("client".to_owned(), ("client", "a field of every builder"));
        // The mocks take credentials in methods named after their headers.
        for header in credential_headers(spec, operation) {
            taken.insert(header.to_snake_case(), (header, "a credential header of the operation"));
        }
        if spec.node(operation).has("requestBody") {
            taken.insert("body".to_owned(), ("body", "the request body"));
        }
        for parameter in &operation.parameters {
            let field = parameter.name.to_snake_case();
            if field.is_empty() {
                report.add(
                    &parameter.pointer,
                    format!("`{}` makes no Rust name", parameter.name),
                    "a parameter needs a name with letters in it",
                );
                continue;
            }
            if field == "header_map" && parameter.location != "path" {
                report.add(
                    &parameter.pointer,
                    format!(
                        "`{}` becomes `{field}`, which hides a variable of that name",
                        parameter.name
                    ),
                    "the pipeline has to rename it before the operation can be described",
                );
                continue;
            }
            match taken.get(&field) {
                // The same name twice has a rule of its own.
                Some((earlier, "a parameter")) if *earlier == parameter.name => {}
                // And so has the header of a credential.
                Some((header, _)) if parameter.location == "header" && header.eq_ignore_ascii_case(parameter.name) => {}
                Some((earlier, what)) => report.add(
                    &parameter.pointer,
                    format!("`{}` becomes `{field}`, as does {what}, `{earlier}`", parameter.name),
                    "the pipeline has to rename one of them before the operation can be described",
                ),
                None => {
                    taken.insert(field, (parameter.name, "a parameter"));
                }
            }
        }
    }
}

/// The headers any alternative of the operation writes.
fn credential_headers<'a>(spec: &Spec<'a>, operation: &Operation<'a>) -> Vec<&'a str> {
    let security = spec.node(operation).get("security").and_then(Value::as_array);
    let schemes = security.into_iter().flatten().filter_map(Value::as_object);
    let schemes: BTreeSet<&str> = schemes
        .flat_map(|alternative| alternative.keys().map(String::as_str))
        .collect();
    spec.all(Kind::SecurityScheme)
        .filter(|node| schemes.contains(node.key.as_str()))
        .filter_map(|node| node.text("name"))
        .collect()
}

/// `explode: false` is sent as repeated keys without a warning; `deepObject` and the delimited
/// styles are refused by progenitor, but without saying where; the rest is ignored.
fn style(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.all(Kind::Parameter) {
        let usual = match node.text("in") {
            Some("query" | "cookie") => "form",
            _ => "simple",
        };
        if node.get("style").is_some_and(|style| style.as_str() != Some(usual)) {
            report.add(
                &node.at("style"),
                format!("only the usual style of this place, `{usual}`, is supported"),
                "remove `style`; write bracketed names such as `filter[status]` as plain parameters",
            );
        }
        for key in ["explode", "allowReserved", "allowEmptyValue"] {
            // True is what a form-style query does anyway.
            let harmless = key == "explode" && usual == "form" && is_true(node.get(key));
            if node.has(key) && !harmless {
                report.add(
                    &node.at(key),
                    format!("`{key}` is ignored by the generator"),
                    "remove it; for a joined list use a string parameter and say so in its description",
                );
            }
        }
    }
}

/// progenitor reads `schema` only.
fn content(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.all(Kind::Parameter) {
        if node.has("content") {
            report.add(
                &node.at("content"),
                "a parameter with `content` is not supported",
                "use `schema` with `type: string` and say in the description what the text holds",
            );
        }
    }
}

/// "cookie parameters are not supported".
fn cookie(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.all(Kind::Parameter) {
        if !matches!(node.text("in"), Some("query" | "path" | "header")) {
            report.add(
                &node.pointer,
                "parameters live in the query, the path or a header",
                "remove the parameter; credentials go into `security`",
            );
        }
    }
}

/// Only scalars take the same form in the client, on the wire and in the mocks.
fn shape(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.all(Kind::Parameter).filter(|node| !node.has("content")) {
        if !schema(spec, node).is_some_and(|schema| is_scalar(spec, schema)) {
            report.add(
                &node.pointer,
                "the parameter is no text, number or boolean",
                "spell each key or position as a parameter of its own, or join the values in a string",
            );
        }
    }
}

fn is_scalar<'a>(spec: &Spec<'a>, schema: &'a Map<String, Value>) -> bool {
    let kind = |schema: &Map<String, Value>| match schema.get("type").and_then(Value::as_str) {
        Some(kind) => matches!(kind, "string" | "integer" | "number" | "boolean"),
        None => false,
    };
    match schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        // A description around a reference.
        Some([only]) => spec.resolve_object(only).is_some_and(kind),
        Some(_) => false,
        None => kind(schema),
    }
}

/// Whatever is in a URL is written to access logs on the way. Where the API leaves no choice, the mark says that this
/// was seen, and the type still keeps the value out of what we print.
fn secret(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.all(Kind::Parameter) {
        let Some(schema) = schema(spec, node) else {
            continue;
        };
        let is_secret = schema.get("format").and_then(Value::as_str) == Some("password");
        let accepted = node.has("x-transak-url-secret");
        if accepted && is_secret && node.text("in") == Some("query") {
            continue;
        }
        if accepted {
            report.add(
                &node.at("x-transak-url-secret"),
                "the mark stands on something other than a secret in the query",
                "remove it, or give the schema `format: password`",
            );
        }
        let what = if is_secret {
            "a secret"
        } else if schema.contains_key("x-transak-personal") {
            "personal data"
        } else {
            continue;
        };
        if matches!(node.text("in"), Some("query" | "path")) {
            report.add(
                &node.pointer,
                format!("{what} would be part of the URL"),
                "send it in `security` or in the body; a secret the API wants in the query has `x-transak-url-secret: true`",
            );
        }
    }
}

/// The description is all a caller sees of a parameter.
fn docs(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.all(Kind::Parameter) {
        if node.text("description").is_none_or(|text| text.trim().is_empty()) {
            report.add(
                &node.pointer,
                "the parameter has no description",
                "say what it does, with its unit and default",
            );
        }
    }
}

fn schema<'a>(spec: &Spec<'a>, node: &Node<'a>) -> Option<&'a Map<String, Value>> {
    spec.resolve_object(node.get("schema")?)
}
