//! What the tests of the Redis store share.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use transak_session::clock::Timestamp;
use transak_session::store::seal::{KeyRing, SealKey};
use transak_session::store::{Record, SessionStore, Swap, Version};
use transak_session::{AccessToken, Issued, RecordKey, TenantId, UserIp};
use transak_store_redis::{Durability, RedisOptions, RedisStore};
use transak_test_servers::redis::RedisServer;

pub const HOUR: Duration = Duration::from_secs(3_600);
pub const DAY: Duration = Duration::from_secs(86_400);
pub const TENANT: TenantId = TenantId::from_bytes([7; 8]);

pub fn seal_key(byte: u8) -> SealKey {
    let bytes: Vec<u8> = (0..32).map(|i| byte.wrapping_mul(7).wrapping_add(i)).collect();
    SealKey::from_bytes(&bytes).unwrap()
}

pub fn ring(byte: u8) -> KeyRing {
    KeyRing::new(seal_key(byte))
}

/// A namespace that nothing else uses, also on a server that was there before.
pub fn namespace() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    format!("test-{}-{}", since.as_nanos(), NEXT.fetch_add(1, Ordering::Relaxed))
}

pub fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

pub fn key(name: u64) -> RecordKey {
    let mut bytes = [7; 40];
    // Spread over shards, as hashes are.
    for (at, part) in bytes[8..].chunks_mut(8).enumerate() {
        let number = name.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(at as u32 * 7);
        part.copy_from_slice(&number.to_be_bytes());
    }
    RecordKey::from_bytes(bytes)
}

pub fn token(name: u64) -> String {
    format!("planted-token-{name:010}")
}

/// A live user record that expires and is looked at so long from now.
pub fn user(name: u64, expires_at: Timestamp, wake_at: Timestamp) -> Record {
    let issued = Issued::restore(AccessToken::new(token(name)), now() - DAY, expires_at, wake_at);
    Record::user(&issued, Some(UserIp::parse("203.0.113.77").unwrap()), now() - DAY)
}

pub fn idle(name: u64) -> Record {
    user(name, now() + 30 * DAY, now() + 20 * DAY)
}

pub fn due(name: u64) -> Record {
    user(name, now() + HOUR, now() - HOUR)
}

pub fn options(server: &RedisServer) -> RedisOptions {
    RedisOptions::new(server.url(), ring(1)).namespace("test")
}

pub async fn open(server: &RedisServer) -> RedisStore {
    options(server).open().await.unwrap()
}

/// For servers whose settings do not matter.
pub fn careless(url: &str, namespace: &str) -> RedisOptions {
    RedisOptions::new(url, ring(1))
        .namespace(namespace)
        .durability(Durability::CacheOnly)
}

pub async fn put(store: &RedisStore, key: &RecordKey, record: Record) -> Version {
    let there = store.load(key).await.unwrap().map(|v| v.version);
    match store.swap(key, there, record, None).await.unwrap() {
        Swap::Stored(version) => version,
        Swap::Conflict(_) => panic!("a conflict"),
    }
}
