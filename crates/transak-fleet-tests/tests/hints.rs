//! Instances that hear of each other's writes have what another one got at once, and none of it twice.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::{Duration, Instant};

use transak_fleet_tests::{Engine, EngineKind, Fleet, REPLICAS, identity, log_in, open};
use transak_sandbox::Sandbox;
use transak_session::{HintFollower, SessionLabel, TokenFingerprint, Transak, UserSession};
use transak_test_servers::records::DAY;

const JANE: &str = "jane@example.com";

async fn soon(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !done().await {
        assert!(begun.elapsed() < Duration::from_secs(30), "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Renews a session until a renewal is heard of by all others: until they listen, one can be missed. `status` asks nobody,
/// so what it shows has come by itself. Returns how often it was renewed.
async fn renew_until_heard(by: &UserSession, others: &[UserSession]) -> u64 {
    let mut renewals = 0;
    soon("a renewal is heard of", async || {
        // A store that has just come back may not take the lease or the token yet.
        let Ok(renewed) = by.refresh_now().await else {
            return false;
        };
        let renewed: Option<TokenFingerprint> = Some(renewed.fingerprint());
        renewals += 1;
        let all = || others.iter().all(|user| user.status().fingerprint == renewed);
        let begun = Instant::now();
        while !all() && begun.elapsed() < Duration::from_secs(1) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        all()
    })
    .await;
    renewals
}

async fn what_one_has_got_all_have(kind: EngineKind) {
    let fleet = Fleet::start(kind).await;
    let followers: Vec<_> = fleet.replicas.iter().map(|r| r.follow_hints().unwrap()).collect();
    fleet.log_in(JANE).await;
    let users: Vec<_> = fleet.replicas.iter().map(|r| r.user(identity(JANE))).collect();
    let partners: Vec<_> = fleet.replicas.iter().map(Transak::partner).collect();
    for (user, partner) in users.iter().zip(&partners) {
        user.token().await.unwrap();
        partner.ready().await.unwrap();
    }
    let mut renewals = renew_until_heard(&users[0], &users).await;
    renewals += renew_until_heard(&users[REPLICAS - 1], &users).await;
    let counts = || fleet.sandbox.control().counts().world;
    assert_eq!((counts().refreshes, counts().logins, counts().mints), (renewals, 1, 1));

    // Due, and replaced by whoever wants it first.
    let before = partners[0].status().fingerprint;
    fleet.pass(DAY * 7 - Duration::from_secs(60));
    assert!(partners[3].current().is_some(), "a caller with a token waited");
    soon("a mint is heard of", async || {
        let newer = partners[3].status().fingerprint;
        newer != before && partners.iter().all(|partner| partner.status().fingerprint == newer)
    })
    .await;
    assert_eq!((counts().refreshes, counts().mints), (renewals, 2));

    users[2].logout().await.unwrap();
    soon("a logout is heard of", async || {
        let ended = |user: &UserSession| matches!(user.status().label, SessionLabel::Lapsed(_));
        users.iter().all(ended)
    })
    .await;
    for follower in followers {
        assert!(follower.is_running());
        follower.stop().await;
    }
}

async fn follower(sandbox: &Sandbox, kind: EngineKind, port: u16) -> (Transak, HintFollower) {
    let settings = sandbox.control().settings();
    let store = open(kind, port, Duration::from_secs(2), None).await.unwrap();
    let builder = Transak::builder()
        .environment(sandbox.environment())
        .api_key(settings.api_key)
        .shared_store(store);
    let transak = builder.build().unwrap();
    let follower = transak.follow_hints().unwrap();
    (transak, follower)
}

/// While the engine is down callers are served what there is; when it is back it is listened to again.
async fn an_engine_that_comes_back_is_listened_to_again(kind: EngineKind) {
    let mut engine = Engine::start(kind);
    let sandbox = Sandbox::builder().start().await.unwrap();
    let (near, _near) = follower(&sandbox, kind, engine.port()).await;
    let (far, following) = follower(&sandbox, kind, engine.port()).await;
    let (here, _) = log_in(&sandbox, &near, JANE).await;
    let there = far.user(identity(JANE));
    there.token().await.unwrap();
    renew_until_heard(&here, std::slice::from_ref(&there)).await;
    for _ in 0..2 {
        engine.kill();
        let served = there.token().await.unwrap();
        assert_eq!(Some(served.fingerprint()), there.status().fingerprint);
        engine.restart();
        // Nothing is written as long as the engine is not up.
        soon("the engine is back", async || here.refresh_now().await.is_ok()).await;
        renew_until_heard(&here, std::slice::from_ref(&there)).await;
    }
    assert!(following.is_running());
    assert_eq!(sandbox.control().counts().world.logins, 1);
}

transak_fleet_tests::on_both!(
    what_one_has_got_all_have,
    an_engine_that_comes_back_is_listened_to_again,
);
