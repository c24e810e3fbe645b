//! The logical hosts and their addresses.

use std::collections::BTreeMap;

use serde_json::Value;

use super::change::{Change, Kind, Level};
use crate::api::Object;

/// Compares the servers of the whole document; which of them an operation uses is compared with the operation.
pub(super) fn compare(old: &Value, new: &Value, changes: &mut Vec<Change>) {
    let (old, new) = (named(old), named(new));
    for (name, address) in &old {
        let place = format!("server `{name}`");
        match new.get(name) {
            None => changes.push(Change::new(
                Kind::Removed,
                place,
                format!("is gone, it was {address}"),
                Level::Major,
                true,
            )),
            Some(now) if now != address => changes.push(Change::new(
                Kind::Changed,
                place,
                format!("moves from {address} to {now}"),
                Level::Patch,
                true,
            )),
            Some(_) => {}
        }
    }
    for (name, address) in &new {
        if !old.contains_key(name) {
            changes.push(Change::added(
                format!("server `{name}`"),
                format!("is new, at {address}"),
            ));
        }
    }
}

/// The logical host, or the address where no extension names it.
pub(super) fn host(server: &Object) -> &str {
    let text = |key: &str| server.get(key).and_then(Value::as_str);
    text("x-transak-host").or_else(|| text("url")).unwrap_or_default()
}

/// Addresses by host and environment.
fn named(root: &Value) -> BTreeMap<String, &str> {
    let lists = root.get("x-transak-servers").and_then(Value::as_object);
    lists
        .into_iter()
        .flat_map(|lists| lists.values())
        .chain(root.get("servers"))
        .filter_map(Value::as_array)
        .flatten()
        .filter_map(Value::as_object)
        .filter_map(|server| {
            let environment = server.get("x-transak-environment").and_then(Value::as_str);
            let name = match environment {
                Some(environment) => format!("{} {environment}", host(server)),
                None => host(server).to_owned(),
            };
            Some((name, server.get("url")?.as_str()?))
        })
        .collect()
}
