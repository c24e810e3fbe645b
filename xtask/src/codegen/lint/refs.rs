//! References: where they may stand, what they may point at, and that everything is used.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Report, Rule,
    spec::{COMPONENTS, Spec},
};
use crate::codegen::load::shape::{Kind, Node};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "ref-local",
        why: "typify panics on references that leave the document or its components",
        check: local,
    },
    Rule {
        name: "ref-resolves",
        why: "typify panics on a reference to something that is not there",
        check: resolves,
    },
    Rule {
        name: "ref-siblings",
        why: "the model drops every key beside `$ref`",
        check: siblings,
    },
    Rule {
        name: "ref-circle",
        why: "the generator follows references and `allOf` without looking back and never ends",
        check: circle,
    },
    Rule {
        name: "path-ref",
        why: "progenitor does not follow the reference of a path item",
        check: path_ref,
    },
    Rule {
        name: "unused-component",
        why: "an unused component is dead weight, or what should use it has a typo",
        check: unused,
    },
];

/// typify only strips `#/components/schemas/` off a reference and looks up the rest; anything
/// else is "external references are not supported", a panic.
fn local(spec: &Spec<'_>, report: &mut Report<'_>) {
    for (node, target) in references(spec) {
        if section_and_name(target).is_none() {
            report.add(
                &node.pointer,
                format!("`{target}` does not point at a component of this document"),
                format!(
                    "name the target under `components` and write `#/components/{}/Name`",
                    node.kind.section().unwrap_or("schemas")
                ),
            );
        }
    }
    for node in &spec.nodes {
        if node.kind.section().is_some() && node.get("$ref").is_some_and(|target| !target.is_string()) {
            report.add(
                &node.at("$ref"),
                "`$ref` is not a text",
                "write a local JSON pointer in quotes",
            );
        }
    }
}

/// typify panics with "$ref … is missing"; a reference to another section is just as missing.
fn resolves(spec: &Spec<'_>, report: &mut Report<'_>) {
    for (node, target) in references(spec) {
        let Some((section, name)) = section_and_name(target) else {
            continue;
        };
        let wanted = node.kind.section().unwrap_or_default();
        if section != wanted {
            report.add(
                &node.pointer,
                format!("`{target}` is not {}", node.kind.name()),
                format!("point at `#/components/{wanted}/…`"),
            );
        } else if !spec.json.pointer(&target[1..]).is_some_and(Value::is_object) {
            report.add(
                &node.pointer,
                format!("there is no `{name}` in `components.{section}`"),
                "define it there, or correct the name",
            );
        }
    }
}

/// openapiv3 reads `{$ref, description}` as a bare reference.
fn siblings(spec: &Spec<'_>, report: &mut Report<'_>) {
    for (node, _) in references(spec) {
        for key in node.object.keys().filter(|key| *key != "$ref") {
            report.add(
                &node.at(key),
                format!("`{key}` beside `$ref` is ignored"),
                match node.kind {
                    Kind::Schema => "remove it, or write `allOf: [{$ref: …}]` and keep it beside that",
                    _ => "remove it, or write the object out instead of referencing it",
                },
            );
        }
    }
}

/// progenitor and typify resolve reference chains and merge `allOf` recursively, so a circle made
/// of those alone overflows the stack. Circles through properties and items are boxed and fine.
fn circle(spec: &Spec<'_>, report: &mut Report<'_>) {
    let mut edges: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (node, target) in references(spec) {
        let mut owner = node;
        // Up to the component, as long as nothing but alternatives and merges lies in between.
        while matches!(owner.role, "allOf" | "oneOf" | "anyOf") {
            let Some(parent) = spec.parent(owner) else { break };
            owner = parent;
        }
        if spec.is_component(owner) {
            edges.entry(owner.pointer.clone()).or_default().push(target);
        }
    }
    for start in edges.keys() {
        let mut seen = BTreeSet::new();
        let mut queue = vec![start.as_str()];
        while let Some(from) = queue.pop() {
            for target in edges.get(from).into_iter().flatten().copied() {
                if target == start {
                    report.add(
                        start,
                        "the component refers to itself without a property or a list in between",
                        "break the circle of `$ref`, `allOf` or `oneOf`",
                    );
                    queue.clear();
                    break;
                }
                if seen.insert(target) {
                    queue.push(target);
                }
            }
        }
    }
}

/// progenitor walks `paths` and skips or refuses path items that are references.
fn path_ref(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.all(Kind::PathItem).filter(|node| node.has("$ref")) {
        report.add(
            &node.at("$ref"),
            "a path item cannot be a reference",
            "write the operations out under the path",
        );
    }
}

/// typify emits every schema whether used or not; the type would be public and dead.
fn unused(spec: &Spec<'_>, report: &mut Report<'_>) {
    let reached = spec.reachable(|node| matches!(node.kind, Kind::PathItem | Kind::Webhook));
    let schemes: BTreeSet<&str> = spec
        .all(Kind::Operation)
        .filter_map(|node| node.get("security")?.as_array())
        .flatten()
        .filter_map(Value::as_object)
        .flat_map(|alternative| alternative.keys().map(String::as_str))
        .collect();
    for (node, reached) in spec.nodes.iter().zip(reached) {
        let used = match node.kind {
            Kind::SecurityScheme => schemes.contains(node.key.as_str()),
            _ => reached,
        };
        if spec.is_component(node) && !used {
            report.add(
                &node.pointer,
                format!("no operation and no message uses `{}`", node.key),
                "remove the component, or reference it where it was meant to be used",
            );
        }
    }
}

fn references<'s, 'a>(spec: &'s Spec<'a>) -> impl Iterator<Item = (&'s Node<'a>, &'a str)> {
    spec.nodes.iter().filter_map(|node| Some((node, node.reference()?)))
}

/// `schemas` and `Order` of `#/components/schemas/Order`.
fn section_and_name(target: &str) -> Option<(&str, &str)> {
    let (section, name) = target.strip_prefix(COMPONENTS)?.split_once('/')?;
    (!name.is_empty() && !name.contains('/')).then_some((section, name))
}
