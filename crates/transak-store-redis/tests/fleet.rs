//! Several instances on one Redis, against the sandbox: one of them calls Transak, and all have what it got.
#![allow(clippy::unwrap_used, clippy::panic)]
mod support;

use std::time::Duration;

use support::{DAY, options};
use transak_sandbox::Sandbox;
use transak_session::clock::{ManualClock, Timestamp};
use transak_session::{Otp, Transak, UserIdentity};
use transak_test_servers::redis::RedisServer;

const REPLICAS: usize = 8;

/// Instances that share nothing but the server, and a clock that goes with the sandbox's.
struct Fleet {
    sandbox: Sandbox,
    clock: ManualClock,
    replicas: Vec<Transak>,
    /// Ends with the fleet.
    _server: RedisServer,
    ticking: tokio::task::JoinHandle<()>,
}

impl Fleet {
    async fn start() -> Self {
        let server = RedisServer::start();
        let sandbox = Sandbox::builder().frozen().start().await.unwrap();
        let now = sandbox.control().clock().unix_millis;
        let clock = ManualClock::new(Timestamp::from_unix_millis(now));
        let settings = sandbox.control().settings();
        let mut replicas = Vec::new();
        for _ in 0..REPLICAS {
            let builder = Transak::builder()
                .environment(sandbox.environment())
                .api_key(settings.api_key.clone())
                .api_secret(settings.api_secret.clone())
                .clock(clock.clone())
                // One clock for all, so that leases and due times can be moved past.
                .store(options(&server).clock(clock.clone()).open().await.unwrap());
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
            _server: server,
            ticking,
        }
    }

    fn pass(&self, span: Duration) {
        self.clock.advance(span);
        self.sandbox.control().advance(span);
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.ticking.abort();
    }
}

fn jane() -> UserIdentity {
    UserIdentity::parse("jane@example.com", "203.0.113.7").unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_that_start_cold_mint_one_partner_token() {
    let fleet = Fleet::start().await;
    let asking = fleet
        .replicas
        .iter()
        .flat_map(|replica| (0..20).map(move |_| replica.partner().clone()));
    let asking: Vec<_> = asking
        .map(|partner| tokio::spawn(async move { partner.ready().await.unwrap() }))
        .collect();
    let mut tokens = Vec::new();
    for one in asking {
        tokens.push(one.await.unwrap().fingerprint());
    }
    tokens.dedup();
    assert_eq!((tokens.len(), fleet.sandbox.control().counts().world.mints), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_that_meet_a_due_session_renew_it_once() {
    let fleet = Fleet::start().await;
    let first = fleet.replicas[0].user(jane());
    let challenge = first.begin_login().await.unwrap();
    let code = fleet.sandbox.control().latest_code("jane@example.com").unwrap();
    let before = challenge.verify(Otp::parse(&code).unwrap()).await.unwrap();
    // Each has the session from the store.
    for replica in &fleet.replicas {
        assert_eq!(replica.user(jane()).token().await.unwrap(), before);
    }
    fleet.pass(DAY * 25);
    for replica in &fleet.replicas {
        assert!(replica.user(jane()).current().is_some(), "a caller with a token waited");
    }
    let begun = std::time::Instant::now();
    loop {
        let mut have = 0;
        for replica in &fleet.replicas {
            have += usize::from(replica.user(jane()).token().await.unwrap() != before);
        }
        if have == REPLICAS {
            break;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "{have} of {REPLICAS} have the new token"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
        // Those who were told that another one renews look again after a while.
        fleet.pass(Duration::from_secs(1));
    }
    let counts = fleet.sandbox.control().counts();
    assert_eq!((counts.world.refreshes, counts.world.logins), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_of_several_instances_renew_each_session_once() {
    let fleet = Fleet::start().await;
    let people = 24;
    for number in 0..people {
        let email = format!("user{number}@example.com");
        let user = fleet.replicas[number % REPLICAS].user(UserIdentity::parse(&email, "203.0.113.7").unwrap());
        let challenge = user.begin_login().await.unwrap();
        let code = fleet.sandbox.control().latest_code(&email).unwrap();
        challenge.verify(Otp::parse(&code).unwrap()).await.unwrap();
    }
    fleet.pass(DAY * 25);
    let workers: Vec<_> = fleet
        .replicas
        .iter()
        .map(|replica| replica.keep_alive().start().unwrap())
        .collect();
    let refreshes = || fleet.sandbox.control().counts().world.refreshes;
    let begun = std::time::Instant::now();
    while refreshes() < people as u64 {
        assert!(begun.elapsed() < Duration::from_secs(30), "{} of {people}", refreshes());
        tokio::time::sleep(Duration::from_millis(50)).await;
        fleet.pass(Duration::from_secs(1));
    }
    // Whoever looks once more finds nothing left to do.
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        fleet.pass(Duration::from_secs(1));
    }
    for worker in workers {
        worker.stop().await;
    }
    assert_eq!(refreshes(), people as u64);
}
