//! Security: which credentials an operation wants, and in which headers they travel.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Report, Rule,
    spec::{Spec, listed},
};
use crate::codegen::load::shape::{Kind, join};

/// Headers that neither a parameter nor a credential may set: the HTTP stack or our hook writes them, or takes them
/// for the framing of the message.
const OWNED: &[&str] = &[
    "accept",
    "connection",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "user-agent",
    "x-trace-id",
];

/// More headers that a parameter must never set; credentials may travel in them.
const RESERVED: &[&str] = &["api-version", "authorization", "cookie"];

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "security-missing",
        why: "progenitor ignores security; an operation that does not say what it needs would be sent without",
        check: missing,
    },
    Rule {
        name: "security-declared",
        why: "a scheme that is not declared has no header to travel in",
        check: declared,
    },
    Rule {
        name: "security-alternatives",
        why: "alternatives that are equal or fight over a header cannot be told apart at run time",
        check: alternatives,
    },
    Rule {
        name: "security-order",
        why: "the first alternative that is satisfied wins, so one that asks for more must stand before it",
        check: order,
    },
    Rule {
        name: "security-scheme",
        why: "the client writes credentials into headers, and only knows ours",
        check: scheme,
    },
    Rule {
        name: "credential-parameter",
        why: "builders derive `Debug`, so a credential as a header parameter is printed with them",
        check: parameter,
    },
];

/// The table is filled from each operation; a default for the whole document would be easy to
/// inherit by accident.
fn missing(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.all(Kind::Operation) {
        if !node.get("security").is_some_and(Value::is_array) {
            report.add(
                &node.pointer,
                format!(
                    "the operation `{}` does not say what credentials it needs",
                    node.text("operationId").unwrap_or(&node.key)
                ),
                "add `security: [...]`, or `security: []` if it really needs none",
            );
        }
    }
    if spec.json.get("security").is_some() {
        report.add(
            "#/security",
            "security for the whole document is ignored",
            "say it on each operation",
        );
    }
}

/// The table resolves every name; scopes mean nothing on an API key.
fn declared(spec: &Spec<'_>, report: &mut Report<'_>) {
    let declared: BTreeSet<_> = spec.all(Kind::SecurityScheme).map(|node| node.key.as_str()).collect();
    for (pointer, alternative) in all_alternatives(spec) {
        for (name, scopes) in alternative {
            let at = join(&pointer, name);
            if !declared.contains(name.as_str()) {
                report.add(
                    &at,
                    format!("the security scheme `{name}` is not declared"),
                    "declare it under `components.securitySchemes`, or correct the name",
                );
            }
            if scopes.as_array().is_none_or(|scopes| !scopes.is_empty()) {
                report.add(&at, format!("`{name}` has scopes"), format!("write `{name}: []`"));
            }
        }
    }
}

/// The client picks the first alternative whose credentials it has and writes each into its
/// header, so a repeated set is never reached and a shared header is overwritten.
fn alternatives(spec: &Spec<'_>, report: &mut Report<'_>) {
    let headers: BTreeMap<&str, &str> = spec
        .all(Kind::SecurityScheme)
        .filter_map(|node| Some((node.key.as_str(), node.text("name")?)))
        .collect();
    let mut seen = BTreeSet::new();
    for (pointer, alternative) in all_alternatives(spec) {
        let names: BTreeSet<&str> = alternative.keys().map(String::as_str).collect();
        let operation = pointer.rsplit_once('/').map(|(list, _)| list.to_owned());
        if !seen.insert((operation, names.clone())) {
            report.add(
                &pointer,
                "the same alternative is listed twice",
                "remove one of the two",
            );
        }
        let mut used = BTreeSet::new();
        for header in names.iter().filter_map(|name| headers.get(name)) {
            if !used.insert(header.to_ascii_lowercase()) {
                report.add(
                    &pointer,
                    format!("two credentials of one alternative share the header `{header}`"),
                    "make them two alternatives",
                );
            }
        }
    }
}

/// What counts is the credential, not the scheme: two schemes may carry the same one in different headers.
fn order(spec: &Spec<'_>, report: &mut Report<'_>) {
    let credentials: BTreeMap<&str, &str> = spec
        .all(Kind::SecurityScheme)
        .filter_map(|node| Some((node.key.as_str(), node.text("x-transak-credential")?)))
        .collect();
    let mut earlier: Vec<(String, BTreeSet<&str>, BTreeSet<&str>)> = Vec::new();
    for (pointer, alternative) in all_alternatives(spec) {
        let list = pointer.rsplit_once('/').map_or("", |(list, _)| list).to_owned();
        let schemes: BTreeSet<&str> = alternative.keys().map(String::as_str).collect();
        let wanted: BTreeSet<&str> = schemes
            .iter()
            .map(|scheme| credentials.get(scheme).copied().unwrap_or(scheme))
            .collect();
        let winner = earlier.iter().find(|(other, others, subset)| {
            // The same schemes twice have a rule of their own.
            *other == list && *others != schemes && subset.is_subset(&wanted)
        });
        if let Some((_, _, subset)) = winner {
            report.add(
                &pointer,
                match subset.is_empty() {
                    true => "an alternative without credentials stands before this one and always wins".to_owned(),
                    false => format!(
                        "whoever has these credentials also has {}, and that earlier alternative wins",
                        listed(subset.iter().copied())
                    ),
                },
                "put the alternative that asks for more in front, or remove one of the two",
            );
        }
        earlier.push((list, schemes, wanted));
    }
}

/// progenitor knows no schemes at all; our hook writes API keys into headers and nothing else.
fn scheme(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.all(Kind::SecurityScheme) {
        if node.text("type") != Some("apiKey") || node.text("in") != Some("header") {
            report.add(
                &node.pointer,
                format!("the security scheme `{}` is not an API key in a header", node.key),
                "write `type: apiKey` and `in: header`",
            );
        }
        let name = node.text("name").unwrap_or_default();
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || !name.chars().all(is_name) {
            report.add(
                &node.at("name"),
                format!("`{name}` is no lower-case header name"),
                "write the header in lower case, such as `x-api-key`",
            );
        }
        if OWNED.contains(&name) {
            report.add(
                &node.at("name"),
                format!("the header `{name}` is set by the client itself"),
                "a credential in it would be overwritten or break the request; check which header the API reads",
            );
        }
        if !node.has("x-transak-credential") {
            report.add(
                &node.pointer,
                format!(
                    "the security scheme `{}` does not say which credential it carries",
                    node.key
                ),
                "add `x-transak-credential`, such as `x-transak-credential: apiKey`",
            );
        }
    }
}

/// Credentials belong in `security`, where values are marked sensitive.
fn parameter(spec: &Spec<'_>, report: &mut Report<'_>) {
    let credentials: BTreeSet<_> = spec
        .all(Kind::SecurityScheme)
        .filter_map(|node| node.text("name"))
        .map(str::to_ascii_lowercase)
        .collect();
    for node in spec.all(Kind::Parameter) {
        let name = node.text("name").unwrap_or_default().to_ascii_lowercase();
        let taken = [OWNED, RESERVED].iter().any(|list| list.contains(&name.as_str()));
        let reserved = credentials.contains(&name) || taken;
        if node.text("in") == Some("header") && reserved {
            report.add(
                &node.pointer,
                format!("the header `{name}` cannot be a parameter"),
                "credentials go into `security`; other headers of HTTP are set by the client",
            );
        }
    }
}

/// Every alternative of every operation, with its pointer.
fn all_alternatives<'a>(spec: &Spec<'a>) -> Vec<(String, &'a serde_json::Map<String, Value>)> {
    let mut all = Vec::new();
    for node in spec.all(Kind::Operation) {
        let list = node.get("security").and_then(Value::as_array);
        for (index, alternative) in list.into_iter().flatten().enumerate() {
            if let Some(alternative) = alternative.as_object() {
                all.push((join(&node.at("security"), &index.to_string()), alternative));
            }
        }
    }
    all
}
