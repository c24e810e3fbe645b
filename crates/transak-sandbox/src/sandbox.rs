//! Starting and stopping a sandbox.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use transak_client::operations::{Credential, Host};
use transak_client::{Credentials, Environment};

use crate::clock::ClockMode;
use crate::control::{Control, ControlApi};
use crate::http::{Api, BodyReader, Limits, serve};
use crate::state::{Addresses, Origin, Shared};
use crate::validate::{Rules, SpecError};
use crate::webhooks::{self, Outbox, Reach};
use crate::world::{Moment, Settings, World};

/// How often time is looked at while nobody calls.
const TICK: Duration = Duration::from_millis(100);
/// An address of the documentation's range that stands for the end user's.
const USER_IP: &str = "203.0.113.7";

/// A running sandbox. Dropping it closes every port and connection at once; [`Sandbox::shutdown`] lets requests
/// under way finish.
#[derive(Debug)]
pub struct Sandbox {
    control: Control,
    environment: Environment,
    stop: watch::Sender<bool>,
    listeners: Vec<JoinHandle<()>>,
    helpers: Vec<JoinHandle<()>>,
}

/// Why a sandbox does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A port cannot be had.
    #[error("cannot listen on {address} for the {what}: {}", reason(.source))]
    Listen {
        /// Which of the three listeners.
        what: &'static str,
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The address is one the client would refuse to send credentials to in plain text.
    #[error("{0} is neither a loopback address nor the unspecified one; the sandbox speaks plain HTTP")]
    Address(IpAddr),
    /// The spec inside this crate is broken.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The HTTP client for webhooks cannot be set up.
    #[error("cannot set up the HTTP client for webhooks")]
    Webhooks(#[source] reqwest::Error),
}

fn reason(source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::AddrInUse => "the port is taken; choose another one, or 0 for any free one".to_owned(),
        io::ErrorKind::PermissionDenied => "not allowed; choose a port above 1023".to_owned(),
        _ => source.to_string(),
    }
}

/// Choices of a sandbox.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it is started"]
pub struct SandboxBuilder {
    address: IpAddr,
    ports: [u16; 3],
    settings: Settings,
    start: Option<Moment>,
    mode: ClockMode,
    limits: Limits,
    reach: Reach,
}

impl Default for SandboxBuilder {
    fn default() -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            ports: [0; 3],
            settings: Settings::default(),
            start: None,
            mode: ClockMode::Running,
            limits: Limits::default(),
            reach: Reach::Loopback,
        }
    }
}

impl SandboxBuilder {
    /// Address to listen on: a loopback address (127.0.0.1 unless set) or the unspecified one, as containers need.
    pub const fn address(mut self, address: IpAddr) -> Self {
        self.address = address;
        self
    }

    /// Ports of the api host, the gateway host and the control API; 0 is any free one, as unless set.
    pub const fn ports(mut self, api: u16, gateway: u16, control: u16) -> Self {
        self.ports = [api, gateway, control];
        self
    }

    /// All settings at once; choices made before by the other methods are lost.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// What ids, codes and tokens are made from.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// Whether answers are checked against the spec, as they are unless this is switched off; do so for load tests.
    pub const fn strict(mut self, strict: bool) -> Self {
        self.settings.strict = strict;
        self
    }

    /// What the clock shows at the start; the wall clock's time unless set.
    pub const fn clock_start(mut self, start: Moment) -> Self {
        self.start = Some(start);
        self
    }

    /// Starts with a clock that stands still.
    pub const fn frozen(mut self) -> Self {
        self.mode = ClockMode::Frozen;
        self
    }

    /// Bounds against hostile callers.
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Lets webhooks go to addresses other than loopback ones.
    pub const fn remote_webhooks(mut self, allowed: bool) -> Self {
        self.reach = if allowed { Reach::Anywhere } else { Reach::Loopback };
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// [`StartError`], most often because a port is taken.
    pub async fn start(self) -> Result<Sandbox, StartError> {
        let host = named(self.address).ok_or(StartError::Address(self.address))?;
        let rules = Rules::get()?;
        let client = webhooks::client().map_err(StartError::Webhooks)?;
        let [api_port, gateway_port, control_port] = self.ports;
        let api = listen("api host", self.address, api_port).await?;
        let gateway = listen("gateway host", self.address, gateway_port).await?;
        let control = listen("control API", self.address, control_port).await?;
        let addresses = Addresses {
            api: at(&api, host)?,
            gateway: at(&gateway, host)?,
            control: at(&control, host)?,
        };
        let environment = Environment::custom(&url(addresses.api), &url(addresses.gateway))
            .map_err(|_| StartError::Address(self.address))?;

        let (outbox, parcels) = Outbox::new();
        let origin = Origin {
            start: self.start,
            mode: self.mode,
        };
        let limits = self.limits.usable();
        let bodies = BodyReader::new(limits);
        let world = World::new(self.settings);
        let shared = Arc::new(Shared::new(world, origin, rules, bodies, outbox, addresses));

        let (stop, stopped) = watch::channel(false);
        let slots = Arc::new(Semaphore::new(limits.max_connections));
        let own_slots = Arc::new(Semaphore::new(limits.max_connections));
        let mut listeners = Vec::with_capacity(3);
        for (host, listener) in [(Host::Api, api), (Host::Gateway, gateway)] {
            let handler = Arc::new(Api {
                host,
                shared: Arc::clone(&shared),
            });
            let serving = serve(listener, handler, limits, Arc::clone(&slots), stopped.clone());
            listeners.push(tokio::spawn(serving));
        }
        let handle = Control::new(Arc::clone(&shared));
        let handler = Arc::new(ControlApi::new(handle.clone(), BodyReader::new(limits)));
        listeners.push(tokio::spawn(serve(control, handler, limits, own_slots, stopped)));
        let helpers = vec![
            tokio::spawn(webhooks::deliver(Arc::clone(&shared), parcels, client, self.reach)),
            tokio::spawn(pass_time(shared)),
        ];
        Ok(Sandbox {
            control: handle,
            environment,
            stop,
            listeners,
            helpers,
        })
    }
}

/// Lets what falls due happen even when nobody calls.
async fn pass_time(shared: Arc<Shared>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        shared.tick();
    }
}

/// The address callers are told; `None` for one they would not send credentials to.
fn named(address: IpAddr) -> Option<IpAddr> {
    match address {
        IpAddr::V4(ip) if ip.is_unspecified() => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        IpAddr::V6(ip) if ip.is_unspecified() => Some(IpAddr::V6(Ipv6Addr::LOCALHOST)),
        ip if ip.is_loopback() => Some(ip),
        _ => None,
    }
}

async fn listen(what: &'static str, address: IpAddr, port: u16) -> Result<TcpListener, StartError> {
    let address = SocketAddr::new(address, port);
    TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Listen { what, address, source })
}

fn at(listener: &TcpListener, host: IpAddr) -> Result<SocketAddr, StartError> {
    let bound = listener.local_addr();
    let unknown = SocketAddr::new(host, 0);
    bound
        .map(|bound| SocketAddr::new(host, bound.port()))
        .map_err(|source| StartError::Listen {
            what: "listener",
            address: unknown,
            source,
        })
}

pub(crate) fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

impl Sandbox {
    /// Starts a sandbox on free ports of 127.0.0.1, with default settings and a running clock.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start() -> Result<Self, StartError> {
        Self::builder().start().await
    }

    /// A sandbox with choices.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    /// The environment to give a client.
    #[must_use]
    pub fn environment(&self) -> Environment {
        self.environment.clone()
    }

    /// API key, API secret and an end user's IP address that the sandbox accepts.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        let settings = self.control.settings();
        Credentials::new()
            .with(Credential::ApiKey, settings.api_key)
            .with(Credential::ApiSecret, settings.api_secret)
            .with(Credential::UserIp, USER_IP)
    }

    /// Base URL of the api host, without a trailing slash.
    #[must_use]
    pub fn api_url(&self) -> String {
        url(self.control.addresses().api)
    }

    /// Base URL of the gateway host, without a trailing slash.
    #[must_use]
    pub fn gateway_url(&self) -> String {
        url(self.control.addresses().gateway)
    }

    /// Base URL of the control API, without a trailing slash.
    #[must_use]
    pub fn control_url(&self) -> String {
        url(self.control.addresses().control)
    }

    /// The handle that does what no caller of Transak could: move time, read mail, break connections.
    #[must_use]
    pub const fn control(&self) -> &Control {
        &self.control
    }

    /// Closes the ports, lets requests under way finish for up to two seconds, then closes their connections.
    pub async fn shutdown(mut self) {
        let _ = self.stop.send(true);
        for listener in std::mem::take(&mut self.listeners) {
            let _ = listener.await;
        }
        // The rest goes with `self`.
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        for task in self.listeners.iter().chain(&self.helpers) {
            task.abort();
        }
    }
}
