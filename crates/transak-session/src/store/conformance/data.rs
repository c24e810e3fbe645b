//! Records and chance for the rules.

use std::time::Duration;

use super::stage::{DAY, TENANT};
use crate::clock::Timestamp;
use crate::identity::{RecordKey, TenantId, UserIp};
use crate::store::Record;
use crate::token::{AccessToken, Issued};

/// The name of record `number`.
pub(super) fn key(number: u64) -> RecordKey {
    key_of(TENANT, number)
}

/// The same of another tenant.
pub(super) fn key_of(tenant: TenantId, number: u64) -> RecordKey {
    let mut bytes = [0; 40];
    bytes[..8].copy_from_slice(tenant.as_bytes());
    // Real names are hashes, spread over all values.
    let mut draws = Draws::new(number);
    for part in bytes[8..].chunks_exact_mut(8) {
        part.copy_from_slice(&draws.next().to_be_bytes());
    }
    RecordKey::from_bytes(bytes)
}

/// A live user record that expires at `expires_at` and is to be looked at from `wake_at` on.
pub(super) fn user(name: u64, expires_at: Timestamp, wake_at: Timestamp) -> Record {
    let token = AccessToken::new(format!("token.of.{name}"));
    let issued_at = expires_at - 30 * DAY;
    let issued = Issued::restore(token, issued_at, expires_at, issued_at + 20 * DAY);
    let ip = UserIp::from(std::net::IpAddr::from([203, 0, 113, (name % 250) as u8]));
    Record {
        wake_at,
        ..Record::user(&issued, Some(ip), issued_at)
    }
}

/// A live user record that is due, with this much life left.
pub(super) fn due_with(name: u64, now: Timestamp, left: Duration) -> Record {
    user(name, now + left, now - DAY)
}

/// A live user record that is not due for days.
pub(super) fn idle(name: u64, now: Timestamp) -> Record {
    user(name, now + 30 * DAY, now + 20 * DAY)
}

/// A reproducible row of numbers: SplitMix64.
#[derive(Clone, Debug)]
pub(super) struct Draws(u64);

impl Draws {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Less than `bound`, which is not zero.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}
