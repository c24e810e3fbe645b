//! Request bodies: one JSON media type with a named schema.

use serde_json::Value;

use super::{
    Report, Rule,
    spec::{COMPONENTS, Spec, is_true, listed},
};
use crate::codegen::{
    forms,
    load::shape::{Kind, Node, join},
};

/// The only media type bodies have here.
pub(super) const JSON: &str = "application/json";

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "body-media-type",
        why: "progenitor panics on two media types, and gets forms wrong in the mocks",
        check: media_type,
    },
    Rule {
        name: "body-schema",
        why: "an inline body schema gets an invented type name that changes when others are added",
        check: schema,
    },
    Rule {
        name: "body-required",
        why: "progenitor treats every body as required; an optional one cannot be left out",
        check: required,
    },
];

/// More than one media type is a `todo!` in progenitor, multipart an error without a place, and
/// forms are compared as JSON by the mocks.
fn media_type(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.all(Kind::RequestBody) {
        let types = media_types(node);
        let operation = spec.parent(node).and_then(|parent| parent.text("operationId"));
        if types == [forms::MULTIPART] && operation.is_some_and(|id| forms::HANDWRITTEN.contains(&id)) {
            continue;
        }
        if let Some(multipart) = types.iter().find(|name| name.starts_with("multipart/")) {
            report.add(
                &join(&node.at("content"), multipart),
                format!("`{multipart}` is not supported by the generator"),
                "write the call by hand and add the operation to `HANDWRITTEN` in xtask/src/codegen/forms.rs",
            );
        } else if types != [JSON] {
            report.add(
                &node.pointer,
                match types.is_empty() {
                    true => "the request body has no media type".to_owned(),
                    false => format!("the request body is {} instead of one `{JSON}`", listed(types)),
                },
                format!("describe the body as `{JSON}` and nothing else"),
            );
        }
    }
}

/// typify would name the type after the operation, and reuse the first of two such names.
fn schema(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.all(Kind::MediaType) {
        let body = spec.parent(node).filter(|parent| parent.kind == Kind::RequestBody);
        if body.is_some() && !has_named_schema(node) {
            report.add(
                &node.pointer,
                "the schema of the request body is not a `$ref`",
                "name it `<OperationId>Request` under `components.schemas` and reference it",
            );
        }
    }
}

/// progenitor's builders always send the body, so anything else in the spec would be untrue.
fn required(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.all(Kind::RequestBody) {
        if !is_true(node.get("required")) {
            report.add(
                &node.pointer,
                "the request body is not required",
                "add `required: true`",
            );
        }
    }
}

/// The media types of a request body or response, sorted.
pub(super) fn media_types<'a>(node: &Node<'a>) -> Vec<&'a str> {
    let content = node.get("content").and_then(Value::as_object);
    let mut types: Vec<_> = content.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    types.sort_unstable();
    types
}

/// Whether a media type references a schema component.
pub(super) fn has_named_schema(node: &Node<'_>) -> bool {
    let target = node.get("schema").and_then(|schema| schema.get("$ref"));
    target
        .and_then(Value::as_str)
        .is_some_and(|target| target.starts_with(COMPONENTS))
}
