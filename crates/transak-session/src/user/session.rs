//! A user's session from outside.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::machine::{Event, SessionLabel, UserState};
use super::world::issue;
use crate::clock::Timestamp;
use crate::engine::{Engine, TokenRef};
use crate::error::{SessionError, TokenError};
use crate::identity::{UserIdentity, UserKey};
use crate::machine::Machine;
use crate::reliance::AuthMethod;
use crate::token::{AccessToken, Grant, Issued, TokenFingerprint};

/// A user's session. Cheap to clone; all handles of one user share one token and one renewal at a time.
///
/// Nothing here mails a one-time password except [`begin_login`](Self::begin_login) and [`login`](Self::login).
///
/// ```no_run
/// # async fn run(user: transak_session::UserSession) -> Result<(), Box<dyn std::error::Error>> {
/// let details = user
///     .call(|client| async move { client.get_user_details().api_key("your-api-key").send().await })
///     .await?;
/// println!("{:?} until {:?}", user.status().label, user.status().expires_at);
/// user.logout().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct UserSession {
    pub(crate) engine: Arc<Engine<UserState>>,
    pub(crate) key: UserKey,
    pub(crate) identity: UserIdentity,
}

/// Key and status only: stores and issuers of others may be less careful with what they print.
impl fmt::Debug for UserSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserSession")
            .field("key", &self.key)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

/// What a caller wants of a token.
///
/// ```no_run
/// # async fn run(user: transak_session::UserSession) -> Result<(), transak_session::SessionError> {
/// use std::time::Duration;
/// use transak_session::GetOptions;
///
/// let token = user.token_with(GetOptions::default().min_remaining(Duration::from_secs(3_600))).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct GetOptions {
    min_remaining: Duration,
}

impl GetOptions {
    /// Prefers a token that lives at least this much longer: for work that takes a while.
    ///
    /// If the token at hand does not, a renewal is started and waited for, for at most 2 seconds. After that the token at
    /// hand is returned all the same; a call is never refused because a renewal failed.
    #[must_use]
    pub fn min_remaining(mut self, span: Duration) -> Self {
        self.min_remaining = span;
        self
    }
}

/// What is known about a session. Holds neither token nor personal data.
///
/// See [`UserSession::status`], and [`UserSession`] for its use.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionStatus {
    /// The state in a word.
    pub label: SessionLabel,
    /// Which token is served.
    pub fingerprint: Option<TokenFingerprint>,
    /// When the token was issued.
    pub issued_at: Option<Timestamp>,
    /// From when on the token is renewed.
    pub due_at: Option<Timestamp>,
    /// When the token expires.
    pub expires_at: Option<Timestamp>,
    /// When a person last logged in.
    pub signed_in_at: Option<Timestamp>,
    /// What the last attempt failed in; cleared by a success.
    pub last_failure: Option<TokenError>,
}

impl UserSession {
    /// The name of the user in stores and logs.
    #[must_use]
    pub fn key(&self) -> UserKey {
        self.key
    }

    /// Who this is.
    #[must_use]
    pub fn identity(&self) -> &UserIdentity {
        &self.identity
    }

    /// The token to use now, without waiting: `None` if there is no usable one at hand.
    ///
    /// Takes no lock and allocates nothing while the token is not due. A token that is due is still returned, and renewed in
    /// the background if this is called inside a tokio runtime. `None` does not mean that a login is needed: another
    /// process may have a session in the store, which [`token`](Self::token) asks.
    #[must_use]
    pub fn current(&self) -> Option<TokenRef> {
        self.engine.serve_by(AuthMethod::TransakAuth).ok()?;
        let now = self.engine.now();
        if let Some(token) = self.engine.quiet(now) {
            return Some(token);
        }
        // Without a runtime, or after shutdown, nothing can be started; what there is can still be used.
        let min_remaining = Duration::ZERO;
        let _ = self.engine.tell(Event::Wanted { min_remaining });
        self.engine.usable(now)
    }

    /// The token to use.
    ///
    /// With a usable token this never waits and never fails: a token that is due is returned, and renewed in the
    /// background. Without one, the store is asked; for a token that has just expired, one last renewal is tried, in case the
    /// clock is wrong. Dropping the future ends the wait, not a renewal.
    ///
    /// # Errors
    ///
    /// [`SessionError::OtpRequired`] if only a login helps: an expired token cannot be renewed
    /// (<https://docs.transak.com/api/whitelabel/user/refresh-user-access-token>). [`SessionError::Token`] if it is not
    /// known whether there is a session, for instance because the store failed, and if the user is served by Auth Reliance
    /// in this process.
    pub async fn token(&self) -> Result<AccessToken, SessionError> {
        self.token_with(GetOptions::default()).await
    }

    /// The token to use, with wishes. See [`token`](Self::token) for errors and cancellation.
    ///
    /// # Errors
    ///
    /// As for [`token`](Self::token).
    pub async fn token_with(&self, options: GetOptions) -> Result<AccessToken, SessionError> {
        self.engine.serve_by(AuthMethod::TransakAuth)?;
        let min_remaining = options.min_remaining;
        let now = self.engine.now();
        if min_remaining.is_zero()
            && let Some(token) = self.engine.quiet(now)
        {
            return Ok(token.clone());
        }
        let enough = || {
            let now = self.engine.now();
            let held = self.engine.usable(now);
            held.is_some_and(|held| held.expires_at().since(now) >= min_remaining)
        };
        if self.engine.usable(now).is_none() {
            let served = || self.engine.usable(self.engine.now()).is_some();
            let outcome = self.engine.settle(Event::Wanted { min_remaining }, served).await;
            if !served() || enough() {
                return self.token_or(outcome);
            }
        }
        // From here on there is a token, so nothing that fails may matter.
        let flight = self.engine.join(Event::Wanted { min_remaining });
        if let (false, Ok(Some(flight))) = (enough(), flight) {
            tokio::select! {
                _ = flight.outcome(enough) => {}
                () = self.engine.env().clock.sleep(self.engine.policy().patience) => {}
            }
        }
        self.token_or(Ok(()))
    }

    /// Renews the token now, whether it is due or not, and waits for the outcome.
    ///
    /// If something is under way for this session, such as a renewal, this waits for that instead; if it is under way in
    /// another process, for at most 2 seconds. Dropping the future ends the wait, not the renewal. How early Transak allows a
    /// renewal is not documented, so the refresh window is the better way.
    ///
    /// # Errors
    ///
    /// As for [`token`](Self::token), and [`SessionError::Token`] if the renewal failed; a usable token is then still
    /// served.
    pub async fn refresh_now(&self) -> Result<AccessToken, SessionError> {
        self.engine.serve_by(AuthMethod::TransakAuth)?;
        let outcome = self.engine.settle(Event::RefreshNow, || false).await;
        let token = self.token_or(outcome.clone())?;
        outcome?;
        Ok(token)
    }

    /// Reports that Transak answered 401 to the token with this fingerprint, and returns the token to go on with.
    ///
    /// If that token has been replaced already, the newer one is returned. Otherwise the store is asked for a newer one;
    /// if there is none, the token is renewed, at most once a minute. If Transak refuses that as well, it is asked about the
    /// token itself, and only if it refuses it once more the session is over.
    ///
    /// Dropping the future ends the wait, not the renewal.
    ///
    /// # Errors
    ///
    /// [`SessionError::OtpRequired`] if only a login helps; [`TokenError::Refused`] if the token was renewed only moments
    /// ago, so that another one would meet the same 401; [`TokenError::Busy`] if another process is renewing it for longer
    /// than 2 seconds; what the renewal failed in otherwise. In all but the first case the old token is still served.
    pub async fn report_rejected(&self, which: TokenFingerprint) -> Result<AccessToken, SessionError> {
        let newer = || {
            let held = self.engine.usable(self.engine.now());
            held.is_some_and(|held| held.fingerprint() != which)
        };
        if newer() {
            return self.token_or(Ok(()));
        }
        tracing::debug!(subject = %self.key, token = %which, "a call met a 401 with the user token");
        let outcome = self.engine.settle(Event::Rejected(which), newer).await;
        let usable = self.engine.usable_token(self.engine.now());
        match (usable, outcome) {
            (Some(token), _) if token.fingerprint() != which => Ok(token),
            (Some(_), Err(error)) => Err(error.into()),
            (None, Err(error)) => self.token_or(Err(error)),
            // Nothing is held under that name: an ordinary request for a token.
            (_, Ok(())) => self.token().await,
        }
    }

    /// Ends the session: here at once, then at Transak and in the store.
    ///
    /// Dropping the future ends the wait, not the logout. <https://docs.transak.com/api/whitelabel/user/logout-user>
    ///
    /// # Errors
    ///
    /// What kept Transak or the store from being told. The session is over here all the same, its token is forgotten, and
    /// a store that failed is tried again later. Only with [`TokenError::ShutDown`] and [`TokenError::NoRuntime`] nothing
    /// was begun.
    pub async fn logout(&self) -> Result<(), TokenError> {
        self.engine.settle(Event::LogOut, || false).await
    }

    /// What is known about the session. No I/O.
    #[must_use]
    pub fn status(&self) -> SessionStatus {
        let now = self.engine.now();
        self.engine.look(|state| {
            let held = state.held().filter(|held| held.usable(now));
            SessionStatus {
                label: state.label(now),
                fingerprint: held.map(Issued::fingerprint),
                issued_at: held.map(Issued::issued_at),
                due_at: held.map(Issued::due_at),
                expires_at: held.map(Issued::expires_at),
                signed_in_at: state.signed_in_at(),
                last_failure: state.failure(),
            }
        })
    }

    /// Takes a token over that a login has brought, and waits until it is stored or could not be.
    pub(crate) async fn logged_in(&self, grant: Grant) -> AccessToken {
        let issued = issue(grant, self.engine.now(), &self.engine.policy().window);
        let token = issued.token.clone();
        // That it could not be stored has been logged and does not undo the login.
        let event = Event::LoggedIn(issued, self.identity.ip);
        let _ = self.engine.settle(event, || false).await;
        self.engine.usable_token(self.engine.now()).unwrap_or(token)
    }

    fn token_or(&self, outcome: Result<(), TokenError>) -> Result<AccessToken, SessionError> {
        let now = self.engine.now();
        if let Some(token) = self.engine.usable_token(now) {
            return Ok(token);
        }
        match (outcome, self.engine.look(|state| state.lapse_cause(now))) {
            // What Transak answered is history: a login is needed. Everything else means that nobody knows.
            (Ok(()) | Err(TokenError::Issuer(_) | TokenError::Refused { .. }), Some(cause)) => {
                Err(SessionError::OtpRequired { cause })
            }
            (Err(error), _) => Err(error.into()),
            (Ok(()), None) => Err(TokenError::Interrupted.into()),
        }
    }
}
