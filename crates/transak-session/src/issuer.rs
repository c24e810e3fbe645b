//! The seam between policy and HTTP: what the lifecycle asks of Transak.

pub(crate) mod http;

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::identity::{Otp, UserIdentity, UserIp};
use crate::store::FailureClass;
use crate::token::{AccessToken, Grant};

/// The calls that create, renew and end tokens.
///
/// Implementations make exactly one attempt per call: whether and when to try again is decided above. They may be dropped
/// at any await point.
///
/// An implementation of your own, for instance one that asks a service which alone knows the API secret, is given to
/// [`TransakBuilder::issuer`](crate::TransakBuilder::issuer):
///
/// ```
/// use std::sync::Arc;
///
/// use transak_session::issuer::{Issuer, IssuerError, IssuerErrorKind, OtpSent, StateToken};
/// use transak_session::{AccessToken, Grant, Otp, Transak, UserIdentity, UserIp};
///
/// #[derive(Debug)]
/// struct OnlyPartnerTokens;
///
/// #[async_trait::async_trait]
/// impl Issuer for OnlyPartnerTokens {
///     async fn mint(&self) -> Result<Grant, IssuerError> {
///         Ok(Grant::new(AccessToken::new("a token from somewhere")))
///     }
///     async fn refresh(&self, _: &AccessToken, _: UserIp) -> Result<Grant, IssuerError> {
///         Err(IssuerError::new(IssuerErrorKind::Invalid))
///     }
///     async fn send_otp(&self, _: &UserIdentity) -> Result<OtpSent, IssuerError> {
///         Err(IssuerError::new(IssuerErrorKind::Invalid))
///     }
///     async fn verify_otp(&self, _: &UserIdentity, _: &Otp, _: &StateToken) -> Result<Grant, IssuerError> {
///         Err(IssuerError::new(IssuerErrorKind::Invalid))
///     }
///     async fn logout(&self, _: &AccessToken, _: UserIp) -> Result<(), IssuerError> {
///         Ok(())
///     }
///     async fn probe(&self, _: &AccessToken, _: UserIp) -> Result<(), IssuerError> {
///         Err(IssuerError::new(IssuerErrorKind::Invalid))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let transak = Transak::builder()
///     .api_key("your-api-key")
///     .issuer(Arc::new(OnlyPartnerTokens))
///     .build()?;
/// assert_eq!(transak.partner().ready().await?.expose(), "a token from somewhere");
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait Issuer: fmt::Debug + Send + Sync + 'static {
    /// Mints a partner access token, which invalidates the one before it at once.
    ///
    /// <https://docs.transak.com/api/public/refresh-access-token>
    async fn mint(&self) -> Result<Grant, IssuerError>;

    /// Renews a user access token that has not expired yet.
    ///
    /// <https://docs.transak.com/api/whitelabel/user/refresh-user-access-token>
    async fn refresh(&self, token: &AccessToken, ip: UserIp) -> Result<Grant, IssuerError>;

    /// Mails a one-time password.
    ///
    /// <https://docs.transak.com/api/whitelabel/user/send-user-otp>
    async fn send_otp(&self, user: &UserIdentity) -> Result<OtpSent, IssuerError>;

    /// Exchanges a one-time password for a user access token.
    ///
    /// <https://docs.transak.com/api/whitelabel/user/verify-user-otp>
    async fn verify_otp(&self, user: &UserIdentity, otp: &Otp, state: &StateToken) -> Result<Grant, IssuerError>;

    /// Ends a user's session.
    ///
    /// <https://docs.transak.com/api/whitelabel/user/logout-user>
    async fn logout(&self, token: &AccessToken, ip: UserIp) -> Result<(), IssuerError>;

    /// Finds out whether Transak still accepts a user access token, by the cheapest authenticated call.
    ///
    /// <https://docs.transak.com/features/transak-auth> names Get User Details for this.
    async fn probe(&self, token: &AccessToken, ip: UserIp) -> Result<(), IssuerError>;
}

/// The answer to a mailed one-time password.
///
/// See [`Issuer`].
#[derive(Clone, Debug)]
pub struct OtpSent {
    /// Belongs to the password; both are needed to log in.
    pub state: StateToken,
    /// How long both are good for (`expiresIn`, seconds on the wire), if the answer said so.
    pub expires_in: Option<Duration>,
}

/// What ties a one-time password to its request. As secret as the password.
///
/// See [`Issuer`].
#[derive(Clone)]
pub struct StateToken(Zeroizing<String>);

impl StateToken {
    /// Takes the text over.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text. Take care not to log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StateToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StateToken(<redacted>)")
    }
}

/// What kind of failure a call ended in: all that decisions are made on.
///
/// See [`Issuer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IssuerErrorKind {
    /// Nothing came of the call, and it may be made again: the request did not get through, or a gateway is down.
    Transient,
    /// The credential was refused (401, 403).
    Rejected,
    /// Too many requests (429).
    RateLimited {
        /// How long to wait, if the answer said so.
        retry_after: Option<Duration>,
    },
    /// The one-time password is wrong, or its time is over.
    InvalidOtp,
    /// A one-time password was mailed less than a minute ago (`errorCode` 1019).
    OtpTooEarly,
    /// The request itself is at fault (another 4xx): repeating it does not help.
    Invalid,
    /// The request was sent and it is not known what became of it: time-out, lost connection, unreadable answer.
    Unknown,
}

impl IssuerErrorKind {
    /// A short name, as in logs and metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Rejected => "rejected",
            Self::RateLimited { .. } => "rate_limited",
            Self::InvalidOtp => "invalid_otp",
            Self::OtpTooEarly => "otp_too_early",
            Self::Invalid => "invalid",
            Self::Unknown => "unknown",
        }
    }
}

impl From<IssuerErrorKind> for FailureClass {
    fn from(kind: IssuerErrorKind) -> Self {
        match kind {
            IssuerErrorKind::Transient => Self::Transient,
            IssuerErrorKind::Rejected => Self::Rejected,
            IssuerErrorKind::RateLimited { .. } => Self::RateLimited,
            IssuerErrorKind::InvalidOtp | IssuerErrorKind::OtpTooEarly | IssuerErrorKind::Invalid => Self::Invalid,
            IssuerErrorKind::Unknown => Self::Unknown,
        }
    }
}

impl fmt::Display for IssuerErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Transient => "Transak could not be reached or is unavailable",
            Self::Rejected => "Transak refused the credential",
            Self::RateLimited { .. } => "Transak limits the rate of requests",
            Self::InvalidOtp => "Transak did not accept the one-time password",
            Self::OtpTooEarly => "a one-time password was mailed less than a minute ago",
            Self::Invalid => "Transak found the request invalid",
            Self::Unknown => "it is not known whether Transak received the request",
        })
    }
}

/// A failed call.
///
/// See [`Issuer`].
#[derive(Debug)]
pub struct IssuerError {
    kind: IssuerErrorKind,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl IssuerError {
    /// A failure of this kind.
    #[must_use]
    pub fn new(kind: IssuerErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// A failure of this kind with its cause, which must not contain secrets or personal data.
    #[must_use]
    pub fn caused_by(kind: IssuerErrorKind, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            kind,
            source: Some(source.into()),
        }
    }

    /// The kind of failure.
    #[must_use]
    pub fn kind(&self) -> IssuerErrorKind {
        self.kind
    }
}

impl fmt::Display for IssuerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.kind, f)
    }
}

impl StdError for IssuerError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|e| e as _)
    }
}
