//! The document as a whole: version, known keys, tags.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Report, Rule, spec::Spec};
use crate::codegen::load::shape::Kind;

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "openapi-version",
        why: "progenitor reads OpenAPI 3.0.0 to 3.0.4 only",
        check: openapi_version,
    },
    Rule {
        name: "info-version",
        why: "the generator sends `info.version` as an `api-version` header and names the release by it",
        check: info_version,
    },
    Rule {
        name: "unknown-key",
        why: "the model drops keys it does not know, so a misspelt one would silently do nothing",
        check: unknown_key,
    },
    Rule {
        name: "ignored-feature",
        why: "the generator accepts callbacks, links, XML and read/write-only members and ignores them",
        check: ignored_feature,
    },
    Rule {
        name: "tag-declared",
        why: "an undeclared tag is a typo that would open a second group in the documentation",
        check: tag_declared,
    },
];

/// progenitor compares the version with `3.0.` and gives up otherwise; a patch level that does not
/// exist is a typo.
fn openapi_version(spec: &Spec<'_>, report: &mut Report<'_>) {
    let known = ["3.0.0", "3.0.1", "3.0.2", "3.0.3", "3.0.4"];
    let found = spec.json.get("openapi").and_then(Value::as_str);
    if !found.is_some_and(|version| known.contains(&version)) {
        report.add(
            "#/openapi",
            format!("`{}` is no version of OpenAPI 3.0", found.unwrap_or_default()),
            "write `openapi: 3.0.3`",
        );
    }
}

/// progenitor bakes `info.version` into the client and sends it; an empty one makes a bad header.
fn info_version(spec: &Spec<'_>, report: &mut Report<'_>) {
    let version = spec.json.pointer("/info/version").and_then(Value::as_str);
    if version.is_none_or(|version| version.trim().is_empty()) {
        report.add(
            "#/info/version",
            "the document has no version",
            "give `info.version` the date of the facts, such as \"2026-11-22\"",
        );
    }
}

/// openapiv3 ignores unknown members everywhere; typos such as `requird` vanish in it.
fn unknown_key(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in &spec.nodes {
        if node.kind == Kind::ServerLists || node.reference().is_some() {
            continue;
        }
        for key in node.object.keys() {
            // Extensions have a rule of their own.
            if node.kind.knows(key) || key.starts_with("x-") {
                continue;
            }
            let known = node.kind.key_names().min_by_key(|known| distance(known, key));
            report.add(
                &node.at(key),
                format!("`{key}` is no key of {} in OpenAPI 3.0", node.kind.name()),
                match known {
                    Some(known) if distance(known, key) <= 2 => format!("did you mean `{known}`?"),
                    _ => "remove it; OpenAPI 3.1 keywords are not supported".to_owned(),
                },
            );
        }
    }
}

/// progenitor and typify skip these without a word.
fn ignored_feature(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in &spec.nodes {
        let ignored: &[&str] = match node.kind {
            Kind::Components => &["callbacks", "links"],
            Kind::Operation => &["callbacks"],
            Kind::Response => &["links"],
            Kind::Schema => &["xml", "readOnly", "writeOnly"],
            Kind::MediaType => &["encoding"],
            _ => continue,
        };
        for key in ignored.iter().filter(|key| node.has(key)) {
            report.add(
                &node.at(key),
                format!("`{key}` is ignored by the generator"),
                "remove it and say what it means in the description",
            );
        }
    }
}

/// Tags only group documentation, so nothing else would notice a misspelt one.
fn tag_declared(spec: &Spec<'_>, report: &mut Report<'_>) {
    let declared: BTreeSet<_> = spec.all(Kind::Tag).filter_map(|tag| tag.text("name")).collect();
    for node in spec.all(Kind::Operation) {
        let tags = node.get("tags").and_then(Value::as_array);
        let Some(tags) = tags.filter(|tags| !tags.is_empty()) else {
            report.add(
                &node.pointer,
                "the operation has no tag",
                "add `tags: [...]` with a tag from the document's `tags`",
            );
            continue;
        };
        for (index, tag) in tags.iter().filter_map(Value::as_str).enumerate() {
            if !declared.contains(tag) {
                report.add(
                    &format!("{}/{index}", node.at("tags")),
                    format!("the tag `{tag}` is not declared"),
                    "add it to the document's `tags`, or use one that is there",
                );
            }
        }
    }
}

/// Levenshtein distance, for suggestions.
pub(super) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
