//! How a store is opened.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Config;
use transak_session::clock::Clock;
use transak_session::store::seal::Sealer;
use transak_session::store::{StoreError, StoreErrorKind};

use crate::store::PostgresStore;
use crate::{open, schema};

/// What the store asks of the server's settings before it starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// `fsync` is on, and `synchronous_commit` is not `off`: what was acknowledged survives a crash of the server. The default.
    #[default]
    Always,
    /// Nothing is asked: you vouch for the settings, or what is stored may be lost and users may have to log in again.
    Vouched,
}

/// Settings of a [`PostgresStore`].
#[must_use]
pub struct PostgresOptions {
    pub(crate) sealer: Arc<dyn Sealer>,
    pub(crate) manual_clock: Option<Arc<dyn Clock>>,
    pub(crate) url: String,
    pub(crate) schema: String,
    pub(crate) durability: Durability,
    pub(crate) connections: usize,
    pub(crate) connect_timeout: Duration,
    pub(crate) deadline: Duration,
    pub(crate) forecast_deadline: Duration,
    pub(crate) pooler: bool,
    pub(crate) hints: bool,
    pub(crate) migrate: bool,
    #[cfg(feature = "rustls")]
    pub(crate) root_certificates: Option<Vec<u8>>,
    #[cfg(feature = "rustls")]
    pub(crate) identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl PostgresOptions {
    /// The default settings for an address (`postgres://user:password@host/database`, or `key=value` pairs as `libpq` reads
    /// them) and a sealer: a [`KeyRing`](transak_session::store::seal::KeyRing), or one of your own.
    ///
    /// `sslmode=disable` in the address turns TLS off. Without it, TLS is required, and the server's certificate checked,
    /// unless the server is on this machine. Several hosts are tried in their order; say `target_session_attrs=read-write`
    /// to find the one that takes writes.
    pub fn new(url: impl Into<String>, sealer: impl Sealer) -> Self {
        Self {
            sealer: Arc::new(sealer),
            manual_clock: None,
            url: url.into(),
            schema: "transak".to_owned(),
            durability: Durability::default(),
            connections: 8,
            connect_timeout: Duration::from_secs(5),
            deadline: Duration::from_secs(5),
            forecast_deadline: Duration::from_secs(60),
            pooler: false,
            hints: true,
            migrate: true,
            #[cfg(feature = "rustls")]
            root_certificates: None,
            #[cfg(feature = "rustls")]
            identity: None,
        }
    }

    /// The schema that holds the store's tables, `transak` by default: 1 to 48 lower-case letters, digits and `_`, beginning
    /// with a letter. Nothing else may be in it.
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// What the server's settings have to be.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// The most connections, 8 by default, at least 1. Each carries one call at a time; more calls wait, within their
    /// deadline.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections.clamp(1, 10_000);
        self
    }

    /// How long making a connection may take. 5 seconds by default.
    pub fn connect_timeout(mut self, span: Duration) -> Self {
        self.connect_timeout = span;
        self
    }

    /// How long each call of the store may take, all waiting included. 5 seconds by default.
    pub fn deadline(mut self, span: Duration) -> Self {
        self.deadline = span;
        self
    }

    /// How long a forecast may take, which counts all sessions: 60 seconds by default. A hundred million take about 20.
    pub fn forecast_deadline(mut self, span: Duration) -> Self {
        self.forecast_deadline = span;
        self
    }

    /// Whether a pooler that gives connections out for single transactions (PgBouncer, RDS Proxy) is in between. Statements
    /// are then not prepared, which costs each call a little, and the server is not told the deadline.
    ///
    /// When the database behind it is restored from an older copy, restart the pooler too: that versions and epochs never come
    /// back depends on this store's own connections being new then.
    pub fn pooler(mut self, pooler: bool) -> Self {
        self.pooler = pooler;
        self
    }

    /// Whether other processes are told of writes (`NOTIFY`), and can be listened to, which takes one connection more for each
    /// [`Transak::follow_hints`](transak_session::Transak::follow_hints). By default they are; through a pooler they can be
    /// told and not be listened to.
    pub fn hints(mut self, hints: bool) -> Self {
        self.hints = hints;
        self
    }

    /// Whether opening makes what is missing of the schema; by default it does. Turn it off for a user who may not, and run
    /// [`migrations`](Self::migrations) beforehand.
    pub fn migrate(mut self, migrate: bool) -> Self {
        self.migrate = migrate;
        self
    }

    /// The statements that bring a database to each layout, the first one first: what opening runs by itself, in one
    /// transaction, as far as it has not been run yet. Each may be run once only, and all in their order.
    ///
    /// ```
    /// let statements = transak_store_postgres::PostgresOptions::migrations("transak");
    /// assert!(statements[0].contains("CREATE TABLE transak.session"));
    /// ```
    #[must_use]
    pub fn migrations(schema: &str) -> Vec<String> {
        schema::migrations(schema)
    }

    /// Trusts these certificates (PEM) instead of the platform's.
    #[cfg(feature = "rustls")]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates = Some(pem.into());
        self
    }

    /// Shows the server this certificate, with its key (both PEM).
    #[cfg(feature = "rustls")]
    pub fn identity(mut self, certificate: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.identity = Some((certificate.into(), key.into()));
        self
    }

    /// Judges leases and due times by this clock instead of the server's. For tests only: processes would not agree.
    #[cfg(feature = "test-util")]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.manual_clock = Some(Arc::new(clock));
        self
    }

    /// Opens the store.
    ///
    /// # Errors
    ///
    /// As [`PostgresStore::open`].
    pub async fn open(self) -> Result<PostgresStore, StoreError> {
        self.check()?;
        open::open(self).await
    }

    fn check(&self) -> Result<(), StoreError> {
        let usable = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let begins_well = self.schema.starts_with(|c: char| c.is_ascii_lowercase());
        let what = match () {
            () if !begins_well || self.schema.len() > 48 || !self.schema.chars().all(usable) => {
                "the schema has to be 1 to 48 lower-case letters, digits or '_', and to begin with a letter"
            }
            () if self.schema.starts_with("pg_") || self.schema == "public" || self.schema == "information_schema" => {
                "the schema is Postgres' own or everybody's; choose one for this store alone"
            }
            () if self.deadline.is_zero() || self.connect_timeout.is_zero() || self.forecast_deadline.is_zero() => {
                "deadlines must not be zero"
            }
            () => return Ok(()),
        };
        Err(StoreError::of(StoreErrorKind::Unsafe, what))
    }

    /// The address with this store's own settings.
    pub(crate) fn config(&self) -> Result<Config, StoreError> {
        // The cause could repeat the password.
        let mut config: Config = self.url.parse().map_err(|_| {
            StoreError::of(
                StoreErrorKind::Unavailable,
                "the address is not one of Postgres: postgres://user:password@host/database",
            )
        })?;
        config.connect_timeout(self.connect_timeout);
        config.keepalives_idle(Duration::from_secs(30));
        config.tcp_user_timeout(self.deadline.max(self.forecast_deadline));
        if config.get_application_name().is_none() {
            config.application_name("transak-session");
        }
        if !self.pooler {
            // What is given up here is given up there. A forecast sets its own.
            let given = config.get_options().unwrap_or_default();
            let options = format!("{given} -c statement_timeout={}", self.deadline.as_millis().max(1));
            config.options(options.trim());
        }
        Ok(config)
    }
}

/// Without the address, which can hold a password.
impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions")
            .field("sealer", &self.sealer)
            .field("schema", &self.schema)
            .field("durability", &self.durability)
            .field("connections", &self.connections)
            .field("deadline", &self.deadline)
            .field("pooler", &self.pooler)
            .field("hints", &self.hints)
            .field("migrate", &self.migrate)
            .finish_non_exhaustive()
    }
}
