//! Carries out what the user machine asks for.

use std::sync::Arc;

use async_trait::async_trait;

use super::machine::{Effect, Event, Note, Saved, UserState};
use crate::clock::Timestamp;
use crate::engine::{Env, World};
use crate::identity::{UserIp, UserKey};
use crate::policy::{ASSUMED_USER_TOKEN_LIFE, RefreshWindow};
use crate::store::{Record, Swap, Version};
use crate::token::{Grant, Issued};

#[derive(Debug)]
pub(crate) struct UserWorld {
    pub(crate) key: UserKey,
    pub(crate) env: Arc<Env>,
    pub(crate) window: RefreshWindow,
}

impl UserWorld {
    async fn refresh(&self, issued: &Issued, ip: UserIp) -> Event {
        match self.env.issuer.refresh(&issued.token, ip).await {
            Ok(grant) => {
                let new = issue(grant, self.env.time.now(), &self.window);
                tracing::info!(user = %self.key, former = %issued.fingerprint(), fingerprint = %new.fingerprint(),
                    expires_at = %new.expires_at, due_at = %new.due_at, "user token renewed");
                Event::Refreshed(Ok(new))
            }
            Err(error) => {
                tracing::warn!(user = %self.key, fingerprint = %issued.fingerprint(), kind = ?error.kind(),
                    "renewing a user token failed");
                Event::Refreshed(Err(Arc::new(error)))
            }
        }
    }

    async fn save(&self, record: Record, expected: Option<Version>) -> Event {
        let key = self.key.record();
        let written = self.env.store.swap(&key, expected, record, None).await;
        Event::Saved(match written {
            Ok(Swap::Stored(version)) => Ok(Saved::As(version)),
            Ok(Swap::Conflict(there)) => {
                tracing::info!(user = %self.key, "another process changed the session at the same time");
                Ok(Saved::Conflict(there))
            }
            Err(error) => {
                tracing::warn!(user = %self.key, %error, "a session could not be stored; it is used from memory");
                Err(Arc::new(error))
            }
        })
    }

    async fn revoke(&self, issued: &Issued, ip: UserIp) -> Event {
        let result = self.env.issuer.logout(&issued.token, ip).await;
        match &result {
            Ok(()) => {
                tracing::info!(user = %self.key, fingerprint = %issued.fingerprint(), "user logged out");
            }
            Err(error) => {
                tracing::warn!(user = %self.key, fingerprint = %issued.fingerprint(), kind = ?error.kind(),
                    "Transak could not be told of a logout");
            }
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
            Effect::Read => match self.env.store.load(&self.key.record()).await {
                Ok(there) => Event::Read(Ok(there)),
                Err(error) => {
                    tracing::warn!(user = %self.key, %error, "a session could not be read");
                    Event::Read(Err(Arc::new(error)))
                }
            },
            Effect::Refresh { issued, ip } => self.refresh(&issued, ip).await,
            Effect::Save { record, expected } => self.save(record, expected).await,
            Effect::Revoke { issued, ip } => self.revoke(&issued, ip).await,
        }
    }

    fn tell(&self, note: Note) {
        self.env.events.emit(note.about(self.key));
    }
}
