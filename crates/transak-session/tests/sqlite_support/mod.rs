//! What the tests of the SQLite store share.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/leaks.rs"]
pub mod leaks;

use std::path::{Path, PathBuf};
use std::time::Duration;

use transak_session::clock::{ManualClock, Timestamp};
use transak_session::store::seal::{KeyRing, SealKey};
use transak_session::store::{Record, SessionStore, SqliteOptions, SqliteStore, StoreErrorKind, Swap, Version};
use transak_session::{AccessToken, Issued, RecordKey, UserIp};

pub const HOUR: Duration = Duration::from_secs(3_600);
pub const DAY: Duration = Duration::from_secs(86_400);
pub const SPAN: Duration = Duration::from_secs(30);
/// What the watch over the log looks for, besides the tokens.
pub const EMAIL: &str = "jane.planted@example.com";
pub const IP: &str = "203.0.113.77";
pub const OTP: &str = "918273";

pub fn now() -> Timestamp {
    Timestamp::from_unix_seconds(1_800_000_000)
}

pub fn seal_key(byte: u8) -> SealKey {
    let bytes: Vec<u8> = (0..32).map(|i| byte.wrapping_mul(7).wrapping_add(i)).collect();
    SealKey::from_bytes(&bytes).unwrap()
}

pub fn ring(byte: u8) -> KeyRing {
    KeyRing::new(seal_key(byte))
}

pub fn key(tenant: u8, name: u32) -> RecordKey {
    let mut bytes = [tenant; 40];
    bytes[8..12].copy_from_slice(&name.to_be_bytes());
    RecordKey::from_bytes(bytes)
}

pub fn token(name: u32) -> String {
    format!("planted-token-{name:010}")
}

/// A live user record that expires and is looked at so long from now, which may be negative.
pub fn user(name: u32, expires_in: i64, wake_in: i64) -> Record {
    let at = |seconds: i64| Timestamp::from_unix_seconds(now().unix_seconds() + seconds);
    let issued = Issued::restore(AccessToken::new(token(name)), at(-86_400), at(expires_in), at(wake_in));
    Record::user(&issued, Some(UserIp::parse("203.0.113.77").unwrap()), at(-86_400))
}

pub struct Home {
    pub dir: tempfile::TempDir,
    pub clock: ManualClock,
}

impl Home {
    pub fn new() -> Self {
        leaks::watch();
        Self {
            dir: tempfile::tempdir().unwrap(),
            clock: ManualClock::new(now()),
        }
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("sessions.db")
    }

    pub fn options(&self) -> SqliteOptions {
        SqliteOptions::new(ring(1)).clock(self.clock.clone())
    }

    pub async fn open(&self) -> SqliteStore {
        self.options().open(self.path()).await.unwrap()
    }

    /// All files of the directory with their bytes.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files: Vec<_> = std::fs::read_dir(self.dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_file())
            .map(|path| (path.clone(), std::fs::read(&path).unwrap()))
            .collect();
        files.sort();
        files
    }

    /// A store with a hundred records, closed.
    pub async fn filled(&self) {
        let store = self.open().await;
        for name in 0..100 {
            put(&store, &key(1, name), user(name, 10 * 86_400, i64::from(name))).await;
        }
        store.close().await.unwrap();
    }

    pub async fn refused(&self, options: SqliteOptions) -> StoreErrorKind {
        let before = self.files();
        let error = options.open(self.path()).await.unwrap_err();
        assert!(self.files() == before, "a file that was refused was changed: {error:?}");
        error.kind()
    }
}

pub async fn put(store: &dyn SessionStore, key: &RecordKey, record: Record) -> Version {
    let expected = store.load(key).await.unwrap().map(|v| v.version);
    match store.swap(key, expected, record, None).await.unwrap() {
        Swap::Stored(version) => version,
        Swap::Conflict(there) => panic!("conflict with {there:?}"),
    }
}

pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
