//! Which operation a request means: by host, path template and method, all from the operation table.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use transak_client::Operation;
use transak_client::operations::{self, Host};

/// What a request line means on one host.
#[derive(Debug)]
pub(crate) enum Routed {
    /// An operation, with the text of its path parameters.
    To(&'static Operation, BTreeMap<String, String>),
    /// A path of the spec, but not with this method.
    OtherMethods(Vec<&'static str>),
    /// A path parameter whose escapes are no text.
    Unreadable(String),
    /// No path of this host.
    Nowhere,
}

enum Segment {
    Literal(&'static str),
    Parameter(&'static str),
}

struct Route {
    operation: &'static Operation,
    segments: Vec<Segment>,
}

/// Routes of both hosts; fixed paths before templates, so that `/orders/user-limit` is never an order id.
fn routes() -> &'static [Route] {
    static ROUTES: OnceLock<Vec<Route>> = OnceLock::new();
    ROUTES.get_or_init(|| {
        let mut routes: Vec<Route> = operations::ALL.iter().map(|operation| Route::new(operation)).collect();
        routes.sort_by_key(|route| {
            route
                .segments
                .iter()
                .filter(|s| matches!(s, Segment::Parameter(_)))
                .count()
        });
        routes
    })
}

impl Route {
    fn new(operation: &'static Operation) -> Self {
        let segment = |text: &'static str| match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            Some(name) => Segment::Parameter(name),
            None => Segment::Literal(text),
        };
        Self {
            operation,
            segments: operation.path().split('/').map(segment).collect(),
        }
    }

    /// The path with this text for every parameter.
    #[cfg(test)]
    fn filled(&self, text: &str) -> String {
        let parts = self.segments.iter().map(|segment| match segment {
            Segment::Literal(literal) => *literal,
            Segment::Parameter(_) => text,
        });
        parts.collect::<Vec<_>>().join("/")
    }

    /// The raw path parameters, when the path fits. A trailing slash is a last, empty segment: it counts.
    fn matches<'p>(&self, path: &'p str) -> Option<Vec<(&'static str, &'p str)>> {
        let mut parameters = Vec::new();
        let mut parts = path.split('/');
        for segment in &self.segments {
            let part = parts.next()?;
            match segment {
                Segment::Literal(text) if *text == part => {}
                Segment::Parameter(name) if !part.is_empty() => parameters.push((*name, part)),
                _ => return None,
            }
        }
        parts.next().is_none().then_some(parameters)
    }
}

/// Routes one request line.
pub(crate) fn route(host: Host, method: &str, path: &str) -> Routed {
    let mut others = Vec::new();
    let mut template = None;
    for route in routes().iter().filter(|route| route.operation.host() == host) {
        let Some(raw) = route.matches(path) else { continue };
        // A fixed path hides a template that would fit as well, whatever the method.
        if *template.get_or_insert(route.operation.path()) != route.operation.path() {
            break;
        }
        if route.operation.method() != method {
            others.push(route.operation.method());
            continue;
        }
        let mut parameters = BTreeMap::new();
        for (name, text) in raw {
            let Some(decoded) = decode(text) else {
                return Routed::Unreadable(name.to_owned());
            };
            parameters.insert(name.to_owned(), decoded);
        }
        return Routed::To(route.operation, parameters);
    }
    if others.is_empty() {
        Routed::Nowhere
    } else {
        Routed::OtherMethods(others)
    }
}

/// Undoes percent escapes; `None` unless every escape is whole and the result is UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let value = digit(rest.next())? * 16 + digit(rest.next())?;
        bytes.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(host: Host, method: &str, path: &str) -> Option<&'static str> {
        match route(host, method, path) {
            Routed::To(operation, _) => Some(operation.id()),
            _ => None,
        }
    }

    #[test]
    fn every_operation_is_found_on_its_own_host_only() {
        for operation in operations::ALL {
            let path = Route::new(operation).filled("an%20id");
            for host in Host::ALL {
                let expected = (*host == operation.host()).then_some(operation.id());
                assert_eq!(id(*host, operation.method(), &path), expected, "{path}");
            }
            let other = if path.ends_with('/') {
                path.trim_end_matches('/').to_owned()
            } else {
                format!("{path}/")
            };
            assert_eq!(id(operation.host(), operation.method(), &other), None, "{other}");
        }
    }

    #[test]
    fn path_parameters_are_decoded_strictly() {
        let path = |text: &str| format!("/partners/api/v2/order/{text}");
        match route(Host::Api, "GET", &path("a%2Fb%20c+d")) {
            Routed::To(_, parameters) => assert_eq!(parameters["orderId"], "a/b c+d"),
            other => panic!("{other:?}"),
        }
        for bad in ["%", "%f", "%zz", "%ff"] {
            assert!(matches!(route(Host::Api, "GET", &path(bad)), Routed::Unreadable(name) if name == "orderId"));
        }
        assert!(matches!(route(Host::Api, "GET", &path("")), Routed::Nowhere));
    }

    #[test]
    fn another_method_is_told_which_are_allowed() {
        match route(Host::Gateway, "DELETE", "/api/v2/user/") {
            Routed::OtherMethods(methods) => assert_eq!(methods, ["GET"]),
            other => panic!("{other:?}"),
        }
    }
}
