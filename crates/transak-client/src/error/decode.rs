//! Successes that cannot be read.

use std::fmt;

use http::StatusCode;

use super::context::CallContext;
use super::json::{JsonError, JsonErrorKind};

/// The body of a success that is not what the API promises. It holds nothing of the body.
#[derive(Clone, Debug)]
pub struct DecodeError {
    operation: &'static str,
    status: Option<StatusCode>,
    trace_id: Box<str>,
    json: JsonError,
}

impl DecodeError {
    pub(super) fn new(context: &CallContext<'_>, json: JsonError) -> Self {
        Self {
            operation: context.operation,
            status: context.response.as_ref().map(|response| response.status),
            trace_id: context.answered_trace_id().into(),
            json,
        }
    }

    /// The id of the operation in the API description.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// The HTTP status, if it is known.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.status
    }

    /// What to quote to Transak's support: the server's trace id, or else the one this client sent.
    #[must_use]
    pub fn trace_id(&self) -> &str {
        &self.trace_id
    }

    /// What kind of problem the JSON has.
    #[must_use]
    pub fn kind(&self) -> JsonErrorKind {
        self.json.kind()
    }

    /// Where in the JSON; see [`JsonError::path`].
    #[must_use]
    pub fn path(&self) -> &str {
        self.json.path()
    }

    /// What was expected there; see [`JsonError::expected`].
    #[must_use]
    pub fn expected(&self) -> Option<&str> {
        self.json.expected()
    }

    /// The line of the problem, from 1; 0 if unknown.
    #[must_use]
    pub fn line(&self) -> usize {
        self.json.line()
    }

    /// The column of the problem, in bytes; 0 if unknown.
    #[must_use]
    pub fn column(&self) -> usize {
        self.json.column()
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the answer to {}", self.operation)?;
        if let Some(status) = self.status {
            write!(f, ", status {status},")?;
        }
        write!(f, " is {} (trace id {})", self.json, self.trace_id)
    }
}

// `json` is part of the message, and so is not a source as well.
impl std::error::Error for DecodeError {}
