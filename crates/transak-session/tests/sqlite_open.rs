//! Everything that can be wrong with a file: it is named, and the file stays as it is.
#![allow(clippy::unwrap_used)]
mod sqlite_support;

use std::fs;
use std::time::Duration;

use sqlite_support::*;
use transak_session::store::{SessionStore, SqliteOptions, StoreErrorKind};

fn foreign(home: &Home, sql: &str) {
    let db = rusqlite::Connection::open(home.path()).unwrap();
    db.execute_batch(sql).unwrap();
    db.close().unwrap();
}

#[tokio::test]
async fn no_database_at_all() {
    let home = Home::new();
    for bytes in [
        &b""[..],
        b"x",
        b"not a database, but a text of some length\n",
        &[0; 8_192],
    ] {
        fs::write(home.path(), bytes).unwrap();
        assert_eq!(
            home.refused(home.options()).await,
            StoreErrorKind::Corrupt,
            "{} bytes",
            bytes.len()
        );
    }
}

#[tokio::test]
async fn a_database_of_another_program() {
    let home = Home::new();
    foreign(&home, "CREATE TABLE t (a); INSERT INTO t VALUES (1);");
    assert_eq!(home.refused(home.options()).await, StoreErrorKind::Corrupt);
    foreign(
        &home,
        "PRAGMA journal_mode = WAL; PRAGMA application_id = 77; PRAGMA user_version = 1;",
    );
    assert_eq!(home.refused(home.options()).await, StoreErrorKind::Corrupt);
}

#[tokio::test]
async fn a_later_layout() {
    let home = Home::new();
    home.filled().await;
    foreign(&home, "PRAGMA user_version = 99;");
    assert_eq!(home.refused(home.options()).await, StoreErrorKind::Incompatible);
    foreign(&home, "PRAGMA user_version = 0;");
    assert_eq!(home.refused(home.options()).await, StoreErrorKind::Corrupt);
}

#[tokio::test]
async fn a_layout_that_grows_under_an_open_store_stops_its_writes() {
    let home = Home::new();
    let store = home.open().await;
    put(&store, &key(1, 1), user(1, 100, 50)).await;
    foreign(&home, "PRAGMA user_version = 99;");
    let refused = store.delete(&key(1, 1)).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Incompatible);
    assert!(store.load(&key(1, 1)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_wrong_key() {
    let home = Home::new();
    home.filled().await;
    let wrong = || SqliteOptions::new(ring(2));
    assert_eq!(home.refused(wrong()).await, StoreErrorKind::WrongKey);
    // Also with a log that a crash has left behind.
    let store = home.open().await;
    put(&store, &key(1, 5), user(5, 1_000, 50)).await;
    let copy = Home::new();
    for part in ["", "-wal"] {
        fs::copy(beside(&home.path(), part), beside(&copy.path(), part)).unwrap();
    }
    let bytes = |home: &Home| ["", "-wal"].map(|part| fs::read(beside(&home.path(), part)).unwrap());
    let before = bytes(&copy);
    let error = wrong().open(copy.path()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::WrongKey);
    assert!(bytes(&copy) == before);
    let survived = copy.open().await;
    assert_eq!(
        survived.load(&key(1, 5)).await.unwrap().unwrap().record,
        user(5, 1_000, 50)
    );
}

#[tokio::test]
async fn cut_off() {
    let home = Home::new();
    home.filled().await;
    let whole = fs::metadata(home.path()).unwrap().len();
    let file = fs::OpenOptions::new().write(true).open(home.path()).unwrap();
    for length in [whole - 1, whole / 2, 5_000, 4_096, 600, 50] {
        file.set_len(length).unwrap();
        assert_eq!(
            home.refused(home.options()).await,
            StoreErrorKind::Corrupt,
            "{length} bytes"
        );
    }
}

#[tokio::test]
async fn damaged_pages() {
    let home = Home::new();
    home.filled().await;
    let whole = fs::read(home.path()).unwrap();
    let mut seen = 0;
    for page in 1..whole.len() / 4_096 {
        let mut damaged = whole.clone();
        damaged[page * 4_096..page * 4_096 + 2_048].fill(0xA5);
        fs::write(home.path(), &damaged).unwrap();
        let found = match home.options().open(home.path()).await {
            Err(error) => Some(error.kind()),
            Ok(store) => {
                // Reading never panics and never invents a record.
                for name in 0..100 {
                    match store.load(&key(1, name)).await {
                        Ok(Some(there)) => assert_eq!(there.record, user(name, 10 * 86_400, i64::from(name))),
                        Ok(None) => {}
                        Err(error) => assert_eq!(error.kind(), StoreErrorKind::Corrupt),
                    }
                }
                let found = store.verify().await;
                store.close().await.unwrap();
                match found {
                    Ok(verified) if verified.unreadable > 0 => Some(StoreErrorKind::Corrupt),
                    Ok(_) => None,
                    Err(error) => Some(error.kind()),
                }
            }
        };
        assert!(
            found.is_none_or(|kind| kind == StoreErrorKind::Corrupt),
            "page {page}: {found:?}"
        );
        seen += usize::from(found.is_some());
        assert!(
            fs::read(home.path()).unwrap() == damaged,
            "page {page}: the file was changed"
        );
    }
    // A page in which nothing is stored may be damaged unnoticed.
    assert!(
        seen + 2 >= whole.len() / 4_096,
        "{seen} of {} damages were noticed",
        whole.len() / 4_096
    );
}

#[tokio::test]
async fn places_where_no_file_can_be() {
    let home = Home::new();
    let missing = home.dir.path().join("no/such/directory/sessions.db");
    let error = home.options().open(&missing).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(
        error.to_string().contains("directory of the file does not exist"),
        "{error}"
    );
    let error = home.options().open(home.dir.path()).await.unwrap_err();
    assert!(error.to_string().contains("not a file"), "{error}");
    assert!(home.files().is_empty());
}

#[tokio::test]
async fn a_log_without_its_file() {
    let home = Home::new();
    fs::write(beside(&home.path(), "-wal"), b"frames of a database that was removed").unwrap();
    assert_eq!(home.refused(home.options()).await, StoreErrorKind::Unsafe);
}

#[tokio::test]
async fn locked_by_another_program() {
    let home = Home::new();
    home.filled().await;
    let other = rusqlite::Connection::open(home.path()).unwrap();
    other
        .execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;")
        .unwrap();
    let options = home.options().busy_timeout(Duration::from_millis(50));
    let error = options.open(home.path()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(error.to_string().contains("locked"), "{error}");
    drop(other);
    let store = home
        .options()
        .busy_timeout(Duration::from_millis(50))
        .open(home.path())
        .await
        .unwrap();

    // A writer that does not let go holds writes up, not reads.
    let other = rusqlite::Connection::open(home.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(
        store.delete(&key(1, 1)).await.unwrap_err().kind(),
        StoreErrorKind::Unavailable
    );
    assert!(store.load(&key(1, 1)).await.unwrap().is_some());
    other.execute_batch("COMMIT").unwrap();
    store.delete(&key(1, 1)).await.unwrap();
}

#[tokio::test]
async fn odd_names_are_names() {
    let home = Home::new();
    for name in ["a b?c#d%41.db", "ünïcode-\u{1F600}.db", "mode=memory&x.db"] {
        let path = home.dir.path().join(name);
        for _ in 0..2 {
            let store = home.options().open(&path).await.unwrap();
            put(&store, &key(1, 1), user(1, 100, 50)).await;
            store.close().await.unwrap();
        }
        assert!(path.is_file());
    }
    assert_eq!(home.files().len(), 3, "nothing else is left behind");
}

#[tokio::test]
async fn many_may_make_it_at_once() {
    let home = Home::new();
    let mut opening = tokio::task::JoinSet::new();
    for name in 0..8 {
        let (options, path) = (home.options(), home.path());
        opening.spawn(async move {
            let store = options.open(path).await.unwrap();
            put(&store, &key(1, name), user(name, 100, 50)).await;
        });
    }
    opening.join_all().await;
    assert_eq!(home.open().await.verify().await.unwrap().records, 8);
}
