//! The token lifecycle of Transak's API.
//!
//! Three facts decide everything here. A new *partner* access token kills the one before it at once. A *user* access token can
//! be renewed only while it is valid. After that only a person with a *one-time password* from an e-mail can help. So partner
//! tokens are minted once and shared, user tokens are renewed long before they expire, and a password is never mailed
//! unasked.
//!
//! # Contents
//!
//! * [`Transak`]: the entry, one per environment and API key.
//! * [`PartnerHandle`]: the partner token. [`VerificationKeys`]: what webhooks are verified with.
//! * [`UserSession`]: a user's session. [`VouchedUser`]: a user without one, for whom the partner vouches (Auth Reliance).
//! * [`OtpProvider`] and [`OtpChallenge`]: two ways to log a user in.
//! * [`PartnerPolicy`], [`UserPolicy`], [`RefreshWindow`], [`Backoff`]: when tokens are minted and renewed.
//! * [`KeepAlive`]: sessions are renewed while their users are away.
//! * [`HintFollower`]: what other processes have renewed is taken over at once.
//! * [`Transak::events`] and [`SessionEvent`]: what has happened.
//! * [`store`]: where tokens are kept. [`clock`]: where the time comes from. [`issuer`]: who issues tokens.
//! * [`TokenError`], [`SessionError`], [`LoginError`], [`CallError`]: what can go wrong.
//! * [`guide`]: how tokens live, what fails and what to do, what a crash can cost, how to operate it all, one or many.
//!
//! # What is promised
//!
//! * A caller with a usable token never waits for the network and never fails because a renewal failed.
//! * Mints and renewals run as tasks of their own, one at a time per token. Dropping a caller, or a panic, loses no issued token.
//! * Processes that share a store mint at most one partner token per minimum interval between them, as long as the store
//!   works and none is paused for longer than its lease.
//! * A stored token is never replaced by an older one, and a former partner token is kept until its own expiry.
//! * A 401 never starts a loop of mints or renewals.
//! * Neither tokens, passwords, e-mail addresses nor IP addresses appear in `Debug`, errors or tracing events.
//!
//! # Example
//!
//! ```no_run
//! use transak_session::{Otp, SessionError, Transak, UserIdentity};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let transak = Transak::builder().api_key("your-api-key").build()?;
//! let user = transak.user(UserIdentity::parse("jane@example.com", "203.0.113.7")?);
//!
//! match user.token().await {
//!     Ok(token) => println!("token {}", token.fingerprint()),
//!     Err(SessionError::OtpRequired { cause }) => {
//!         println!("please log in: {cause}");
//!         let challenge = user.begin_login().await?;
//!         challenge.verify(Otp::parse("123456")?).await?;
//!     }
//!     Err(other) => return Err(other.into()),
//! }
//! transak.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod background;
mod call;
pub mod clock;
mod engine;
mod env;
mod error;
mod events;
mod flight;
#[cfg(test)]
mod flight_tests;
mod follow;
mod guard;
pub mod guide;
mod identity;
pub mod issuer;
mod keepalive;
mod machine;
#[cfg(feature = "metrics")]
pub mod metrics;
mod observe;
mod otp;
mod partner;
mod policy;
mod reliance;
#[cfg(test)]
mod schedules;
pub mod store;
mod sync;
mod token;
mod transak;
mod user;

pub use call::CallError;
pub use engine::TokenRef;
pub use error::{LapseCause, RefusedHint, SessionError, TokenError};
pub use events::{Delivery, EventStream, SessionEvent, Subject};
pub use follow::HintFollower;
pub use identity::{Email, IdentityError, Otp, RecordKey, TenantId, UserIdentity, UserIp, UserKey};
pub use keepalive::{KeepAlive, KeepAliveHandle, KeepAliveHealth};
pub use otp::{
    ChallengeError, LoginError, OtpChallenge, OtpDeclined, OtpProvider, OtpRequest, StoredChallenge, VerifyError,
};
pub use partner::{PartnerHandle, PartnerLabel, PartnerStatus, VerificationKeys};
pub use policy::{
    ASSUMED_PARTNER_TOKEN_LIFE, ASSUMED_USER_TOKEN_LIFE, Backoff, PartnerPolicy, PolicyError, RefreshWindow, UserPolicy,
};
pub use reliance::{AuthMethod, VouchedUser};
pub use token::{AccessToken, ExpirySource, Grant, Issued, TokenFingerprint};
pub use transak::{BuildError, Transak, TransakBuilder};
pub use user::{GetOptions, SessionLabel, SessionStatus, UserSession};
