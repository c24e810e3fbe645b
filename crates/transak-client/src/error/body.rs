//! Bodies of errors, in all the shapes they come in.

use http::header::CONTENT_TYPE;
use reqwest::Response;
use serde::Deserialize as _;
use serde_json::{Map, Value};

use crate::types::ErrorCode;

/// More of a body is not read: the error bodies of the API have less than a kilobyte.
pub(super) const MAX_BODY: usize = 64 * 1024;

/// More of a body that is plain text is not kept.
const MAX_TEXT: usize = 1024;

/// What the body of an error was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorBodyKind {
    /// JSON. The fields found in it are in the error.
    Json,
    /// A page of HTML, as gateways and firewalls send.
    Html,
    /// Nothing.
    Empty,
    /// Something else, such as plain text.
    Other,
    /// More than is read of an error.
    TooLong,
    /// The connection broke or time ran out before the body was complete.
    Unreadable,
}

impl ErrorBodyKind {
    /// For messages of errors that have no message of the server.
    pub(super) const fn describe(self) -> &'static str {
        match self {
            Self::Json => "a JSON body without a message",
            Self::Html => "an HTML body",
            Self::Empty => "an empty body",
            Self::Other => "a body of unknown kind",
            Self::TooLong => "a body too long to read",
            Self::Unreadable => "a body that could not be read",
        }
    }
}

/// What is known of the body of an error. No `Debug`: the texts are the server's.
#[derive(Clone)]
pub(super) struct ErrorBody {
    pub(super) kind: ErrorBodyKind,
    pub(super) code: Option<ErrorCode>,
    pub(super) name: Option<Box<str>>,
    pub(super) message: Option<Box<str>>,
    pub(super) additional_message: Option<Box<str>>,
}

impl ErrorBody {
    pub(super) const fn bare(kind: ErrorBodyKind) -> Self {
        Self {
            kind,
            code: None,
            name: None,
            message: None,
            additional_message: None,
        }
    }

    /// Reads the body of an error. It never fails: the status alone is worth more than a complaint about the body.
    pub(super) async fn read(response: Response) -> Self {
        let content_type = response.headers().get(CONTENT_TYPE).cloned();
        let content_type = content_type.as_ref().and_then(|value| value.to_str().ok());
        match collect(response).await {
            Ok(body) => Self::parse(content_type.unwrap_or_default(), &body),
            Err(kind) => Self::bare(kind),
        }
    }

    pub(super) fn parse(content_type: &str, body: &[u8]) -> Self {
        let body = body.trim_ascii();
        if body.is_empty() {
            return Self::bare(ErrorBodyKind::Empty);
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => return Self::from_fields(&fields),
            Ok(value) => {
                return Self {
                    message: text(Some(&value)),
                    ..Self::bare(ErrorBodyKind::Json)
                };
            }
            Err(_) => {}
        }
        if content_type.to_ascii_lowercase().contains("html") || body.starts_with(b"<") {
            return Self::bare(ErrorBodyKind::Html);
        }
        let plain = str::from_utf8(body).ok().filter(|t| t.len() <= MAX_TEXT);
        Self {
            message: plain.map(Into::into),
            ..Self::bare(ErrorBodyKind::Other)
        }
    }

    /// Seen are `{error: {…}}` with and without `errorCode`, `{error: "text"}`, and the same fields without `error` around
    /// them. Fields of unexpected types are passed over one by one, so that an odd one does not hide the others; this is why
    /// the generated type of error bodies is not used.
    fn from_fields(fields: &Map<String, Value>) -> Self {
        let outer = fields.get("error");
        let inner = outer.and_then(Value::as_object).unwrap_or(fields);
        let code = |name| ErrorCode::deserialize(inner.get(name)?).ok();
        let outer_text = text(outer);
        let message = text(inner.get("message"));
        // Beside a message, `error` as a text is the name of the status.
        let (name, message) = match message {
            Some(message) => (outer_text, Some(message)),
            None => (None, outer_text),
        };
        let text_code = || text(inner.get("code")).filter(|_| code("code").is_none());
        Self {
            kind: ErrorBodyKind::Json,
            code: code("errorCode").or_else(|| code("code")),
            name: text(inner.get("name")).or(name).or_else(text_code),
            message,
            additional_message: text(inner.get("additionalMessage")),
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
async fn collect(mut response: Response) -> Result<Vec<u8>, ErrorBodyKind> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_BODY => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(ErrorBodyKind::TooLong),
            Ok(None) => return Ok(body),
            Err(_) => return Err(ErrorBodyKind::Unreadable),
        }
    }
}

/// In a browser, `reqwest` has the body only as a whole.
#[cfg(target_arch = "wasm32")]
async fn collect(response: Response) -> Result<bytes::Bytes, ErrorBodyKind> {
    match response.bytes().await {
        Ok(body) if body.len() > MAX_BODY => Err(ErrorBodyKind::TooLong),
        Ok(body) => Ok(body),
        Err(_) => Err(ErrorBodyKind::Unreadable),
    }
}

/// A text, or several in an array, as validation of requests gives.
fn text(value: Option<&Value>) -> Option<Box<str>> {
    match value? {
        Value::String(text) if !text.is_empty() => Some(text.as_str().into()),
        Value::Array(items) => {
            let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            (!texts.is_empty()).then(|| texts.join("; ").into())
        }
        _ => None,
    }
}
