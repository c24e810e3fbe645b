//! Examples: every body and parameter has one, and it is in this file.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Report, Rule, spec::Spec};
use crate::codegen::{
    emit::names,
    load::shape::{Kind, join},
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "body-example",
        why: "contract tests and mocks are fed from named examples; without one a body is never exercised",
        check: body,
    },
    Rule {
        name: "example-names",
        why: "each example becomes a constant of its operation; two of one name do not compile",
        check: names,
    },
    Rule {
        name: "parameter-example",
        why: "the generated tests call every operation with the examples of its parameters",
        check: parameter,
    },
    Rule {
        name: "example-value",
        why: "an external or missing value cannot be checked against the schema",
        check: value,
    },
];

/// Each becomes a test that decodes, encodes and compares it.
fn body(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.all(Kind::MediaType) {
        let owner = spec.parent(node).map(|parent| parent.kind);
        let Some(Kind::RequestBody | Kind::Response) = owner else {
            continue;
        };
        let named = node.get("examples").and_then(Value::as_object);
        if named.is_none_or(serde_json::Map::is_empty) {
            report.add(
                &node.pointer,
                "the body has no named example",
                "add `examples: {name: {summary: …, value: …}}`",
            );
        }
        if node.has("example") {
            report.add(
                &node.at("example"),
                "a nameless `example` is not read",
                "give it a name under `examples`",
            );
        }
    }
}

/// The constant is called after the status and the name, as in `OK_COMPLETED` and `REQUEST_PLAIN`.
fn names(spec: &Spec<'_>, report: &mut Report<'_>) {
    // A shared response is told once, not for each operation that uses it.
    let mut told = BTreeSet::new();
    for operation in &spec.operations {
        let node = spec.node(operation);
        let request = node
            .get("requestBody")
            .map(|body| ("REQUEST".to_owned(), body, node.at("requestBody")));
        let documented = node.get("responses").and_then(Value::as_object);
        // `5XX` makes no constants beside `500`.
        let shown =
            |status: &str| !status.ends_with("XX") || documented.is_none_or(|map| !map.contains_key(&number(status)));
        let responses = documented
            .into_iter()
            .flatten()
            .filter(|(status, _)| shown(status))
            .map(|(status, response)| (prefix(status), response, join(&node.at("responses"), status)));
        // Maps keep another order in other builds.
        let mut bodies: Vec<_> = request.into_iter().chain(responses).collect();
        bodies.sort_by(|a, b| a.2.cmp(&b.2));
        let mut seen: BTreeMap<String, (String, String)> = BTreeMap::new();
        for (prefix, body, at) in bodies {
            let Some((body, at)) = spec.resolve(body, &at) else {
                continue;
            };
            for (name, at) in named(body, &at) {
                let constant = format!("{prefix}_{}", names::shouty(name));
                if let Some((earlier, place)) = seen.get(&constant) {
                    if *place != at && told.insert(at.clone()) {
                        report.add(
                            &at,
                            format!("the examples `{name}` and `{earlier}` both become `{constant}`"),
                            "rename one of the two",
                        );
                    }
                    continue;
                }
                seen.insert(constant, (name.to_owned(), at));
            }
        }
    }
}

/// What the emitter puts in front of the name of a response's example.
fn prefix(status: &str) -> String {
    let reason = http::StatusCode::from_bytes(number(status).as_bytes()).ok();
    let reason = reason.and_then(|status| status.canonical_reason());
    reason.map_or_else(|| format!("STATUS_{status}"), names::shouty)
}

/// `5XX` is shown as 500.
fn number(status: &str) -> String {
    status.replace("XX", "00")
}

/// The examples of a request body or response, sorted, with their pointers.
fn named<'a>(body: &'a Value, at: &str) -> Vec<(&'a str, String)> {
    let content = body.get("content").and_then(Value::as_object);
    let mut all = Vec::new();
    for (media_type, media) in content.into_iter().flatten() {
        let examples = media.get("examples").and_then(Value::as_object);
        let at = join(&join(&join(at, "content"), media_type), "examples");
        all.extend(
            examples
                .into_iter()
                .flatten()
                .map(|(name, _)| (name.as_str(), join(&at, name))),
        );
    }
    all.sort_unstable();
    all
}

/// The generated exercise uses exactly this one value.
fn parameter(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.all(Kind::Parameter) {
        if node.get("example").is_none_or(Value::is_null) {
            report.add(
                &node.pointer,
                "the parameter has no example",
                "add `example: …` with one typical value",
            );
        }
        if node.has("examples") {
            report.add(
                &node.at("examples"),
                "the `examples` of a parameter are not read",
                "keep one of them as `example`",
            );
        }
    }
}

/// Nothing in the pipeline fetches other documents.
fn value(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.all(Kind::Example) {
        if node.has("externalValue") {
            report.add(
                &node.at("externalValue"),
                "the example lives outside of this document",
                "write it out under `value`",
            );
        } else if !node.has("value") {
            report.add(
                &node.pointer,
                "the example has no `value`",
                "write the whole body under `value`",
            );
        }
    }
}
