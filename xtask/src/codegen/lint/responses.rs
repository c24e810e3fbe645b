//! Responses: one success, standard statuses, named JSON schemas.

use serde_json::Value;

use super::{
    Report, Rule,
    bodies::{JSON, has_named_schema, media_types},
    spec::{Spec, listed},
};
use crate::codegen::load::shape::{Kind, join};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "response-success",
        why: "progenitor panics on two kinds of success and has nothing to return without one",
        check: success,
    },
    Rule {
        name: "response-default",
        why: "progenitor counts `default` as a success as well and panics on the second type",
        check: default,
    },
    Rule {
        name: "response-status",
        why: "the mock generator panics on statuses that have no name",
        check: status,
    },
    Rule {
        name: "response-media-type",
        why: "anything but JSON silently becomes a stream of bytes, and two media types panic",
        check: media_type,
    },
    Rule {
        name: "response-schema",
        why: "progenitor panics without a schema, mixes up inline ones, and its mocks do not compile with a bare enum",
        check: schema,
    },
];

/// `assertion failed: response_types.len() <= 1`.
fn success(spec: &Spec<'_>, report: &mut Report<'_>) {
    for (operation, statuses) in statuses(spec) {
        let successes = statuses.iter().filter(|status| status.starts_with('2'));
        let count = successes.count();
        if count != 1 {
            report.add(
                &spec.node(operation).at("responses"),
                format!("{} has {count} successful responses instead of one", operation.label()),
                "document exactly one status from 200 to 299",
            );
        }
    }
}

/// progenitor takes `default` for success and failure at once.
fn default(spec: &Spec<'_>, report: &mut Report<'_>) {
    for (operation, statuses) in statuses(spec) {
        if statuses.contains(&"default") {
            report.add(
                &join(&spec.node(operation).at("responses"), "default"),
                "the `default` response counts as a success in the generator",
                "document the statuses one by one, or as `4XX` and `5XX`",
            );
        }
    }
}

/// The mocks name a method after each status and unwrap the reason phrase; 1xx and 3xx never reach
/// the caller as documented.
fn status(spec: &Spec<'_>, report: &mut Report<'_>) {
    for (operation, statuses) in statuses(spec) {
        for status in statuses.into_iter().filter(|status| *status != "default") {
            let fits = match status {
                "4XX" | "5XX" => true,
                _ => {
                    matches!(status.as_bytes(), [b'2' | b'4' | b'5', _, _])
                        && http::StatusCode::from_bytes(status.as_bytes())
                            .is_ok_and(|status| status.canonical_reason().is_some())
                }
            };
            if !fits {
                report.add(
                    &join(&spec.node(operation).at("responses"), status),
                    format!("`{status}` is no status the generator can name"),
                    "use a standard 2xx, 4xx or 5xx status, `4XX` or `5XX`; describe others in words",
                );
            }
        }
    }
}

/// progenitor only types `application/json`; even `application/problem+json` becomes bytes.
fn media_type(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.all(Kind::Response).filter(|node| node.has("content")) {
        let types = media_types(node);
        if types != [JSON] {
            report.add(
                &node.at("content"),
                match types.is_empty() {
                    true => "`content` is empty".to_owned(),
                    false => format!("the response is {} instead of one `{JSON}`", listed(types)),
                },
                format!("describe `{JSON}` only; leave `content` out for a response without a body"),
            );
        }
    }
}

/// A JSON response without a schema is a `todo!`; inline schemas of one operation all become
/// `<Operation>Response` and the first wins, success or not.
fn schema(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.all(Kind::MediaType) {
        if spec.parent(node).is_none_or(|parent| parent.kind != Kind::Response) {
            continue;
        }
        if !has_named_schema(node) {
            report.add(
                &node.pointer,
                "the schema of the response is missing or not a `$ref`",
                "name it `<OperationId>Response` under `components.schemas` and reference it",
            );
        } else if node
            .get("schema")
            .and_then(|schema| spec.resolve_object(schema))
            .is_some_and(|schema| schema.contains_key("enum"))
        {
            report.add(
                &node.at("schema"),
                "an enum cannot be a whole response",
                "the mocks do not compile with it; wrap it in an object if the API does",
            );
        }
    }
}

/// Each operation with the keys of its responses.
fn statuses<'s, 'a>(spec: &'s Spec<'a>) -> impl Iterator<Item = (&'s super::spec::Operation<'a>, Vec<&'a str>)> {
    spec.operations.iter().map(|operation| {
        let responses = spec.node(operation).get("responses").and_then(Value::as_object);
        let keys = responses.into_iter().flat_map(|map| map.keys().map(String::as_str));
        (operation, keys.collect())
    })
}
