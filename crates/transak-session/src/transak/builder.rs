//! Configuration, checked before anything runs.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use transak_client::operations::Credential;
use transak_client::{Client, Environment, Secret};

use super::registry::Registry;
use super::{Inner, Transak};
use crate::clock::{Clock, SystemClock, Timekeeper};
use crate::engine::Engine;
use crate::env::Env;
use crate::events::Events;
use crate::guard::LapseGuard;
use crate::identity::Tenant;
use crate::issuer::Issuer;
use crate::issuer::http::HttpIssuer;
use crate::observe::Observed;
use crate::partner::{PartnerHandle, PartnerWorld};
use crate::policy::{Limits, PartnerPolicy, UserPolicy};
use crate::store::{MemoryStore, SessionStore};

/// Configures a [`Transak`]. Staging and the machine's clock by default; sessions are kept in memory.
///
/// [`Transak`] shows the least of it, [`SqliteStore`](crate::store::SqliteStore) how sessions are kept in a file.
#[derive(Default)]
#[must_use]
pub struct TransakBuilder {
    environment: Environment,
    api_key: Option<Secret>,
    api_secret: Option<Secret>,
    http: Option<Client>,
    clock: Option<Arc<dyn Clock>>,
    store: Option<Arc<dyn SessionStore>>,
    issuer: Option<Arc<dyn Issuer>>,
    user_policy: UserPolicy,
    partner_policy: PartnerPolicy,
    limits: Limits,
    sessions: Option<usize>,
    event_capacity: Option<usize>,
    own_time_only: bool,
}

/// A configuration that cannot work.
///
/// ```
/// use transak_session::{BuildError, Transak};
///
/// assert!(matches!(Transak::builder().build(), Err(BuildError::ApiKey)));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The API key is missing or empty.
    #[error("an API key is required")]
    ApiKey,
    /// The API secret was given, but is empty.
    #[error("the API secret is empty")]
    ApiSecret,
    /// A bound is zero.
    #[error("{0} must be at least 1")]
    Zero(&'static str),
    /// No HTTP client could be made.
    #[error(transparent)]
    Client(#[from] transak_client::Error),
}

impl TransakBuilder {
    /// Where Transak is. Each environment has its own API key and secret.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// The partner's API key. Required.
    pub fn api_key(mut self, key: impl Into<Secret>) -> Self {
        self.api_key = Some(key.into());
        self
    }

    /// The partner's API secret. Required to mint partner tokens, and for nothing else.
    pub fn api_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.api_secret = Some(secret.into());
        self
    }

    /// An HTTP client that was configured elsewhere. Its environment is kept; its credentials are replaced.
    pub fn http(mut self, client: Client) -> Self {
        self.http = Some(client);
        self
    }

    /// Where the time comes from.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Where tokens are kept.
    pub fn store(mut self, store: impl SessionStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Where tokens are kept, shared with others.
    pub fn shared_store(mut self, store: Arc<dyn SessionStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// Who issues tokens, instead of Transak's HTTP API.
    pub fn issuer(mut self, issuer: Arc<dyn Issuer>) -> Self {
        self.issuer = Some(issuer);
        self
    }

    /// When user tokens are renewed.
    pub fn user_policy(mut self, policy: UserPolicy) -> Self {
        self.user_policy = policy;
        self
    }

    /// When partner tokens are minted.
    pub fn partner_policy(mut self, policy: PartnerPolicy) -> Self {
        self.partner_policy = policy;
        self
    }

    /// How many callers may wait for one token at a time; more get [`TokenError::Overloaded`](crate::TokenError). 10,000 by
    /// default.
    pub fn max_waiting_callers(mut self, callers: usize) -> Self {
        self.limits.joiners = callers;
        self
    }

    /// How many mints, renewals and probes may be under way at a time; more wait for up to 5 seconds and are put off after
    /// that. 64 by default. Logins do not queue.
    pub fn max_renewals_under_way(mut self, calls: usize) -> Self {
        self.limits.calls = calls;
        self
    }

    /// How many sessions are kept at hand besides those in use. 100,000 by default; the others are in the store.
    pub fn max_sessions_at_hand(mut self, sessions: usize) -> Self {
        self.sessions = Some(sessions);
        self
    }

    /// How many events are kept for a slow subscriber of [`Transak::events`]. 1,024 by default.
    pub fn event_capacity(mut self, events: usize) -> Self {
        self.event_capacity = Some(events);
        self
    }

    /// Does not correct the clock by the `Date` of Transak's answers: for tests whose imitation of Transak does not follow
    /// the test's own clock.
    pub fn own_time_only(mut self) -> Self {
        self.own_time_only = true;
        self
    }

    /// Checks the configuration. No I/O.
    ///
    /// # Errors
    ///
    /// [`BuildError`].
    pub fn build(self) -> Result<Transak, BuildError> {
        let api_key = self.api_key.filter(|k| !k.is_empty()).ok_or(BuildError::ApiKey)?;
        if self.api_secret.as_ref().is_some_and(Secret::is_empty) {
            return Err(BuildError::ApiSecret);
        }
        let sessions = self.sessions.unwrap_or(100_000);
        for (bound, name) in [
            (self.limits.joiners, "max_waiting_callers"),
            (self.limits.calls, "max_renewals_under_way"),
            (sessions, "max_sessions_at_hand"),
            (self.event_capacity.unwrap_or(1_024), "event_capacity"),
        ] {
            if bound == 0 {
                return Err(BuildError::Zero(name));
            }
        }
        let http = match self.http {
            Some(client) => client.with_credentials(transak_client::Credentials::new()),
            None => Client::builder().environment(self.environment).build()?,
        };
        let client = http.with_credential(Credential::ApiKey, api_key.clone());
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let events = Events::new(self.event_capacity.unwrap_or(1_024));
        let time = Arc::new(Timekeeper::new(Arc::clone(&clock), events.clone(), !self.own_time_only));
        let store = self
            .store
            .unwrap_or_else(|| Arc::new(MemoryStore::with_clock(sessions, Arc::clone(&clock))));
        let tenant = Tenant::new(&client.environment().label(), api_key.expose());
        let issuer = self.issuer.unwrap_or_else(|| {
            // Only the issuer ever sees the API secret.
            let client = match self.api_secret {
                Some(secret) => client.with_credential(Credential::ApiSecret, secret),
                None => client.clone(),
            };
            let places = self.limits.calls;
            Arc::new(HttpIssuer::new(
                client,
                api_key,
                Arc::clone(&time),
                Arc::clone(&clock),
                places,
            ))
        });
        let env = Arc::new(Env {
            store: Arc::new(Observed::new(store, &time)),
            issuer: Arc::new(Observed::new(issuer, &time)),
            client,
            clock,
            time,
            events,
            limits: self.limits,
            guard: LapseGuard::default(),
            tasks: TaskTracker::new(),
            closed: AtomicBool::new(false),
            stop: CancellationToken::new(),
        });
        let world = PartnerWorld {
            key: tenant.partner_key(),
            env: Arc::clone(&env),
            policy: self.partner_policy,
            // The seed of the standard hash maps: different in each process, which is all that is asked of it.
            salt: RandomState::new().hash_one(0_u8) as u32,
        };
        let partner = Engine::new(Arc::clone(&env), self.partner_policy, world);
        Ok(Transak {
            inner: Arc::new(Inner {
                partner: PartnerHandle::new(partner),
                env,
                tenant,
                user_policy: self.user_policy,
                users: Registry::new(sessions),
            }),
        })
    }
}

impl fmt::Debug for TransakBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransakBuilder")
            .field("environment", &self.environment)
            .field("api_key", &self.api_key)
            .field("api_secret", &self.api_secret)
            .finish_non_exhaustive()
    }
}
