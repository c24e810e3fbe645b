//! What can go wrong, in the terms of somebody who wanted a token.
//!
//! No error holds a token, a one-time password, an e-mail address or an IP address.

use std::fmt;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::issuer::{IssuerError, IssuerErrorKind};
use crate::reliance::AuthMethod;
use crate::store::StoreError;

/// Why there is no token, or no newer one. Shared by all callers that waited for the same attempt.
///
/// [`SessionError`] shows how it is met, and [`guide::failures`](crate::guide::failures) what to do about each.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Transak answers 401 to a token that was issued only moments ago, so another one would not help. The old token is
    /// still served, because calls that the cause does not concern still work with it.
    #[error("{hint}; the next attempt is possible from {retry_at}")]
    Refused {
        /// From when on another report leads to another attempt.
        retry_at: Timestamp,
        /// What is most likely the cause.
        hint: RefusedHint,
    },
    /// A partner token is needed, but the last mint (which may have reached Transak) is too recent for another.
    #[error("the last attempt to mint a partner token is too recent; the next is possible from {retry_at}")]
    MintHeld {
        /// From when on a call leads to another mint.
        retry_at: Timestamp,
        /// What became of the last attempt, if it failed.
        #[source]
        cause: Option<Arc<IssuerError>>,
    },
    /// Transak did not issue a token.
    #[error("no new token was issued: {0}")]
    Issuer(#[source] Arc<IssuerError>),
    /// The session store failed, so it is not known which token is the current one.
    #[error("{0}")]
    Store(#[source] Arc<StoreError>),
    /// Another process is renewing this token, and has not finished yet. What there is is still served.
    #[error("another process is renewing this token; its result is looked for again from {retry_at}")]
    Busy {
        /// From when on it is worth another try.
        retry_at: Timestamp,
    },
    /// The attempt panicked. Nothing else was harmed; the next call starts a new one.
    #[error("the attempt to get a token panicked")]
    Panicked,
    /// The attempt was cut off because its runtime is shutting down.
    #[error("the attempt to get a token was interrupted")]
    Interrupted,
    /// As many callers as allowed are waiting for the attempt under way.
    #[error("too many callers wait for the same token")]
    Overloaded,
    /// `Transak::shutdown` was called.
    #[error("the session layer has been shut down")]
    ShutDown,
    /// This user is served by the other of the two methods in this process, and Transak allows one for each user. Nothing was
    /// sent. <https://docs.transak.com/features/authentication>
    #[error("this user is served by {in_use} in this process; choose one method for each user")]
    OtherMethod {
        /// The method that was used first.
        in_use: AuthMethod,
    },
    /// A renewal has to be started, but this thread is not inside a tokio runtime.
    #[error("no tokio runtime to run the attempt on")]
    NoRuntime,
}

impl TokenError {
    /// What Transak's part in the failure was, if it had one.
    #[must_use]
    pub fn issuer_kind(&self) -> Option<IssuerErrorKind> {
        match self {
            Self::Issuer(error) | Self::MintHeld { cause: Some(error), .. } => Some(error.kind()),
            _ => None,
        }
    }
}

/// What most likely makes Transak refuse a fresh token.
///
/// Part of [`TokenError::Refused`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusedHint {
    /// Error code 1002 also stands for a server that is not on the allow-list and for a product that is not activated.
    AllowListOrActivation,
    /// Token after token died young: something else mints with the same API key.
    AnotherMinter,
}

impl fmt::Display for RefusedHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AllowListOrActivation => {
                "Transak rejects a token that it issued only moments ago: most likely this server's IP address is not on \
                 the allow-list, or the product is not activated for this API key"
            }
            Self::AnotherMinter => {
                "Transak keeps rejecting tokens soon after their mint: most likely another program mints partner tokens \
                 with the same API key, each of which invalidates ours"
            }
        })
    }
}

/// Why a user has to log in.
///
/// Part of [`SessionError::OtpRequired`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LapseCause {
    /// There is no session of this user.
    NeverLoggedIn,
    /// The token's time was over before it could be renewed, and a last attempt has not helped.
    Expired,
    /// Transak refused the token's renewal twice, or the token and its renewal, and then the token again when it was asked
    /// about it.
    Rejected,
    /// The user logged out.
    LoggedOut,
}

impl fmt::Display for LapseCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NeverLoggedIn => "there is no session of this user",
            Self::Expired => "the session has expired",
            Self::Rejected => "Transak ended the session",
            Self::LoggedOut => "the user logged out",
        })
    }
}

/// Why a user session has no token.
///
/// ```no_run
/// use transak_session::{LapseCause, SessionError, TokenError, UserSession};
///
/// # async fn run(user: &UserSession) {
/// match user.token().await {
///     Ok(token) => println!("go on with {}", token.fingerprint()),
///     Err(SessionError::OtpRequired { cause: LapseCause::LoggedOut }) => println!("see you"),
///     Err(SessionError::OtpRequired { cause }) => println!("please log in: {cause}"),
///     Err(SessionError::Token(TokenError::Busy { retry_at })) => println!("again at {retry_at}"),
///     Err(other) => println!("again later: {other}"),
/// }
/// # }
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// Only a login with a one-time password helps. None is ever mailed without a call that asks for it.
    #[error("a one-time password is required: {cause}")]
    OtpRequired {
        /// How it came to this.
        cause: LapseCause,
    },
    /// Another attempt may help.
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl SessionError {
    /// Whether only a login helps.
    #[must_use]
    pub fn is_otp_required(&self) -> bool {
        matches!(self, Self::OtpRequired { .. })
    }
}
