//! Schemas: named ones, and those that stand in an operation.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::change::{Change, Kind, Level};
use super::travel::{Travel, directions};
use super::types;
use crate::api::{Api, flag};

/// Compares the schemas of `components`, each under its own name.
pub(super) fn compare_named(before: &Api<'_>, after: &Api<'_>, changes: &mut Vec<Change>) {
    let old: BTreeMap<_, _> = before.schemas().collect();
    let new: BTreeMap<_, _> = after.schemas().collect();
    let (was, is) = (directions(before), directions(after));
    for (name, schema) in &old {
        let place = format!("type `{name}`");
        let Some(now) = new.get(name) else {
            changes.push(Change::new(Kind::Removed, place, "is gone", Level::Major, false));
            continue;
        };
        let used = [was.get(name), is.get(name)].into_iter().flatten();
        let travel = used.copied().reduce(Travel::with).unwrap_or(Travel::UNKNOWN);
        let mut comparison = Comparison::new((before, after), Root::Type(name), travel, changes);
        comparison.schema("", schema, now, Slot::FIXED);
    }
    for name in new.keys().filter(|name| !old.contains_key(*name)) {
        changes.push(Change::added(format!("type `{name}`"), "is new"));
    }
}

/// Whether the place that holds a schema makes it an `Option`, before and after.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    was: bool,
    is: bool,
}

impl Slot {
    /// A place that always holds a value.
    pub(super) const FIXED: Self = Self { was: false, is: false };
    /// An argument of a builder: what is optional shows in no type.
    pub(super) const ARGUMENT: Self = Self { was: true, is: true };
}

/// What a schema and all below it is part of.
pub(super) enum Root<'a> {
    /// The named type itself.
    Type(&'a str),
    /// A place in an operation, in words.
    Place(&'a str),
}

/// Compares a schema and all below it. Places in it are written like field accesses.
pub(super) struct Comparison<'a> {
    root: Root<'a>,
    old: &'a Value,
    new: &'a Value,
    travel: Travel,
    changes: &'a mut Vec<Change>,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(
        (before, after): (&Api<'a>, &Api<'a>),
        root: Root<'a>,
        travel: Travel,
        changes: &'a mut Vec<Change>,
    ) -> Self {
        Self {
            root,
            old: before.root,
            new: after.root,
            travel,
            changes,
        }
    }

    fn at(&self, path: &str) -> String {
        match self.root {
            Root::Type(name) => format!("`{name}{path}`"),
            Root::Place(place) if path.is_empty() => place.to_owned(),
            Root::Place(place) => format!("{place} `{}`", path.trim_start_matches('.')),
        }
    }

    fn changed(&mut self, path: &str, what: String, rust: Level, wire: bool) {
        let place = self.at(path);
        self.changes.push(Change::new(Kind::Changed, place, what, rust, wire));
    }

    pub(super) fn schema(&mut self, path: &str, old: &Value, new: &Value, slot: Slot) {
        let ((old, was_null), (new, is_null)) = (types::unwrapped(old), types::unwrapped(new));
        if was_null != is_null {
            let option = |place: bool, null: bool| place || null;
            let rust = if option(slot.was, was_null) == option(slot.is, is_null) {
                Level::Minor
            } else {
                Level::Major
            };
            let (what, wire) = if is_null {
                ("may now be null", self.travel.received)
            } else {
                ("can no longer be null", self.travel.sent)
            };
            self.changed(path, what.to_owned(), rust, wire);
        }
        let (was, is) = (types::name(old), types::name(new));
        if was != is {
            let Travel { sent, received } = self.travel;
            let wire = types::breaks_wire((self.old, self.new), old, new, sent, received);
            self.changed(path, format!("changes from {was} to {is}"), Level::Major, wire);
            return;
        }
        if old.get("$ref").is_some() {
            return;
        }
        self.deprecation(path, old, new);
        self.values(path, old, new);
        self.bounds(path, old, new);
        self.properties(path, old, new);
        for (key, suffix) in [("items", "[]"), ("additionalProperties", "{}")] {
            if let (Some(old), Some(new)) = (old.get(key), new.get(key)) {
                self.schema(&format!("{path}{suffix}"), old, new, Slot::FIXED);
            }
        }
        self.variants(path, old, new);
    }

    fn deprecation(&mut self, path: &str, old: &Value, new: &Value) {
        let deprecated = |schema: &Value| schema.as_object().is_some_and(|object| flag(object, "deprecated"));
        if deprecated(old) != deprecated(new) {
            let what = if deprecated(new) {
                "is deprecated"
            } else {
                "is no longer deprecated"
            };
            self.changed(path, what.to_owned(), Level::Minor, false);
        }
    }

    /// Enum values. The generated enums are open, so a new value breaks nobody who receives it.
    fn values(&mut self, path: &str, old: &Value, new: &Value) {
        let (was, is) = (variants(old), variants(new));
        for (value, variant) in &was {
            let at = format!("{} value {value}", self.at(path));
            match is.get(value) {
                None => {
                    let change = Change::new(Kind::Removed, at, "is gone", Level::Major, self.travel.sent);
                    self.changes.push(change);
                }
                Some(now) if now != variant => {
                    let told = |name: &Option<String>| name.clone().unwrap_or_else(|| "its own name".to_owned());
                    let what = format!("changes its Rust name from {} to {}", told(variant), told(now));
                    self.changes
                        .push(Change::new(Kind::Changed, at, what, Level::Major, false));
                }
                Some(_) => {}
            }
        }
        for value in is.keys().filter(|value| !was.contains_key(*value)) {
            self.changes
                .push(Change::added(format!("{} value {value}", self.at(path)), "is new"));
        }
    }

    /// Bounds matter to those who send; responses have none in a spec that passes the lint.
    fn bounds(&mut self, path: &str, old: &Value, new: &Value) {
        for (key, bound) in BOUNDS {
            let (was, is) = (old.get(key), new.get(key));
            if was == is {
                continue;
            }
            let number = |value: Option<&Value>| value.and_then(Value::as_f64);
            let tighter = match (bound, number(was), number(is)) {
                (_, _, None) if is.is_none() => false,
                (Bound::Lower, Some(was), Some(is)) => is > was,
                (Bound::Upper, Some(was), Some(is)) => is < was,
                (Bound::Flag, ..) => is == Some(&Value::Bool(true)),
                _ => true,
            };
            let told = |value: Option<&Value>| value.map_or_else(|| "none".to_owned(), Value::to_string);
            let what = format!("has another `{key}`: {} instead of {}", told(is), told(was));
            self.changed(path, what, Level::Patch, tighter && self.travel.sent);
        }
        if old.get("default") != new.get("default") {
            let told = |value: Option<&Value>| value.map_or_else(|| "none".to_owned(), Value::to_string);
            let (was, is) = (told(old.get("default")), told(new.get("default")));
            self.changed(
                path,
                format!("has another default: {is} instead of {was}"),
                Level::Minor,
                false,
            );
        }
    }

    fn properties(&mut self, path: &str, old: &Value, new: &Value) {
        let (was, is) = (entries(old), entries(new));
        let (needed, needs) = (required(old), required(new));
        for (name, property) in &was {
            let at = format!("{path}.{name}");
            let required_before = needed.contains(name);
            let Some(now) = is.get(name) else {
                let wire = self.travel.received && required_before;
                let at = self.at(&at);
                self.changes
                    .push(Change::new(Kind::Removed, at, "is gone", Level::Major, wire));
                continue;
            };
            let required_now = needs.contains(name);
            let slot = Slot {
                was: !required_before,
                is: !required_now,
            };
            if required_before != required_now {
                self.requirement(&at, (property, now), required_now);
            }
            self.schema(&at, property, now, slot);
        }
        for name in is.keys().filter(|name| !was.contains_key(*name)) {
            let at = self.at(&format!("{path}.{name}"));
            let told = is
                .get(name)
                .map_or_else(String::new, |schema| types::name(types::unwrapped(schema).0));
            let change = if needs.contains(name) && self.travel.sent {
                Change::new(
                    Kind::Added,
                    at,
                    format!("is new and required ({told})"),
                    Level::Major,
                    true,
                )
            } else {
                Change::added(at, format!("is new ({told})"))
            };
            self.changes.push(change);
        }
    }

    fn requirement(&mut self, path: &str, property: (&Value, &Value), required_now: bool) {
        let null = |schema: &Value| types::unwrapped(schema).1;
        let option = (required_now || null(property.0)) != (!required_now || null(property.1));
        let Travel { sent, received } = self.travel;
        let (what, wire, refuses) = if required_now {
            ("becomes required", sent, sent)
        } else {
            ("is no longer required", received, false)
        };
        let rust = if option || refuses { Level::Major } else { Level::Minor };
        self.changed(path, what.to_owned(), rust, wire);
    }

    /// Unions and combinations, member by member. Members of the same type are taken in their order.
    fn variants(&mut self, path: &str, old: &Value, new: &Value) {
        for key in ["oneOf", "anyOf", "allOf"] {
            let all = key == "allOf";
            let mut left = members(new, key);
            for (name, member) in members(old, key) {
                if let Some(found) = left.iter().position(|(other, _)| *other == name) {
                    let (_, now) = left.remove(found);
                    // What is combined belongs to the whole; what is one of several has a place of its own.
                    let path = if all {
                        path.to_owned()
                    } else {
                        format!("{path} as {name}")
                    };
                    self.schema(&path, member, now, Slot::FIXED);
                    continue;
                }
                let wire = if all { self.travel.received } else { self.travel.sent };
                let at = format!("{} member {name}", self.at(path));
                self.changes
                    .push(Change::new(Kind::Removed, at, "is gone", Level::Major, wire));
            }
            for (name, _) in left {
                let (rust, wire) = if all {
                    (Level::Major, self.travel.sent)
                } else {
                    (Level::Minor, self.travel.received)
                };
                let at = format!("{} member {name}", self.at(path));
                self.changes.push(Change::new(Kind::Added, at, "is new", rust, wire));
            }
        }
    }
}

/// The members of a union or combination, each with its type in words.
fn members<'v>(schema: &'v Value, key: &str) -> Vec<(String, &'v Value)> {
    let list = schema.get(key).and_then(Value::as_array);
    let named = |member: &'v Value| (types::name(types::unwrapped(member).0), member);
    list.into_iter().flatten().map(named).collect()
}

#[derive(Clone, Copy)]
enum Bound {
    Lower,
    Upper,
    Flag,
    Other,
}

const BOUNDS: [(&str, Bound); 12] = [
    ("minimum", Bound::Lower),
    ("minLength", Bound::Lower),
    ("minItems", Bound::Lower),
    ("minProperties", Bound::Lower),
    ("maximum", Bound::Upper),
    ("maxLength", Bound::Upper),
    ("maxItems", Bound::Upper),
    ("maxProperties", Bound::Upper),
    ("exclusiveMinimum", Bound::Flag),
    ("exclusiveMaximum", Bound::Flag),
    ("uniqueItems", Bound::Flag),
    ("pattern", Bound::Other),
];

fn entries(schema: &Value) -> BTreeMap<&str, &Value> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value))
        .collect()
}

fn required(schema: &Value) -> BTreeSet<&str> {
    let list = schema.get("required").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The enum's values as JSON text, each with the Rust name it was given.
fn variants(schema: &Value) -> BTreeMap<String, Option<String>> {
    let names = schema.get("x-enum-varnames").and_then(Value::as_array);
    let values = schema.get("enum").and_then(Value::as_array);
    let name = |index: usize| names.and_then(|names| names.get(index)?.as_str().map(str::to_owned));
    values
        .into_iter()
        .flatten()
        .enumerate()
        // That null is allowed is told with the type.
        .filter(|(_, value)| !value.is_null())
        .map(|(index, value)| (format!("`{value}`"), name(index)))
        .collect()
}
