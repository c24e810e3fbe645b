//! Answers that are not a success.

use std::fmt;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode};

use super::body::{ErrorBody, ErrorBodyKind};
use super::context::{CallContext, trace_id};
use super::retry_after::{now, retry_after, server_time};
use super::scrub::{Scrubbed, scrub};
use crate::types::ErrorCode;

/// An answer that is not a success of the operation.
///
/// `Display` and `Debug` show the server's texts without words that look like e-mail addresses, IP addresses, tokens or
/// one-time passwords.
#[derive(Clone)]
pub struct ApiError {
    operation: &'static str,
    status: StatusCode,
    body: ErrorBody,
    trace_id: Box<str>,
    retry_after: Option<Duration>,
    server_time: Option<SystemTime>,
}

impl ApiError {
    pub(super) fn new(context: &CallContext<'_>, status: StatusCode, headers: &HeaderMap, body: ErrorBody) -> Self {
        Self {
            operation: context.operation,
            status,
            body,
            trace_id: trace_id(headers).unwrap_or(context.trace_id).into(),
            retry_after: retry_after(headers, now),
            server_time: server_time(headers),
        }
    }

    /// The id of the operation in the API description.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The code in the body: the thing to branch on, since Transak sends one code with different statuses.
    #[must_use]
    pub fn error_code(&self) -> Option<&ErrorCode> {
        self.body.code.as_ref()
    }

    /// The short name of the error, such as `UnauthorizedError`. Written by the server, not scrubbed: see
    /// [`message`](Self::message).
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.body.name.as_deref()
    }

    /// The message as the server wrote it, **with whatever personal data or secrets it may repeat**. Print the error itself in
    /// logs instead. Do not branch on it: the wording changes.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.body.message.as_deref()
    }

    /// More text for people, with the same warning as [`message`](Self::message).
    #[must_use]
    pub fn additional_message(&self) -> Option<&str> {
        self.body.additional_message.as_deref()
    }

    /// What to quote to Transak's support: the server's trace id, or else the one this client sent.
    #[must_use]
    pub fn trace_id(&self) -> &str {
        &self.trace_id
    }

    /// How long the server asks to wait before the next attempt; at most a day.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// What time it was at the server when it answered, to the second.
    #[must_use]
    pub fn server_time(&self) -> Option<SystemTime> {
        self.server_time
    }

    /// What the body was. Gateways in front of the API answer with pages of HTML or with nothing.
    #[must_use]
    pub fn body_kind(&self) -> ErrorBodyKind {
        self.body.kind
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed with status {}", self.operation, self.status)?;
        if let Some(code) = self.error_code() {
            write!(f, ", code {code}")?;
            if let Some(name) = code.name() {
                write!(f, " ({name})")?;
            }
        }
        match &self.body.message {
            Some(message) => write!(f, ": {}", scrub(message))?,
            None => write!(f, ", {}", self.body.kind.describe())?,
        }
        write!(f, " (trace id {})", self.trace_id)
    }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiError")
            .field("operation", &self.operation)
            .field("status", &self.status)
            .field("error_code", &self.body.code)
            .field("name", &self.body.name.as_deref().map(Scrubbed))
            .field("message", &self.body.message.as_deref().map(Scrubbed))
            .field(
                "additional_message",
                &self.body.additional_message.as_deref().map(Scrubbed),
            )
            .field("body_kind", &self.body.kind)
            .field("trace_id", &self.trace_id)
            .field("retry_after", &self.retry_after)
            .finish()
    }
}

impl std::error::Error for ApiError {}
