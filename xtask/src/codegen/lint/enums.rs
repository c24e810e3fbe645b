//! Enums: named, of texts or numbers, with values that make distinct Rust names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Report, Rule,
    spec::{Spec, is_true},
};
use crate::codegen::{
    emit::names,
    load::shape::{Node, join},
};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "enum-named",
        why: "only named enums are replaced by open ones; a closed one fails the whole body on a new value",
        check: named,
    },
    Rule {
        name: "enum-type",
        why: "open enums exist for texts and integers; anything beside the list is lost in the replacement",
        check: kind,
    },
    Rule {
        name: "enum-values",
        why: "a value of another type, a null or a repeated value has no variant",
        check: values,
    },
    Rule {
        name: "enum-value-names",
        why: "typify panics on values that differ only in case or symbols",
        check: value_names,
    },
    Rule {
        name: "enum-varnames",
        why: "integers make no Rust names, so each needs one of its own",
        check: varnames,
    },
    Rule {
        name: "enum-descriptions",
        why: "the description of a value that is not in the list documents nothing",
        check: descriptions,
    },
];

/// Replacement goes by name, and an inline enum has none.
fn named(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in enums(spec) {
        if !spec.is_component(node) {
            report.add(
                &node.pointer,
                "an enum has no name",
                "move it to `components.schemas` and reference it",
            );
        }
    }
}

/// The emitter reads the values only.
fn kind(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in enums(spec) {
        if !matches!(node.text("type"), Some("string" | "integer")) {
            report.add(
                &node.pointer,
                "the enum is neither of strings nor of integers",
                "write `type: string` or `type: integer`",
            );
        }
        for key in [
            "format",
            "pattern",
            "minLength",
            "maxLength",
            "minimum",
            "maximum",
            "default",
        ] {
            if node.has(key) {
                report.add(
                    &node.at(key),
                    format!("`{key}` of an enum is lost when it is replaced by an open one"),
                    "remove it; say a default in the description of whatever uses the enum",
                );
            }
        }
    }
}

/// Each value becomes one variant; null becomes an `Option` around the enum, by `nullable`.
fn values(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in enums(spec) {
        let at = node.at("enum");
        let values = list(node, "enum");
        if values.iter().all(Value::is_null) {
            report.add(&at, "the enum has no values", "list the known ones");
        }
        let nullable = is_true(node.get("nullable"));
        if nullable != values.contains(&Value::Null) {
            report.add(
                &at,
                "null is either listed or allowed by `nullable`, but not both",
                "an enum that may be null needs `nullable: true` and null in the list; any other neither",
            );
        }
        let integers = node.text("type") == Some("integer");
        for (index, value) in values.iter().enumerate() {
            let at = join(&at, &index.to_string());
            let fits = match value {
                Value::Null => true,
                Value::String(_) => !integers,
                _ => integers && value.is_i64(),
            };
            if !fits {
                report.add(
                    &at,
                    format!("{value} does not fit the type of the enum"),
                    "quote it, or correct the type",
                );
            } else if values[..index].contains(value) {
                report.add(&at, format!("{value} is listed twice"), "remove one of the two");
            }
        }
    }
}

/// The variant every open enum has for values that are not listed.
const UNRECOGNIZED: &str = "Unrecognized";

/// "Failed to make unique variant names".
fn value_names(spec: &Spec<'_>, report: &mut Report<'_>) {
    // Where names are given, the values make none.
    for node in enums(spec).filter(|node| !node.has("x-enum-varnames")) {
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for (index, value) in list(node, "enum").iter().enumerate() {
            let Some(text) = value.as_str() else { continue };
            let at = join(&node.at("enum"), &index.to_string());
            let name = names::pascal(text);
            if !text.contains(char::is_alphanumeric) || name == UNRECOGNIZED {
                report.add(
                    &at,
                    format!("`{text}` makes no name for a variant of its own"),
                    "name all values in `x-enum-varnames`, or leave this one out: unlisted values are kept as they are",
                );
                continue;
            }
            match seen.insert(name.clone(), text) {
                // A repeated value has a rule of its own.
                Some(earlier) if earlier != text => report.add(
                    &at,
                    format!("`{text}` and `{earlier}` both become `{name}`"),
                    "name all values in `x-enum-varnames`, or keep one: unlisted values are kept as they are",
                ),
                _ => {}
            }
        }
    }
}

/// The emitter takes the n-th name for the n-th value.
fn varnames(spec: &Spec<'_>, report: &mut Report<'_>) {
    let help = "list one PascalCase name for each value, in the same order";
    for node in spec.schemas() {
        let integers = node.has("enum") && node.text("type") == Some("integer");
        let Some(_) = node.get("x-enum-varnames") else {
            if integers {
                report.add(&node.pointer, "an enum of integers has no `x-enum-varnames`", help);
            }
            continue;
        };
        let at = node.at("x-enum-varnames");
        if !node.has("enum") {
            report.add(&at, "only an enum has names for its values", "remove `x-enum-varnames`");
            continue;
        }
        let names = list(node, "x-enum-varnames");
        let values = list(node, "enum");
        if names.len() != values.len() {
            report.add(&at, format!("{} names for {} values", names.len(), values.len()), help);
        }
        let mut seen = BTreeSet::new();
        for (index, name) in names.iter().filter_map(Value::as_str).enumerate() {
            let letters = name.chars().all(|c| c.is_ascii_alphanumeric());
            if !letters
                || !name.starts_with(|c: char| c.is_ascii_uppercase())
                || name == UNRECOGNIZED
                || !typify::accept_as_ident(name)
                || !seen.insert(name)
            {
                report.add(
                    &join(&at, &index.to_string()),
                    format!("`{name}` cannot name a variant, or is used twice"),
                    help,
                );
            }
        }
    }
}

/// The emitter looks descriptions up by value.
fn descriptions(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.schemas() {
        let Some(described) = node.get("x-enumDescriptions").and_then(Value::as_object) else {
            continue;
        };
        let values: BTreeSet<String> = list(node, "enum")
            .iter()
            .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            .collect();
        for key in described.keys().filter(|key| !values.contains(*key)) {
            report.add(
                &join(&node.at("x-enumDescriptions"), key),
                format!("`{key}` is described but not a value of the enum"),
                "add it to `enum`, or correct the key",
            );
        }
    }
}

fn enums<'s, 'a>(spec: &'s Spec<'a>) -> impl Iterator<Item = &'s Node<'a>> {
    spec.schemas().filter(|node| node.has("enum"))
}

fn list<'a>(node: &Node<'a>, key: &str) -> &'a [Value] {
    node.get(key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}
