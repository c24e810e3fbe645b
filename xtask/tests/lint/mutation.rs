//! Whatever is done to the spec, the lint answers with problems and never with a panic.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};
use xtask::codegen::{lint::lint, load::Document};

use super::GOOD;

/// What a node is replaced with; `None` removes it.
fn replacement() -> impl Strategy<Value = Option<Value>> {
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1.5),
        json!(""),
        json!("é{/~"),
        json!("default"),
        json!([]),
        json!([null, "a", 1, {}]),
        json!({}),
        json!({"": {"$ref": "#/components/schemas/User"}}),
        json!({"$ref": "#/components/schemas/GetOrderResponse"}),
        json!({"$ref": 1}),
        json!({"type": "object", "properties": {"_": {}, "__": {"type": 3}}}),
        json!({"oneOf": [{"oneOf": []}], "enum": [{}]}),
    ];
    prop::option::weighted(0.8, prop::sample::select(values.to_vec()))
}

/// Replaces or removes the node that a walk with these turns ends at.
fn mutate(node: &mut Value, turns: &[prop::sample::Index], with: Option<Value>) {
    let Some((turn, rest)) = turns.split_first() else {
        *node = with.unwrap_or(Value::Null);
        return;
    };
    match node {
        Value::Object(map) if !map.is_empty() => {
            let key = map.keys().nth(turn.index(map.len())).cloned().unwrap();
            match (rest.is_empty(), with) {
                (true, None) => drop(map.remove(&key)),
                (_, with) => mutate(map.get_mut(&key).unwrap(), rest, with),
            }
        }
        Value::Array(list) if !list.is_empty() => {
            let index = turn.index(list.len());
            match (rest.is_empty(), with) {
                (true, None) => drop(list.remove(index)),
                (_, with) => mutate(&mut list[index], rest, with),
            }
        }
        _ => *node = with.unwrap_or(Value::Null),
    }
}

fn good() -> Document {
    Document::parse(Path::new("spec.yaml"), GOOD.to_owned()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    /// Straight on the JSON, past the model: the lint trusts nothing it has not looked at.
    #[test]
    fn lint_never_panics(
        edits in prop::collection::vec(
            (prop::collection::vec(any::<prop::sample::Index>(), 1..10), replacement()),
            1..4,
        )
    ) {
        let mut doc = good();
        for (turns, with) in edits {
            mutate(&mut doc.json, &turns, with);
        }
        for problem in lint(&doc) {
            prop_assert!(problem.line.is_some());
            prop_assert!(!problem.to_string().is_empty());
        }
    }

    /// JSON is YAML, so the loader takes the mutated document as text.
    #[test]
    fn load_never_panics(
        turns in prop::collection::vec(any::<prop::sample::Index>(), 1..10),
        with in replacement(),
    ) {
        let mut json = good().json;
        mutate(&mut json, &turns, with);
        if let Ok(doc) = Document::parse(Path::new("spec.yaml"), json.to_string()) {
            lint(&doc);
        }
    }
}

/// Every single node, removed: most removals are refused, none panics.
#[test]
fn removing_any_line_is_survived() {
    let lines: Vec<_> = GOOD.lines().collect();
    for skipped in 0..lines.len() {
        let text: String = lines
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != skipped)
            .map(|(_, line)| format!("{line}\n"))
            .collect();
        if let Ok(doc) = Document::parse(Path::new("spec.yaml"), text) {
            lint(&doc);
        }
    }
}
