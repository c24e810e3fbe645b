//! What can go wrong with a server, and what becomes of sessions.
#![allow(clippy::unwrap_used, clippy::panic)]
mod support;

use std::time::{Duration, Instant};

use support::{HOUR, PLANTED, critical, due, idle, key, open, options, put, ring, seal_key, token};
use transak_session::store::seal::KeyRing;
use transak_session::store::{Claim, SessionStore, StoreErrorKind, Swap};
use transak_store_redis::{Durability, RedisStore};
use transak_test_servers::redis::RedisServer;

const SPAN: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_would_lose_sessions_is_refused() {
    for (setting, allowed) in [
        (["--maxmemory-policy", "allkeys-lru"], Durability::CacheOnly),
        (["--appendonly", "no"], Durability::CacheOnly),
        (["--appendfsync", "everysec"], Durability::EverySecond),
    ] {
        let server = RedisServer::start_with(&setting);
        let refused = options(&server).open().await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Unsafe, "{setting:?}: {refused}");
        assert!(
            refused.to_string().contains(setting[0].trim_start_matches("--")),
            "{refused}"
        );
        options(&server).durability(allowed).open().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_the_servers_death() {
    let mut server = RedisServer::start();
    let store = open(&server).await;
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
    // The same store goes on by itself.
    let begun = Instant::now();
    let first = loop {
        match store.load(&key(0)).await {
            Ok(found) => break found,
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Unavailable);
                assert!(
                    begun.elapsed() < Duration::from_secs(20),
                    "it never connects again: {error}"
                );
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    };
    assert_eq!(first.unwrap().version, versions[0]);
    for (name, version) in (0..50).zip(&versions) {
        assert_eq!(store.load(&key(name)).await.unwrap().unwrap().version, *version);
    }
    assert!(
        matches!(store.claim(&key(7), SPAN).await.unwrap(), Claim::Busy { .. }),
        "the lease was forgotten"
    );
    let query = critical(100, SPAN);
    assert_eq!(store.claim_due(&query).await.unwrap().len(), 49);
    store.release(&lease).await.unwrap();
    assert_eq!(store.claim_due(&query).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_answer_costs_a_deadline_and_no_more() {
    let server = RedisServer::start();
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
    let begun = Instant::now();
    while store.load(&key(1)).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never comes back");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_emptied_brings_no_version_back() {
    let server = RedisServer::start();
    let store = open(&server).await;
    let before = put(&store, &key(1), idle(1)).await;
    let _ = server.command("FLUSHALL");
    assert!(store.load(&key(1)).await.unwrap().is_none());
    // Whoever has read it before does not get through with it, and is told that there is nothing.
    let late = store.swap(&key(1), Some(before), idle(1), None).await.unwrap();
    assert!(matches!(late, Swap::Conflict(None)), "{late:?}");
    let after = put(&store, &key(1), idle(1)).await;
    assert!(after > before, "{after:?} after {before:?}");
    // The store is known to be one again.
    open(&server).await.load(&key(1)).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scripts_that_the_server_has_forgotten_are_sent_again() {
    let server = RedisServer::start();
    let store = open(&server).await;
    put(&store, &key(1), idle(1)).await;
    let _ = server.command("SCRIPT FLUSH");
    put(&store, &key(1), idle(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_key_opens_nothing_and_changes_nothing() {
    let server = RedisServer::start();
    let store = open(&server).await;
    let version = put(&store, &key(1), idle(1)).await;
    let error = RedisStore::open(server.url(), ring(2)).await.err();
    // Another namespace is another store.
    assert!(error.is_none(), "{error:?}");
    let options = || transak_store_redis::RedisOptions::new(server.url(), ring(2)).namespace("test");
    assert_eq!(options().open().await.unwrap_err().kind(), StoreErrorKind::WrongKey);
    assert_eq!(store.load(&key(1)).await.unwrap().unwrap().version, version);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_changed_while_the_store_is_in_use() {
    let server = RedisServer::start();
    let store = open(&server).await;
    for name in 0..200 {
        put(&store, &key(name), idle(name)).await;
    }
    let both = KeyRing::new(seal_key(2)).with_older(seal_key(1));
    let both = transak_store_redis::RedisOptions::new(server.url(), both)
        .namespace("test")
        .open()
        .await
        .unwrap();
    let mut rounds = 0;
    while !both.reseal(50).await.unwrap().finished {
        put(&both, &key(rounds), idle(rounds)).await;
        rounds += 1;
        assert!(rounds < 200, "it never finishes");
    }
    let only = transak_store_redis::RedisOptions::new(server.url(), ring(2))
        .namespace("test")
        .open()
        .await
        .unwrap();
    for name in 0..200 {
        let found = only.load(&key(name)).await.unwrap().unwrap();
        assert_eq!(found.record.token.unwrap().expose(), token(name));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lies_on_the_servers_disk_shows_nobody() {
    let server = RedisServer::start();
    let store = open(&server).await;
    for name in 0..20 {
        put(&store, &key(name), idle(name)).await;
    }
    assert!(server.command("SAVE").contains("OK"));
    let (mut files, mut bytes) = (0, 0);
    let mut folders = vec![server.data().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let content = std::fs::read(&path).unwrap_or_default();
            for planted in PLANTED {
                let found = content.windows(planted.len()).any(|part| part == planted.as_bytes());
                assert!(!found, "{planted} is in {}", path.display());
            }
            files += 1;
            bytes += content.len();
        }
    }
    assert!(files > 0 && bytes > 1_000, "{files} files of {bytes} bytes");
    let log = server.log();
    assert!(!log.contains("planted"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_data_leaves_by_itself() {
    let server = RedisServer::start();
    let store = open(&server).await;
    put(&store, &key(1), idle(1)).await;
    let _ = store.claim(&key(2), SPAN).await.unwrap();
    // Every key of a record or a lease has a time to live; the few others are the store's and the index's own.
    let keys = server.command("KEYS *");
    let names: Vec<&str> = keys
        .lines()
        .filter(|line| line.contains(":s:") || line.contains(":l:"))
        .collect();
    assert_eq!(names.len(), 2, "{keys}");
    for name in names {
        let ttl = server.command(&format!("PTTL {}", name.trim()));
        let ttl: i64 = ttl.trim().trim_start_matches(':').parse().unwrap();
        assert!(ttl > 0, "{name} stays for ever");
    }
}

/// Whoever listens is told that it is over, by the close or by the last handle, and nobody begins to listen after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_closed_gives_no_hints() {
    let server = RedisServer::start();
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
