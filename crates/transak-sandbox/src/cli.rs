//! What the program is told on its command line.

use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;

use chrono::DateTime;
use clap::Parser;
use transak_sandbox::world::{Moment, Settings};
use transak_sandbox::{Sandbox, SandboxBuilder};

/// A local imitation of Transak's API that remembers, refuses and can be moved through time.
#[derive(Debug, Parser)]
#[command(name = "transak-sandbox", version)]
pub(crate) struct Arguments {
    /// Address to listen on: a loopback address, or 0.0.0.0 in a container.
    #[arg(long, default_value = "127.0.0.1")]
    address: IpAddr,
    /// Port of the api host (partner and public API); 0 is any free one.
    #[arg(long, default_value_t = 8701)]
    api_port: u16,
    /// Port of the gateway host (Whitelabel API, widget URLs); 0 is any free one.
    #[arg(long, default_value_t = 8702)]
    gateway_port: u16,
    /// Port of the control API; 0 is any free one.
    #[arg(long, default_value_t = 8703)]
    control_port: u16,
    /// JSON file of settings; those it leaves out keep their defaults. The flags below win over it.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// What ids, codes and tokens are made from.
    #[arg(long)]
    seed: Option<u64>,
    /// What the clock shows at the start, as in 2026-11-22T12:00:00Z; the present time unless given.
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    start: Option<Moment>,
    /// Start with a clock that stands still.
    #[arg(long)]
    frozen: bool,
    /// Do not check answers against the spec; for load tests.
    #[arg(long)]
    lenient: bool,
    /// Where webhooks are posted to.
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,
    /// Let webhooks go to addresses other than loopback ones.
    #[arg(long)]
    remote_webhooks: bool,
}

/// Why the command line cannot be followed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error("cannot read settings from {}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("settings in {} are not valid: {source}", path.display())]
    Parse { path: PathBuf, source: serde_json::Error },
}

fn moment(text: &str) -> Result<Moment, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|moment| Moment::from_millis(moment.timestamp_millis()))
        .map_err(|error| format!("not a moment such as 2026-11-22T12:00:00Z: {error}"))
}

impl Arguments {
    pub(crate) fn builder(&self) -> Result<SandboxBuilder, CliError> {
        let mut settings = match &self.settings {
            None => Settings::default(),
            Some(path) => {
                let text = fs::read_to_string(path).map_err(|source| CliError::Read {
                    path: path.clone(),
                    source,
                })?;
                serde_json::from_str(&text).map_err(|source| CliError::Parse {
                    path: path.clone(),
                    source,
                })?
            }
        };
        if let Some(seed) = self.seed {
            settings.seed = seed;
        }
        if self.lenient {
            settings.strict = false;
        }
        if let Some(url) = &self.webhook_url {
            settings.webhook_url = Some(url.clone());
        }
        let mut builder = Sandbox::builder()
            .address(self.address)
            .ports(self.api_port, self.gateway_port, self.control_port)
            .settings(settings)
            .remote_webhooks(self.remote_webhooks);
        if let Some(start) = self.start {
            builder = builder.clock_start(start);
        }
        if self.frozen {
            builder = builder.frozen();
        }
        Ok(builder)
    }
}
