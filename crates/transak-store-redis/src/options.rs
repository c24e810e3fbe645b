//! How a store is opened.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::{Client, RedisResult};
use transak_session::clock::Clock;
use transak_session::store::seal::Sealer;
use transak_session::store::{StoreError, StoreErrorKind};

use crate::store::RedisStore;

/// What the store asks of the server's settings before it starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// `maxmemory-policy noeviction`, `appendonly yes` and `appendfsync always`: what was acknowledged survives a crash of
    /// the server. The default.
    #[default]
    Always,
    /// The same with `appendfsync everysec` allowed: a crash of the server can lose the writes of about a second. A lost
    /// renewal may cost that session, if Transak has revoked the token before.
    EverySecond,
    /// Nothing is asked: you vouch for the settings, because the server does not let them be read (`CONFIG` is forbidden by
    /// many managed services).
    Vouched,
    /// Nothing is asked: what is stored may be lost at any time, and users may have to log in again.
    CacheOnly,
}

/// Settings of a [`RedisStore`].
#[must_use]
pub struct RedisOptions {
    pub(crate) sealer: Arc<dyn Sealer>,
    pub(crate) manual_clock: Option<Arc<dyn Clock>>,
    pub(crate) urls: Vec<String>,
    pub(crate) namespace: String,
    pub(crate) shards: u16,
    pub(crate) durability: Durability,
    pub(crate) connections: usize,
    pub(crate) in_flight: usize,
    pub(crate) connect_timeout: Duration,
    pub(crate) deadline: Duration,
    pub(crate) keep_expired: Duration,
    pub(crate) hints: bool,
    #[cfg(feature = "cluster")]
    pub(crate) cluster: bool,
    #[cfg(feature = "rustls")]
    root_certificates: Option<Vec<u8>>,
    #[cfg(feature = "rustls")]
    identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl RedisOptions {
    /// The default settings for an address (`redis://` or, with TLS, `rediss://user:password@host:port/`) and a sealer: a
    /// [`KeyRing`](transak_session::store::seal::KeyRing), or one of your own.
    pub fn new(url: impl Into<String>, sealer: impl Sealer) -> Self {
        Self {
            sealer: Arc::new(sealer),
            manual_clock: None,
            urls: vec![url.into()],
            namespace: "transak".to_owned(),
            shards: 16,
            durability: Durability::default(),
            connections: 1,
            in_flight: 512,
            connect_timeout: Duration::from_secs(5),
            deadline: Duration::from_secs(2),
            keep_expired: Duration::from_secs(30 * 86_400),
            hints: true,
            #[cfg(feature = "cluster")]
            cluster: false,
            #[cfg(feature = "rustls")]
            root_certificates: None,
            #[cfg(feature = "rustls")]
            identity: None,
        }
    }

    /// With what all keys of this store begin, `transak` by default: letters, digits, `-`, `_`, `.` and `:`.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Into how many parts each tenant's records and due index are cut, 16 by default, from 1 to 1,024. Each part is in one
    /// slot of a cluster, and a claim of due sessions runs one script in each. It cannot be changed once there is data.
    pub fn shards(mut self, shards: u16) -> Self {
        self.shards = shards;
        self
    }

    /// What the server's settings have to be.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// How many connections, 1 by default, at least 1: one carries any number of calls at a time.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// How many commands may be under way, 512 by default, at least 1; more wait, within their deadline.
    pub fn in_flight(mut self, commands: usize) -> Self {
        self.in_flight = commands.clamp(1, 1 << 20);
        self
    }

    /// How long the opening, and each connection after a loss, may take. 5 seconds by default.
    pub fn connect_timeout(mut self, span: Duration) -> Self {
        self.connect_timeout = span;
        self
    }

    /// How long each call of the store may take, all waiting included. 2 seconds by default.
    pub fn deadline(mut self, span: Duration) -> Self {
        self.deadline = span;
        self
    }

    /// How long a record stays after its token has expired, 30 days by default. What is gone then could only say why a login
    /// is needed. A record stays for a day at least.
    pub fn keep_expired(mut self, span: Duration) -> Self {
        self.keep_expired = span;
        self
    }

    /// Whether other processes are told of writes (`PUBLISH`, on the channel `<namespace>:hints`), and can be listened to, which
    /// takes one connection more for each [`Transak::follow_hints`](transak_session::Transak::follow_hints). By default they
    /// are. A user with an access list needs that channel.
    pub fn hints(mut self, hints: bool) -> Self {
        self.hints = hints;
        self
    }

    /// The address is one of a cluster's nodes; these are more of them, to begin with one that is up.
    #[cfg(feature = "cluster")]
    pub fn cluster(mut self, more: impl IntoIterator<Item = String>) -> Self {
        self.cluster = true;
        self.urls.extend(more);
        self
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
    /// As [`RedisStore::open`].
    pub async fn open(self) -> Result<RedisStore, StoreError> {
        self.check()?;
        crate::open::open(self).await
    }

    fn check(&self) -> Result<(), StoreError> {
        let usable = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        let what = match () {
            () if self.namespace.is_empty() || self.namespace.len() > 64 || !self.namespace.chars().all(usable) => {
                "the namespace has to be 1 to 64 letters, digits, '-', '_', '.' or ':'"
            }
            () if !(1..=1_024).contains(&self.shards) => "there have to be 1 to 1,024 shards",
            () if self.deadline.is_zero() || self.connect_timeout.is_zero() => "deadlines must not be zero",
            () => return Ok(()),
        };
        Err(StoreError::of(StoreErrorKind::Unsafe, what))
    }

    pub(crate) fn client(&self) -> RedisResult<Client> {
        self.client_of(self.urls.first().map(String::as_str).unwrap_or_default())
    }

    /// One for each address.
    pub(crate) fn clients(&self) -> RedisResult<Vec<Client>> {
        self.urls.iter().map(|url| self.client_of(url)).collect()
    }

    fn client_of(&self, url: &str) -> RedisResult<Client> {
        #[cfg(feature = "rustls")]
        {
            provide_cryptography();
            if let Some(certificates) = self.certificates() {
                return Client::build_with_tls(url, certificates);
            }
        }
        Client::open(url)
    }

    #[cfg(feature = "cluster")]
    pub(crate) fn nodes(&self) -> RedisResult<Vec<redis::ConnectionInfo>> {
        #[cfg(feature = "rustls")]
        provide_cryptography();
        self.urls
            .iter()
            .map(|url| redis::IntoConnectionInfo::into_connection_info(url.as_str()))
            .collect()
    }

    #[cfg(feature = "rustls")]
    pub(crate) fn certificates(&self) -> Option<redis::TlsCertificates> {
        if self.root_certificates.is_none() && self.identity.is_none() {
            return None;
        }
        Some(redis::TlsCertificates {
            client_tls: self
                .identity
                .clone()
                .map(|(client_cert, client_key)| redis::ClientTlsConfig {
                    client_cert,
                    client_key,
                }),
            root_cert: self.root_certificates.clone(),
        })
    }

    #[cfg(all(feature = "cluster", not(feature = "rustls")))]
    pub(crate) fn certificates(&self) -> Option<redis::TlsCertificates> {
        None
    }
}

/// Rustls panics where two providers are compiled in and none was chosen for the process.
#[cfg(feature = "rustls")]
fn provide_cryptography() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
}

/// Without addresses, which can hold a password.
impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("sealer", &self.sealer)
            .field("namespace", &self.namespace)
            .field("shards", &self.shards)
            .field("durability", &self.durability)
            .field("connections", &self.connections)
            .field("in_flight", &self.in_flight)
            .field("deadline", &self.deadline)
            .field("keep_expired", &self.keep_expired)
            .field("hints", &self.hints)
            .finish_non_exhaustive()
    }
}
