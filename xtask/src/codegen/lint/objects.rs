//! Objects: their members, and the marks that keep data private.

use std::collections::{BTreeMap, BTreeSet};

use heck::ToSnakeCase;
use serde_json::Value;

use super::{Report, Rule, spec::Spec};
use crate::codegen::{load::shape::join, views};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "property-names",
        why: "members that are equal in snake_case make two fields of one name",
        check: names,
    },
    Rule {
        name: "required-declared",
        why: "typify invents an untyped field for a required member that is not described",
        check: required,
    },
    Rule {
        name: "inline-object",
        why: "inline objects get invented type names that change when others are added",
        check: inline,
    },
    Rule {
        name: "additional-properties-false",
        why: "the decoder would refuse an answer as soon as the API adds a member",
        check: closed,
    },
    Rule {
        name: "additional-properties-mixed",
        why: "typify flattens further members into the struct, where exact money cannot be read",
        check: mixed,
    },
    Rule {
        name: "personal-type",
        why: "the redacting type replaces plain strings only; elsewhere the mark would be ignored",
        check: personal,
    },
    Rule {
        name: "property-default",
        why: "a default is invented on decoding and sent without being asked for",
        check: default,
    },
    Rule {
        name: "opaque-shape",
        why: "opaque JSON is replaced as a whole, so anything else in its schema would be ignored",
        check: opaque,
    },
    Rule {
        name: "opaque-known",
        why: "known shapes of opaque JSON become types of their own, and others must stay valid",
        check: known,
    },
];

/// typify converts members to snake_case; `_id` beside `id` is renamed by our views.
fn names(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.schemas() {
        let Some(properties) = node.get("properties").and_then(Value::as_object) else {
            continue;
        };
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        // Maps keep another order in other builds.
        let names: BTreeSet<&String> = properties.keys().collect();
        for name in &names {
            let at = join(&node.at("properties"), name);
            if name.to_snake_case().is_empty() {
                report.add(
                    &at,
                    format!("`{name}` makes no Rust name"),
                    "ask the owner of the pipeline for a renaming",
                );
                continue;
            }
            if let Some(restored) = views::restore_name(name) {
                report.add(
                    &at,
                    format!("`{name}` is what the pipeline calls `{restored}` on its way, and would be sent as that"),
                    "ask the owner of the pipeline for another stand-in",
                );
                continue;
            }
            // The views set `_id` apart when there is an `id` as well, and only then.
            let field = match name.strip_prefix('_') {
                Some(rest) if properties.contains_key(rest) => format!("underscored-{rest}").to_snake_case(),
                _ => name.to_snake_case(),
            };
            if let Some(earlier) = seen.insert(field.clone(), name) {
                report.add(
                    &at,
                    format!("`{name}` and `{earlier}` both become `{field}`"),
                    "describe only the one the API documents",
                );
            }
        }
    }
}

/// The field would be a `serde_json::Value`.
fn required(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.schemas() {
        let Some(required) = node.get("required").and_then(Value::as_array) else {
            continue;
        };
        // Members of an `allOf` may require what another member describes.
        if node.role == "allOf" {
            continue;
        }
        let mut seen = BTreeSet::new();
        for (index, name) in required.iter().filter_map(Value::as_str).enumerate() {
            let at = join(&node.at("required"), &index.to_string());
            if node
                .get("properties")
                .and_then(|properties| properties.get(name))
                .is_none()
            {
                report.add(
                    &at,
                    format!("`{name}` is required but not described"),
                    "add it to `properties`, or correct the name",
                );
            }
            if !seen.insert(name) {
                report.add(&at, format!("`{name}` is required twice"), "remove one of the two");
            }
        }
    }
}

/// typify names them after their owner and property, and after their number where that is taken.
fn inline(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.schemas().filter(|node| node.has("properties")) {
        let merged = node.role == "allOf" && spec.parent(node).is_some_and(|parent| spec.is_component(parent));
        if !spec.is_component(node) && !merged {
            report.add(
                &node.pointer,
                "an object with properties has no name",
                "move it to `components.schemas` and reference it",
            );
        }
    }
}

/// typify emits `deny_unknown_fields`.
fn closed(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.response_schemas() {
        if node.get("additionalProperties") == Some(&Value::Bool(false)) {
            report.add(
                &node.at("additionalProperties"),
                "a response reaches this schema, and it refuses new members",
                "remove `additionalProperties`",
            );
        }
    }
}

/// typify adds an `extra` map with `#[serde(flatten)]`, which buffers values and loses digits.
fn mixed(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.schemas() {
        let open = node
            .get("additionalProperties")
            .is_some_and(|value| *value != Value::Bool(false));
        if open && node.has("properties") {
            report.add(
                &node.at("additionalProperties"),
                "`additionalProperties` stands beside `properties`",
                "remove it: members that are not described are ignored anyway",
            );
        }
    }
}

/// Only `type: string` and nothing more is replaced by the redacting type.
fn personal(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.schemas().filter(|node| node.has("x-transak-personal")) {
        let plain = node.text("type") == Some("string") && !node.has("format") && !node.has("enum");
        if !plain {
            report.add(
                &node.at("x-transak-personal"),
                "the mark stands on something other than a plain string",
                "mark the strings inside; for free JSON use `x-transak-opaque: true`, which is never printed",
            );
        }
    }
}

/// typify makes `#[serde(default = …)]` of it, so an answer without the member and one with that value look the same.
fn default(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.schemas().filter(|node| node.has("default")) {
        let component = node.pointer.starts_with("#/components/schemas/");
        // In enums and opaque JSON other rules refuse it.
        if component && !node.has("enum") && !node.has("x-transak-opaque") {
            report.add(
                &node.at("default"),
                "the default would be made up on decoding and sent with every request",
                "say it in the description; only the schema of a parameter may have a `default`",
            );
        }
    }
}

/// The type is ours whatever the schema says.
fn opaque(spec: &Spec<'_>, report: &mut Report<'_>) {
    let allowed = ["title", "description", "deprecated", "nullable", "anyOf"];
    for node in spec.schemas().filter(|node| node.has("x-transak-opaque")) {
        for key in node.object.keys() {
            if !key.starts_with("x-") && !allowed.contains(&key.as_str()) {
                report.add(
                    &node.at(key),
                    format!("`{key}` is ignored in opaque JSON"),
                    "remove it, or describe the JSON instead of calling it opaque",
                );
            }
        }
    }
}

/// `anyOf` lists shapes that are known; callers decode them from the opaque JSON. It must not exclude what is not known.
fn known(spec: &Spec<'_>, report: &mut Report<'_>) {
    let open = |schema: &Value| {
        let target = spec.json.pointer(schema.get("$ref")?.as_str()?.strip_prefix('#')?)?;
        Some(target.get("x-transak-opaque").is_some() && target.get("anyOf").is_none())
    };
    for node in spec
        .schemas()
        .filter(|node| node.has("x-transak-opaque") && node.has("anyOf"))
    {
        let list = node.get("anyOf").and_then(Value::as_array).map(Vec::as_slice);
        let fits = match list.unwrap_or_default() {
            [shapes @ .., last] if !shapes.is_empty() => {
                shapes.iter().all(|shape| open(shape) == Some(false)) && open(last) == Some(true)
            }
            _ => false,
        };
        if !fits {
            report.add(
                &node.at("anyOf"),
                "the known shapes of opaque JSON are not a list of references that ends in plain opaque JSON",
                "list `$ref`s to the schemas of the known shapes, and last one to an opaque schema without `anyOf`",
            );
        }
    }
}
