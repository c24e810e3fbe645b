//! Unions: named, of different JSON types, without numbers.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Report, Rule, spec::Spec};
use crate::codegen::load::shape::{Kind, Node, join};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "any-of",
        why: "typify makes a flattened struct of `anyOf` that fails at run time",
        check: any_of,
    },
    Rule {
        name: "not",
        why: "typify panics on most uses of `not`",
        check: not,
    },
    Rule {
        name: "one-of-named",
        why: "an inline union gets an invented type name that changes when others are added",
        check: named,
    },
    Rule {
        name: "one-of-variants",
        why: "a union of one or none is no union, and typify makes something else of it",
        check: variants,
    },
    Rule {
        name: "one-of-number",
        why: "exact numbers cannot be read inside an untagged enum: it buffers them as `f64`",
        check: number,
    },
    Rule {
        name: "one-of-ambiguous",
        why: "the first variant that fits wins, so a second one of its JSON type is never reached",
        check: ambiguous,
    },
    Rule {
        name: "discriminator",
        why: "the generator ignores discriminators and takes the first variant that fits",
        check: discriminator,
    },
];

/// The struct has all variants as optional, flattened fields.
fn any_of(spec: &Spec<'_>, report: &mut Report<'_>) {
    // Opaque JSON is replaced as a whole; what it lists there is for readers.
    let unions = |node: &&Node<'_>| node.has("anyOf") && !node.has("x-transak-opaque");
    for node in spec.schemas().filter(unions) {
        report.add(
            &node.at("anyOf"),
            "`anyOf` is not supported",
            "use `oneOf` with variants of different JSON types, or opaque JSON",
        );
    }
}

/// "unhandled type for `not` construction".
fn not(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.schemas().filter(|node| node.has("not")) {
        report.add(&node.at("not"), "`not` is not supported", "say it in the description");
    }
}

/// typify would name it after its owner and property.
fn named(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in unions(spec) {
        if !spec.is_component(node) {
            report.add(
                &node.pointer,
                "a union has no name",
                "move it to `components.schemas` and reference it",
            );
        }
    }
}

/// One variant is collapsed into its owner; none is unsatisfiable.
fn variants(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in unions(spec) {
        if list(node).len() < 2 {
            report.add(
                &node.at("oneOf"),
                "the union has fewer than two variants",
                "write the one variant itself",
            );
        }
    }
}

/// serde buffers untagged content, and the buffer has no raw numbers.
fn number(spec: &Spec<'_>, report: &mut Report<'_>) {
    let unions = spec.reachable(|node| node.role == "oneOf");
    for (node, inside) in spec.nodes.iter().zip(unions) {
        let number = node.text("type") == Some("number") || node.text("format") == Some("decimal");
        if inside && node.kind == Kind::Schema && number {
            report.add(
                &node.pointer,
                "a number inside a union would lose its exactness",
                "use opaque JSON for the union, or keep the number out of it",
            );
        }
    }
}

/// Untagged enums are tried in order and nothing says which one was meant.
fn ambiguous(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in unions(spec) {
        let variants = list(node);
        let mut seen = BTreeSet::new();
        for (index, variant) in variants.iter().enumerate() {
            let at = join(&node.at("oneOf"), &index.to_string());
            let last = index + 1 == variants.len();
            match json_types(spec, variant, 0) {
                None if !last => report.add(&at, "this variant takes any JSON", "make it the last one"),
                None => {}
                Some(types) => {
                    for kind in types.iter().filter(|kind| seen.contains(*kind)) {
                        report.add(
                            &at,
                            format!("another variant before this one is of type {kind} as well"),
                            "merge the two into one schema, or use opaque JSON",
                        );
                    }
                    seen.extend(types);
                }
            }
        }
    }
}

/// typify emits `#[serde(untagged)]` all the same.
fn discriminator(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.schemas().filter(|node| node.has("discriminator")) {
        report.add(
            &node.at("discriminator"),
            "`discriminator` is ignored by the generator",
            "merge the variants into one schema with optional members, or use opaque JSON",
        );
    }
}

fn unions<'s, 'a>(spec: &'s Spec<'a>) -> impl Iterator<Item = &'s Node<'a>> {
    spec.schemas().filter(|node| node.has("oneOf"))
}

fn list<'a>(node: &Node<'a>) -> &'a [Value] {
    node.get("oneOf")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// The JSON types a schema takes; `None` for any.
fn json_types<'a>(spec: &Spec<'a>, schema: &'a Value, depth: usize) -> Option<BTreeSet<&'a str>> {
    /// Deeper than any honest union; a circle has a rule of its own.
    const MAX_DEPTH: usize = 16;
    let object: &Map<String, Value> = spec.resolve_object(schema)?;
    if let Some(kind) = object.get("type").and_then(Value::as_str) {
        let kind = if kind == "integer" { "number" } else { kind };
        return Some(BTreeSet::from([kind]));
    }
    if depth >= MAX_DEPTH {
        return None;
    }
    let members = |key: &str| object.get(key).and_then(Value::as_array);
    if let Some(variants) = members("oneOf") {
        let mut types = BTreeSet::new();
        for variant in variants {
            types.extend(json_types(spec, variant, depth + 1)?);
        }
        return Some(types);
    }
    json_types(spec, members("allOf")?.first()?, depth + 1)
}
