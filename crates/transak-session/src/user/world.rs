//! Carries out what the user machine asks for.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::machine::{Claimed, Effect, Event, Note, Saved, Tenure, UserState};
use crate::clock::Timestamp;
use crate::engine::World;
use crate::env::Env;
use crate::identity::{UserIp, UserKey};
use crate::issuer::{IssuerError, IssuerErrorKind};
use crate::policy::{ASSUMED_USER_TOKEN_LIFE, RefreshWindow};
use crate::store::{Claim, Lease, Record, StoreError, Swap, Version};
use crate::token::{Grant, Issued};

/// Knows no e-mail address: the record has all that a renewal needs, so sessions can be kept alive that nobody asked for.
#[derive(Debug)]
pub(crate) struct UserWorld {
    pub(crate) key: UserKey,
    pub(crate) env: Arc<Env>,
    pub(crate) window: RefreshWindow,
}

/// Differs each time and in each process, so that processes that wait for the same thing do not ask in step.
fn jitter(within: Duration) -> Duration {
    let draw = RandomState::new().hash_one(0_u8);
    Duration::from_millis((within.as_millis().saturating_mul(u128::from(draw)) >> 64) as u64)
}

impl UserWorld {
    fn unread(&self, error: StoreError) -> Arc<StoreError> {
        tracing::warn!(subject = %self.key, %error, "a session could not be read");
        Arc::new(error)
    }

    async fn claim(&self) -> Event {
        let (since, span) = (self.env.time.elapsed(), self.env.limits.lease);
        let claimed = match self.env.store.claim(&self.key.record(), span).await {
            Ok(Claim::Granted { lease, record }) => {
                if let Some(ago) = lease.abandoned {
                    tracing::info!(subject = %self.key, ?ago, "the last one to claim this session never came back");
                }
                Ok(Claimed::Ours {
                    tenure: Tenure { lease, since, span },
                    record,
                })
            }
            Ok(Claim::Busy { retry_in, record }) => Ok(Claimed::Elsewhere {
                retry_in: retry_in + jitter(Duration::from_secs(1)),
                record,
            }),
            Err(error) => Err(self.unread(error)),
        };
        Event::Claimed(claimed)
    }

    async fn poll(&self) -> Event {
        let slept = Duration::from_millis(50) + jitter(Duration::from_millis(350));
        self.env.clock.sleep(slept).await;
        let result = self.env.store.load(&self.key.record()).await;
        Event::Polled {
            result: result.map_err(|error| self.unread(error)),
            slept,
        }
    }

    /// Whether enough of the lease is left for a call that takes as long as it may; prolongs it if not.
    async fn in_tenure(&self, tenure: &Tenure) -> bool {
        let limits = &self.env.limits;
        let left = |since: Duration, span: Duration| (since + span).saturating_sub(self.env.time.elapsed());
        if left(tenure.since, tenure.span) >= limits.call {
            return true;
        }
        let since = self.env.time.elapsed();
        let extended = self.env.store.extend(&tenure.lease, limits.lease).await;
        matches!(extended, Ok(true)) && left(since, limits.lease) >= limits.call
    }

    /// Awaits a call under a lease, but not for longer than the lease allows.
    async fn within_call<T>(&self, call: impl Future<Output = Result<T, IssuerError>>) -> Result<T, IssuerError> {
        tokio::select! {
            biased;
            answer = call => answer,
            () = self.env.clock.sleep(self.env.limits.call) => Err(IssuerError::new(IssuerErrorKind::Unknown)),
        }
    }

    async fn refresh(&self, issued: &Issued, ip: UserIp, tenure: Option<&Tenure>) -> Event {
        if let Some(tenure) = tenure
            && !self.in_tenure(tenure).await
        {
            tracing::warn!(subject = %self.key, "a lease ran out before the renewal could be sent, so it was not");
            return Event::TooLate;
        }
        let answer = self.within_call(self.env.issuer.refresh(&issued.token, ip)).await;
        let refused = match &answer {
            Ok(_) => Some(false),
            Err(error) => (error.kind() == IssuerErrorKind::Rejected).then_some(true),
        };
        // A token past its time is refused for that.
        if let Some(refused) = refused.filter(|_| issued.usable(self.env.time.now())) {
            let elapsed = self.env.time.elapsed();
            self.env.guard.count(refused, elapsed, &self.env.events);
        }
        match answer {
            Ok(grant) => {
                let new = issue(grant, self.env.time.now(), &self.window);
                Event::Refreshed(Ok(new))
            }
            Err(error) => Event::Refreshed(Err(Arc::new(error))),
        }
    }

    async fn probe(&self, issued: &Issued, ip: UserIp) -> Event {
        let result = self.within_call(self.env.issuer.probe(&issued.token, ip)).await;
        tracing::debug!(subject = %self.key, token = %issued.fingerprint(),
            kind = ?result.as_ref().err().map(IssuerError::kind), "asked Transak about a suspect token");
        Event::Probed {
            result: result.map_err(Arc::new),
            guarded: self.env.guard.is_tripped(),
        }
    }

    async fn save(&self, record: Record, expected: Option<Version>, finishing: Option<Lease>) -> Event {
        let key = self.key.record();
        let written = self.env.store.swap(&key, expected, record, finishing.as_ref()).await;
        Event::Saved(match written {
            Ok(Swap::Stored(version)) => Ok(Saved::As(version)),
            Ok(Swap::Conflict(there)) => {
                tracing::debug!(subject = %self.key, "another process changed the session at the same time");
                Ok(Saved::Conflict(there))
            }
            Err(error) => {
                tracing::warn!(subject = %self.key, %error, "a session could not be written");
                Err(Arc::new(error))
            }
        })
    }

    async fn release(&self, lease: Lease) -> Event {
        if let Err(error) = self.env.store.release(&lease).await {
            tracing::warn!(subject = %self.key, %error, "a lease could not be given back; it ends by itself");
        }
        Event::Released
    }

    async fn revoke(&self, issued: &Issued, ip: UserIp) -> Event {
        let result = self.env.issuer.logout(&issued.token, ip).await;
        if let Err(error) = &result {
            tracing::warn!(subject = %self.key, token = %issued.fingerprint(), kind = ?error.kind(),
                "Transak could not be told of a logout");
        }
        Event::Revoked(result.map_err(Arc::new))
    }
}

/// Puts a received user token together with its life.
pub(crate) fn issue(grant: Grant, now: Timestamp, window: &RefreshWindow) -> Issued {
    let life = ASSUMED_USER_TOKEN_LIFE;
    Issued::from_grant(grant, now, life, |from, until, draw| window.due_at(from, until, draw))
}

#[async_trait]
impl World<UserState> for UserWorld {
    async fn perform(&self, effect: Effect) -> Event {
        match effect {
            Effect::Read => {
                let there = self.env.store.load(&self.key.record()).await;
                Event::Read(there.map_err(|error| self.unread(error)))
            }
            Effect::Claim => self.claim().await,
            Effect::Poll => self.poll().await,
            Effect::Refresh { issued, ip, tenure } => self.refresh(&issued, ip, tenure.as_ref()).await,
            Effect::Probe { issued, ip } => self.probe(&issued, ip).await,
            Effect::Save {
                record,
                expected,
                finishing,
            } => self.save(record, expected, finishing).await,
            Effect::Release(lease) => self.release(lease).await,
            Effect::Revoke { issued, ip } => self.revoke(&issued, ip).await,
        }
    }

    fn span(&self) -> tracing::Span {
        tracing::info_span!(parent: None, "flight", subject = %self.key)
    }

    fn tell(&self, note: Note) {
        self.env.events.emit(note.about(self.key));
    }
}
