//! The leases on one shelf.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use crate::identity::RecordKey;
use crate::store::{Lease, LeaseEpoch};

/// So many lapsed leases on keys without a record are remembered.
const MOST_WITHOUT_RECORD: usize = 1_024;

/// Leases that have not been ended by their holders, live and lapsed.
///
/// Times are the clock's `elapsed`: a correction of the wall clock ends no lease and prolongs none.
#[derive(Debug, Default)]
pub(super) struct Leases {
    held: HashMap<RecordKey, Held>,
    /// The same by their end.
    ends: BTreeSet<(Duration, RecordKey)>,
    /// Up to here, lapsed ones have been reported by `lapsed`.
    seen: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Held {
    epoch: LeaseEpoch,
    taken_at: Duration,
    until: Duration,
}

impl Leases {
    /// How long the key is taken for, if it is.
    pub(super) fn busy(&self, key: &RecordKey, now: Duration) -> Option<Duration> {
        let held = self.held.get(key)?;
        let left = held.until.saturating_sub(self.present(now));
        (!left.is_zero()).then_some(left)
    }

    pub(super) fn is_live(&self, lease: &Lease, now: Duration) -> bool {
        let held = self.held.get(&lease.key);
        held.is_some_and(|held| held.epoch == lease.epoch) && self.busy(&lease.key, now).is_some()
    }

    /// Whether one more lease can be kept, next to this many records. Forgets the oldest lapsed ones to that end.
    pub(super) fn has_room(&mut self, key: &RecordKey, records: usize, now: Duration) -> bool {
        let now = self.present(now);
        let most = records.saturating_add(MOST_WITHOUT_RECORD);
        while self.held.len() >= most && !self.held.contains_key(key) {
            match self.ends.first() {
                Some((until, oldest)) if *until <= now => {
                    self.held.remove(oldest);
                    self.ends.pop_first();
                }
                _ => return false,
            }
        }
        true
    }

    /// Takes the lease of a key that nobody holds.
    pub(super) fn take(&mut self, key: RecordKey, epoch: LeaseEpoch, span: Duration, now: Duration) -> Lease {
        let now = self.present(now);
        let held = Held {
            epoch,
            taken_at: now,
            until: now.saturating_add(span),
        };
        let before = self.held.insert(key, held);
        if let Some(before) = before {
            self.ends.remove(&(before.until, key));
        }
        self.ends.insert((held.until, key));
        Lease {
            key,
            epoch,
            abandoned: before.map(|held| now.saturating_sub(held.taken_at)),
        }
    }

    /// Prolongs a live lease.
    pub(super) fn extend(&mut self, lease: &Lease, span: Duration, now: Duration) -> bool {
        if !self.is_live(lease, now) {
            return false;
        }
        let until = self.present(now).saturating_add(span);
        if let Some(held) = self.held.get_mut(&lease.key) {
            self.ends.remove(&(held.until, lease.key));
            self.ends.insert((until, lease.key));
            held.until = until;
        }
        true
    }

    /// Ends a live lease.
    pub(super) fn end(&mut self, lease: &Lease, now: Duration) -> bool {
        if !self.is_live(lease, now) {
            return false;
        }
        if let Some(held) = self.held.remove(&lease.key) {
            self.ends.remove(&(held.until, lease.key));
        }
        true
    }

    /// The keys whose leases have lapsed since the last call.
    pub(super) fn lapsed(&mut self, now: Duration) -> Vec<RecordKey> {
        let now = self.present(now);
        let from = (self.seen, RecordKey::from_bytes([0; 40]));
        let lapsed = self.ends.range(from..).take_while(|(until, _)| *until <= now);
        let lapsed = lapsed.map(|(_, key)| *key).collect();
        self.seen = now;
        lapsed
    }

    /// Callers read the clock before they get here, and may have been overtaken since: what has been seen to have lapsed
    /// stays lapsed.
    fn present(&self, now: Duration) -> Duration {
        now.max(self.seen)
    }
}
