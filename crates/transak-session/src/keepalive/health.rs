//! How a worker is doing.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use crate::clock::Timestamp;

/// How a keep-alive worker is doing.
///
/// See [`KeepAliveHandle::health`](crate::KeepAliveHandle::health).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct KeepAliveHealth {
    /// Whether it runs. It ends only when it is told to.
    pub running: bool,
    /// When it last came round: it does at least every half minute, so a time long past means that it is stuck.
    pub seen_at: Option<Timestamp>,
    /// Sessions renewed, or found renewed by another process, since it was started.
    pub renewed: u64,
    /// Attempts that came to nothing. Each of those sessions is tried again later.
    pub failed: u64,
    /// Failures of the store since the last success.
    pub store_failures: u64,
    /// Renewals per second that it allows itself at the moment.
    pub rate: f64,
    /// Whether it pauses because Transak refuses so many renewals at once that the fault is hardly the sessions'.
    pub guarded: bool,
}

/// The worker writes, everybody may read.
#[derive(Debug)]
pub(super) struct Ledger {
    seen_at: AtomicI64,
    renewed: AtomicU64,
    failed: AtomicU64,
    store_failures: AtomicU64,
    rate: AtomicU64,
    guarded: AtomicBool,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            seen_at: AtomicI64::new(i64::MIN),
            renewed: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            store_failures: AtomicU64::new(0),
            rate: AtomicU64::new(0),
            guarded: AtomicBool::new(false),
        }
    }
}

impl Ledger {
    pub(super) fn came_round(&self, now: Timestamp, rate: f64, guarded: bool) {
        self.seen_at.store(now.unix_millis(), Ordering::Relaxed);
        self.rate.store(rate.to_bits(), Ordering::Relaxed);
        self.guarded.store(guarded, Ordering::Relaxed);
    }

    pub(super) fn renewed(&self, sessions: u32) {
        self.renewed.fetch_add(u64::from(sessions), Ordering::Relaxed);
    }

    pub(super) fn failed(&self, sessions: u32) {
        self.failed.fetch_add(u64::from(sessions), Ordering::Relaxed);
    }

    pub(super) fn store_failures(&self, in_a_row: u32) {
        self.store_failures.store(u64::from(in_a_row), Ordering::Relaxed);
    }

    pub(super) fn health(&self, running: bool) -> KeepAliveHealth {
        let seen_at = self.seen_at.load(Ordering::Relaxed);
        KeepAliveHealth {
            running,
            seen_at: (seen_at != i64::MIN).then(|| Timestamp::from_unix_millis(seen_at)),
            renewed: self.renewed.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            store_failures: self.store_failures.load(Ordering::Relaxed),
            rate: f64::from_bits(self.rate.load(Ordering::Relaxed)),
            guarded: self.guarded.load(Ordering::Relaxed),
        }
    }
}
