//! Numbers: exact money, and integers of a size Rust has.

use serde_json::Value;

use super::{Report, Rule, spec::Spec};

const BOUNDS: &[&str] = &[
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
];

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "number-decimal",
        why: "a plain `number` becomes an `f64`, which rounds money",
        check: number,
    },
    Rule {
        name: "decimal-bounds",
        why: "anything beside `format: decimal` makes typify fall back to `f64` without a word",
        check: bounds,
    },
    Rule {
        name: "integer-format",
        why: "typify knows 32 and 64 bits; another format is ignored or changes the type",
        check: integer,
    },
    Rule {
        name: "exclusive-bounds",
        why: "progenitor panics on `exclusiveMinimum` without `minimum`",
        check: exclusive,
    },
];

/// 123456789012345.123456789 would come back as …45.13.
fn number(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.schemas() {
        if node.text("type") == Some("number") && node.text("format") != Some("decimal") {
            report.add(
                &node.pointer,
                "a plain number would be rounded",
                "write `format: decimal` for an exact number, or `type: integer` for a count",
            );
        }
    }
}

/// typify's conversion compares the whole schema but its documentation.
fn bounds(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.schemas().filter(|node| node.text("format") == Some("decimal")) {
        let texts = ["minLength", "maxLength", "pattern", "default", "enum"];
        for key in BOUNDS.iter().chain(&texts).filter(|key| node.has(key)) {
            report.add(
                &node.at(key),
                format!("`{key}` beside `format: decimal` makes the type inexact"),
                "remove it and say it in the description",
            );
        }
    }
}

/// Without a format typify takes 64 bits.
fn integer(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.schemas().filter(|node| node.text("type") == Some("integer")) {
        if let Some(format) = node.get("format")
            && !matches!(format.as_str(), Some("int32" | "int64"))
        {
            report.add(
                &node.at("format"),
                "the format is none that integers have",
                "remove it, or write `int32` or `int64`",
            );
        }
    }
}

/// `todo!("exclusive_minimum set without minimum")`.
fn exclusive(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.schemas() {
        for (exclusive, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
            let Some(value) = node.get(exclusive) else {
                continue;
            };
            if !node.has(bound) || !matches!(value, Value::Bool(_)) {
                report.add(
                    &node.at(exclusive),
                    format!("`{exclusive}` is no flag beside a `{bound}`"),
                    format!("write `{bound}: …` and `{exclusive}: true`"),
                );
            }
        }
    }
}
