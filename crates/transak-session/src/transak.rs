//! The entry: one per environment and API key.

mod builder;
mod registry;

use std::fmt;
use std::sync::Arc;

use crate::engine::{Engine, Env};
use crate::events::EventStream;
use crate::identity::{Tenant, UserIdentity};
use crate::issuer::Issuer;
use crate::partner::PartnerHandle;
use crate::policy::UserPolicy;
use crate::store::SessionStore;
use crate::user::{UserSession, UserWorld};

pub use builder::{BuildError, TransakBuilder};
use registry::Registry;

/// Tokens and sessions of one environment and API key. Cheap to clone; have one per process, because partner tokens are
/// minted once for all who share it.
#[derive(Clone)]
pub struct Transak {
    inner: Arc<Inner>,
}

struct Inner {
    env: Arc<Env>,
    tenant: Tenant,
    issuer: Arc<dyn Issuer>,
    store: Arc<dyn SessionStore>,
    client: transak_client::Client,
    user_policy: UserPolicy,
    partner: PartnerHandle,
    users: Registry,
}

impl Transak {
    /// Begins a configuration.
    pub fn builder() -> TransakBuilder {
        TransakBuilder::default()
    }

    /// The partner access token.
    #[must_use]
    pub fn partner(&self) -> &PartnerHandle {
        &self.inner.partner
    }

    /// A user's session. No I/O; keep the handle for as long as the user is served.
    #[must_use]
    pub fn user(&self, identity: UserIdentity) -> UserSession {
        let inner = &self.inner;
        let key = inner.tenant.user_key(identity.email());
        let engine = inner.users.get_or_insert(key, || {
            let world = UserWorld {
                key,
                issuer: Arc::clone(&inner.issuer),
                store: Arc::clone(&inner.store),
                time: Arc::clone(&inner.env.time),
                events: inner.env.events.clone(),
                window: inner.user_policy.window,
            };
            Engine::new(Arc::clone(&inner.env), inner.user_policy, world)
        });
        UserSession {
            engine,
            issuer: Arc::clone(&inner.issuer),
            key,
            identity,
            client: inner.client.clone(),
        }
    }

    /// What happens to tokens from now on: logins, renewals, mints, and what keeps them from happening.
    ///
    /// Bounded by [`TransakBuilder::event_capacity`]; a subscriber that reads too slowly is told how many it has missed.
    #[must_use]
    pub fn events(&self) -> EventStream {
        self.inner.env.events.subscribe()
    }

    /// The generated client with the API key, for operations that need no token.
    #[must_use]
    pub fn client(&self) -> &transak_client::Client {
        &self.inner.client
    }

    /// Lets no new mint, renewal, login or logout begin and waits for those under way, so that no issued token is lost.
    ///
    /// Tokens that are usable are still served. Dropping the future ends the wait only. Every wait ends, because every step
    /// under way has a deadline.
    pub async fn shutdown(&self) {
        self.inner.env.shutdown().await;
    }
}

impl fmt::Debug for Transak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transak")
            .field("environment", self.inner.client.environment())
            .field("partner", &self.inner.partner.status())
            .finish_non_exhaustive()
    }
}
