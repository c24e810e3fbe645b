//! Finds the operations of a fragment in our spec and compares what goes in and out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::blocks::Fragment;
use super::compare::{Comparison, Finding, Side, Travel};
use super::shape::{Parts, Shape};
use crate::api::{Api, Object, Operation, content, flag, object};

/// Method, and path without the names of its parameters.
type Key = (String, String);

/// Headers that every HTTP client sends by itself; OpenAPI wants them ignored.
const PLAIN_HEADERS: [&str; 2] = ["accept", "content-type"];

/// Compares every operation of the fragment and returns how many there were. Adds those of ours it found to `seen`.
pub(super) fn compare(
    ours: &Value,
    theirs: &Value,
    fragment: &Fragment,
    seen: &mut BTreeSet<Key>,
    findings: &mut Vec<Finding>,
) -> usize {
    let (our, their) = (Api::read(ours), Api::read(theirs));
    let known: BTreeMap<Key, &Operation<'_>> = our.operations.iter().map(|one| (key(one), one)).collect();
    for operation in &their.operations {
        let key = key(operation);
        let found = known.get(&key);
        let mut comparison = Comparison {
            ours,
            theirs,
            file: &fragment.file,
            operation: found.map_or_else(|| operation.route(), |found| found.route()),
            complete: fragment.trouble.is_none(),
            findings,
            seen: BTreeSet::new(),
        };
        match found {
            None => comparison.find("operation", Side::Theirs, "is missing here"),
            Some(found) => {
                seen.insert(key);
                pair(&mut comparison, found, operation);
            }
        }
    }
    their.operations.len()
}

/// Our operations that are not in `seen`: name and route.
pub(super) fn missing(ours: &Value, seen: &BTreeSet<Key>) -> Vec<(String, String)> {
    let operations = Api::read(ours).operations;
    let unseen = operations.iter().filter(|operation| !seen.contains(&key(operation)));
    unseen.map(|operation| (operation.name(), operation.route())).collect()
}

/// A server's address may hold the beginning of the path.
fn key(operation: &Operation<'_>) -> Key {
    let url = operation
        .servers
        .first()
        .and_then(|server| server.get("url"))
        .and_then(Value::as_str);
    let prefix = url.map_or("", |url| split(url).1);
    let path = format!("{prefix}{}", operation.path);
    let plain = path
        .split('/')
        .map(|segment| if segment.starts_with('{') { "{}" } else { segment })
        .collect::<Vec<_>>()
        .join("/");
    (operation.method.to_owned(), plain)
}

/// Scheme and host, and the path without its last slash.
fn split(url: &str) -> (&str, &str) {
    let host = url.find("://").map_or(0, |scheme| scheme + 3);
    let path = url
        .get(host..)
        .and_then(|rest| rest.find('/'))
        .map_or(url.len(), |slash| host + slash);
    let (origin, path) = url.split_at_checked(path).unwrap_or((url, ""));
    (origin, path.trim_end_matches('/'))
}

fn pair<'a>(comparison: &mut Comparison<'a, '_>, our: &Operation<'a>, their: &Operation<'a>) {
    hosts(comparison, our, their);
    if flag(their.value, "deprecated") != flag(our.value, "deprecated") {
        let (side, what) = if flag(their.value, "deprecated") {
            (Side::Theirs, "is deprecated there, not here")
        } else {
            (Side::Ours, "is deprecated here, not there")
        };
        comparison.find("operation", side, what);
    }
    parameters(comparison, our, their);
    bodies(comparison, our, their);
    responses(comparison, our, their);
}

/// Their pages name one environment; it must be one of ours.
fn hosts(comparison: &mut Comparison<'_, '_>, our: &Operation<'_>, their: &Operation<'_>) {
    let origins = |operation: &Operation<'_>| -> BTreeSet<String> {
        let urls = operation
            .servers
            .iter()
            .filter_map(|server| server.get("url")?.as_str());
        urls.map(|url| split(url).0.to_owned()).collect()
    };
    let ours = origins(our);
    for origin in origins(their).difference(&ours) {
        comparison.find("host", Side::Theirs, format!("is {origin} there"));
    }
}

/// A parameter, or a credential that is one on the wire.
struct Parameter<'a> {
    required: bool,
    schema: Option<Parts<'a>>,
}

type Parameters<'a> = BTreeMap<(String, String), Parameter<'a>>;

fn parameters<'a>(comparison: &mut Comparison<'a, '_>, our: &Operation<'a>, their: &Operation<'a>) {
    let ours = listed(comparison.ours, our, true);
    let theirs = listed(comparison.theirs, their, comparison.complete);
    let (our_keys, their_keys) = (credentials(comparison.ours, our), credentials(comparison.theirs, their));
    for (key, parameter) in &theirs {
        let place = format!("{} parameter {}", key.0, key.1);
        match ours.get(key) {
            Some(known) => {
                match (known.required, parameter.required) {
                    (false, true) => comparison.find(&place, Side::Theirs, "is required there, not here"),
                    (true, false) => comparison.find(&place, Side::Ours, "is required here, not there"),
                    _ => {}
                }
                if let (Some(known), Some(schema)) = (&known.schema, &parameter.schema) {
                    comparison.schemas(&place, known.clone(), schema.clone(), Travel::Sent);
                }
            }
            // What is `security` here is a parameter on their pages.
            None if our_keys.contains(key) => {}
            None => {
                let what = if parameter.required {
                    "is missing here (required)"
                } else {
                    "is missing here"
                };
                comparison.find(&place, Side::Theirs, what);
            }
        }
    }
    for key in their_keys
        .iter()
        .filter(|key| !our_keys.contains(*key) && !ours.contains_key(*key))
    {
        comparison.find(
            &format!("{} credential {}", key.0, key.1),
            Side::Theirs,
            "is missing here",
        );
    }
    for key in ours
        .keys()
        .filter(|key| !theirs.contains_key(*key) && !their_keys.contains(*key))
    {
        comparison.find(
            &format!("{} parameter {}", key.0, key.1),
            Side::Ours,
            "is missing there",
        );
    }
}

/// All parameters; those that are objects in brackets one by one, as we write them. On a page that was cut off, what
/// could still become such an object is left out.
fn listed<'a>(root: &'a Value, operation: &Operation<'a>, complete: bool) -> Parameters<'a> {
    let positions: Vec<&str> = operation
        .path
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .collect();
    let mut listed = Parameters::new();
    for ((location, name), parameter) in &operation.parameters {
        let required = flag(parameter, "required");
        let schema = schema(parameter);
        let name = match *location {
            "header" => name.to_lowercase(),
            // Names of path parameters do not travel; their order does.
            "path" => match positions.iter().position(|one| one == name) {
                Some(index) => format!("{}", index + 1),
                None => (*name).to_owned(),
            },
            _ => (*name).to_owned(),
        };
        if *location == "header" && PLAIN_HEADERS.contains(&name.as_str()) {
            continue;
        }
        let shape = Shape::of(root, schema.as_deref().unwrap_or_default());
        if !complete && *location == "query" && (shape.unknown || shape.types.contains("object")) {
            continue;
        }
        if parameter.get("style").and_then(Value::as_str) == Some("deepObject") {
            for (member, parts) in shape.properties {
                let parameter = Parameter {
                    required: required && shape.required.contains(member),
                    schema: Some(parts),
                };
                listed.insert(((*location).to_owned(), format!("{name}[{member}]")), parameter);
            }
            continue;
        }
        listed.insert(((*location).to_owned(), name), Parameter { required, schema });
    }
    listed
}

fn schema<'a>(parameter: &'a Object) -> Option<Parts<'a>> {
    let own = parameter.get("schema");
    let schema = own
        .or_else(|| content(parameter).into_values().next())
        .filter(|schema| !schema.is_null())?;
    Some(vec![schema])
}

/// Where any alternative carries a credential.
fn credentials(root: &Value, operation: &Operation<'_>) -> BTreeSet<(String, String)> {
    let schemes = root.pointer("/components/securitySchemes");
    let names = operation.security.iter().flatten();
    names
        .filter_map(|name| {
            let scheme = object(root, schemes?.get(*name)?)?;
            let text = |key: &str| scheme.get(key).and_then(Value::as_str);
            match (text("type"), text("in"), text("name")) {
                (Some("apiKey"), Some("header"), Some(name)) => Some(("header".to_owned(), name.to_lowercase())),
                (Some("apiKey"), Some(location), Some(name)) => Some((location.to_owned(), name.to_owned())),
                (Some("http" | "oauth2" | "openIdConnect"), ..) => {
                    Some(("header".to_owned(), "authorization".to_owned()))
                }
                _ => None,
            }
        })
        .collect()
}

fn bodies<'a>(comparison: &mut Comparison<'a, '_>, our: &Operation<'a>, their: &Operation<'a>) {
    match (our.body, their.body) {
        (None, None) => {}
        (Some(_), None) => comparison.find("body", Side::Ours, "is missing there"),
        (None, Some(_)) => comparison.find("body", Side::Theirs, "is missing here"),
        (Some(ours), Some(theirs)) => {
            // Pages often leave the flag out, so only a stricter one counts.
            if flag(theirs, "required") && !flag(ours, "required") {
                comparison.find("body", Side::Theirs, "is required there, not here");
            }
            media(comparison, "body", ours, theirs, Travel::Sent);
        }
    }
}

fn responses<'a>(comparison: &mut Comparison<'a, '_>, our: &Operation<'a>, their: &Operation<'a>) {
    let ranged = |status: &str| status.get(..1).map(|first| format!("{first}XX"));
    let covering = |list: &BTreeMap<&str, &'a Object>, status: &str| {
        let range = ranged(status);
        [Some(status), range.as_deref(), Some("default")]
            .into_iter()
            .flatten()
            .find_map(|status| list.get(status).copied())
    };
    for (status, response) in &their.responses {
        let place = format!("status {status}");
        let ours = covering(&our.responses, status);
        match ours {
            Some(ours) => media(comparison, &place, ours, response, Travel::Received),
            None if *status == "default" => {}
            None => comparison.find(&place, Side::Theirs, "is missing here"),
        }
    }
    for status in our.responses.keys() {
        let range = status.ends_with("XX");
        let covered = covering(&their.responses, status).is_some()
            || (range
                && their
                    .responses
                    .keys()
                    .any(|theirs| ranged(theirs).as_deref() == Some(*status)));
        if !covered {
            comparison.find(&format!("status {status}"), Side::Ours, "is missing there");
        }
    }
}

/// The bodies of the media type both have.
fn media<'a>(comparison: &mut Comparison<'a, '_>, place: &str, ours: &'a Object, theirs: &'a Object, travel: Travel) {
    let (ours, theirs) = (content(ours), content(theirs));
    for media in theirs.keys().filter(|media| !ours.contains_key(*media)) {
        comparison.find(place, Side::Theirs, format!("comes as {media}, not here"));
    }
    for media in ours.keys().filter(|media| !theirs.contains_key(*media)) {
        comparison.find(place, Side::Ours, format!("comes as {media}, not there"));
    }
    for (media, ours) in ours {
        if let Some(theirs) = theirs.get(media)
            && !theirs.is_null()
            && !ours.is_null()
        {
            comparison.schemas(place, vec![ours], vec![*theirs], travel);
        }
    }
}
