//! Prose: what a description may hold, since all of it becomes documentation of Rust code.

use serde_json::Value;

use super::{Report, Rule, spec::Spec};
use crate::codegen::load::shape::{Kind, join};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "prose-code",
        why: "a code block in documentation is compiled and run as a test of the crate",
        check: code,
    },
    Rule {
        name: "prose-characters",
        why: "rustc refuses some control characters in comments, and others make a text read as what it is not",
        check: characters,
    },
];

/// rustdoc takes fenced and indented blocks for Rust.
fn code(spec: &Spec<'_>, report: &mut Report<'_>) {
    for (pointer, text) in texts(spec) {
        let message = if text.contains("```") || text.contains("~~~") {
            "the text has a code fence, which would become a test"
        } else if has_indented_block(text) {
            "the text has an indented block, which would become a test"
        } else {
            continue;
        };
        report.add(
            &pointer,
            message,
            "write code in single backticks, and indent by less than four spaces",
        );
    }
}

/// A block starts after a blank line; within a paragraph indentation means nothing.
fn has_indented_block(text: &str) -> bool {
    let mut after_blank = true;
    for line in text.lines() {
        if line.trim().is_empty() {
            after_blank = true;
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        if after_blank && (indent.contains('\t') || indent.chars().count() >= 4) {
            return true;
        }
        after_blank = false;
    }
    false
}

/// Line feeds and tabs are the only control characters a text needs.
fn characters(spec: &Spec<'_>, report: &mut Report<'_>) {
    for (pointer, text) in texts(spec) {
        let odd = text.chars().find(|c| is_control(*c) || is_bidi(*c));
        if let Some(odd) = odd {
            report.add(
                &pointer,
                format!("the text has the invisible character U+{:04X}", u32::from(odd)),
                "remove it; lines end in a line feed, and no text needs marks of direction",
            );
        }
    }
}

fn is_control(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
}

/// The marks, embeddings, overrides and isolates of Unicode's bidirectional algorithm.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Every text for readers, with its pointer.
fn texts<'a>(spec: &Spec<'a>) -> Vec<(String, &'a str)> {
    let mut all = Vec::new();
    for node in &spec.nodes {
        // There the keys are names.
        if matches!(node.kind, Kind::ServerLists | Kind::Components) {
            continue;
        }
        for key in ["title", "summary", "description"] {
            all.extend(node.text(key).map(|text| (node.at(key), text)));
        }
        let described = node.get("x-enumDescriptions").and_then(Value::as_object);
        for (value, text) in described.into_iter().flatten() {
            let at = join(&node.at("x-enumDescriptions"), value);
            all.extend(text.as_str().map(|text| (at, text)));
        }
    }
    all
}
