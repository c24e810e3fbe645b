//! What crosses the seam between the HTTP layer and the domain.

use std::{collections::BTreeMap, net::IpAddr};

use serde::{Deserialize, Serialize};

/// A moment of the sandbox's own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub unix_millis: i64,
}

impl Moment {
    /// The moment this many milliseconds after 1970.
    #[must_use]
    pub const fn from_millis(unix_millis: i64) -> Self {
        Self { unix_millis }
    }

    /// The moment this many seconds after 1970.
    #[must_use]
    pub const fn from_seconds(unix_seconds: i64) -> Self {
        Self {
            unix_millis: unix_seconds.saturating_mul(1000),
        }
    }

    /// Whole seconds since 1970, rounded down, as JWTs count them.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.unix_millis.div_euclid(1000)
    }

    /// This moment moved by so many seconds.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self {
            unix_millis: self.unix_millis.saturating_add(seconds.saturating_mul(1000)),
        }
    }

    /// Whole seconds until a later moment, rounded up; 0 when it is not later.
    #[must_use]
    pub(crate) const fn seconds_until(self, later: Self) -> i64 {
        let millis = later.unix_millis.saturating_sub(self.unix_millis);
        // Not `(millis + 999) / 1000`: with extreme settings the sum leaves the range.
        if millis <= 0 { 0 } else { (millis - 1) / 1000 + 1 }
    }

    /// This moment moved by so many milliseconds.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self {
            unix_millis: self.unix_millis.saturating_add(millis),
        }
    }
}

/// A request that has already passed validation against the spec.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Path parameters by name, decoded.
    pub path: &'a BTreeMap<String, String>,
    /// Query parameters in the order sent, decoded.
    pub query: &'a [(String, String)],
    /// All headers.
    pub headers: &'a http::HeaderMap,
    /// The JSON body, when there is one.
    pub body: Option<&'a serde_json::Value>,
    /// Address of the caller's socket.
    pub peer: IpAddr,
}

/// Headers and body hold secrets and personal data, and a path may hold an id: none is shown.
impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("headers", &self.headers.len())
            .field("has_body", &self.body.is_some())
            .finish_non_exhaustive()
    }
}

impl<'a> Request<'a> {
    /// A header as text; `None` when it is missing, repeated bytes are not text, or it is empty.
    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .filter(|value| !value.is_empty())
    }

    /// Whether a header is there and not empty, be it text or not: what the HTTP layer takes for present.
    pub(crate) fn brings(&self, name: &str) -> bool {
        self.headers
            .get(name)
            .is_some_and(|value| !value.as_bytes().trim_ascii().is_empty())
    }

    /// The first query parameter of this name.
    pub(crate) fn query(&self, name: &str) -> Option<&'a str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// A text member of the body.
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.body
            .and_then(|body| body.get(name))
            .and_then(serde_json::Value::as_str)
    }
}

/// What the sandbox answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Extra headers; the content type follows from the body.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Body,
}

/// Body of a [`Reply`].
#[derive(Clone, PartialEq, Eq)]
pub enum Body {
    /// The exact JSON text.
    Json(String),
    /// A page, as gateways in front of an API send them.
    Html(String),
    /// Nothing.
    Empty,
}

/// Answers hold tokens: the kind and the length are shown, not the text.
impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Json(text) => write!(f, "Json({} bytes)", text.len()),
            Self::Html(page) => write!(f, "Html({} bytes)", page.len()),
            Self::Empty => f.write_str("Empty"),
        }
    }
}

impl Reply {
    pub(crate) fn json(status: u16, text: String) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Body::Json(text),
        }
    }
}
