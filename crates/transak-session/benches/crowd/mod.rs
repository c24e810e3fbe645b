//! Many user sessions.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use std::net::IpAddr;
use std::time::Duration;

use transak_session::clock::{Clock, SystemClock, Timestamp};
use transak_session::store::{Record, SessionStore, Swap, Version};
use transak_session::{AccessToken, Issued, RecordKey, TenantId, UserIp};

pub const DAY: Duration = Duration::from_secs(86_400);
pub const TENANT: TenantId = TenantId::from_bytes(*b"a tenant");

/// Numbers spread as hashes are: SplitMix64.
fn spread(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x1234_5678);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

pub fn key(number: usize) -> RecordKey {
    key_of(TENANT, number)
}

pub fn key_of(tenant: TenantId, number: usize) -> RecordKey {
    let mut bytes = [0; 40];
    bytes[..8].copy_from_slice(tenant.as_bytes());
    for (n, part) in (0..).zip(bytes[8..].chunks_exact_mut(8)) {
        part.copy_from_slice(&spread(number as u64 * 4 + n).to_be_bytes());
    }
    RecordKey::from_bytes(bytes)
}

/// A session somewhere in the 30 days of its token, whose due time lies ahead or, for one of 20, has come.
pub fn record(number: usize, now: Timestamp) -> Record {
    let draw = spread(number as u64);
    let token = format!("{draw:016x}{}", "a".repeat(624));
    let age = Duration::from_secs(draw % (18 * 86_400));
    let issued_at = now - age;
    let due_at = match draw % 20 {
        0 => now - Duration::from_secs(draw % 3_600),
        _ => issued_at + 20 * DAY,
    };
    let issued = Issued::restore(AccessToken::new(token), issued_at, issued_at + 30 * DAY, due_at);
    let ip = IpAddr::from((draw as u32).to_be_bytes());
    Record::user(&issued, Some(UserIp::from(ip)), issued_at)
}

/// Writes so many sessions; tells how many bytes of token text that is.
pub async fn settle(store: &dyn SessionStore, number: usize) -> usize {
    let now = SystemClock.now();
    let mut text = 0;
    for n in 0..number {
        let record = record(n, now);
        text += record.token.as_ref().map_or(0, |token| token.expose().len());
        write(store, n, None, record).await;
    }
    text
}

pub async fn unsettle(store: &dyn SessionStore, number: usize) {
    for n in 0..number {
        store.delete(&key(n)).await.unwrap();
    }
}

pub async fn write(store: &dyn SessionStore, number: usize, expected: Option<Version>, record: Record) -> Version {
    match store.swap(&key(number), expected, record, None).await.unwrap() {
        Swap::Stored(version) => version,
        Swap::Conflict(_) => panic!("nobody else writes"),
    }
}
