//! What an error needs to know about its call.

use http::{HeaderMap, StatusCode};

/// A call that failed.
#[derive(Clone, Debug)]
pub(crate) struct CallContext<'a> {
    /// The id of the operation in the API description.
    pub(crate) operation: &'static str,
    /// The trace id that was sent.
    pub(crate) trace_id: &'a str,
    /// The head of the answer, if one arrived. The generated code keeps it only for answers that are not a success.
    pub(crate) response: Option<ResponseMeta>,
}

/// The head of an answer.
#[derive(Clone, Debug)]
pub(crate) struct ResponseMeta {
    pub(crate) status: StatusCode,
    pub(crate) trace_id: Option<Box<str>>,
}

impl ResponseMeta {
    pub(crate) fn new(status: StatusCode, headers: &HeaderMap) -> Self {
        Self {
            status,
            trace_id: trace_id(headers).map(Into::into),
        }
    }
}

impl CallContext<'_> {
    /// The server's trace id, or else the one that was sent.
    pub(super) fn answered_trace_id(&self) -> &str {
        let answered = self.response.as_ref();
        let answered = answered.and_then(|response| response.trace_id.as_deref());
        answered.unwrap_or(self.trace_id)
    }
}

/// The trace id of an answer, unless it is something else that should not be in a log.
pub(super) fn trace_id(headers: &HeaderMap) -> Option<&str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:=/+".contains(&b);
    ["trace-id", "x-trace-id"]
        .into_iter()
        .filter_map(|name| headers.get(name)?.to_str().ok())
        .find(|id| !id.is_empty() && id.len() <= 128 && id.bytes().all(plain))
}
