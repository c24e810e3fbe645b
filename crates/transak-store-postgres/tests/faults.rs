//! What can go wrong with a server, and what becomes of sessions.
#![allow(clippy::unwrap_used, clippy::panic)]
mod support;

use std::time::{Duration, Instant};

use support::{
    HOUR, PLANTED, careless, critical, due, idle, key, open, options, put, ring, seal_key, token, unique_name,
};
use transak_session::store::seal::KeyRing;
use transak_session::store::{Claim, SessionStore, StoreErrorKind, Swap};
use transak_store_postgres::{Durability, PostgresOptions, PostgresStore};
use transak_test_servers::postgres::PostgresServer;

const SPAN: Duration = Duration::from_secs(30);

fn strict(server: &PostgresServer) -> PostgresOptions {
    options(server).durability(Durability::Always)
}

/// Until the store answers again by itself.
async fn comes_back(store: &PostgresStore) {
    let begun = Instant::now();
    while let Err(error) = store.load(&key(0)).await {
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "it never connects again: {error:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_would_lose_sessions_is_refused() {
    for setting in ["fsync=off", "synchronous_commit=off"] {
        let server = PostgresServer::start_with(&["-c", setting]);
        let refused = strict(&server).open().await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Unsafe, "{setting}: {refused}");
        assert!(refused.to_string().contains("fsync"), "{refused}");
        strict(&server).durability(Durability::Vouched).open().await.unwrap();
    }
    let server = PostgresServer::start_flushing();
    strict(&server).open().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_the_servers_death() {
    let mut server = PostgresServer::start_flushing();
    let store = strict(&server).open().await.unwrap();
    let mut versions = Vec::new();
    for name in 0..50 {
        versions.push(put(&store, &key(name), due(name)).await);
    }
    let Claim::Granted { lease, .. } = store.claim(&key(7), HOUR).await.unwrap() else {
        panic!("nobody else claims")
    };
    server.kill();
    assert_eq!(
        store.load(&key(1)).await.unwrap_err().kind(),
        StoreErrorKind::Unavailable
    );
    server.restart();
    comes_back(&store).await;
    for (name, version) in (0..50).zip(&versions) {
        assert_eq!(store.load(&key(name)).await.unwrap().unwrap().version, *version);
    }
    assert!(
        matches!(store.claim(&key(7), SPAN).await.unwrap(), Claim::Busy { .. }),
        "the lease was forgotten"
    );
    assert_eq!(store.claim_due(&critical(100, SPAN)).await.unwrap().len(), 49);
    store.release(&lease).await.unwrap();
    assert_eq!(store.claim_due(&critical(100, SPAN)).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_answer_costs_a_deadline_and_no_more() {
    let server = PostgresServer::start();
    let store = options(&server)
        .deadline(Duration::from_millis(300))
        .open()
        .await
        .unwrap();
    // A write can take longer than that on a busy disk.
    put(&open(&server).await, &key(1), idle(1)).await;
    server.pause();
    let begun = Instant::now();
    let calls = (0..20).map(|name| {
        let store = store.clone();
        tokio::spawn(async move { store.load(&key(name)).await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap().unwrap_err().kind(), StoreErrorKind::Unavailable);
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    server.resume();
    comes_back(&store).await;
    assert!(store.load(&key(1)).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_the_server_ends_are_replaced() {
    let server = PostgresServer::start();
    let store = options(&server).connections(2).open().await.unwrap();
    put(&store, &key(0), idle(0)).await;
    for _ in 0..3 {
        let _ = server.command("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'");
        comes_back(&store).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_who_leave_give_their_connections_back() {
    let server = PostgresServer::start();
    let store = options(&server).connections(2).open().await.unwrap();
    put(&store, &key(0), idle(0)).await;
    server.pause();
    for _ in 0..20 {
        let leaving = tokio::time::timeout(Duration::from_millis(5), store.load(&key(0))).await;
        assert!(leaving.is_err());
    }
    server.resume();
    comes_back(&store).await;
    let connected = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'transak-session'";
    let begun = Instant::now();
    while server.command(connected).parse::<u32>().unwrap() > 2 {
        assert!(begun.elapsed() < Duration::from_secs(10), "connections are left behind");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_was_restored_brings_no_version_back() {
    let server = PostgresServer::start();
    let store = open(&server).await;
    put(&store, &key(1), idle(1)).await;
    let copy = server.dump("postgres");
    let newest = put(&store, &key(1), idle(1)).await;
    let Claim::Granted { lease, .. } = store.claim(&key(2), SPAN).await.unwrap() else {
        panic!("nobody else claims")
    };
    server.restore("restored", &copy);
    let restored = careless(server.url_of("restored")).open().await.unwrap();
    let old = restored.load(&key(1)).await.unwrap().unwrap().version;
    assert!(old < newest);
    // Whoever has read the newer one does not write over the older, and is told what there is.
    let late = restored.swap(&key(1), Some(newest), idle(1), None).await.unwrap();
    assert!(matches!(late, Swap::Conflict(Some(there)) if there.version == old));
    let next = put(&restored, &key(1), idle(1)).await;
    assert!(next > newest, "{next:?} after {newest:?}");
    let Claim::Granted { lease: later, .. } = restored.claim(&key(2), SPAN).await.unwrap() else {
        panic!("nobody else claims")
    };
    assert!(later.epoch > lease.epoch);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_of_others_and_of_later_releases_are_left_alone() {
    let server = PostgresServer::start();
    let _ = server.command("CREATE SCHEMA foreign_one; CREATE TABLE foreign_one.meta (a int); CREATE SCHEMA foreign_two; CREATE TABLE foreign_two.something (a int)");
    for schema in ["foreign_one", "foreign_two"] {
        let error = options(&server).schema(schema).open().await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
    }
    assert_eq!(
        server.command("SELECT count(*) FROM pg_tables WHERE schemaname LIKE 'foreign%'"),
        "2"
    );
    let store = open(&server).await;
    put(&store, &key(1), idle(1)).await;
    let _ = server.command("UPDATE transak.meta SET value = '99' WHERE name = 'layout'");
    let error = options(&server).open().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Incompatible, "{error}");
    for (schema, word) in [
        ("Transak", "lower-case"),
        ("pg_x", "own"),
        ("public", "everybody"),
        ("a; b", "lower-case"),
    ] {
        let error = options(&server).schema(schema).open().await.unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_that_open_a_new_store_make_one() {
    let server = PostgresServer::start();
    let opening: Vec<_> = (0..12)
        .map(|_| tokio::spawn(options(&server).connections(2).open()))
        .collect();
    for (name, one) in (0..).zip(opening) {
        put(&one.await.unwrap().unwrap(), &key(name), idle(name)).await;
    }
    assert_eq!(server.command("SELECT count(*) FROM transak.session"), "12");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_can_make_the_tables_and_the_user_needs_few_rights() {
    let server = PostgresServer::start();
    let refused = options(&server).migrate(false).open().await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Incompatible, "{refused}");
    for step in PostgresOptions::migrations("transak") {
        let _ = server.command(&step);
    }
    let _ = server.command(
        "CREATE ROLE wallet LOGIN; GRANT USAGE ON SCHEMA transak TO wallet;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA transak TO wallet;
        GRANT ALL ON ALL SEQUENCES IN SCHEMA transak TO wallet",
    );
    let url = server.url().replace("//postgres@", "//wallet@");
    let store = careless(&url).migrate(false).open().await.unwrap();
    put(&store, &key(1), due(1)).await;
    assert_eq!(store.claim_due(&critical(10, SPAN)).await.unwrap().len(), 1);
    let error = careless(&url).schema("other").open().await.unwrap_err();
    assert!(error.to_string().contains("permissions"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_key_opens_nothing_and_changes_nothing() {
    let server = PostgresServer::start();
    let store = open(&server).await;
    let version = put(&store, &key(1), idle(1)).await;
    let error = PostgresOptions::new(server.url(), ring(2))
        .durability(Durability::Vouched)
        .open()
        .await;
    assert_eq!(error.unwrap_err().kind(), StoreErrorKind::WrongKey);
    assert_eq!(store.load(&key(1)).await.unwrap().unwrap().version, version);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_changed_while_the_store_is_in_use() {
    let server = PostgresServer::start();
    let store = open(&server).await;
    for name in 0..200 {
        put(&store, &key(name), idle(name)).await;
    }
    let with = |ring| PostgresOptions::new(server.url(), ring).durability(Durability::Vouched);
    let both = with(KeyRing::new(seal_key(2)).with_older(seal_key(1)))
        .open()
        .await
        .unwrap();
    let mut rounds = 0;
    while !both.reseal(50).await.unwrap().finished {
        put(&both, &key(rounds), idle(rounds)).await;
        rounds += 1;
        assert!(rounds < 200, "it never finishes");
    }
    let only = with(ring(2)).open().await.unwrap();
    for name in 0..200 {
        let found = only.load(&key(name)).await.unwrap().unwrap();
        assert_eq!(found.record.token.unwrap().expose(), token(name));
    }
    // One that was altered is counted and stays.
    let _ = server.command("UPDATE transak.session SET sealed = overlay(sealed PLACING '\\x00' FROM 40), seal_key = '\\x0000000000000000' WHERE key = (SELECT key FROM transak.session ORDER BY key LIMIT 1)");
    let third = with(KeyRing::new(seal_key(3)).with_older(seal_key(2)))
        .open()
        .await
        .unwrap();
    let mut unreadable = 0;
    loop {
        let outcome = third.reseal(1_000).await.unwrap();
        unreadable = unreadable.max(outcome.unreadable);
        if outcome.finished {
            break;
        }
    }
    assert_eq!(unreadable, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_and_the_log_show_nobody() {
    let server = PostgresServer::start_with(&["-c", "log_statement=all", "-c", "fsync=off"]);
    let store = open(&server).await;
    for name in 0..20 {
        put(&store, &key(name), due(name)).await;
    }
    assert_eq!(store.claim_due(&critical(20, SPAN)).await.unwrap().len(), 20);
    let (dump, log) = (server.dump("postgres"), server.log());
    assert!(
        dump.len() > 10_000 && log.contains("INSERT INTO transak.session"),
        "nothing to look at"
    );
    for planted in PLANTED {
        // Bytes are written as hexadecimal digits.
        let hex: String = planted.bytes().map(|byte| format!("{byte:02x}")).collect();
        for text in [&dump, &log] {
            assert!(!text.contains(planted) && !text.contains(&hex), "{planted} is there");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_expired_long_ago_is_forgotten_when_asked_for() {
    let server = PostgresServer::start();
    let store = options(&server).schema(unique_name()).open().await.unwrap();
    let long_ago = support::now() - support::DAY * 40;
    for name in 0..5 {
        put(&store, &key(name), support::user(name, long_ago, long_ago)).await;
    }
    put(&store, &key(9), idle(9)).await;
    let _ = store.claim(&key(0), HOUR).await.unwrap();
    assert_eq!(store.forget_expired(support::DAY * 30, 3).await.unwrap(), 3);
    assert_eq!(store.forget_expired(support::DAY * 30, 100).await.unwrap(), 1);
    assert!(
        store.load(&key(0)).await.unwrap().is_some(),
        "somebody is at work on it"
    );
    assert!(store.load(&key(9)).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passwords_are_not_repeated() {
    let url = "postgres://wallet:hunter2secret@127.0.0.1:1/nowhere";
    let options = careless(url).connect_timeout(Duration::from_secs(2));
    let shown = format!("{options:?}");
    let error = options.open().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let bad = careless("postgres://wallet:hunter2secret@host:port:port/")
        .open()
        .await
        .unwrap_err();
    for text in [shown, format!("{error:?} {error}"), format!("{bad:?} {bad}")] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

/// Whoever listens is told that it is over, by the close or by the last handle, and nobody begins to listen after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_closed_gives_no_hints() {
    let server = PostgresServer::start();
    let (closed, dropped) = (open(&server).await, open(&server).await);
    let tenant = key(1).tenant();
    let mut hints = [
        closed.hints(tenant).await.unwrap().unwrap(),
        dropped.hints(tenant).await.unwrap().unwrap(),
    ];
    closed.close();
    drop(dropped);
    for hints in &mut hints {
        let end = tokio::time::timeout(Duration::from_secs(10), hints.next()).await;
        assert_eq!(end.unwrap(), None);
    }
    assert_eq!(
        closed.hints(tenant).await.unwrap_err().kind(),
        StoreErrorKind::Unavailable
    );
}
