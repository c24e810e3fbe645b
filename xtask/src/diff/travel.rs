//! Which way a schema travels.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::api::{Api, Object, content};

/// The directions a schema is used in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Travel {
    /// Callers send it.
    pub(super) sent: bool,
    /// Callers receive it.
    pub(super) received: bool,
}

impl Travel {
    pub(super) const SENT: Self = Self {
        sent: true,
        received: false,
    };
    pub(super) const RECEIVED: Self = Self {
        sent: false,
        received: true,
    };
    /// What no operation uses, such as a webhook's payload: it could be either.
    pub(super) const UNKNOWN: Self = Self {
        sent: true,
        received: true,
    };

    pub(super) fn with(self, other: Self) -> Self {
        Self {
            sent: self.sent || other.sent,
            received: self.received || other.received,
        }
    }
}

/// The directions of all named schemas that operations use, by name.
pub(super) fn directions<'a>(api: &Api<'a>) -> BTreeMap<&'a str, Travel> {
    let mut found = BTreeMap::new();
    for operation in &api.operations {
        for parameter in operation.parameters.values() {
            follow(api, parameter.get("schema"), Travel::SENT, &mut found);
        }
        if let Some(body) = operation.body {
            bodies(api, body, Travel::SENT, &mut found);
        }
        for response in operation.responses.values() {
            bodies(api, response, Travel::RECEIVED, &mut found);
        }
    }
    found
}

fn bodies<'a>(api: &Api<'a>, holder: &'a Object, travel: Travel, found: &mut BTreeMap<&'a str, Travel>) {
    for schema in content(holder).into_values() {
        follow(api, Some(schema), travel, found);
    }
}

/// Marks every schema that `start` mentions. A list instead of recursion: schemas may be deep.
fn follow<'a>(api: &Api<'a>, start: Option<&'a Value>, travel: Travel, found: &mut BTreeMap<&'a str, Travel>) {
    let mut waiting: Vec<&Value> = start.into_iter().collect();
    while let Some(value) = waiting.pop() {
        match value {
            Value::Array(items) => waiting.extend(items),
            Value::Object(object) => {
                waiting.extend(object.values());
                let Some(name) = object
                    .get("$ref")
                    .and_then(Value::as_str)
                    .and_then(|target| target.strip_prefix("#/components/schemas/"))
                else {
                    continue;
                };
                let known: &mut Travel = found.entry(name).or_default();
                if known.with(travel) != *known {
                    *known = known.with(travel);
                    waiting.extend(api.root.pointer(&format!("/components/schemas/{name}")));
                }
            }
            _ => {}
        }
    }
}
