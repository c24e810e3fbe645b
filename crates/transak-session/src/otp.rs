//! Login by one-time password: steps that a person takes, none of which is ever repeated by itself.

mod stored;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use tokio::runtime::Handle;

use crate::clock::Timestamp;
use crate::error::TokenError;
use crate::identity::Otp;
use crate::issuer::{IssuerError, IssuerErrorKind, OtpSent, StateToken};
use crate::machine::Pause;
use crate::reliance::AuthMethod;
use crate::token::AccessToken;
use crate::user::UserSession;

pub use stored::{ChallengeError, StoredChallenge};

/// Transak refuses to mail another password earlier (`errorCode` 1019).
const RESEND_PAUSE: Duration = Duration::from_secs(60);
/// The documented `expiresIn`: <https://docs.transak.com/api/whitelabel/user/send-user-otp>
const ASSUMED_CHALLENGE_LIFE: Duration = Duration::from_secs(600);
/// Repeated wrong passwords can lock the user out.
const LOGIN_ATTEMPTS: u32 = 3;

/// Asks a person for the one-time password that was mailed to them.
///
/// ```no_run
/// use transak_session::{Otp, OtpDeclined, OtpProvider, OtpRequest, UserSession};
///
/// struct Terminal;
///
/// #[async_trait::async_trait]
/// impl OtpProvider for Terminal {
///     async fn one_time_password(&self, request: OtpRequest) -> Result<Otp, OtpDeclined> {
///         println!("the password from the mail, please (good until {}): ", request.expires_at);
///         let line = tokio::task::spawn_blocking(|| std::io::stdin().lines().next());
///         let typed = line.await.ok().flatten().and_then(Result::ok).ok_or(OtpDeclined)?;
///         Otp::parse(&typed).map_err(|_| OtpDeclined)
///     }
/// }
///
/// # async fn run(user: UserSession) -> Result<(), transak_session::LoginError> {
/// user.login(&Terminal).await?;
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait OtpProvider: Send + Sync {
    /// Returns what the person typed, or why they did not. May wait for as long as the challenge lives.
    async fn one_time_password(&self, request: OtpRequest) -> Result<Otp, OtpDeclined>;
}

/// What to ask for.
///
/// See [`OtpProvider`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct OtpRequest {
    /// 1 at first; more if the passwords before were not accepted.
    pub attempt: u32,
    /// Until when the password is good.
    pub expires_at: Timestamp,
}

/// The person did not give a password.
///
/// See [`OtpProvider`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no one-time password was given")]
pub struct OtpDeclined;

/// Why a login came to nothing.
///
/// See [`OtpChallenge`], [`guide::failures`](crate::guide::failures).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// A password was mailed less than a minute ago, and Transak sends no other before that.
    #[error("another one-time password can be mailed from {retry_at}")]
    TooEarly {
        /// From when on it can.
        retry_at: Timestamp,
    },
    /// The password's time is over. Begin again.
    #[error("the one-time password's time is over")]
    ChallengeExpired,
    /// Transak refused, or did not answer. Nothing was retried.
    #[error("the login failed: {0}")]
    Issuer(#[source] IssuerError),
    /// The provider returned no password.
    #[error(transparent)]
    Declined(#[from] OtpDeclined),
    /// The step panicked, or could not be started.
    #[error(transparent)]
    NotRun(TokenError),
}

/// A password that was not accepted, with the challenge if another try may help.
///
/// [`OtpChallenge`] shows how it is met.
#[derive(Debug)]
pub struct VerifyError {
    /// Why.
    pub reason: LoginError,
    /// What to try again with; `None` if only a new login helps.
    ///
    /// It is there after a wrong password, after a limit on requests, and after a failure of which it is not known whether
    /// Transak saw the request. In the last case the password may be used up already. Transak can lock out users who try
    /// often, so let a person decide.
    pub challenge: Option<Box<OtpChallenge>>,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.reason, f)
    }
}

impl std::error::Error for VerifyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.reason.source()
    }
}

/// A one-time password that is on its way to a person. Holds a secret; `Debug` does not show it.
///
/// In a web backend the two steps are two requests, and perhaps two machines:
///
/// ```no_run
/// use transak_session::{Otp, StoredChallenge, UserSession};
///
/// # struct Request { session: std::collections::HashMap<&'static str, String> }
/// /// The person asked to log in.
/// async fn begin(user: &UserSession, request: &mut Request) -> Result<(), Box<dyn std::error::Error>> {
///     let challenge = user.begin_login().await?;
///     let text = challenge.to_stored().expose().to_owned();
///     request.session.insert("challenge", text); // on the server, not in a cookie
///     Ok(())
/// }
///
/// /// The person typed what the mail said. `false`: not the right one, and there may be another try.
/// async fn finish(user: &UserSession, request: &mut Request, typed: &str) -> Result<bool, Box<dyn std::error::Error>> {
///     let text = request.session.remove("challenge").ok_or("nobody has begun")?;
///     let challenge = user.resume_login(&StoredChallenge::from_text(text))?;
///     match challenge.verify(Otp::parse(typed)?).await {
///         Ok(_) => Ok(true),
///         Err(error) => match error.challenge {
///             Some(left) => {
///                 request.session.insert("challenge", left.to_stored().expose().to_owned());
///                 Ok(false)
///             }
///             None => Err(error.reason.into()),
///         },
///     }
/// }
/// ```
#[derive(Debug)]
pub struct OtpChallenge {
    session: UserSession,
    state: StateToken,
    resend: Pause,
    expires_at: Timestamp,
}

impl UserSession {
    /// Mails the user a one-time password.
    ///
    /// Dropping the future may leave a password mailed that nobody can use.
    /// <https://docs.transak.com/api/whitelabel/user/send-user-otp>
    ///
    /// # Errors
    ///
    /// [`LoginError::TooEarly`] within a minute of the last one; [`LoginError::Issuer`] if the call failed;
    /// [`LoginError::NotRun`], without a call, after a shutdown or outside a tokio runtime.
    pub async fn begin_login(&self) -> Result<OtpChallenge, LoginError> {
        let sent = self.send_otp().await?;
        let now = self.engine.now();
        Ok(OtpChallenge {
            session: self.clone(),
            expires_at: now + sent.expires_in.unwrap_or(ASSUMED_CHALLENGE_LIFE),
            state: sent.state,
            resend: Pause::lasting(RESEND_PAUSE, now),
        })
    }

    /// Mails the user a one-time password, asks `provider` for it and logs in. A wrong password is asked for again, three
    /// times at most.
    ///
    /// # Errors
    ///
    /// As for [`begin_login`](Self::begin_login) and [`OtpChallenge::verify`]; [`LoginError::Declined`] if the provider
    /// gave up.
    pub async fn login(&self, provider: &dyn OtpProvider) -> Result<AccessToken, LoginError> {
        let mut challenge = self.begin_login().await?;
        let mut attempt = 1;
        loop {
            let expires_at = challenge.expires_at;
            let otp = provider.one_time_password(OtpRequest { attempt, expires_at }).await?;
            let VerifyError {
                reason,
                challenge: left,
            } = match challenge.verify(otp).await {
                Ok(token) => return Ok(token),
                Err(error) => error,
            };
            let wrong = matches!(&reason, LoginError::Issuer(e) if e.kind() == IssuerErrorKind::InvalidOtp);
            match left {
                // Only a person's new input is another try; everything else goes back to the caller.
                Some(left) if wrong && attempt < LOGIN_ATTEMPTS => challenge = *left,
                _ => return Err(reason),
            }
            attempt += 1;
        }
    }

    /// Goes on with a challenge that was stored, for instance between two requests of a web server.
    ///
    /// # Errors
    ///
    /// [`ChallengeError`] if the text cannot be read or belongs to another user or tenant.
    pub fn resume_login(&self, stored: &StoredChallenge) -> Result<OtpChallenge, ChallengeError> {
        let content = stored.read(&self.key)?;
        Ok(OtpChallenge {
            session: self.clone(),
            state: content.state,
            resend: content.resend,
            expires_at: content.expires_at,
        })
    }

    async fn send_otp(&self) -> Result<OtpSent, LoginError> {
        self.engine
            .serve_by(AuthMethod::TransakAuth)
            .map_err(LoginError::NotRun)?;
        let env = self.engine.env();
        // Nobody could log in with the password, so none is mailed. No ticket is kept: a mail is nothing that a shutdown
        // could lose, and a caller who stops polling must not hold it up.
        if env.enter().1 {
            return Err(LoginError::NotRun(TokenError::ShutDown));
        }
        if Handle::try_current().is_err() {
            return Err(LoginError::NotRun(TokenError::NoRuntime));
        }
        let sent = env.in_time(env.issuer.send_otp(&self.identity)).await;
        match &sent {
            Ok(_) => tracing::info!(subject = %self.key, "one-time password mailed"),
            Err(error) => tracing::warn!(subject = %self.key, kind = ?error.kind(), "one-time password not mailed"),
        }
        sent.map_err(|error| match error.kind() {
            IssuerErrorKind::OtpTooEarly => LoginError::TooEarly {
                retry_at: self.engine.now() + RESEND_PAUSE,
            },
            _ => LoginError::Issuer(error),
        })
    }
}

impl OtpChallenge {
    /// Until when the password is good.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// From when on another password can be mailed: 60 seconds after the last.
    #[must_use]
    pub fn resend_at(&self) -> Timestamp {
        self.resend.until()
    }

    /// Logs in with what the person typed.
    ///
    /// Makes one attempt and never another. The attempt runs as a task of its own: dropping this future ends the wait, and a
    /// token that Transak issues is kept all the same. <https://docs.transak.com/api/whitelabel/user/verify-user-otp>
    ///
    /// # Errors
    ///
    /// [`VerifyError`], which gives the challenge back if another try may help.
    pub async fn verify(self, otp: Otp) -> Result<AccessToken, VerifyError> {
        let env = self.session.engine.env().clone();
        if env.time.now() >= self.expires_at {
            return Err(VerifyError {
                reason: LoginError::ChallengeExpired,
                challenge: None,
            });
        }
        if let Err(reason) = self.session.engine.serve_by(AuthMethod::TransakAuth) {
            return Err(VerifyError {
                reason: LoginError::NotRun(reason),
                challenge: Some(Box::new(self)),
            });
        }
        let (ticket, closed) = env.enter();
        let runtime = match Handle::try_current() {
            Ok(runtime) if !closed => runtime,
            outside => {
                let reason = outside.map_or(TokenError::NoRuntime, |_| TokenError::ShutDown);
                return Err(VerifyError {
                    reason: LoginError::NotRun(reason),
                    challenge: Some(Box::new(self)),
                });
            }
        };
        let (session, state) = (self.session.clone(), self.state.clone());
        let task = env.tasks.spawn_on(
            async move {
                let env = session.engine.env();
                let call = env.issuer.verify_otp(&session.identity, &otp, &state);
                let grant = env.in_time(call).await?;
                Ok(session.logged_in(grant).await)
            },
            &runtime,
        );
        drop(ticket);
        match task.await {
            Ok(Ok(token)) => Ok(token),
            Ok(Err(error)) => Err(self.not_accepted(error)),
            Err(end) => Err(VerifyError {
                reason: LoginError::NotRun(if end.is_panic() {
                    TokenError::Panicked
                } else {
                    TokenError::Interrupted
                }),
                challenge: Some(Box::new(self)),
            }),
        }
    }

    /// Mails another password; the one before is of no use then.
    ///
    /// # Errors
    ///
    /// [`LoginError::TooEarly`] before [`resend_at`](Self::resend_at), without a call; [`LoginError::Issuer`] if the call
    /// failed. The challenge stays as it was.
    pub async fn resend(&mut self) -> Result<(), LoginError> {
        self.resend.rebase(self.session.engine.now());
        if !self.resend.is_over(self.session.engine.now()) {
            return Err(LoginError::TooEarly {
                retry_at: self.resend.until(),
            });
        }
        *self = self.session.begin_login().await?;
        Ok(())
    }

    /// The challenge as text, to be kept until the person has the password. The text is a secret.
    #[must_use]
    pub fn to_stored(&self) -> StoredChallenge {
        StoredChallenge::write(&self.session.key, &self.state, self.resend, self.expires_at)
    }

    fn not_accepted(self, error: IssuerError) -> VerifyError {
        tracing::warn!(subject = %self.session.key, kind = ?error.kind(), "one-time password not accepted");
        let kept = matches!(
            error.kind(),
            IssuerErrorKind::InvalidOtp
                | IssuerErrorKind::Transient
                | IssuerErrorKind::Unknown
                | IssuerErrorKind::RateLimited { .. }
        );
        VerifyError {
            reason: LoginError::Issuer(error),
            challenge: kept.then(|| Box::new(self)),
        }
    }
}
