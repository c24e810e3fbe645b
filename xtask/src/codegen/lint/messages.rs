//! Messages Transak sends on its own account: one body each, under a name of its own.

use std::collections::{BTreeMap, BTreeSet};

use super::{Report, Rule, operations::is_camel_case, spec::Spec};
use crate::codegen::{emit::names, load::shape::Kind};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "message-id",
        why: "the mocks name a module after each message, and a typo in the id would name another",
        check: id,
    },
    Rule {
        name: "message-examples",
        why: "each example becomes a constant of its message; two of one name do not compile",
        check: examples,
    },
    Rule {
        name: "message-body",
        why: "a message without a body says nothing, and its schema would be unused",
        check: body,
    },
];

/// The key and the id are the same name, and no two become the same module.
fn id(spec: &Spec<'_>, report: &mut Report<'_>) {
    let operations = spec.operations.iter().filter_map(|operation| operation.id);
    let mut modules: BTreeMap<String, &str> = operations.map(|id| (names::snake(id), id)).collect();
    for node in spec.all(Kind::Message) {
        let key = spec
            .parent(node)
            .map(|webhook| webhook.key.as_str())
            .unwrap_or_default();
        if node.text("operationId") != Some(key) || !is_camel_case(key) {
            report.add(
                &node.at("operationId"),
                format!("the message `{key}` has no id, or another one"),
                "give both the same name in camelCase, such as `orderEvent`",
            );
        }
        if let Some(earlier) = modules.insert(names::snake(key), key) {
            report.add(
                &node.at("operationId"),
                format!("`{key}` and `{earlier}` become the same Rust name"),
                "rename one of the two",
            );
        }
    }
}

/// Constants are in SHOUTY_SNAKE_CASE.
fn examples(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.all(Kind::Message) {
        let body = node.get("requestBody").and_then(|body| spec.resolve_object(body));
        let content = body.and_then(|body| body.get("content")?.as_object());
        let media = content.into_iter().flat_map(|content| content.values());
        let named = media.filter_map(|media| media.get("examples")?.as_object());
        let mut seen = BTreeSet::new();
        // Maps keep another order in other builds.
        let all: BTreeSet<&String> = named.flat_map(|examples| examples.keys()).collect();
        for name in all {
            let constant = names::shouty(name);
            let odd = constant.is_empty() || constant.starts_with(|c: char| c.is_ascii_digit());
            if odd || !seen.insert(constant) {
                report.add(
                    &node.at("requestBody"),
                    format!("the example `{name}` makes no constant of its own"),
                    "rename it; letters first, and unlike the others",
                );
            }
        }
    }
}

/// What it carries stands in `requestBody`, like the body of an operation.
fn body(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.all(Kind::Webhook).filter(|node| !node.has("post")) {
        report.add(&node.pointer, "the entry has no message", "describe it under `post`");
    }
    for node in spec.all(Kind::Message) {
        if !node.has("requestBody") {
            report.add(&node.pointer, "the message has no body", "add a `requestBody`");
        }
        for key in ["summary", "description"] {
            if node.text(key).is_none_or(|text| text.trim().is_empty()) {
                report.add(
                    &node.pointer,
                    format!("the message has no {key}"),
                    format!("add a `{key}` in our own words"),
                );
            }
        }
    }
}
