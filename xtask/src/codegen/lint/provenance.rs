//! Where facts come from: on every operation and every named schema.

use serde_json::Value;

use super::{
    Report, Rule,
    spec::{Spec, listed},
};
use crate::codegen::load::shape::{Kind, Node};
use crate::provenance::Confidence;

const HELP: &str =
    "write `{source: [page], confidence: documented, asOf: 2026-11-22}`, with `notes: [...]` where pages disagree";

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "provenance-missing",
        why: "a fact without a source cannot be checked or corrected later",
        check: missing,
    },
    Rule {
        name: "provenance-value",
        why: "the coverage report counts sources, confidences and dates, and skips what it cannot read",
        check: value,
    },
];

/// The generated documentation and the coverage report quote the provenance of each of these.
fn missing(spec: &Spec<'_>, report: &mut Report<'_>) {
    let operations = spec.all(Kind::Operation).chain(spec.all(Kind::Message));
    for node in operations.chain(spec.named_schemas()) {
        if !node.has("x-transak-provenance") && node.reference().is_none() {
            report.add(
                &node.pointer,
                format!("{} has no `x-transak-provenance`", told(node)),
                HELP,
            );
        }
    }
}

/// The report reads exactly these members with exactly these values.
fn value(spec: &Spec<'_>, report: &mut Report<'_>) {
    for parent in &spec.nodes {
        if let Some(value) = parent.get("x-transak-provenance")
            && !value.is_object()
        {
            report.add(
                &parent.at("x-transak-provenance"),
                "the provenance is not a mapping",
                HELP,
            );
        }
    }
    for node in spec.all(Kind::Provenance) {
        if !node.get("source").is_some_and(|value| texts(value, 1)) {
            report.add(
                &node.at("source"),
                "`source` is not a non-empty list of texts",
                "list the pages or repositories the fact was read in",
            );
        }
        let confidence = node.text("confidence").unwrap_or_default();
        if Confidence::parse(confidence).is_none() {
            report.add(
                &node.at("confidence"),
                "`confidence` is missing or none of ours",
                format!("write one of {}", listed(Confidence::ALL.map(Confidence::name))),
            );
        }
        if !node.text("asOf").is_some_and(is_date) {
            report.add(
                &node.at("asOf"),
                "`asOf` is no date",
                "write the day the fact was read as YYYY-MM-DD",
            );
        }
        if !node.get("notes").is_none_or(|value| texts(value, 1)) {
            report.add(
                &node.at("notes"),
                "`notes` is not a non-empty list of texts",
                "write `notes: [...]` with one sentence per entry, quoted if it holds `: `",
            );
        }
    }
}

fn told(node: &Node<'_>) -> String {
    match node.kind {
        Kind::Schema => format!("the schema `{}`", node.key),
        Kind::Message => format!("the message `{}`", node.text("operationId").unwrap_or(&node.key)),
        _ => format!("the operation `{}`", node.text("operationId").unwrap_or(&node.key)),
    }
}

fn texts(value: &Value, at_least: usize) -> bool {
    let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.trim().is_empty());
    value
        .as_array()
        .is_some_and(|list| list.len() >= at_least && list.iter().all(is_text))
}

/// A calendar date in the proleptic Gregorian calendar.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else {
        return false;
    };
    let number = |text: &str, length: usize| {
        let digits = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u32>().ok()).flatten()
    };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}
