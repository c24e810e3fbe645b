//! Instances that share nothing but a server.

use std::time::Duration;

use tokio::task::JoinHandle;
use transak_sandbox::Sandbox;
use transak_session::clock::{ManualClock, Timestamp};
use transak_session::{AccessToken, Otp, Transak, UserIdentity, UserSession};

use crate::{Engine, EngineKind, open};

/// How many instances a fleet has.
pub const REPLICAS: usize = 8;

/// Instances that share nothing but the server, and a clock that goes with the sandbox's.
#[derive(Debug)]
pub struct Fleet {
    /// The Transak of them all.
    pub sandbox: Sandbox,
    /// Everybody's clock, the store's too, so that leases and due times can be moved past.
    pub clock: ManualClock,
    /// The instances.
    pub replicas: Vec<Transak>,
    /// Ends with the fleet.
    pub engine: Engine,
    ticking: JoinHandle<()>,
}

impl Fleet {
    /// Starts an engine, a sandbox and the instances.
    ///
    /// # Panics
    ///
    /// If one of them cannot be started.
    pub async fn start(kind: EngineKind) -> Self {
        let engine = Engine::start(kind);
        let sandbox = Sandbox::builder().frozen().start().await.unwrap();
        let now = sandbox.control().clock().unix_millis;
        let clock = ManualClock::new(Timestamp::from_unix_millis(now));
        let settings = sandbox.control().settings();
        let mut replicas = Vec::new();
        for _ in 0..REPLICAS {
            let store = open(kind, engine.port(), Duration::from_secs(20), Some(clock.clone())).await;
            let builder = Transak::builder()
                .environment(sandbox.environment())
                .api_key(settings.api_key.clone())
                .api_secret(settings.api_secret.clone())
                .clock(clock.clone())
                .shared_store(store.unwrap());
            replicas.push(builder.build().unwrap());
        }
        let ticks = clock.clone();
        let ticking = tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(5)).await;
                ticks.advance(Duration::from_millis(5));
            }
        });
        Self {
            sandbox,
            clock,
            replicas,
            engine,
            ticking,
        }
    }

    /// Lets time pass for everybody.
    pub fn pass(&self, span: Duration) {
        self.clock.advance(span);
        self.sandbox.control().advance(span);
    }

    /// A user of the first instance who has just logged in.
    ///
    /// # Panics
    ///
    /// If the sandbox does not let them.
    pub async fn log_in(&self, email: &str) -> (UserSession, AccessToken) {
        log_in(&self.sandbox, &self.replicas[0], email).await
    }
}

/// Logs a user in with the password that the sandbox has mailed.
///
/// # Panics
///
/// If the sandbox does not let them.
pub async fn log_in(sandbox: &Sandbox, transak: &Transak, email: &str) -> (UserSession, AccessToken) {
    let user = transak.user(identity(email));
    let challenge = user.begin_login().await.unwrap();
    let code = sandbox.control().latest_code(email).unwrap();
    let token = challenge.verify(Otp::parse(&code).unwrap()).await.unwrap();
    (user, token)
}

/// Somebody at an address.
///
/// # Panics
///
/// If that is no e-mail address.
#[must_use]
pub fn identity(email: &str) -> UserIdentity {
    UserIdentity::parse(email, "203.0.113.7").unwrap()
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.ticking.abort();
    }
}
