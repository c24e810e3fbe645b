//! How the session layer behaves under load and trouble, over real HTTP against the sandbox, which counts.
//!
//! The first three are the rows by which token caches are compared: calls for many cold callers, calls after a dropped caller,
//! and gets while Transak is down and the token is still good.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use transak_sandbox::Sandbox;
use transak_sandbox::fault::{Effect, Fault};
use transak_session::clock::{ManualClock, Timestamp};
use transak_session::store::MemoryStore;
use transak_session::{Otp, Transak, TransakBuilder, UserIdentity, UserSession};

const DAY: Duration = Duration::from_secs(86_400);

struct Scene {
    sandbox: Sandbox,
    clock: ManualClock,
    transak: Transak,
}

impl Scene {
    async fn new(configure: impl FnOnce(TransakBuilder) -> TransakBuilder) -> Self {
        let sandbox = Sandbox::builder().frozen().strict(false).start().await.unwrap();
        let settings = sandbox.control().settings();
        let now = sandbox.control().clock().unix_millis;
        let clock = ManualClock::new(Timestamp::from_unix_millis(now));
        let builder = Transak::builder()
            .environment(sandbox.environment())
            .api_key(settings.api_key)
            .api_secret(settings.api_secret)
            .clock(clock.clone())
            .store(MemoryStore::with_clock(10_000, Arc::new(clock.clone())));
        let transak = configure(builder).build().unwrap();
        Self {
            sandbox,
            clock,
            transak,
        }
    }

    fn user(&self, number: usize) -> UserSession {
        let identity = UserIdentity::parse(&format!("user{number}@example.com"), "203.0.113.7").unwrap();
        self.transak.user(identity)
    }

    async fn log_in(&self, number: usize) -> UserSession {
        let user = self.user(number);
        let challenge = user.begin_login().await.unwrap();
        let code = self
            .sandbox
            .control()
            .latest_code(&format!("user{number}@example.com"))
            .unwrap();
        challenge.verify(Otp::parse(&code).unwrap()).await.unwrap();
        user
    }

    fn pass(&self, span: Duration) {
        self.sandbox.control().advance(span);
        self.clock.advance(span);
    }

    fn calls(&self, operation: &str) -> u64 {
        let counts = self.sandbox.control().counts();
        counts.world.calls.get(operation).copied().unwrap_or_default()
    }

    fn slow(&self, operation: &str, millis: u64) {
        let fault = Fault::new(Effect::Delay { millis }).on(operation).times(1_000);
        self.sandbox.control().inject(fault).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_cold_callers_make_one_call() {
    let scene = Scene::new(|b| b).await;
    scene.slow("refreshAccessToken", 50);
    let mut callers = JoinSet::new();
    for _ in 0..64 {
        let partner = scene.transak.partner().clone();
        callers.spawn(async move { partner.ready().await.unwrap().fingerprint() });
    }
    let tokens = callers.join_all().await;
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(scene.calls("refreshAccessToken"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_dropped_in_the_middle_costs_no_second_call() {
    let scene = Scene::new(|b| b).await;
    scene.slow("refreshAccessToken", 50);
    let partner = scene.transak.partner();
    let impatient = tokio::time::timeout(Duration::from_millis(10), partner.ready()).await;
    assert!(impatient.is_err(), "the call takes 50 ms");
    partner.ready().await.unwrap();
    assert_eq!(scene.calls("refreshAccessToken"), 1);

    let user = scene.log_in(0).await;
    scene.slow("refreshUserAccessToken", 50);
    let impatient = tokio::time::timeout(Duration::from_millis(10), user.refresh_now()).await;
    assert!(impatient.is_err(), "the call takes 50 ms");
    let before = user.status().fingerprint;
    user.refresh_now().await.unwrap();
    assert_ne!(user.status().fingerprint, before);
    assert_eq!(scene.calls("refreshUserAccessToken"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_token_is_served_while_transak_is_down_and_nothing_is_hammered() {
    let scene = Scene::new(|b| b).await;
    let user = scene.log_in(0).await;
    let partner = scene.transak.partner().clone();
    partner.ready().await.unwrap();
    let down = || {
        let headers = Default::default();
        let (body, when) = (None, Default::default());
        Effect::Answer {
            status: 503,
            body,
            headers,
            when,
        }
    };
    for operation in ["refreshAccessToken", "refreshUserAccessToken"] {
        let fault = Fault::new(down()).on(operation).times(1_000);
        scene.sandbox.control().inject(fault).unwrap();
    }
    // Both tokens are due and still good.
    scene.pass(DAY * 7 - Duration::from_secs(60));
    let due_at = user.status().due_at.unwrap();
    let (mut good, mut failed) = (0, 0);
    for _ in 0..10 {
        match partner.ready().await {
            Ok(_) => good += 1,
            Err(_) => failed += 1,
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!((good, failed), (10, 0));
    assert!(scene.sandbox.control().counts().faults.get("refreshAccessToken") <= Some(&1));

    scene.pass(due_at.since(user.status().issued_at.unwrap()) - DAY * 6);
    for _ in 0..10 {
        assert!(user.token().await.is_ok());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let faults = scene.sandbox.control().counts().faults;
    assert_eq!(faults.get("refreshUserAccessToken"), Some(&1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_callers_at_the_moment_of_expiry_make_one_call() {
    let scene = Scene::new(|b| b).await;
    let user = scene.log_in(0).await;
    scene.pass(DAY * 29);
    scene.slow("refreshUserAccessToken", 50);
    let mut callers = JoinSet::new();
    for _ in 0..10_000 {
        let user = user.clone();
        callers.spawn(async move { user.token().await.is_ok() });
    }
    assert!(callers.join_all().await.into_iter().all(|served| served));
    scene.transak.shutdown().await;
    assert_eq!(scene.calls("refreshUserAccessToken"), 1);

    // The partner's token is gone altogether: everybody has to wait, and still one call is made.
    let scene = Scene::new(|b| b).await;
    let partner = scene.transak.partner().clone();
    partner.ready().await.unwrap();
    scene.pass(DAY * 7);
    scene.slow("refreshAccessToken", 50);
    let mut callers = JoinSet::new();
    for _ in 0..10_000 {
        let partner = partner.clone();
        callers.spawn(async move { partner.ready().await.is_ok() });
    }
    assert!(callers.join_all().await.into_iter().all(|served| served));
    assert_eq!(scene.calls("refreshAccessToken"), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_users_with_a_hundred_callers_each_make_a_thousand_calls() {
    const USERS: usize = 1_000;
    let scene = Scene::new(|b| b).await;
    let mut users = Vec::with_capacity(USERS);
    for number in 0..USERS {
        users.push(scene.log_in(number).await);
    }
    scene.pass(DAY * 29);
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        for user in &users {
            let user = user.clone();
            callers.spawn(async move { user.token().await.is_ok() });
        }
    }
    assert!(callers.join_all().await.into_iter().all(|served| served));
    scene.transak.shutdown().await;
    let failures: Vec<_> = users
        .iter()
        .filter_map(|u| u.status().last_failure)
        .map(|f| format!("{f:?}"))
        .collect();
    assert_eq!(scene.calls("refreshUserAccessToken"), USERS as u64, "{failures:?}");
}
