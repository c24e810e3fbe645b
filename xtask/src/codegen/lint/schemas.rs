//! Schemas in general: names, types, formats, defaults, merges.

use std::collections::BTreeMap;

use heck::ToPascalCase;
use serde_json::Value;

use super::{
    Report, Rule,
    spec::{Spec, is_true, listed},
};
use crate::codegen::{
    forms,
    load::shape::{Kind, Node},
};

/// Names that generated code uses without a path: `Default::default()` in every builder, the others as constructors.
const TAKEN: &[&str] = &["Default", "Err", "None", "Ok", "Some"];

const TYPES: &[&str] = &["string", "integer", "number", "boolean", "array", "object"];

/// Formats of strings that stand for a type of ours, or for themselves.
const STRING_FORMATS: &[&str] = &["decimal", "password", "date-time", "date"];

/// Keywords that only one type has.
const KEYWORDS: &[(&str, &[&str])] = &[
    (
        "object",
        &[
            "properties",
            "required",
            "additionalProperties",
            "minProperties",
            "maxProperties",
        ],
    ),
    ("array", &["items", "minItems", "maxItems", "uniqueItems"]),
    ("string", &["minLength", "maxLength", "pattern"]),
    (
        "number",
        &[
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "multipleOf",
        ],
    ),
];

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "schema-name",
        why: "schema names become Rust types; two that are equal in PascalCase are one type",
        check: name,
    },
    Rule {
        name: "schema-docs",
        why: "a named schema without a description is an undocumented type",
        check: docs,
    },
    Rule {
        name: "schema-type",
        why: "progenitor panics on types it does not know, and takes no lists of types",
        check: kind,
    },
    Rule {
        name: "schema-untyped",
        why: "a schema that says nothing becomes `serde_json::Value`, which rounds numbers and prints secrets",
        check: untyped,
    },
    Rule {
        name: "schema-mixed",
        why: "keywords of two kinds of schema in one are guessed at by typify, or dropped",
        check: mixed,
    },
    Rule {
        name: "all-of-members",
        why: "typify merges objects well and gives up, with a panic, on most else",
        check: all_of,
    },
    Rule {
        name: "format-known",
        why: "typify takes a format it does not know for a plain string without a word",
        check: format,
    },
    Rule {
        name: "format-alone",
        why: "a conversion matches the whole schema: a secret with a length would be a plain, printable string",
        check: format_alone,
    },
    Rule {
        name: "default-type",
        why: "typify refuses a default that does not fit, without saying where",
        check: default,
    },
    Rule {
        name: "nullable-reference",
        why: "null is lifted from a named schema to properties only; elsewhere it would fail the whole body",
        check: nullable,
    },
];

/// typify converts names to PascalCase and emits both of two equal ones.
fn name(spec: &Spec<'_>, report: &mut Report<'_>) {
    let mut known: BTreeMap<String, &str> = BTreeMap::new();
    for node in spec.named_schemas() {
        let name = node.key.as_str();
        let letters = name.chars().all(|c| c.is_ascii_alphanumeric());
        if !letters || !name.starts_with(|c: char| c.is_ascii_uppercase()) {
            report.add(
                &node.pointer,
                format!("`{name}` is no name for a Rust type"),
                "use letters and digits, starting with a capital letter",
            );
        }
        if TAKEN.contains(&name.to_pascal_case().as_str()) {
            report.add(
                &node.pointer,
                format!("`{name}` is a name the generated code needs for itself"),
                "choose a longer name",
            );
        }
        if let Some(earlier) = known.insert(name.to_pascal_case(), name) {
            report.add(
                &node.pointer,
                format!("`{name}` and `{earlier}` become the same Rust type"),
                "rename one of the two",
            );
        }
    }
}

/// The description is the type's documentation, and the crate denies undocumented items.
fn docs(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.named_schemas().filter(|node| node.reference().is_none()) {
        if node.text("description").is_none_or(|text| text.trim().is_empty()) {
            report.add(
                &node.pointer,
                format!("the schema `{}` has no description", node.key),
                "say what it is",
            );
        }
    }
}

/// `todo!("invalid type: …")`.
fn kind(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.schemas() {
        if let Some(kind) = node.get("type")
            && !kind.as_str().is_some_and(|kind| TYPES.contains(&kind))
        {
            report.add(
                &node.at("type"),
                "the type is none that OpenAPI 3.0 knows",
                format!(
                    "write one of {}; for null add `nullable: true`",
                    listed(TYPES.iter().copied())
                ),
            );
        }
    }
}

/// `serde_json::Value` has neither exact numbers nor redaction.
fn untyped(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.schemas() {
        let says = ["allOf", "oneOf", "anyOf", "not", "enum"]
            .iter()
            .any(|key| node.has(key))
            || is_true(node.get("x-transak-opaque"));
        let message = match node.text("type") {
            None if !says && !node.has("type") => "the schema does not say what it is",
            Some("object")
                if !node.has("properties") && !node.get("additionalProperties").is_some_and(Value::is_object) =>
            {
                "the object says nothing about its members"
            }
            Some("array") if !node.has("items") => "the array does not say what it holds",
            _ => continue,
        };
        report.add(
            &node.pointer,
            message,
            "describe it, or reference a schema with `x-transak-opaque: true` to keep the JSON as it is",
        );
    }
}

/// openapiv3 calls such a schema `Any`, and what typify makes of it depends on the mixture.
fn mixed(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.schemas() {
        let combined = ["allOf", "oneOf"].into_iter().find(|key| node.has(key));
        for (kind, keywords) in KEYWORDS {
            let fits = match node.text("type") {
                Some("integer") => *kind == "number",
                Some(found) => found == *kind,
                // Untyped ones have a rule of their own.
                None => combined.is_none(),
            };
            for key in keywords.iter().filter(|key| !fits && node.has(key)) {
                report.add(
                    &node.at(key),
                    match combined {
                        Some(combined) => format!("`{key}` stands beside `{combined}`"),
                        None => format!("`{key}` means nothing for this type"),
                    },
                    "move it into the schema it is meant for",
                );
            }
        }
        if let Some(combined) = combined {
            for key in ["type", "enum", "format"].into_iter().filter(|key| node.has(key)) {
                report.add(
                    &node.at(key),
                    format!("`{key}` stands beside `{combined}`"),
                    format!("remove it; the members of `{combined}` say it"),
                );
            }
        }
        if node.has("allOf") && node.has("oneOf") {
            report.add(
                &node.at("oneOf"),
                "`oneOf` stands beside `allOf`",
                "name the union and reference it",
            );
        }
    }
}

/// typify's merge is full of `unimplemented!`; a single reference and a set of objects are safe.
/// It expands an inline merge where it stands, without end if that is inside one of its members.
fn all_of(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.schemas() {
        let Some(members) = node.get("allOf") else {
            continue;
        };
        let members = members.as_array().map(Vec::as_slice).unwrap_or_default();
        let is_object = |member| {
            spec.resolve_object(member)
                .is_some_and(|member| member.get("type").and_then(Value::as_str) == Some("object"))
        };
        if matches!(members, [only] if only.get("$ref").is_some()) {
            continue;
        }
        if members.len() < 2 || !members.iter().all(is_object) {
            report.add(
                &node.at("allOf"),
                "`allOf` is neither one reference nor several objects",
                "use it to describe one `$ref`, or to merge schemas with `type: object`",
            );
        } else if !spec.is_component(node) {
            report.add(
                &node.at("allOf"),
                "a merge of several objects has no name",
                "move it to `components.schemas` and reference it",
            );
        }
    }
}

/// Unknown formats are strings; `byte` and `binary` as well.
fn format(spec: &Spec<'_>, report: &mut Report<'_>) {
    let forms: Vec<&str> = spec
        .all(Kind::Operation)
        .filter_map(|operation| forms::schema(operation.object))
        .collect();
    for node in spec.schemas() {
        let Some(format) = node.get("format") else {
            continue;
        };
        // A file in a form.
        let owner = spec.parent(node).map(|parent| parent.pointer.as_str());
        if format == "binary" && node.text("type") == Some("string") && owner.is_some_and(|at| forms.contains(&at)) {
            continue;
        }
        let known = match node.text("type") {
            // Numbers have rules of their own.
            Some("number" | "integer") => true,
            Some("string") => format.as_str().is_some_and(|format| STRING_FORMATS.contains(&format)),
            _ => false,
        };
        if !known {
            report.add(
                &node.at("format"),
                "this format means nothing for this type here",
                format!(
                    "strings may be {}; others are plain strings with a description",
                    listed(STRING_FORMATS.iter().copied())
                ),
            );
        }
    }
}

/// typify's conversions compare everything but the documentation, and fall back silently.
fn format_alone(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.schemas().filter(|node| node.text("type") == Some("string")) {
        let personal = node.has("x-transak-personal");
        // Decimals have a rule of their own.
        let converted = node.text("format").is_some_and(|format| format != "decimal");
        if !personal && !converted {
            continue;
        }
        for key in ["minLength", "maxLength", "pattern", "enum", "default"] {
            if node.has(key) {
                report.add(
                    &node.at(key),
                    format!("`{key}` beside a format or a privacy mark makes the type a plain string"),
                    "remove it and say it in the description",
                );
            }
        }
    }
}

/// "invalid default value", without a place.
fn default(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.schemas() {
        let Some(default) = node.get("default") else {
            continue;
        };
        if !fits(spec, node, default) {
            report.add(
                &node.at("default"),
                "the default does not fit the schema",
                "correct it, or say it in the description",
            );
        }
    }
}

/// A replaced type knows no null, so the views make an `Option` of each property that refers to
/// one that is nullable, and of nothing else.
fn nullable(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.nodes.iter().filter(|node| node.kind == Kind::Schema) {
        let is_property =
            node.role == "properties" && spec.parent(node).is_some_and(|parent| spec.is_component(parent));
        // A parameter that is null is not sent.
        let parent = spec.parent(node).map(|parent| parent.kind);
        if node.reference().is_none() || is_property || parent == Some(Kind::Parameter) {
            continue;
        }
        if spec
            .resolve_object(node.value)
            .is_some_and(|target| is_true(target.get("nullable")))
        {
            report.add(
                &node.pointer,
                "the schema may be null, which is lost in this place",
                "refer to it from a property of a named schema, or take `nullable` off it",
            );
        }
    }
}

fn fits(spec: &Spec<'_>, node: &Node<'_>, default: &Value) -> bool {
    if default.is_null() {
        return is_true(node.get("nullable"));
    }
    let single = node.get("allOf").and_then(|members| members.get(0));
    let Some(schema) = single
        .and_then(|member| spec.resolve_object(member))
        .or(Some(node.object))
    else {
        return true;
    };
    let listed = schema.get("enum").and_then(Value::as_array);
    let kind = schema.get("type").and_then(Value::as_str);
    listed.is_none_or(|values| values.contains(default))
        && match kind {
            Some("string") => default.is_string(),
            Some("integer") => default.is_i64() || default.is_u64(),
            Some("number") => default.is_number(),
            Some("boolean") => default.is_boolean(),
            Some("array") => default.is_array(),
            Some("object") => default.is_object(),
            _ => true,
        }
}
