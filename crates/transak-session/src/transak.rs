//! The entry: one per environment and API key.

mod builder;
mod registry;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::Engine;
use crate::env::Env;
use crate::events::EventStream;
use crate::identity::{RecordKey, Tenant, TenantId, UserIdentity, UserKey};
use crate::partner::PartnerHandle;
use crate::policy::UserPolicy;
use crate::reliance::VouchedUser;
use crate::store::{Forecast, StoreError};
use crate::user::{UserSession, UserState, UserWorld};

pub use builder::{BuildError, TransakBuilder};
use registry::Registry;

/// Tokens and sessions of one environment and API key. Cheap to clone; have one per process, because partner tokens are
/// minted once for all who share it.
///
/// ```
/// use transak_session::{Transak, UserIdentity};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let transak = Transak::builder().api_key("your-api-key").api_secret("your-api-secret").build()?;
/// let user = transak.user(UserIdentity::parse("jane@example.com", "203.0.113.7")?);
/// assert!(user.current().is_none(), "nobody has logged in yet");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Transak {
    inner: Arc<Inner>,
}

struct Inner {
    env: Arc<Env>,
    tenant: Tenant,
    user_policy: UserPolicy,
    partner: PartnerHandle,
    users: Registry,
}

impl Transak {
    /// Begins a configuration.
    pub fn builder() -> TransakBuilder {
        TransakBuilder::default()
    }

    /// The name under which records of this environment and API key are stored.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.inner.tenant.id()
    }

    /// The partner access token.
    #[must_use]
    pub fn partner(&self) -> &PartnerHandle {
        &self.inner.partner
    }

    /// A user's session. No I/O; keep the handle for as long as the user is served.
    #[must_use]
    pub fn user(&self, identity: UserIdentity) -> UserSession {
        let key = self.inner.tenant.user_key(identity.email());
        let engine = self.engine_of(key);
        UserSession { engine, key, identity }
    }

    /// A user whom you have authenticated yourself and for whom you vouch (Auth Reliance). No I/O.
    ///
    /// The first call settles that this user is served so; a [`UserSession`] of the same user answers
    /// [`TokenError::OtherMethod`](crate::TokenError::OtherMethod) from then on, and the other way round.
    #[must_use]
    pub fn vouch_for(&self, identity: UserIdentity) -> VouchedUser {
        let key = self.inner.tenant.user_key(identity.email());
        VouchedUser::new(self.engine_of(key), self.inner.partner.clone(), key, identity)
    }

    pub(crate) fn env(&self) -> &Arc<Env> {
        &self.inner.env
    }

    /// How many of the stored sessions are kept alive, are due, and lapse within each horizon if nothing is done.
    ///
    /// # Errors
    ///
    /// What the store failed in.
    pub async fn forecast(&self, horizons: &[Duration]) -> Result<Forecast, StoreError> {
        self.inner.env.store.forecast(self.tenant(), horizons).await
    }

    pub(crate) fn engine_of(&self, key: UserKey) -> Arc<Engine<UserState>> {
        let inner = &self.inner;
        inner.users.get_or_insert(key, || {
            let world = UserWorld {
                key,
                env: Arc::clone(&inner.env),
                window: inner.user_policy.window,
            };
            Engine::new(Arc::clone(&inner.env), inner.user_policy, world)
        })
    }

    /// The engine of a user who is at hand; none is made.
    pub(crate) fn engine_at_hand(&self, key: UserKey) -> Option<Arc<Engine<UserState>>> {
        self.inner.users.get(&key)
    }

    /// Under which key the partner token is stored.
    pub(crate) fn partner_key(&self) -> RecordKey {
        self.inner.tenant.partner_key()
    }

    /// What happens to tokens from now on: logins, renewals, mints, and what keeps them from happening.
    ///
    /// Bounded by [`TransakBuilder::event_capacity`]; a subscriber that reads too slowly is told how many it has missed.
    ///
    /// ```no_run
    /// use transak_session::{Delivery, SessionEvent, Transak};
    ///
    /// # async fn run(transak: Transak) {
    /// let mut events = transak.events();
    /// while let Some(delivery) = events.next().await {
    ///     match delivery {
    ///         Delivery::Event(SessionEvent::OtpRequired { user, cause }) => println!("{user}: {cause}"),
    ///         Delivery::Event(SessionEvent::ContestedMinter) => println!("who else mints with this key?"),
    ///         Delivery::Event(other) => println!("{}", other.name()),
    ///         Delivery::Missed(count) => println!("{count} events came too fast"),
    ///     }
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn events(&self) -> EventStream {
        self.inner.env.events.subscribe()
    }

    /// The generated client with the API key, for operations that need no token.
    #[must_use]
    pub fn client(&self) -> &transak_client::Client {
        &self.inner.env.client
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
            .field("environment", self.inner.env.client.environment())
            .field("partner", &self.inner.partner.status())
            .finish_non_exhaustive()
    }
}
