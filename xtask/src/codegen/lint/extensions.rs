//! Our own extensions: known, in the right place, with values of the right kind.

use serde_json::Value;

use super::{
    Report, Rule,
    document::distance,
    spec::{Spec, listed},
};
use crate::codegen::load::shape::{Kind, Node};

/// The kinds of credential Transak has today. Another kind is fine, unless it looks like one of these misspelt.
const CREDENTIALS: &[&str] = &[
    "apiKey",
    "apiSecret",
    "partnerToken",
    "userToken",
    "userIdentifier",
    "userIp",
];

const ENVIRONMENTS: &[&str] = &["staging", "production"];

/// Every extension there is, with the kinds of object that may carry it.
const KNOWN: &[(&str, &[Kind])] = &[
    ("x-enum-varnames", &[Kind::Schema]),
    ("x-enumDescriptions", &[Kind::Schema]),
    ("x-transak-credential", &[Kind::SecurityScheme]),
    ("x-transak-environment", &[Kind::Server]),
    ("x-transak-host", &[Kind::Server]),
    ("x-transak-opaque", &[Kind::Schema]),
    ("x-transak-personal", &[Kind::Schema]),
    (
        "x-transak-provenance",
        &[
            Kind::Operation,
            Kind::Message,
            Kind::Schema,
            Kind::Parameter,
            Kind::Header,
            Kind::RequestBody,
            Kind::Response,
            Kind::SecurityScheme,
        ],
    ),
    ("x-transak-safety", &[Kind::Operation]),
    ("x-transak-servers", &[Kind::Document]),
    ("x-transak-url-secret", &[Kind::Parameter]),
    ("x-webhooks", &[Kind::Document]),
];

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "unknown-extension",
        why: "an extension nobody reads does nothing: a typo would drop a safety or privacy mark",
        check: unknown_extension,
    },
    Rule {
        name: "extension-value",
        why: "an extension with a value nobody expects is read as absent",
        check: extension_value,
    },
];

/// Extensions are looked up by name; a misspelt or misplaced one is never found.
fn unknown_extension(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.nodes.iter().filter(|node| node.kind != Kind::ServerLists) {
        for key in node.object.keys().filter(|key| key.starts_with("x-")) {
            if node.kind.knows(key) || node.reference().is_some() {
                continue;
            }
            let (message, help) = match KNOWN.iter().find(|(name, _)| name == key) {
                Some((_, kinds)) => (
                    format!("`{key}` does not belong on {}", node.kind.name()),
                    format!(
                        "move it to {}",
                        kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(" or ")
                    ),
                ),
                None => (
                    format!("`{key}` is no extension of ours"),
                    match KNOWN.iter().min_by_key(|(name, _)| distance(name, key)) {
                        Some((name, _)) if distance(name, key) <= 4 => format!("did you mean `{name}`?"),
                        _ => "remove it, or teach the generator and the lint what it means".to_owned(),
                    },
                ),
            };
            report.add(&node.at(key), message, help);
        }
    }
}

/// Values are read with a typed look-up, which treats the wrong type as absence.
fn extension_value(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in &spec.nodes {
        match node.kind {
            Kind::Server => {
                named(node, report, "x-transak-host");
                one_of(node, report, "x-transak-environment", ENVIRONMENTS);
            }
            Kind::SecurityScheme => credential(node, report),
            Kind::Parameter => flag(node, report, "x-transak-url-secret"),
            Kind::Schema => {
                flag(node, report, "x-transak-personal");
                flag(node, report, "x-transak-opaque");
                if let Some(names) = node.get("x-enum-varnames") {
                    let names = names.as_array().map(|names| names.iter().collect());
                    texts(node, report, "x-enum-varnames", names);
                }
                if let Some(map) = node.get("x-enumDescriptions") {
                    let descriptions = map.as_object().map(|map| map.values().collect());
                    texts(node, report, "x-enumDescriptions", descriptions);
                }
            }
            _ => {}
        }
    }
}

fn named(node: &Node<'_>, report: &mut Report<'_>, key: &str) {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    if let Some(value) = node.get(key)
        && !value.as_str().is_some_and(is_name)
    {
        report.add(
            &node.at(key),
            format!("`{key}` is no lower-case word"),
            "name the host in lower-case letters, such as `api`",
        );
    }
}

/// The kind becomes a variant of `Credential`, so a misspelt one would quietly be a credential of its own.
fn credential(node: &Node<'_>, report: &mut Report<'_>) {
    let key = "x-transak-credential";
    let Some(value) = node.get(key) else { return };
    let word = value.as_str().filter(|word| {
        word.starts_with(|c: char| c.is_ascii_lowercase()) && word.chars().all(|c| c.is_ascii_alphanumeric())
    });
    let Some(word) = word else {
        let message = format!("`{key}` is no name in camel case");
        return report.add(&node.at(key), message, "name the kind of credential, such as `apiKey`");
    };
    if !CREDENTIALS.contains(&word)
        && let Some(near) = CREDENTIALS.iter().find(|known| distance(known, word) <= 2)
    {
        let message = format!("`{word}` is no known kind of credential, but nearly one");
        report.add(&node.at(key), message, format!("did you mean `{near}`?"));
    }
}

fn one_of(node: &Node<'_>, report: &mut Report<'_>, key: &str, allowed: &[&str]) {
    if let Some(value) = node.get(key)
        && !value.as_str().is_some_and(|value| allowed.contains(&value))
    {
        report.add(
            &node.at(key),
            format!("`{key}` has a value that means nothing here"),
            format!("write one of {}", listed(allowed.iter().copied())),
        );
    }
}

fn flag(node: &Node<'_>, report: &mut Report<'_>, key: &str) {
    if node.get(key).is_some_and(|value| *value != Value::Bool(true)) {
        report.add(
            &node.at(key),
            format!("`{key}` is not `true`"),
            format!("write `{key}: true`, or leave it out"),
        );
    }
}

/// The values must all be texts; `None` stands for the wrong kind of collection.
fn texts(node: &Node<'_>, report: &mut Report<'_>, key: &str, values: Option<Vec<&Value>>) {
    let is_text = |value: &&Value| value.as_str().is_some_and(|text| !text.trim().is_empty());
    if !values.is_some_and(|values| values.iter().all(is_text)) {
        report.add(
            &node.at(key),
            format!("`{key}` holds something other than texts"),
            "`x-enum-varnames` is a list of names, `x-enumDescriptions` maps each value to a text",
        );
    }
}
