//! What holds for any two documents, honest or not.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;
use xtask::diff::{Change, Kind, compare};

use super::{GOOD, cases, json};

/// What one way adds, the other removes; what changes, changes both ways.
pub(super) fn mirrored(there: &[Change], back: &[Change]) -> Result<(), String> {
    let places = |changes: &[Change], kind| -> BTreeSet<String> {
        let these = changes.iter().filter(|change| change.kind == kind);
        these.map(|change| change.place.clone()).collect()
    };
    for (kind, mirror) in [(Kind::Added, Kind::Removed), (Kind::Removed, Kind::Added)] {
        let (one, other) = (places(there, kind), places(back, mirror));
        if one != other {
            return Err(format!("{kind:?} there: {one:?}\n{mirror:?} back: {other:?}"));
        }
    }
    Ok(())
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

fn replacement() -> impl Strategy<Value = Option<Value>> {
    let values = [
        serde_json::json!(null),
        serde_json::json!(true),
        serde_json::json!(7),
        serde_json::json!(""),
        serde_json::json!("é{/~"),
        serde_json::json!([]),
        serde_json::json!([{}, null, "a"]),
        serde_json::json!({}),
        serde_json::json!({"$ref": "#/components/schemas/GetOrderResponse"}),
        serde_json::json!({"$ref": "#/components/schemas/Nowhere"}),
        serde_json::json!({"type": "object", "required": ["a", 1], "properties": {"a": {"nullable": true}, "b": 3}}),
        serde_json::json!({"oneOf": [{"type": "string"}, {"allOf": []}], "enum": [{}]}),
    ];
    prop::option::weighted(0.5, prop::sample::select(values.to_vec()))
}

/// The good spec after a case of the table and some damage.
fn document() -> impl Strategy<Value = Value> {
    let damage = (prop::collection::vec(any::<prop::sample::Index>(), 1..9), replacement());
    let texts: Vec<String> = cases().iter().map(super::Case::text).collect();
    (prop::sample::select(texts), prop::collection::vec(damage, 0..4)).prop_map(|(text, damages)| {
        let mut document = json(&text);
        for (turns, with) in damages {
            mutate(&mut document, &turns, with);
        }
        document
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_document_does_not_differ_from_itself(document in document()) {
        prop_assert_eq!(compare(&document, &document), vec![]);
    }

    #[test]
    fn documents_that_differ_have_a_change(document in document()) {
        let good = json(GOOD);
        prop_assert_eq!(compare(&good, &document).is_empty(), good == document);
    }

    #[test]
    fn what_one_way_adds_the_other_way_removes(old in document(), new in document()) {
        let (there, back) = (compare(&old, &new), compare(&new, &old));
        prop_assert!(mirrored(&there, &back).is_ok(), "{}", mirrored(&there, &back).unwrap_err());
    }
}
