//! What can go wrong with a call.
//!
//! Errors are made to be logged: neither `Display` nor `Debug` nor the chain of sources shows a body, a credential, a URL or
//! what looks like personal data. What the server wrote is given only by [`ApiError::message`] and its neighbours.

mod api;
mod body;
mod config;
mod context;
mod convert;
mod credential;
mod decode;
mod json;
mod request;
mod retry_after;
mod scrub;
#[cfg(test)]
mod tests;
mod transport;

use std::time::Duration;

use http::StatusCode;

pub use api::ApiError;
pub use body::ErrorBodyKind;
pub use config::ConfigError;
pub(crate) use context::{CallContext, ResponseMeta};
pub(crate) use convert::{from_progenitor, too_long};
pub use credential::MissingCredentialError;
pub use decode::DecodeError;
pub use json::{JsonError, JsonErrorKind};
pub use request::{InvalidRequestError, InvalidRequestKind};
pub use retry_after::server_time;
pub use transport::{TransportError, TransportPhase};

use crate::types::ErrorCode;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server answered with a status that is not a success of this operation, be it an error, a redirect, or something
    /// that is not documented.
    #[error(transparent)]
    Api(#[from] Box<ApiError>),
    /// The server reported success, but the body is not what the API promises. The operation has most likely taken effect.
    #[error(transparent)]
    Decode(#[from] Box<DecodeError>),
    /// No complete answer arrived: the connection failed or broke.
    #[error(transparent)]
    Transport(Box<TransportError>),
    /// No complete answer arrived in time.
    #[error(transparent)]
    Timeout(Box<TransportError>),
    /// The client has no credentials for this operation. Nothing was sent.
    #[error(transparent)]
    MissingCredential(#[from] Box<MissingCredentialError>),
    /// A parameter is missing or was refused. Nothing was sent.
    #[error(transparent)]
    InvalidRequest(#[from] Box<InvalidRequestError>),
    /// The client cannot be built from these settings.
    #[error(transparent)]
    Config(#[from] Box<ConfigError>),
}

impl Error {
    /// The status of the answer, if one arrived.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Api(error) => Some(error.status()),
            Self::Decode(error) => error.status(),
            Self::Transport(error) | Self::Timeout(error) => error.status(),
            _ => None,
        }
    }

    /// The code in the error body: the thing to branch on, since Transak sends one code with different statuses.
    #[must_use]
    pub fn error_code(&self) -> Option<&ErrorCode> {
        match self {
            Self::Api(error) => error.error_code(),
            _ => None,
        }
    }

    /// What to quote to Transak's support: the server's trace id, or else the one this client sent.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        match self {
            Self::Api(error) => Some(error.trace_id()),
            Self::Decode(error) => Some(error.trace_id()),
            Self::Transport(error) | Self::Timeout(error) => Some(error.trace_id()),
            _ => None,
        }
    }

    /// How long the server asks to wait before the next attempt; at most a day.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Api(error) => error.retry_after(),
            _ => None,
        }
    }

    /// What time it was at the server when it answered, to the second; none if no answer came.
    #[must_use]
    pub fn server_time(&self) -> Option<std::time::SystemTime> {
        match self {
            Self::Api(error) => error.server_time(),
            _ => None,
        }
    }

    /// The id of the operation in the API description; none for errors that are not about a call.
    #[must_use]
    pub fn operation(&self) -> Option<&'static str> {
        match self {
            Self::Api(error) => Some(error.operation()),
            Self::Decode(error) => Some(error.operation()),
            Self::Transport(error) | Self::Timeout(error) => Some(error.operation()),
            Self::MissingCredential(error) => Some(error.operation()),
            Self::InvalidRequest(error) => Some(error.operation()),
            Self::Config(_) => None,
        }
    }

    /// Whether the server does not accept the credentials: status 401.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.is_answer(StatusCode::UNAUTHORIZED)
    }

    /// Whether the credentials do not allow this: status 403.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.is_answer(StatusCode::FORBIDDEN)
    }

    /// Whether the thing asked for does not exist: status 404.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.is_answer(StatusCode::NOT_FOUND)
    }

    /// Whether there were too many calls: status 429.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.is_answer(StatusCode::TOO_MANY_REQUESTS)
    }

    /// Whether this client stopped waiting. A 408 or 504 of the server is not meant.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout(_))
    }

    /// Whether the connection failed or broke.
    #[must_use]
    pub fn is_transport(&self) -> bool {
        matches!(self, Self::Transport(_))
    }

    /// Whether the body of a success could not be read.
    #[must_use]
    pub fn is_decode(&self) -> bool {
        matches!(self, Self::Decode(_))
    }

    /// Whether the failure may pass by itself: a broken connection, a timeout, or status 408, 429 or 5xx.
    ///
    /// This speaks only of the failure. Whether the operation may be sent twice is another question: after a timeout, an order
    /// may exist although no answer arrived.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Api(error) => {
                let status = error.status();
                status.is_server_error()
                    || status == StatusCode::REQUEST_TIMEOUT
                    || status == StatusCode::TOO_MANY_REQUESTS
            }
            Self::Transport(error) => !matches!(error.phase(), TransportPhase::Internal | TransportPhase::Upload),
            Self::Timeout(_) => true,
            _ => false,
        }
    }

    fn is_answer(&self, status: StatusCode) -> bool {
        matches!(self, Self::Api(error) if error.status() == status)
    }
}
