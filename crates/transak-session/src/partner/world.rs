//! Carries out what the partner machine asks for.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::machine::{Claimed, Effect, Event, Hold, MintFailure, PartnerState, Saved};
use crate::engine::World;
use crate::env::Env;
use crate::events::{SessionEvent, Subject};
use crate::identity::RecordKey;
use crate::issuer::{IssuerError, IssuerErrorKind};
use crate::policy::{ASSUMED_PARTNER_TOKEN_LIFE, Limits, PartnerPolicy};
use crate::store::{Claim, Lease, Record, Swap, Version};
use crate::token::{AccessToken, Issued};

#[derive(Debug)]
pub(crate) struct PartnerWorld {
    pub(crate) key: RecordKey,
    pub(crate) env: Arc<Env>,
    pub(crate) policy: PartnerPolicy,
    /// Differs between processes.
    pub(crate) salt: u32,
}

impl PartnerWorld {
    async fn read(&self) -> Event {
        let there = self.env.store.load(&self.key).await;
        Event::Read(there.map_err(|error| {
            tracing::warn!(%error, "the partner token could not be read");
            Arc::new(error)
        }))
    }

    /// Pauses for 50 to 400 ms: different in each process, so that they do not ask in step.
    async fn poll(&self, count: u32) -> Event {
        let draw = AccessToken::none().fingerprint().draw(self.salt.wrapping_add(count));
        self.env.clock.sleep(Duration::from_millis(50 + draw % 351)).await;
        self.read().await
    }

    async fn claim(&self) -> Event {
        let asked = self.env.time.elapsed();
        let span = self.env.limits.lease;
        Event::Claimed(match self.env.store.claim(&self.key, span).await {
            Ok(Claim::Granted { lease, record }) => {
                // Its call, if there was one, was given up by the end of the lease, and may have been sent just before.
                let attempted = lease.abandoned.map(|ago| ago.saturating_sub(span));
                if attempted.is_some() {
                    tracing::warn!("a process that was to mint a partner token has not come back");
                }
                Ok(Claimed::Granted {
                    hold: Hold { lease, asked },
                    record,
                    attempted,
                })
            }
            Ok(Claim::Busy { retry_in, record }) => Ok(Claimed::Busy {
                retry_in: retry_in.min(span),
                record,
            }),
            Err(error) => {
                tracing::warn!(%error, "the lease to mint a partner token could not be taken");
                Err(Arc::new(error))
            }
        })
    }

    async fn mint(&self, hold: Option<Hold>) -> Event {
        let Limits { lease: span, call, .. } = self.env.limits;
        if hold.is_some_and(|hold| self.env.time.elapsed().saturating_sub(hold.asked) + call > span) {
            tracing::warn!("too little is left of the lease to mint a partner token");
            return Event::Minted(Err(MintFailure::NoLease));
        }
        let answer = tokio::select! {
            biased;
            answer = self.env.issuer.mint() => answer,
            () = self.env.clock.sleep(call) => Err(IssuerError::new(IssuerErrorKind::Unknown)),
        };
        Event::Minted(match answer {
            Ok(grant) => {
                let now = self.env.time.now();
                let due = |from, until, draw| self.policy.due_at(from, until, draw);
                Ok(Issued::from_grant(grant, now, ASSUMED_PARTNER_TOKEN_LIFE, due))
            }
            Err(error) => Err(MintFailure::Issuer(Arc::new(error))),
        })
    }

    async fn save(&self, record: Record, expected: Option<Version>, finishing: Option<Lease>) -> Event {
        let written = self
            .env
            .store
            .swap(&self.key, expected, record, finishing.as_ref())
            .await;
        Event::Saved(match written {
            Ok(Swap::Stored(version)) => Ok(Saved::As(version)),
            Ok(Swap::Conflict(there)) => {
                tracing::debug!("another process stored a partner token at the same time");
                Ok(Saved::Conflict(there))
            }
            Err(error) => {
                tracing::warn!(%error, "the partner token could not be written");
                Err(Arc::new(error))
            }
        })
    }

    async fn release(&self, lease: &Lease) -> Event {
        if let Err(error) = self.env.store.release(lease).await {
            tracing::warn!(%error, "the lease to mint a partner token could not be given back; it ends by itself");
        }
        Event::Released
    }
}

#[async_trait]
impl World<PartnerState> for PartnerWorld {
    async fn perform(&self, effect: Effect) -> Event {
        match effect {
            Effect::Read => self.read().await,
            Effect::Poll { count } => self.poll(count).await,
            Effect::Claim => self.claim().await,
            Effect::Mint { hold } => self.mint(hold).await,
            Effect::Save {
                record,
                expected,
                finishing,
            } => self.save(record, expected, finishing).await,
            Effect::Release { lease } => self.release(&lease).await,
        }
    }

    fn span(&self) -> tracing::Span {
        tracing::info_span!(parent: None, "flight", subject = %Subject::Partner)
    }

    fn tell(&self, note: SessionEvent) {
        self.env.events.emit(note);
    }
}
