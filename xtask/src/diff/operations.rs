//! Operations: where they are, and what goes in and out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::change::{Change, Kind, Level};
use super::schemas::{Comparison, Root, Slot};
use super::travel::Travel;
use super::{security, servers};
use crate::api::{Api, Object, Operation, content, flag, resolve};

/// Pairs operations by id, and those that are left by method and path, and compares each pair.
pub(super) fn compare(before: &Api<'_>, after: &Api<'_>, changes: &mut Vec<Change>) {
    let mut left: Vec<&Operation<'_>> = after.operations.iter().collect();
    let mut take = |fits: &dyn Fn(&Operation<'_>) -> bool| {
        let found = left.iter().position(|operation| fits(operation))?;
        Some(left.remove(found))
    };
    let mut pairs = Vec::new();
    let mut single = Vec::new();
    for old in &before.operations {
        match take(&|new| old.id.is_some() && new.id == old.id) {
            Some(new) => pairs.push((old, new)),
            None => single.push(old),
        }
    }
    for old in single {
        match take(&|new| (new.method, new.path) == (old.method, old.path)) {
            Some(new) => pairs.push((old, new)),
            None => {
                let place = format!("operation `{}`", old.name());
                let what = format!("is gone ({})", old.route());
                changes.push(Change::new(Kind::Removed, place, what, Level::Major, true));
            }
        }
    }
    for new in left {
        changes.push(Change::added(
            format!("operation `{}`", new.name()),
            format!("is new ({})", new.route()),
        ));
    }
    pairs.sort_by_key(|(_, new)| new.name());
    for (old, new) in pairs {
        let mut pair = Pair {
            before,
            after,
            old,
            new,
            // What is called otherwise on each side goes by its route, which is then the same.
            name: format!("`{}`", if old.id == new.id { new.name() } else { new.route() }),
            changes,
        };
        pair.place();
        pair.conduct();
        security::compare(&pair.name, (before, old), (after, new), pair.changes);
        pair.parameters();
        pair.body();
        pair.responses();
        pair.examples();
    }
}

/// The same operation before and after.
struct Pair<'p, 'a> {
    before: &'p Api<'a>,
    after: &'p Api<'a>,
    old: &'p Operation<'a>,
    new: &'p Operation<'a>,
    name: String,
    changes: &'p mut Vec<Change>,
}

impl Pair<'_, '_> {
    fn changed(&mut self, place: impl Into<String>, what: String, rust: Level, wire: bool) {
        self.changes.push(Change::new(Kind::Changed, place, what, rust, wire));
    }

    fn place(&mut self) {
        let name = self.name.clone();
        if self.old.id != self.new.id {
            let what = format!("is called `{}` instead of `{}`", self.new.name(), self.old.name());
            self.changed(name.clone(), what, Level::Major, false);
        }
        if self.old.route() != self.new.route() {
            let what = format!("moves from {} to {}", self.old.route(), self.new.route());
            // Names of path parameters do not travel.
            let wire = (self.old.method, shape(self.old.path)) != (self.new.method, shape(self.new.path));
            self.changed(name.clone(), what, Level::Patch, wire);
        }
        let hosts = |operation: &Operation<'_>| -> BTreeSet<String> {
            operation
                .servers
                .iter()
                .map(|server| servers::host(server).to_owned())
                .collect()
        };
        let (was, is) = (hosts(self.old), hosts(self.new));
        if was != is {
            let told = |hosts: &BTreeSet<String>| hosts.iter().cloned().collect::<Vec<_>>().join(", ");
            let what = format!("moves from host {} to {}", told(&was), told(&is));
            self.changed(name, what, Level::Patch, !was.is_subset(&is));
        }
    }

    fn conduct(&mut self) {
        let safety = |operation: &Operation<'_>| {
            let safety = operation.value.get("x-transak-safety").and_then(Value::as_str);
            safety.unwrap_or("not stated").to_owned()
        };
        let (was, is) = (safety(self.old), safety(self.new));
        if was != is {
            let effect = match (was.as_str(), is.as_str()) {
                (_, "once") => "; it is no longer repeated automatically",
                ("once", _) => "; it is now repeated automatically",
                _ => "",
            };
            let what = format!("changes from {was} to {is}{effect}");
            self.changed(format!("{} safety", self.name), what, Level::Minor, false);
        }
        let deprecated = |operation: &Operation<'_>| flag(operation.value, "deprecated");
        if deprecated(self.old) != deprecated(self.new) {
            let what = if deprecated(self.new) {
                "is deprecated"
            } else {
                "is no longer deprecated"
            };
            self.changed(self.name.clone(), what.to_owned(), Level::Minor, false);
        }
    }

    fn parameters(&mut self) {
        let (old, new) = (self.old, self.new);
        let moved = moved(&old.parameters, &new.parameters);
        for (name, (from, to)) in &moved {
            let place = format!("{} parameter `{name}`", self.name);
            self.changed(place.clone(), format!("moves from {from} to {to}"), Level::Patch, true);
            let pair = (old.parameters.get(&(*from, *name)), new.parameters.get(&(*to, *name)));
            if let (Some(parameter), Some(now)) = pair {
                self.parameter(&place, parameter, now);
            }
        }
        for (key, parameter) in &old.parameters {
            let place = format!("{} {} parameter `{}`", self.name, key.0, key.1);
            match new.parameters.get(key) {
                Some(now) => self.parameter(&place, parameter, now),
                None if moved.contains_key(key.1) => {}
                None => {
                    let change = Change::new(Kind::Removed, place, "is gone", Level::Major, false);
                    self.changes.push(change);
                }
            }
        }
        for (key, parameter) in &new.parameters {
            if old.parameters.contains_key(key) || moved.contains_key(key.1) {
                continue;
            }
            let place = format!("{} {} parameter `{}`", self.name, key.0, key.1);
            self.changes.push(if flag(parameter, "required") {
                // A new place in the path is told as a move of the operation.
                let wire = key.0 != "path";
                Change::new(Kind::Added, place, "is new and required", Level::Major, wire)
            } else {
                Change::added(place, "is new")
            });
        }
    }

    fn parameter(&mut self, place: &str, old: &Object, new: &Object) {
        match (flag(old, "required"), flag(new, "required")) {
            (false, true) => self.changed(place, "becomes required".to_owned(), Level::Major, true),
            (true, false) => self.changed(place, "is no longer required".to_owned(), Level::Minor, false),
            _ => {}
        }
        if flag(old, "deprecated") != flag(new, "deprecated") {
            let what = if flag(new, "deprecated") {
                "is deprecated"
            } else {
                "is no longer deprecated"
            };
            self.changed(place, what.to_owned(), Level::Minor, false);
        }
        for key in ["style", "explode", "allowReserved"] {
            if old.get(key) != new.get(key) {
                self.changed(
                    place,
                    format!("is written in another way (`{key}`)"),
                    Level::Patch,
                    true,
                );
            }
        }
        let (was, is) = (argument(self.before, old), argument(self.after, new));
        let apis = (self.before, self.after);
        let mut comparison = Comparison::new(apis, Root::Place(place), Travel::SENT, self.changes);
        comparison.schema("", was, is, Slot::ARGUMENT);
    }

    fn body(&mut self) {
        let place = format!("{} body", self.name);
        match (self.old.body, self.new.body) {
            (None, None) => {}
            (Some(_), None) => {
                let change = Change::new(Kind::Removed, place, "is gone", Level::Major, false);
                self.changes.push(change);
            }
            (None, Some(body)) => self.changes.push(if flag(body, "required") {
                Change::new(Kind::Added, place, "is new and required", Level::Major, true)
            } else {
                Change::added(place, "is new")
            }),
            (Some(old), Some(new)) => {
                match (flag(old, "required"), flag(new, "required")) {
                    (false, true) => self.changed(place.clone(), "becomes required".to_owned(), Level::Major, true),
                    (true, false) => {
                        self.changed(place.clone(), "is no longer required".to_owned(), Level::Minor, false);
                    }
                    _ => {}
                }
                self.content(&place, old, new, Travel::SENT);
            }
        }
    }

    fn responses(&mut self) {
        let (old, new) = (self.old, self.new);
        for (status, response) in &old.responses {
            let place = format!("{} status {status}", self.name);
            match new.responses.get(status) {
                Some(now) => self.content(&place, response, now, Travel::RECEIVED),
                None => {
                    let wire = status.starts_with('2');
                    let change = Change::new(Kind::Removed, place, "is gone", Level::Major, wire);
                    self.changes.push(change);
                }
            }
        }
        for status in new
            .responses
            .keys()
            .filter(|status| !old.responses.contains_key(*status))
        {
            self.changes
                .push(Change::added(format!("{} status {status}", self.name), "is new"));
        }
    }

    fn content(&mut self, place: &str, old: &Object, new: &Object, travel: Travel) {
        let (was, is) = (content(old), content(new));
        for (media, schema) in &was {
            match is.get(media) {
                Some(now) => {
                    let apis = (self.before, self.after);
                    let mut comparison = Comparison::new(apis, Root::Place(place), travel, self.changes);
                    comparison.schema("", schema, now, Slot::FIXED);
                }
                None => {
                    let at = format!("{place} as `{media}`");
                    self.changes
                        .push(Change::new(Kind::Removed, at, "is gone", Level::Major, true));
                }
            }
        }
        for media in is.keys().filter(|media| !was.contains_key(*media)) {
            // A body where none was can be ignored by those who receive it.
            let at = format!("{place} as `{media}`");
            let rust = if was.is_empty() && travel == Travel::RECEIVED {
                Level::Major
            } else {
                Level::Minor
            };
            self.changes.push(Change::new(Kind::Added, at, "is new", rust, false));
        }
    }

    /// Each named example is a constant of the mocks.
    fn examples(&mut self) {
        let (was, is) = (examples(self.before, self.old), examples(self.after, self.new));
        for (status, name) in was.difference(&is) {
            let place = format!("{} example `{name}` of {status}", self.name);
            self.changes
                .push(Change::new(Kind::Removed, place, "is gone", Level::Major, false));
        }
        for (status, name) in is.difference(&was) {
            let place = format!("{} example `{name}` of {status}", self.name);
            self.changes.push(Change::added(place, "is new"));
        }
    }
}

type Parameters<'a> = BTreeMap<(&'a str, &'a str), &'a Object>;

/// Names that left exactly one location and came to exactly one other.
fn moved<'a>(old: &Parameters<'a>, new: &Parameters<'a>) -> BTreeMap<&'a str, (&'a str, &'a str)> {
    let only = |from: &Parameters<'a>, others: &Parameters<'a>| {
        let mut locations: BTreeMap<&'a str, Vec<&'a str>> = BTreeMap::new();
        for (location, name) in from.keys().filter(|key| !others.contains_key(*key)) {
            locations.entry(name).or_default().push(location);
        }
        locations
    };
    let (gone, fresh) = (only(old, new), only(new, old));
    gone.into_iter()
        .filter_map(|(name, from)| match (from.as_slice(), fresh.get(name)?.as_slice()) {
            ([from], [to]) => Some((name, (*from, *to))),
            _ => None,
        })
        .collect()
}

/// The path with its parameters' names left out.
fn shape(path: &str) -> String {
    path.split('/')
        .map(|segment| match (segment.find('{'), segment.rfind('}')) {
            (Some(from), Some(to)) if from < to => format!("{}{{}}{}", &segment[..from], &segment[to + 1..]),
            _ => segment.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("/")
}

/// A parameter's schema. Only enums are types of their own; the generator inlines the others.
fn argument<'a>(api: &Api<'a>, parameter: &'a Object) -> &'a Value {
    let schema = parameter.get("schema").unwrap_or(&Value::Null);
    match resolve(api.root, schema) {
        Some(target) if target.get("enum").is_none() => target,
        _ => schema,
    }
}

fn examples<'a>(api: &Api<'a>, operation: &Operation<'a>) -> BTreeSet<(&'a str, &'a str)> {
    let body = operation.body.map(|body| ("the request", body));
    let responses = operation
        .responses
        .iter()
        .map(|(status, response)| (*status, *response));
    let mut found = BTreeSet::new();
    for (status, holder) in body.into_iter().chain(responses) {
        let content = holder.get("content").and_then(Value::as_object);
        for media in content.into_iter().flat_map(|content| content.values()) {
            let named = media
                .get("examples")
                .and_then(|examples| resolve(api.root, examples)?.as_object());
            found.extend(named.into_iter().flatten().map(|(name, _)| (status, name.as_str())));
        }
    }
    found
}
