//! Records, keys and clocks as the tests of the engines need them. What they hold is easy to find where it must not be.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use transak_session::clock::Timestamp;
use transak_session::store::seal::{KeyRing, SealKey};
use transak_session::store::{DueQuery, Lane, Record, SessionStore, Swap, Version};
use transak_session::{AccessToken, Issued, RecordKey, TenantId, UserIp};

/// An hour.
pub const HOUR: Duration = Duration::from_secs(3_600);
/// A day.
pub const DAY: Duration = Duration::from_secs(86_400);
/// Whose all records of these tests are.
pub const TENANT: TenantId = TenantId::from_bytes([7; 8]);
/// What no file, dump or log of a server may hold: a piece of each token, and the address of each user.
pub const PLANTED: [&str; 2] = ["planted-token", "203.0.113.77"];

/// A key that depends on one byte.
///
/// # Panics
///
/// Never: 32 bytes are a key.
#[must_use]
pub fn seal_key(byte: u8) -> SealKey {
    let bytes: Vec<u8> = (0..32).map(|i| byte.wrapping_mul(7).wrapping_add(i)).collect();
    SealKey::from_bytes(&bytes).unwrap_or_else(|e| panic!("{e}"))
}

/// A ring of that key.
#[must_use]
pub fn ring(byte: u8) -> KeyRing {
    KeyRing::new(seal_key(byte))
}

/// A name that nothing else uses, also on a server that was there before.
#[must_use]
pub fn unique_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let since = since.unwrap_or_default().as_nanos();
    format!("test_{since}_{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The machine's time.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

/// The name of a record, spread over shards as hashes are.
#[must_use]
pub fn key(name: u64) -> RecordKey {
    let mut bytes = [7; 40];
    for (at, part) in (0_u32..).zip(bytes[8..].chunks_mut(8)) {
        let number = name.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(at * 7);
        part.copy_from_slice(&number.to_be_bytes());
    }
    RecordKey::from_bytes(bytes)
}

/// The token of a record.
#[must_use]
pub fn token(name: u64) -> String {
    format!("{}-{name:010}", PLANTED[0])
}

/// A live user record that expires and is looked at then.
///
/// # Panics
///
/// Never: the address is one.
#[must_use]
pub fn user(name: u64, expires_at: Timestamp, wake_at: Timestamp) -> Record {
    let issued = Issued::restore(AccessToken::new(token(name)), now() - DAY, expires_at, wake_at);
    let address = UserIp::parse(PLANTED[1]).unwrap_or_else(|e| panic!("{e}"));
    Record::user(&issued, Some(address), now() - DAY)
}

/// A record that nobody has to look at soon.
#[must_use]
pub fn idle(name: u64) -> Record {
    user(name, now() + 30 * DAY, now() + 20 * DAY)
}

/// A record that is due, in the critical lane.
#[must_use]
pub fn due(name: u64) -> Record {
    user(name, now() + HOUR, now() - HOUR)
}

/// Asks for due records of the critical lane.
#[must_use]
pub fn critical(limit: usize, span: Duration) -> DueQuery {
    DueQuery {
        tenant: TENANT,
        lane: Lane::Critical,
        limit,
        span,
    }
}

/// Writes a record over whatever is there.
///
/// # Panics
///
/// If the store fails or somebody else writes.
pub async fn put<S: SessionStore + ?Sized>(store: &S, key: &RecordKey, record: Record) -> Version {
    let there = store
        .load(key)
        .await
        .unwrap_or_else(|e| panic!("{e}"))
        .map(|v| v.version);
    match store.swap(key, there, record, None).await {
        Ok(Swap::Stored(version)) => version,
        other => panic!("not written: {other:?}"),
    }
}
