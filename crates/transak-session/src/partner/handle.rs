//! The partner token from outside.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::machine::{Effect, Event, PartnerLabel, PartnerState, Saved, Stored};
use crate::clock::Timestamp;
use crate::engine::{Engine, Env, TokenRef, World};
use crate::error::TokenError;
use crate::events::SessionEvent;
use crate::identity::RecordKey;
use crate::policy::{ASSUMED_PARTNER_TOKEN_LIFE, PartnerPolicy};
use crate::store::{Record, Swap, Versioned};
use crate::token::{AccessToken, Issued, TokenFingerprint};

/// The partner access token of one environment and API key. Cheap to clone.
#[derive(Clone)]
pub struct PartnerHandle {
    pub(crate) engine: Arc<Engine<PartnerState>>,
}

/// Status only: stores and issuers of others may be less careful with what they print.
impl fmt::Debug for PartnerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartnerHandle")
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

/// What is known about the partner token. Holds no token.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PartnerStatus {
    /// The state in a word.
    pub label: PartnerLabel,
    /// Which token is served.
    pub fingerprint: Option<TokenFingerprint>,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
    /// What the last attempt failed in; cleared by a success.
    pub last_failure: Option<TokenError>,
}

impl PartnerHandle {
    pub(crate) fn new(engine: Arc<Engine<PartnerState>>) -> Self {
        Self { engine }
    }

    /// The token to use now, without waiting: `None` if there is no usable one.
    ///
    /// Takes no lock and allocates nothing while the token is not due. A token that is due is still returned, and its
    /// replacement is started in the background if this is called inside a tokio runtime.
    #[must_use]
    pub fn current(&self) -> Option<TokenRef> {
        let now = self.engine.now();
        if let Some(token) = self.engine.quiet(now) {
            return Some(token);
        }
        // Without a runtime, or after shutdown, nothing can be started; what there is can still be used.
        let _ = self.engine.tell(Event::Wanted);
        self.engine.usable(now)
    }

    /// The token to use, minted if there is none. Waits only if there is no usable token.
    ///
    /// All callers wait for the same attempt. Dropping the future ends the wait; the attempt goes on and its token is kept.
    ///
    /// # Errors
    ///
    /// What kept a token from being issued; [`TokenError::MintHeld`] if the last mint is too recent for another. An error
    /// means that there is no usable token: a failed renewal of a good one is not reported here but in
    /// [`status`](Self::status).
    pub async fn ready(&self) -> Result<AccessToken, TokenError> {
        // Looked up first: if there is none, one attempt is to be begun here and not two.
        if self.engine.usable(self.engine.now()).is_some()
            && let Some(token) = self.current()
        {
            return Ok(token.clone());
        }
        let outcome = self
            .engine
            .settle(Event::Wanted, || self.engine.usable(self.engine.now()).is_some())
            .await;
        self.token_or(outcome)
    }

    /// Reports that Transak answered 401 to the token with this fingerprint, and returns the token to go on with.
    ///
    /// If that token has been replaced already, the newer one is returned. Otherwise the store is asked for a newer one;
    /// if there is none, one token is minted, at most once per minimum interval.
    ///
    /// Dropping the future ends the wait, not the attempt.
    ///
    /// # Errors
    ///
    /// [`TokenError::Refused`] if the last mint is too recent: a new token would meet the same 401. Error code 1002 also
    /// stands for servers that are not on the allow-list. The old token stays in service. Other errors as for
    /// [`ready`](Self::ready).
    pub async fn report_rejected(&self, which: TokenFingerprint) -> Result<AccessToken, TokenError> {
        let newer = |token: &AccessToken| token.fingerprint() != which;
        if let Some(token) = self.engine.usable_token(self.engine.now()).filter(newer) {
            return Ok(token);
        }
        tracing::info!(fingerprint = %which, "partner token rejected");
        let outcome = self
            .engine
            .settle(Event::Rejected(which), || {
                self.engine.usable(self.engine.now()).is_some_and(|t| newer(&t))
            })
            .await;
        match self.engine.usable_token(self.engine.now()).filter(newer) {
            Some(token) => Ok(token),
            None => match outcome {
                Err(error) => Err(error),
                // Nothing was held under that name: an ordinary request for a token.
                Ok(()) => self.ready().await,
            },
        }
    }

    /// What is known about the token. No I/O.
    #[must_use]
    pub fn status(&self) -> PartnerStatus {
        let now = self.engine.now();
        self.engine.look(|state| {
            let held = crate::machine::Machine::held(state).filter(|h| h.usable(now));
            PartnerStatus {
                label: state.label(now),
                fingerprint: held.map(Issued::fingerprint),
                expires_at: held.map(Issued::expires_at),
                last_failure: crate::machine::Machine::failure(state),
            }
        })
    }

    fn token_or(&self, outcome: Result<(), TokenError>) -> Result<AccessToken, TokenError> {
        match self.engine.usable_token(self.engine.now()) {
            Some(token) => Ok(token),
            None => Err(outcome.err().unwrap_or(TokenError::Interrupted)),
        }
    }
}

/// Carries out what the machine asks for.
#[derive(Debug)]
pub(crate) struct PartnerWorld {
    pub(crate) key: RecordKey,
    pub(crate) env: Arc<Env>,
    pub(crate) policy: PartnerPolicy,
    /// Differs between processes.
    pub(crate) salt: u32,
}

impl PartnerWorld {
    async fn mint(&self) -> Event {
        match self.env.issuer.mint().await {
            Ok(grant) => {
                let margin = self.policy.margin;
                let issued = Issued::from_grant(
                    grant,
                    self.env.time.now(),
                    ASSUMED_PARTNER_TOKEN_LIFE,
                    // A token that lives hardly longer than the margin is still used for half of its life.
                    |from, until, _| (until - margin).max(from + until.since(from) / 2),
                );
                tracing::info!(fingerprint = %issued.fingerprint(), expires_at = %issued.expires_at, "partner token minted");
                Event::Minted(Ok(issued))
            }
            Err(error) => {
                tracing::warn!(kind = ?error.kind(), "minting a partner token failed");
                Event::Minted(Err(Arc::new(error)))
            }
        }
    }

    async fn save(&self, issued: &Issued, expected: Option<crate::store::Version>) -> Event {
        let record = Record::partner(issued, Vec::new());
        let written = self.env.store.swap(&self.key, expected, record, None).await;
        Event::Saved(match written {
            Ok(Swap::Stored(version)) => Ok(Saved::As(version)),
            Ok(Swap::Conflict(there)) => {
                tracing::info!("another process stored a partner token at the same time");
                Ok(Saved::Conflict(self.stored(there)))
            }
            Err(error) => {
                tracing::warn!(%error, "a partner token could not be stored; it is used from memory");
                Err(Arc::new(error))
            }
        })
    }

    /// A token that is adopted comes due later here than where it was minted, by an eighth to a half of what is left then:
    /// if all who share it came due at one instant, each would mint and kill what the others have just minted.
    fn stored(&self, there: Option<Versioned>) -> Option<Stored> {
        let there = there?;
        let mut issued = there.record.issued()?;
        let eighth = issued.expires_at.since(issued.due_at) / 8;
        let draw = f64::from((issued.fingerprint().draw(self.salt) >> 32) as u32) / f64::from(u32::MAX);
        issued.due_at = issued.due_at + eighth + (eighth * 3).mul_f64(draw);
        Some(Stored {
            version: there.version,
            issued,
        })
    }
}

#[async_trait]
impl World<PartnerState> for PartnerWorld {
    async fn perform(&self, effect: Effect) -> Event {
        match effect {
            Effect::Read => match self.env.store.load(&self.key).await {
                Ok(there) => Event::Read(Ok(self.stored(there))),
                Err(error) => {
                    tracing::warn!(%error, "the partner token could not be read");
                    Event::Read(Err(Arc::new(error)))
                }
            },
            Effect::Mint => self.mint().await,
            Effect::Save { issued, expected } => self.save(&issued, expected).await,
        }
    }

    fn tell(&self, note: SessionEvent) {
        self.env.events.emit(note);
    }
}
