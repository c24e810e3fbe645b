//! Constraints: never on what the API sends us.

use super::{Report, Rule, spec::Spec};

const CONSTRAINTS: &[&str] = &[
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
];

pub(super) const RULES: &[Rule] = &[Rule {
    name: "response-constraints",
    why: "typify enforces bounds, lengths and patterns on decoding: one odd value would fail the whole answer",
    check: responses,
}];

/// typify makes `NonZero…` and validated newtypes of them.
fn responses(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.response_schemas() {
        for key in CONSTRAINTS.iter().filter(|key| node.has(key)) {
            report.add(
                &node.at(key),
                format!("a response reaches this schema, and `{key}` would refuse its values"),
                "remove it and say it in the description; if a request needs it, give that a schema of its own",
            );
        }
    }
}
