//! The SQLite store: what it keeps, in what order it finds what is due, and what it looks like from outside.
#![allow(clippy::unwrap_used, clippy::panic)]
mod sqlite_support;

use std::time::Duration;

use sqlite_support::*;
use transak_session::clock::Timestamp;
use transak_session::store::seal::{KeyRing, seal_record};
use transak_session::store::{Claim, DueQuery, Lane, SessionStore, SqliteOptions, StoreErrorKind, Swap, Version};
use transak_session::{RecordKey, TenantId};

fn due(tenant: u8, lane: Lane, limit: usize) -> DueQuery {
    DueQuery {
        tenant: TenantId::from_bytes([tenant; 8]),
        lane,
        limit,
        span: SPAN,
    }
}

async fn names(store: &dyn SessionStore, query: DueQuery) -> Vec<RecordKey> {
    let claimed = store.claim_due(&query).await.unwrap();
    claimed.into_iter().map(|c| c.lease.key).collect()
}

#[tokio::test]
async fn versions_never_come_back() {
    let home = Home::new();
    let store = home.open().await;
    let (a, b) = (key(1, 1), key(1, 2));
    let first = put(&store, &a, user(1, 100, 50)).await;
    store.delete(&a).await.unwrap();
    assert!(store.load(&a).await.unwrap().is_none());
    let second = put(&store, &a, user(1, 100, 50)).await;
    assert!(second > first);
    store.delete(&a).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(store.load(&a).await.unwrap_err().kind(), StoreErrorKind::Unavailable);
    assert_eq!(store.delete(&a).await.unwrap_err().kind(), StoreErrorKind::Unavailable);

    let (store, other) = (home.open().await, home.open().await);
    let third = put(&store, &a, user(1, 100, 50)).await;
    let fourth = put(&other, &b, user(2, 100, 50)).await;
    assert!(third > second && fourth > third);
    // What one handle wrote the other sees; a stale version changes nothing.
    let stale = other.swap(&a, Some(second), user(9, 1, 1), None).await.unwrap();
    let Swap::Conflict(Some(there)) = stale else {
        panic!("{stale:?}")
    };
    assert_eq!((there.version, there.record), (third, user(1, 100, 50)));
    let absurd = store
        .swap(&a, Some(Version::new(u64::MAX)), user(9, 1, 1), None)
        .await
        .unwrap();
    assert!(matches!(absurd, Swap::Conflict(Some(_))));
}

#[tokio::test]
async fn leases_exclude_and_are_remembered() {
    let home = Home::new();
    let (store, other) = (home.open().await, home.open().await);
    let k = key(1, 1);
    let Claim::Granted { lease, record: None } = store.claim(&k, SPAN).await.unwrap() else {
        panic!()
    };
    assert_eq!(lease.abandoned, None);
    home.clock.advance(SPAN / 3);
    let Claim::Busy { retry_in, .. } = other.claim(&k, SPAN).await.unwrap() else {
        panic!()
    };
    assert_eq!(retry_in, SPAN - SPAN / 3);
    assert!(store.extend(&lease, SPAN).await.unwrap());

    // A write that finishes the lease ends it in the same step; so the next one knows of no crash.
    let written = store.swap(&k, None, user(1, 100, 50), Some(&lease)).await.unwrap();
    assert!(matches!(written, Swap::Stored(_)));
    let Claim::Granted { lease: second, record } = other.claim(&k, SPAN).await.unwrap() else {
        panic!()
    };
    assert_eq!((second.abandoned, record.unwrap().record), (None, user(1, 100, 50)));
    assert!(second.epoch > lease.epoch);
    assert!(!store.extend(&lease, SPAN).await.unwrap());
    store.release(&lease).await.unwrap();
    assert!(matches!(store.claim(&k, SPAN).await.unwrap(), Claim::Busy { .. }));

    // The lease outlives the record, a crash and the process.
    store.delete(&k).await.unwrap();
    store.close().await.unwrap();
    other.close().await.unwrap();
    home.clock.advance(SPAN * 2);
    let store = home.open().await;
    let Claim::Granted {
        lease: third,
        record: None,
    } = store.claim(&k, SPAN).await.unwrap()
    else {
        panic!()
    };
    assert_eq!(third.abandoned, Some(SPAN * 2));
    store.release(&third).await.unwrap();
    let Claim::Granted { lease, .. } = store.claim(&k, SPAN).await.unwrap() else {
        panic!()
    };
    assert_eq!(lease.abandoned, None);
}

#[tokio::test]
async fn finds_what_is_due_even_behind_thousands_that_are_not() {
    let home = Home::new();
    let store = home.open().await;
    // 6,000 critical ones that wait, and three due ones that expire last; two of them within one slot.
    let mut writes = tokio::task::JoinSet::new();
    for name in 0..6_000 {
        let store = store.clone();
        writes.spawn(async move { put(&store, &key(1, name), user(name, 60 + i64::from(name), 40)).await });
    }
    writes.join_all().await;
    for (name, expires_in) in [(7_000, 50_000), (7_001, 49_000), (7_002, 20_000)] {
        put(&store, &key(1, name), user(name, expires_in, -1)).await;
    }
    let found = names(&store, due(1, Lane::Critical, 2)).await;
    assert_eq!(found, [key(1, 7_002), key(1, 7_001)]);
    assert_eq!(names(&store, due(1, Lane::Critical, 10)).await, [key(1, 7_000)]);
    assert!(
        names(&store, due(1, Lane::Critical, 10)).await.is_empty(),
        "all are leased"
    );
    home.clock.advance(Duration::from_secs(45));
    let found = names(&store, due(1, Lane::Critical, 5)).await;
    assert_eq!(
        found,
        (0..5).map(|n| key(1, n)).collect::<Vec<_>>(),
        "the soonest first"
    );
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_not_in_the_way() {
    let home = Home::new();
    let store = home.open().await;
    for name in 0..4 {
        put(&store, &key(1, name), user(name, 10 * 86_400, -100 + i64::from(name))).await;
    }
    let db = rusqlite::Connection::open(home.path()).unwrap();
    // Two rows change places.
    db.execute_batch(
        "CREATE TEMP TABLE t AS SELECT id, sealed FROM session;
        UPDATE session SET sealed = (SELECT sealed FROM t WHERE t.id = 3 - session.id) WHERE id < 3;",
    )
    .unwrap();
    drop(db);
    assert_eq!(
        store.load(&key(1, 0)).await.unwrap_err().kind(),
        StoreErrorKind::Corrupt
    );
    let one = names(&store, due(1, Lane::Normal, 1)).await;
    assert_eq!(one, [key(1, 2)]);
    let verified = store.verify().await.unwrap();
    assert_eq!((verified.records, verified.unreadable), (2, 2));
    store.delete(&key(1, 0)).await.unwrap();
    put(&store, &key(1, 0), user(0, 100, 50)).await;
}

#[tokio::test]
async fn keys_change_while_it_is_in_use() {
    let home = Home::new();
    home.filled().await;
    let both = || KeyRing::new(seal_key(2)).with_older(seal_key(1));
    let options = || SqliteOptions::new(both()).clock(home.clock.clone());
    let store = options().open(home.path()).await.unwrap();
    // Another process can open with the new key, but seals with the old one still.
    let other = SqliteOptions::new(KeyRing::new(seal_key(1)).with_older(seal_key(2))).clock(home.clock.clone());
    let old = other.open(home.path()).await.unwrap();
    let first = store.reseal(30).await.unwrap();
    assert_eq!((first.records, first.finished), (30, false));
    // It writes behind the front.
    put(&old, &key(1, 3), user(3, 100, 50)).await;
    let mut sealed = first.records;
    loop {
        let step = store.reseal(30).await.unwrap();
        sealed += step.records;
        assert_eq!(step.unreadable, 0);
        if step.finished {
            break;
        }
        assert!(sealed < 200, "no end");
    }
    assert_eq!(sealed, 101);
    assert!(store.reseal(30).await.unwrap().finished);
    assert_eq!(store.load(&key(1, 3)).await.unwrap().unwrap().record, user(3, 100, 50));
    old.close().await.unwrap();
    store.close().await.unwrap();
    // Nothing that the old key has sealed is left, not even where rows have been.
    for (path, bytes) in home.files() {
        let left = bytes.windows(8).any(|w| w == seal_key(1).id().as_bytes());
        assert!(!left, "{} holds what the old key has sealed", path.display());
    }
    assert_eq!(home.refused(home.options()).await, StoreErrorKind::WrongKey);
    let only_new = SqliteOptions::new(ring(2)).open(home.path()).await.unwrap();
    assert_eq!(only_new.verify().await.unwrap().records, 100);
}

/// A file as the first layout had it. Never changed again.
const LAYOUT_1: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA application_id = 1416785491;
    PRAGMA user_version = 1;
    CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO meta (name, value) VALUES ('counter', 41);
    CREATE TABLE seal_key (id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE) STRICT;
    CREATE TABLE session (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, tenant INTEGER NOT NULL, version INTEGER,
        live INTEGER NOT NULL, expires_at INTEGER, wake_at INTEGER, slot INTEGER, seal_key INTEGER, clear BLOB,
        sealed BLOB) STRICT;
    CREATE TABLE lease (id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, taken_at INTEGER NOT NULL,
        until INTEGER NOT NULL) STRICT;
    CREATE INDEX session_expiry ON session (tenant, expires_at, wake_at) WHERE live = 1;
    CREATE INDEX session_slot ON session (tenant, slot, wake_at, expires_at) WHERE live = 1;
    CREATE INDEX session_empty ON session (id) WHERE version IS NULL;";

#[tokio::test]
async fn a_file_of_the_first_layout_is_brought_up_to_date() {
    // The sealed text that tells whether the keys fit is alike in all layouts.
    let other = Home::new();
    other.filled().await;
    let db = rusqlite::Connection::open(other.path()).unwrap();
    let check: Vec<u8> = db
        .query_row("SELECT value FROM meta WHERE name = 'key check'", [], |row| row.get(0))
        .unwrap();

    let home = Home::new();
    let record = user(7, 10 * 86_400, -5);
    let whole = seal_record(&ring(1), &key(1, 7), Version::new(40), &record).unwrap();
    let db = rusqlite::Connection::open(home.path()).unwrap();
    db.execute_batch(LAYOUT_1).unwrap();
    db.execute("INSERT INTO meta (name, value) VALUES ('key check', ?1)", [check])
        .unwrap();
    db.execute(
        "INSERT INTO seal_key (id, name) VALUES (1, ?1)",
        [seal_key(1).id().as_bytes()],
    )
    .unwrap();
    let millis = |at: Timestamp| at.unix_millis();
    db.execute(
        "INSERT INTO session VALUES (1, ?1, 72340172838076673, 40, 1, ?2, ?3, ?4, 1, ?5, ?6)",
        rusqlite::params![
            key(1, 7).as_bytes(),
            millis(record.expires_at),
            millis(record.wake_at),
            millis(record.expires_at) / 14_400_000,
            whole.clear,
            whole.sealed
        ],
    )
    .unwrap();
    db.close().unwrap();

    let store = home.open().await;
    assert_eq!(store.load(&key(1, 7)).await.unwrap().unwrap().record, record);
    assert_eq!(names(&store, due(1, Lane::Normal, 5)).await, [key(1, 7)]);
    assert_eq!(put(&store, &key(1, 8), user(8, 100, 50)).await, Version::new(43));
    assert!(store.reseal(10).await.unwrap().finished);
    assert_eq!(store.forget_expired(DAY, 10).await.unwrap(), 0);
    assert_eq!(store.verify().await.unwrap().records, 2);
    store.close().await.unwrap();
    let db = rusqlite::Connection::open(home.path()).unwrap();
    let layout: i32 = db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(layout, 4);
}

#[tokio::test]
async fn an_update_that_fails_changes_nothing() {
    let home = Home::new();
    home.filled().await;
    let db = rusqlite::Connection::open(home.path()).unwrap();
    // The second step will do, the third will meet an index that should not be there.
    db.execute_batch("DROP INDEX session_seal_key; PRAGMA user_version = 1;")
        .unwrap();
    db.close().unwrap();
    assert_eq!(home.refused(home.options()).await, StoreErrorKind::Corrupt);
}

#[tokio::test]
async fn long_expired_records_are_forgotten_when_told() {
    let home = Home::new();
    let store = home.open().await;
    for (name, expired_days_ago) in (0..).zip([40_i64, 31, 29, 50, -5]) {
        put(&store, &key(1, name), user(name, -expired_days_ago * 86_400, 50)).await;
    }
    let Claim::Granted { .. } = store.claim(&key(1, 3), SPAN).await.unwrap() else {
        panic!()
    };
    assert_eq!(store.forget_expired(DAY * 30, 1).await.unwrap(), 1);
    assert!(
        store.load(&key(1, 0)).await.unwrap().is_none(),
        "the longest expired one that is not leased"
    );
    assert_eq!(store.forget_expired(DAY * 30, 10).await.unwrap(), 1);
    home.clock.advance(SPAN * 2);
    assert_eq!(store.forget_expired(DAY * 30, 10).await.unwrap(), 1);
    assert_eq!(store.verify().await.unwrap().records, 2);
    assert_eq!(store.forget_expired(Duration::MAX, usize::MAX).await.unwrap(), 0);
}

#[tokio::test]
async fn nothing_secret_is_in_the_files() {
    let home = Home::new();
    let store = home.open().await;
    for name in 0..50 {
        put(&store, &key(1, name), user(name, 86_400, 50)).await;
    }
    let check = |home: &Home| {
        for (path, bytes) in home.files() {
            for secret in ["planted-token", "203.0.113.77"] {
                let found = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
                assert!(!found, "{} holds {secret}", path.display());
            }
        }
    };
    check(&home);
    assert!(!format!("{store:?}").contains("planted"));
    store.close().await.unwrap();
    check(&home);
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let home = Home::new();
    let store = home.open().await;
    put(&store, &key(1, 1), user(1, 100, 50)).await;
    for part in ["", "-wal", "-shm"] {
        assert_eq!(mode(&beside(&home.path(), part)), 0o600, "{part}");
    }
    store.close().await.unwrap();
    std::fs::set_permissions(home.path(), PermissionsExt::from_mode(0o664)).unwrap();
    let store = home.open().await;
    put(&store, &key(1, 2), user(2, 100, 50)).await;
    for part in ["", "-wal", "-shm"] {
        assert_eq!(mode(&beside(&home.path(), part)), 0o600, "{part}");
    }
}

#[tokio::test]
async fn a_full_store_says_so_and_keeps_what_it_has() {
    let home = Home::new();
    let store = home.options().max_bytes(400_000).open(home.path()).await.unwrap();
    let mut name = 0;
    let full = loop {
        match store.swap(&key(1, name), None, user(name, 86_400, 50), None).await {
            Ok(_) => name += 1,
            Err(error) => break error,
        }
        assert!(name < 2_000, "never full");
    };
    assert_eq!(full.kind(), StoreErrorKind::Full);
    assert_eq!(store.verify().await.unwrap().records, u64::from(name));
    store.delete(&key(1, 0)).await.unwrap();
    store.close().await.unwrap();
    let store = home.open().await;
    put(&store, &key(1, name), user(name, 86_400, 50)).await;
}

/// Of futures that are dropped at once, some writes happen and some do not; each is whole, and no claim stays behind.
#[tokio::test]
async fn dropped_futures_leave_nothing_half_done() {
    let home = Home::new();
    let store = home.open().await;
    for name in 0..200_u32 {
        let k = key(1, name);
        let write = store.swap(&k, None, user(name, 86_400, 50), None);
        let _ = tokio::time::timeout(Duration::from_micros(u64::from(name) * 20), write).await;
        let _ = tokio::time::timeout(Duration::from_micros(u64::from(name) * 20), store.claim(&k, DAY)).await;
    }
    let mut kept = 0;
    for name in 0..200 {
        let k = key(1, name);
        if let Some(there) = store.load(&k).await.unwrap() {
            assert_eq!(there.record, user(name, 86_400, 50));
            kept += 1;
        }
    }
    assert_eq!(store.verify().await.unwrap().records, kept);
}
