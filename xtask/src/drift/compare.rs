//! Compares two schemas of the same place, each in its own document.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;

use serde_json::Value;

use super::shape::{Parts, Shape};
use crate::api::resolve;

/// Deeper places are not compared; they are reached from other operations as well.
const MAX_DEPTH: usize = 24;

/// Where our spec and theirs disagree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file of theirs; empty for what is in none.
    pub file: String,
    /// Method and path, as we write it.
    pub operation: String,
    /// The place in the operation.
    pub place: String,
    /// Who says more.
    pub side: Side,
    /// What is different.
    pub what: String,
}

/// Who says something that the other does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// They do.
    Theirs,
    /// We do. A page that was cut off proves nothing of this kind.
    Ours,
    /// Both say something, and it does not fit together.
    Both,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// The findings of one operation in one file.
pub(super) struct Comparison<'a, 'f> {
    pub(super) ours: &'a Value,
    pub(super) theirs: &'a Value,
    pub(super) file: &'f str,
    pub(super) operation: String,
    /// Whether they have been read to the end.
    pub(super) complete: bool,
    pub(super) findings: &'f mut Vec<Finding>,
    /// Pairs of places that are being or have been compared, by where they stand in memory.
    pub(super) seen: BTreeSet<(Vec<*const Value>, Vec<*const Value>)>,
}

/// A place that is still to be compared.
struct Pair<'a> {
    place: String,
    ours: Parts<'a>,
    theirs: Parts<'a>,
    depth: usize,
}

/// Where the schemas of a place stand, plain references followed.
fn addresses<'a>(root: &'a Value, parts: &Parts<'a>) -> Vec<*const Value> {
    let plain = |part: &&'a Value| part.as_object().is_some_and(|object| object.len() == 1);
    let followed = |part: &&'a Value| resolve(root, part).filter(|_| plain(part)).unwrap_or(part);
    parts.iter().map(|part| std::ptr::from_ref(followed(part))).collect()
}

/// Which way the value travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Travel {
    Sent,
    Received,
}

impl<'a> Comparison<'a, '_> {
    pub(super) fn find(&mut self, place: &str, side: Side, what: impl Into<String>) {
        if side == Side::Ours && !self.complete {
            return;
        }
        self.findings.push(Finding {
            file: self.file.to_owned(),
            operation: self.operation.clone(),
            place: place.to_owned(),
            side,
            what: what.into(),
        });
    }

    /// Compares two schemas and all below them, the shallowest first: what is wrong with a type that holds itself is
    /// told where it is met first.
    pub(super) fn schemas(&mut self, place: &str, ours: Parts<'a>, theirs: Parts<'a>, travel: Travel) {
        let mut waiting = VecDeque::from([Pair {
            place: place.to_owned(),
            ours,
            theirs,
            depth: 0,
        }]);
        while let Some(pair) = waiting.pop_front() {
            let addresses = (addresses(self.ours, &pair.ours), addresses(self.theirs, &pair.theirs));
            if pair.depth > MAX_DEPTH || !self.seen.insert(addresses) {
                continue;
            }
            let (our, their) = (Shape::of(self.ours, &pair.ours), Shape::of(self.theirs, &pair.theirs));
            if our.unknown || their.unknown {
                continue;
            }
            let place = pair.place.as_str();
            self.types(place, &our, &their);
            self.values(place, &our, &their);
            let mut below = self.members(place, &our, &their, travel);
            below.push((format!("{place}[]"), our.items, their.items));
            below.push((format!("{place}{{}}"), our.others, their.others));
            let described = below
                .into_iter()
                .filter(|(_, ours, theirs)| !ours.is_empty() && !theirs.is_empty());
            waiting.extend(described.map(|(place, ours, theirs)| Pair {
                place,
                ours,
                theirs,
                depth: pair.depth + 1,
            }));
        }
    }

    fn types(&mut self, place: &str, our: &Shape<'_>, their: &Shape<'_>) {
        let fits = |one: &str, others: &BTreeSet<&str>, exact: bool| {
            others.contains(one) || (!exact && one == "integer" && others.contains("number"))
        };
        // A whole amount in a sample makes their page say integer; all amounts are decimals here.
        let theirs: Vec<&str> = their
            .types
            .iter()
            .copied()
            .filter(|one| !fits(one, &our.types, !our.decimal))
            .collect();
        let seen_whole = our.decimal && their.types.contains("integer");
        let ours: Vec<&str> = our
            .types
            .iter()
            .copied()
            .filter(|one| !(fits(one, &their.types, true) || seen_whole && *one == "number"))
            .collect();
        let told = |types: &BTreeSet<&str>| types.iter().copied().collect::<Vec<_>>().join(" or ");
        match (theirs.as_slice(), ours.as_slice()) {
            ([], []) => {}
            (["null"], []) => self.find(place, Side::Theirs, "can be null there, not here"),
            ([], ["null"]) => self.find(place, Side::Ours, "can be null here, not there"),
            (_, ours) => {
                let side = match (theirs.is_empty(), ours.is_empty()) {
                    (true, _) => Side::Ours,
                    (false, true) => Side::Theirs,
                    (false, false) => Side::Both,
                };
                let what = format!("is {} there and {} here", told(&their.types), told(&our.types));
                self.find(place, side, what);
            }
        }
    }

    /// Enums are open here and list what is known; a page that lists nothing contradicts nothing.
    fn values(&mut self, place: &str, our: &Shape<'_>, their: &Shape<'_>) {
        let Some(theirs) = &their.values else { return };
        let told = |values: Vec<&String>| values.into_iter().cloned().collect::<Vec<_>>().join(", ");
        let Some(ours) = &our.values else {
            let what = format!("is an enum there: {}", told(theirs.iter().collect()));
            self.find(place, Side::Theirs, what);
            return;
        };
        let only = |these: &BTreeSet<String>, those: &BTreeSet<String>| {
            let these = these.difference(those).cloned().collect::<Vec<_>>();
            (!these.is_empty()).then(|| these.join(", "))
        };
        if let Some(values) = only(theirs, ours) {
            self.find(
                place,
                Side::Theirs,
                format!("has values that are missing here: {values}"),
            );
        }
        if let Some(values) = only(ours, theirs) {
            self.find(
                place,
                Side::Ours,
                format!("has values that are missing there: {values}"),
            );
        }
    }

    /// Compares the members' presence and returns those both have.
    fn members(
        &mut self,
        place: &str,
        our: &Shape<'a>,
        their: &Shape<'a>,
        travel: Travel,
    ) -> Vec<(String, Parts<'a>, Parts<'a>)> {
        let at = |name: &str| match place {
            "" => name.to_owned(),
            _ => format!("{place}.{name}"),
        };
        // A map may hold anything; an object without members on their page is one they have not described.
        let mut both = Vec::new();
        let (described, listed) = (!their.properties.is_empty(), !our.properties.is_empty());
        for (name, parts) in &their.properties {
            match our.properties.get(name) {
                Some(ours) => {
                    self.requirement(&at(name), name, our, their, travel);
                    both.push((at(name), ours.clone(), parts.clone()));
                }
                None if listed || our.others.is_empty() => {
                    let shape = Shape::of(self.theirs, parts);
                    let kind: Vec<_> = shape.types.iter().copied().collect();
                    let kind = if kind.is_empty() {
                        "unknown type".to_owned()
                    } else {
                        kind.join(" or ")
                    };
                    self.find(&at(name), Side::Theirs, format!("is missing here ({kind})"));
                }
                None => {}
            }
        }
        for name in our
            .properties
            .keys()
            .filter(|name| described && !their.properties.contains_key(*name))
        {
            self.find(&at(name), Side::Ours, "is missing there");
        }
        both
    }

    fn requirement(&mut self, place: &str, name: &str, our: &Shape<'_>, their: &Shape<'_>, travel: Travel) {
        match (our.required.contains(name), their.required.contains(name)) {
            (false, true) => self.find(place, Side::Theirs, "is required there, not here"),
            // Their answers often say nothing of what must come; only a list that leaves it out says that it need not.
            (true, false) if travel == Travel::Sent || !their.required.is_empty() => {
                self.find(place, Side::Ours, "is required here, not there");
            }
            _ => {}
        }
    }
}
