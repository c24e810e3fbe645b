//! Calls without a complete answer.

use std::fmt;

use http::StatusCode;

use super::context::CallContext;
use super::scrub::scrub;

/// How far a call came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportPhase {
    /// There was no connection, so the request did not reach the server.
    Connect,
    /// The request may have been sent, in part or as a whole.
    Request,
    /// The server reported success, but its answer did not arrive completely.
    Body,
    /// A file to send could not be read to its end, or was not as long as announced. The server has no whole request.
    Upload,
    /// The call was stopped by this client itself.
    Internal,
}

/// No complete answer arrived. The cause is the [source](std::error::Error::source).
#[derive(Debug)]
pub struct TransportError {
    operation: &'static str,
    trace_id: Box<str>,
    status: Option<StatusCode>,
    phase: TransportPhase,
    timed_out: bool,
    cause: Option<reqwest::Error>,
    note: Option<Box<str>>,
}

impl TransportError {
    pub(super) fn new(context: &CallContext<'_>, body: bool, cause: reqwest::Error) -> Self {
        let phase = if body || cause.is_body() || cause.is_decode() {
            TransportPhase::Body
        } else if is_connect(&cause) {
            TransportPhase::Connect
        } else {
            TransportPhase::Request
        };
        Self {
            phase,
            timed_out: cause.is_timeout(),
            // A URL has ids and query parameters in it.
            cause: Some(cause.without_url()),
            ..Self::internal(context, None)
        }
    }

    /// A call stopped by our own hooks.
    pub(super) fn internal(context: &CallContext<'_>, note: Option<&str>) -> Self {
        Self {
            operation: context.operation,
            trace_id: context.answered_trace_id().into(),
            status: context.response.as_ref().map(|response| response.status),
            phase: TransportPhase::Internal,
            timed_out: false,
            cause: None,
            note: note.map(|note| scrub(note).into()),
        }
    }

    /// A file that could not be sent as a whole; the note holds nothing of it.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn upload(context: &CallContext<'_>, note: &str) -> Self {
        Self {
            phase: TransportPhase::Upload,
            note: Some(note.into()),
            ..Self::internal(context, None)
        }
    }

    /// The id of the operation in the API description.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// What to quote to Transak's support: the server's trace id, or else the one this client sent.
    #[must_use]
    pub fn trace_id(&self) -> &str {
        &self.trace_id
    }

    /// The status, if the head of an answer arrived.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.status
    }

    /// How far the call came.
    #[must_use]
    pub fn phase(&self) -> TransportPhase {
        self.phase
    }

    /// Whether time ran out.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.timed_out
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn is_connect(cause: &reqwest::Error) -> bool {
    cause.is_connect()
}

/// A browser does not tell.
#[cfg(target_arch = "wasm32")]
fn is_connect(_: &reqwest::Error) -> bool {
    false
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match (self.phase, self.timed_out) {
            (TransportPhase::Connect, false) => "could not connect",
            (TransportPhase::Connect, true) => "could not connect in time",
            (TransportPhase::Request, false) => "the connection failed before an answer",
            (TransportPhase::Request, true) => "no answer in time",
            (TransportPhase::Body, false) => "the connection failed within the answer",
            (TransportPhase::Body, true) => "no complete answer in time",
            (TransportPhase::Upload, _) => "the upload was cut short",
            (TransportPhase::Internal, _) => "stopped by the client",
        };
        write!(f, "{}: {what}", self.operation)?;
        if let Some(note) = &self.note {
            write!(f, ": {note}")?;
        }
        write!(f, " (trace id {})", self.trace_id)
    }
}

impl std::error::Error for TransportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as _)
    }
}
