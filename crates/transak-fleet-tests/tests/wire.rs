//! Faults of the network between a replica, its store and Transak.
//!
//! A stream cannot arrive out of order; what can is two calls on two connections, which `SlowThere` brings about.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use transak_client::Environment;
use transak_fleet_tests::{Engine, EngineKind, Trouble, Wire, log_in, open};
use transak_sandbox::Sandbox;
use transak_session::Transak;
use transak_session::store::{Claim, SessionStore, StoreErrorKind, Swap};
use transak_test_servers::records::{critical, due, idle, key, put};

const DEADLINE: Duration = Duration::from_millis(600);
const TROUBLES: [Trouble; 7] = [
    Trouble::SlowThere(Duration::from_millis(100)),
    Trouble::SlowBack(Duration::from_millis(100)),
    Trouble::CutBefore,
    Trouble::CutAfter,
    Trouble::Silent,
    Trouble::SilentBack,
    Trouble::Refuse,
];

/// Until the store answers through the wire again.
async fn heals(store: &dyn SessionStore, trouble: Trouble) {
    let begun = Instant::now();
    while let Err(error) = store.load(&key(1)).await {
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{trouble:?}: {error}");
        assert!(
            begun.elapsed() < Duration::from_secs(15),
            "{trouble:?}: it never heals: {error}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Each call happens or does not, tells so or that it cannot know, within its deadline; and nothing is the worse for it later.
async fn calls_happen_or_do_not(kind: EngineKind) {
    let engine = Engine::start(kind);
    let wire = Wire::to(engine.port()).await;
    let direct = open(kind, engine.port(), Duration::from_secs(20), None).await.unwrap();
    let far = open(kind, wire.port(), DEADLINE, None).await.unwrap();
    for trouble in TROUBLES {
        let slow = matches!(trouble, Trouble::SlowThere(_) | Trouble::SlowBack(_));
        let before = put(&*direct, &key(1), idle(1)).await;
        heals(&*far, trouble).await;
        wire.make(trouble);
        let begun = Instant::now();
        let swapped = far.swap(&key(1), Some(before), idle(2), None).await;
        let took = begun.elapsed();
        assert!(took < DEADLINE + Duration::from_secs(1), "{trouble:?}: {took:?}");
        let claimed = far.claim(&key(2), Duration::from_secs(1)).await;
        let taken = far.claim_due(&critical(10, Duration::from_secs(1))).await;
        wire.make(Trouble::None);
        let there = direct.load(&key(1)).await.unwrap().unwrap();
        match swapped {
            Ok(Swap::Stored(version)) => assert_eq!(there.version, version, "{trouble:?}"),
            Ok(Swap::Conflict(seen)) => panic!("{trouble:?}: a conflict with {:?}", seen.map(|v| v.version)),
            Err(error) => {
                assert!(!slow, "{trouble:?}: {error}");
                assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{trouble:?}: {error}");
                let whole = (there.version == before && there.record.token == idle(1).token)
                    || (there.version > before && there.record.token == idle(2).token);
                assert!(whole, "{trouble:?}: half a write");
            }
        }
        for error in [claimed.err(), taken.err()].into_iter().flatten() {
            assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{trouble:?}: {error}");
        }
        heals(&*far, trouble).await;
        // A lease that nobody knows of lapses.
        let begun = Instant::now();
        while let Claim::Busy { .. } = far.claim(&key(2), Duration::from_millis(1)).await.unwrap() {
            assert!(begun.elapsed() < Duration::from_secs(5), "{trouble:?}: a lease stays");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let next = far.swap(&key(1), Some(there.version), idle(3), None).await.unwrap();
        assert!(
            matches!(next, Swap::Stored(version) if version > there.version),
            "{trouble:?}"
        );
    }
}

/// Two that work on one due index through bad wires never hold the same lease.
async fn leases_are_never_shared(kind: EngineKind) {
    let engine = Engine::start(kind);
    let wires = [Wire::to(engine.port()).await, Wire::to(engine.port()).await];
    let direct = open(kind, engine.port(), Duration::from_secs(20), None).await.unwrap();
    for name in 0..200 {
        put(&*direct, &key(name), due(name)).await;
    }
    let mut handles = Vec::new();
    for wire in &wires {
        handles.push(open(kind, wire.port(), DEADLINE, None).await.unwrap());
    }
    let claiming = handles.into_iter().map(|store| {
        tokio::spawn(async move {
            let mut leases = Vec::new();
            for _ in 0..30 {
                if let Ok(claimed) = store.claim_due(&critical(10, Duration::from_secs(3_600))).await {
                    leases.extend(claimed.into_iter().map(|one| (one.lease.key, one.lease.epoch)));
                }
            }
            leases
        })
    });
    let claiming: Vec<_> = claiming.collect();
    for (round, trouble) in TROUBLES.iter().cycle().take(14).enumerate() {
        wires[round % 2].make(*trouble);
        tokio::time::sleep(Duration::from_millis(60)).await;
        wires[round % 2].make(Trouble::None);
    }
    let mut leases = Vec::new();
    for one in claiming {
        leases.extend(one.await.unwrap());
    }
    let all = leases.len();
    leases.sort_by_key(|(key, _)| *key.as_bytes());
    leases.dedup_by_key(|(key, _)| *key.as_bytes());
    assert_eq!(leases.len(), all, "two have a lease on the same session");
    assert!(all > 100, "only {all} of 200 were claimed");
}

/// Transak behind a bad wire: a caller with a token is served, and nobody has to log in again.
async fn transak_behind_a_bad_wire(kind: EngineKind) {
    let engine = Engine::start(kind);
    let sandbox = Sandbox::builder().start().await.unwrap();
    // Otherwise a lost answer is a lost session, whatever one does.
    sandbox
        .control()
        .update_settings(|settings| settings.refresh_revokes = false);
    let port = |url: &str| {
        url.rsplit(':')
            .next()
            .unwrap()
            .trim_end_matches('/')
            .parse::<u16>()
            .unwrap()
    };
    let wire = Wire::to(port(&sandbox.gateway_url())).await;
    let gateway = sandbox
        .gateway_url()
        .replace(&port(&sandbox.gateway_url()).to_string(), &wire.port().to_string());
    let store = open(kind, engine.port(), Duration::from_secs(20), None).await.unwrap();
    let settings = sandbox.control().settings();
    let transak = Transak::builder()
        .environment(Environment::custom(&sandbox.api_url(), &gateway).unwrap())
        .api_key(settings.api_key)
        .api_secret(settings.api_secret)
        .shared_store(Arc::clone(&store))
        .build()
        .unwrap();
    let (user, mut last) = log_in(&sandbox, &transak, "jane@example.com").await;
    for trouble in [Trouble::CutBefore, Trouble::CutAfter, Trouble::Refuse] {
        wire.make(trouble);
        let refused = user.refresh_now().await;
        assert!(refused.is_err(), "{trouble:?}");
        assert_eq!(user.token().await.unwrap(), last, "{trouble:?}");
        wire.make(Trouble::None);
        let begun = Instant::now();
        last = loop {
            match user.refresh_now().await {
                Ok(token) => break token,
                Err(error) => assert!(begun.elapsed() < Duration::from_secs(60), "{trouble:?}: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        assert_eq!(user.token().await.unwrap(), last);
    }
    assert_eq!(sandbox.control().counts().world.logins, 1);
}

transak_fleet_tests::on_both!(
    calls_happen_or_do_not,
    leases_are_never_shared,
    transak_behind_a_bad_wire
);
