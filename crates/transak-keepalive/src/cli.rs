//! What the program is told. Secrets come from the environment or from files only: a command line is everybody's to read.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use tracing_subscriber::filter::Targets;
use transak_client::Environment;

/// Renews Transak sessions that are due in a shared store.
///
/// Secrets are read from TRANSAK_API_KEY, TRANSAK_API_SECRET (only if the sessions need a partner token),
/// TRANSAK_SEAL_KEY and TRANSAK_OLDER_SEAL_KEYS (comma-separated), or, with _FILE behind the name, from the file named there.
// No `Debug`: the address of the store can hold a password.
#[derive(Parser)]
#[command(name = "transak-keepalive", version)]
pub(crate) struct Arguments {
    /// Where sessions are: postgres://…, redis://… or rediss://…, redis-cluster://…, or sqlite:FILE. It may hold a password,
    /// so better give it as TRANSAK_STORE, or a file's name as TRANSAK_STORE_FILE.
    #[arg(long, env = "TRANSAK_STORE", hide_env_values = true)]
    pub(crate) store: Option<String>,
    /// `staging` or `production`.
    #[arg(long, env = "TRANSAK_ENVIRONMENT", default_value = "staging", value_parser = ["staging", "production"])]
    environment: String,
    /// Base URL of the API instead of the environment's, with --gateway-url: a proxy or a sandbox.
    #[arg(long, env = "TRANSAK_API_URL", requires = "gateway_url")]
    api_url: Option<String>,
    /// Base URL of the gateway.
    #[arg(long, env = "TRANSAK_GATEWAY_URL", requires = "api_url")]
    gateway_url: Option<String>,
    /// The most renewals per second of all workers on this store together; give all the same.
    #[arg(long, env = "TRANSAK_KEEPALIVE_RATE", default_value_t = 30.0)]
    pub(crate) rate: f64,
    /// The most renewals that this process has under way.
    #[arg(long, env = "TRANSAK_KEEPALIVE_CONCURRENCY", default_value_t = 32)]
    pub(crate) concurrency: usize,
    /// Where /live, /health and /metrics are answered; port 0 is any free one.
    #[arg(long, env = "TRANSAK_KEEPALIVE_LISTEN", default_value = "127.0.0.1:9464")]
    pub(crate) listen: SocketAddr,
    /// How long renewals under way are waited for after SIGTERM, in seconds. A second signal ends the wait.
    #[arg(long, env = "TRANSAK_KEEPALIVE_DRAIN", default_value_t = 25)]
    drain_seconds: u64,
    /// Forget sessions whose token expired so many days ago; 0 keeps them for ever. Redis forgets by itself.
    #[arg(long, env = "TRANSAK_KEEPALIVE_FORGET_DAYS", default_value_t = 30)]
    forget_days: u64,
    /// The namespace (Redis) or schema (Postgres) if it is not the usual one.
    #[arg(long, env = "TRANSAK_STORE_NAMESPACE")]
    pub(crate) namespace: Option<String>,
    /// A Redis whose settings cannot be read or a Postgres without fsync is refused unless you vouch for it.
    #[arg(long, env = "TRANSAK_STORE_VOUCHED")]
    pub(crate) vouched: bool,
    /// A PEM file of certificates to trust instead of the system's, for the store.
    #[arg(long, env = "TRANSAK_STORE_CA")]
    pub(crate) store_ca: Option<PathBuf>,
    /// A local file for tokens that the store could not take: they are handed over to it later, also by the next process.
    #[cfg(feature = "sqlite")]
    #[arg(long, env = "TRANSAK_KEEPALIVE_JOURNAL", value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
    /// What is logged, as in `info,transak_session=debug`.
    #[arg(long, env = "TRANSAK_LOG", default_value = "info")]
    pub(crate) log: Targets,
}

impl Arguments {
    pub(crate) fn environment(&self) -> Result<Environment, Box<dyn std::error::Error>> {
        match (&self.api_url, &self.gateway_url) {
            (Some(api), Some(gateway)) => Ok(Environment::custom(api, gateway)?),
            _ if self.environment == "production" => Ok(Environment::Production),
            _ => Ok(Environment::Staging),
        }
    }

    pub(crate) fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }

    pub(crate) fn forget(&self) -> Option<Duration> {
        (self.forget_days > 0).then(|| Duration::from_secs(self.forget_days.saturating_mul(86_400)))
    }
}
