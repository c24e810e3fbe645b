//! Which credentials an operation wants.

use std::collections::BTreeSet;

use serde_json::Value;

use super::change::{Change, Kind, Level};
use crate::api::{Api, Operation, object};

/// A credential as it travels: the place it is carried in, and what it is.
type Carried = BTreeSet<(String, String)>;

/// What the old caller sends must still be enough for one of the new alternatives.
pub(super) fn compare(
    name: &str,
    before: (&Api<'_>, &Operation<'_>),
    after: (&Api<'_>, &Operation<'_>),
    changes: &mut Vec<Change>,
) {
    let (old, new) = (alternatives(before.0, before.1), alternatives(after.0, after.1));
    if old == new {
        return;
    }
    let place = format!("{name} credentials");
    let enough = |wanted: &Carried| new.iter().any(|now| now.is_subset(wanted));
    let wire = !old.iter().all(enough);
    let kinds = |carried: &Carried| carried.iter().map(|(_, kind)| kind.clone()).collect::<BTreeSet<_>>();
    let rust = !old
        .iter()
        .map(kinds)
        .all(|wanted| new.iter().any(|now| kinds(now).is_subset(&wanted)));
    let same = old.iter().all(|one| new.contains(one)) && new.iter().all(|one| old.contains(one));
    let free = |list: &[Carried]| list.iter().any(BTreeSet::is_empty);
    let what = match (free(&old), free(&new)) {
        (true, false) => format!("now need {} where nothing was needed", told(&new)),
        (false, true) => format!("are no longer needed; they were {}", told(&old)),
        _ if same => format!("are preferred in another order: {}", told(&new)),
        _ => format!("change from {} to {}", told(&old), told(&new)),
    };
    let level = match (rust, same) {
        (true, _) => Level::Major,
        (false, true) => Level::Patch,
        (false, false) => Level::Minor,
    };
    changes.push(Change::new(Kind::Changed, place, what, level, wire));
}

fn alternatives(api: &Api<'_>, operation: &Operation<'_>) -> Vec<Carried> {
    let schemes = api.root.pointer("/components/securitySchemes");
    let carried = |name: &str| {
        let scheme = schemes
            .and_then(|schemes| schemes.get(name))
            .and_then(|scheme| object(api.root, scheme));
        let text = |key: &str| scheme.and_then(|scheme| scheme.get(key)).and_then(Value::as_str);
        let carrier = text("name").or_else(|| text("scheme")).unwrap_or(name);
        let carrier = match text("in") {
            Some("header") | None => carrier.to_lowercase(),
            Some(place) => format!("{place} {carrier}"),
        };
        (carrier, text("x-transak-credential").unwrap_or(name).to_owned())
    };
    operation
        .security
        .iter()
        .map(|alternative| alternative.iter().map(|name| carried(name)).collect())
        .collect()
}

fn told(alternatives: &[Carried]) -> String {
    let one = |carried: &Carried| {
        if carried.is_empty() {
            return "nothing".to_owned();
        }
        let names: Vec<_> = carried
            .iter()
            .map(|(carrier, kind)| format!("`{carrier}` ({kind})"))
            .collect();
        names.join(" with ")
    };
    alternatives.iter().map(one).collect::<Vec<_>>().join(", or ")
}
