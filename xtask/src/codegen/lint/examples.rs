//! Examples: every body and parameter has one, and it is in this file.

use serde_json::Value;

use super::{Report, Rule, spec::Spec};
use crate::codegen::load::shape::Kind;

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "body-example",
        why: "contract tests and mocks are fed from named examples; without one a body is never exercised",
        check: body,
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
