//! Several instances on one store, against the sandbox: one of them calls Transak, and all have what it got.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::time::Duration;

use transak_fleet_tests::{EngineKind, Fleet, REPLICAS, identity, log_in};
use transak_session::UserIdentity;
use transak_test_servers::records::DAY;

fn jane() -> UserIdentity {
    identity("jane@example.com")
}

async fn eight_that_start_cold_mint_one_partner_token(kind: EngineKind) {
    let fleet = Fleet::start(kind).await;
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

async fn eight_that_meet_a_due_session_renew_it_once(kind: EngineKind) {
    let fleet = Fleet::start(kind).await;
    let (_, before) = fleet.log_in("jane@example.com").await;
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

async fn workers_of_several_instances_renew_each_session_once(kind: EngineKind) {
    let fleet = Fleet::start(kind).await;
    let people = 24;
    for number in 0..people {
        let email = format!("user{number}@example.com");
        log_in(&fleet.sandbox, &fleet.replicas[number % REPLICAS], &email).await;
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

async fn eight_that_meet_the_end_of_a_partner_token_mint_one_more(kind: EngineKind) {
    let fleet = Fleet::start(kind).await;
    let ask = || async {
        let asking: Vec<_> = fleet.replicas.iter().map(|replica| replica.partner().clone()).collect();
        let asking: Vec<_> = asking
            .into_iter()
            .map(|partner| tokio::spawn(async move { partner.ready().await.unwrap().fingerprint() }))
            .collect();
        let mut tokens = BTreeSet::new();
        for one in asking {
            tokens.insert(one.await.unwrap().to_string());
        }
        tokens
    };
    let first = ask().await;
    // Past its end, so that nobody has one that could be served.
    fleet.pass(DAY * 7 + Duration::from_secs(60));
    let second = ask().await;
    assert_eq!((first.len(), second.len()), (1, 1), "{first:?} {second:?}");
    assert_ne!(first, second);
    assert_eq!(fleet.sandbox.control().counts().world.mints, 2);
    // While the former one lives, webhooks that were signed with it can be verified everywhere.
    fleet.pass(DAY * 7 - Duration::from_secs(120));
    let third = ask().await;
    let mut keys = BTreeSet::new();
    for replica in &fleet.replicas {
        let known = replica.partner().verification_keys_fresh().await.unwrap();
        keys.insert(
            known
                .iter()
                .map(|key| key.fingerprint().to_string())
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(keys.len(), 1, "replicas verify with different keys: {keys:?}");
    let keys: BTreeSet<_> = keys.into_iter().flatten().collect();
    assert!(third.is_subset(&keys), "{third:?} {keys:?}");
}

/// The store loses what it had, or goes back to what it had before the last renewal.
async fn a_store_that_loses_data_costs_nobody_at_hand_a_login(kind: EngineKind) {
    let fleet = Fleet::start(kind).await;
    // Otherwise nothing that an older copy holds could be of use.
    fleet
        .sandbox
        .control()
        .update_settings(|settings| settings.refresh_revokes = false);
    let (user, _) = fleet.log_in("jane@example.com").await;
    let copy = fleet.engine.copy();
    let newer = user.refresh_now().await.unwrap();
    fleet.engine.set_back(copy.as_deref());
    // Who has the newer token serves it, whatever the store says.
    assert_eq!(user.token().await.unwrap(), newer);
    fleet.pass(DAY * 25);
    let begun = std::time::Instant::now();
    let newest = loop {
        if let Ok(token) = user.token().await
            && token != newer
        {
            break token;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "it is not renewed any more");
        tokio::time::sleep(Duration::from_millis(50)).await;
        fleet.pass(Duration::from_secs(1));
    };
    // The store has it, so that others take it over.
    let begun = std::time::Instant::now();
    while fleet.replicas[1].user(jane()).token().await.ok().as_ref() != Some(&newest) {
        assert!(begun.elapsed() < Duration::from_secs(30), "others never learn of it");
        tokio::time::sleep(Duration::from_millis(50)).await;
        fleet.pass(Duration::from_secs(1));
    }
    assert_eq!(fleet.sandbox.control().counts().world.logins, 1);
}

transak_fleet_tests::on_both!(
    eight_that_start_cold_mint_one_partner_token,
    eight_that_meet_the_end_of_a_partner_token_mint_one_more,
    eight_that_meet_a_due_session_renew_it_once,
    workers_of_several_instances_renew_each_session_once,
    a_store_that_loses_data_costs_nobody_at_hand_a_login
);
