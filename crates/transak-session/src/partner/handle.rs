//! The partner token from outside.

use std::fmt;
use std::sync::Arc;

use super::keys::VerificationKeys;
use super::machine::{Event, PartnerLabel, PartnerState};
use crate::clock::Timestamp;
use crate::engine::{Engine, TokenRef};
use crate::error::TokenError;
use crate::machine::Machine;
use crate::token::{AccessToken, Issued, TokenFingerprint};

/// The partner access token of one environment and API key. Cheap to clone.
///
/// ```no_run
/// # async fn run(transak: transak_session::Transak) -> Result<(), Box<dyn std::error::Error>> {
/// let partner = transak.partner();
/// let orders = partner
///     .call(|client| async move { client.get_orders().send().await })
///     .await?;
/// println!("{:?} until {:?}", partner.status().label, partner.status().expires_at);
/// # Ok(())
/// # }
/// ```
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
///
/// See [`PartnerHandle::status`], and [`PartnerHandle`] for its use.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PartnerStatus {
    /// The state in a word.
    pub label: PartnerLabel,
    /// Which token is served.
    pub fingerprint: Option<TokenFingerprint>,
    /// When it was issued.
    pub issued_at: Option<Timestamp>,
    /// From when on it is replaced.
    pub due_at: Option<Timestamp>,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
    /// From when on another mint is possible, as far as this process knows; `None` if it is possible now.
    pub next_mint_at: Option<Timestamp>,
    /// How many former tokens are kept for the verification of signatures.
    pub retired: usize,
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
        tracing::debug!(token = %which, "a call met a 401 with the partner token");
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
                Ok(()) => match self.engine.look(|s| s.failure().filter(|_| s.doubts(which))) {
                    // The answer to an earlier report of this token still holds.
                    Some(failure) => Err(failure),
                    // Nothing was held under that name: an ordinary request for a token.
                    None => self.ready().await,
                },
            },
        }
    }

    /// The tokens to verify a webhook's signature with, as far as this process knows. No I/O.
    #[must_use]
    pub fn verification_keys(&self) -> VerificationKeys {
        let now = self.engine.now();
        VerificationKeys::new(self.engine.look(|state| state.keys(now)))
    }

    /// The same after a look at the store: for a signature that none of the known tokens made, because another process may
    /// have minted. Mints nothing.
    ///
    /// All callers share one look, and there is at most one in two seconds: forged webhooks do not reach the store any
    /// oftener, and get what is known. Dropping the future ends the wait, not the look.
    ///
    /// # Errors
    ///
    /// [`TokenError::Store`] if the store failed, [`TokenError::ShutDown`] or [`TokenError::NoRuntime`] if it could not be
    /// asked; what is known can still be had from [`verification_keys`](Self::verification_keys).
    pub async fn verification_keys_fresh(&self) -> Result<VerificationKeys, TokenError> {
        let before = self.engine.look(|state| state.held().map(Issued::fingerprint));
        let other = || self.engine.look(|state| state.held().map(Issued::fingerprint)) != before;
        match self.engine.settle(Event::Look, other).await {
            // What a mint that was under way failed in is not what was asked.
            Ok(()) | Err(TokenError::Issuer(_) | TokenError::MintHeld { .. } | TokenError::Refused { .. }) => {
                Ok(self.verification_keys())
            }
            Err(error) => Err(error),
        }
    }

    /// What is known about the token. No I/O.
    #[must_use]
    pub fn status(&self) -> PartnerStatus {
        let now = self.engine.now();
        self.engine.look(|state| {
            let held = state.held().filter(|h| h.usable(now));
            PartnerStatus {
                label: state.label(now),
                fingerprint: held.map(Issued::fingerprint),
                issued_at: held.map(Issued::issued_at),
                due_at: held.map(Issued::due_at),
                expires_at: held.map(Issued::expires_at),
                next_mint_at: state.next_mint_at(now, self.engine.policy()),
                retired: state.retired_count(now),
                last_failure: state.failure(),
            }
        })
    }

    fn token_or(&self, outcome: Result<(), TokenError>) -> Result<AccessToken, TokenError> {
        match self.engine.usable_token(self.engine.now()) {
            Some(token) => Ok(token),
            // Without an attempt, what the last one was answered still holds.
            None => Err(outcome
                .err()
                .or_else(|| self.engine.look(PartnerState::failure))
                .unwrap_or(TokenError::Interrupted)),
        }
    }
}
