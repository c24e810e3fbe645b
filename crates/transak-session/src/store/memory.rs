//! Records in this process's memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::{
    Claim, Claimed, DueQuery, Forecast, Lane, Lease, LeaseEpoch, Record, SessionStore, StoreError, StoreErrorKind,
    Swap, Version, Versioned,
};
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::identity::{RecordKey, TenantId};

/// Keeps records until the process ends.
///
/// It is bounded. When it is full it drops records whose token has expired; if all are alive it refuses new ones, because
/// forgetting a live session would cost a user a login. (The session then goes on with its token from memory.)
#[derive(Debug)]
pub struct MemoryStore {
    capacity: usize,
    clock: Arc<dyn Clock>,
    shelf: Mutex<Shelf>,
}

#[derive(Debug, Default)]
struct Shelf {
    records: HashMap<RecordKey, Versioned>,
    leases: HashMap<RecordKey, Held>,
    /// One counter for all keys, so that neither a version nor an epoch ever comes back.
    last: u64,
}

#[derive(Debug)]
struct Held {
    epoch: LeaseEpoch,
    taken_at: Timestamp,
    until: Timestamp,
}

impl Shelf {
    fn put(&mut self, key: RecordKey, record: Record) -> Swap {
        self.last += 1;
        let version = Version::new(self.last);
        self.records.insert(key, Versioned { version, record });
        Swap::Stored(version)
    }

    fn make_room(&mut self, capacity: usize, now: Timestamp) -> bool {
        if self.records.len() >= capacity {
            self.records.retain(|_, v| v.record.expires_at > now);
        }
        self.records.len() < capacity
    }

    fn take(&mut self, key: RecordKey, span: Duration, now: Timestamp) -> Lease {
        self.last += 1;
        let epoch = LeaseEpoch::new(self.last);
        let held = Held {
            epoch,
            taken_at: now,
            until: now + span,
        };
        let before = self.leases.insert(key, held);
        Lease {
            key,
            epoch,
            abandoned: before.map(|held| now.since(held.taken_at)),
        }
    }

    fn busy(&self, key: &RecordKey, now: Timestamp) -> Option<Duration> {
        self.leases
            .get(key)
            .filter(|held| now < held.until)
            .map(|held| held.until.since(now))
    }

    fn end(&mut self, lease: &Lease, now: Timestamp) {
        if self
            .leases
            .get(&lease.key)
            .is_some_and(|held| held.epoch == lease.epoch && now < held.until)
        {
            self.leases.remove(&lease.key);
        }
    }
}

impl MemoryStore {
    /// A store for at most `capacity` records, judged by the machine's clock.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self::with_clock(capacity, Arc::new(SystemClock))
    }

    /// A store that tells expired records by another clock.
    #[must_use]
    pub fn with_clock(capacity: usize, clock: Arc<dyn Clock>) -> Self {
        Self {
            capacity,
            clock,
            shelf: Mutex::default(),
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        // No code that can panic runs under this lock, so what a poisoned one guards is still whole.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room for 100,000 records.
impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(100_000)
    }
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn load(&self, key: &RecordKey) -> Result<Option<Versioned>, StoreError> {
        Ok(self.shelf().records.get(key).cloned())
    }

    async fn swap(
        &self,
        key: &RecordKey,
        expected: Option<Version>,
        record: Record,
        finishing: Option<&Lease>,
    ) -> Result<Swap, StoreError> {
        let now = self.clock.now();
        let mut shelf = self.shelf();
        let there = shelf.records.get(key);
        if there.map(|v| v.version) != expected {
            return Ok(Swap::Conflict(there.cloned()));
        }
        if there.is_none() && !shelf.make_room(self.capacity, now) {
            let what = "the memory store is full of live sessions; give it more room";
            return Err(StoreError::of(StoreErrorKind::Full, what));
        }
        if let Some(lease) = finishing.filter(|lease| lease.key == *key) {
            shelf.end(lease, now);
        }
        Ok(shelf.put(*key, record))
    }

    async fn delete(&self, key: &RecordKey) -> Result<(), StoreError> {
        self.shelf().records.remove(key);
        Ok(())
    }

    async fn claim(&self, key: &RecordKey, span: Duration) -> Result<Claim, StoreError> {
        let now = self.clock.now();
        let mut shelf = self.shelf();
        let record = shelf.records.get(key).cloned();
        Ok(match shelf.busy(key, now) {
            Some(retry_in) => Claim::Busy { retry_in, record },
            None => Claim::Granted {
                lease: shelf.take(*key, span, now),
                record,
            },
        })
    }

    async fn extend(&self, lease: &Lease, span: Duration) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let mut shelf = self.shelf();
        let held = shelf.leases.get_mut(&lease.key);
        Ok(
            match held.filter(|held| held.epoch == lease.epoch && now < held.until) {
                Some(held) => {
                    held.until = now + span;
                    true
                }
                None => false,
            },
        )
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.shelf().end(lease, now);
        Ok(())
    }

    async fn claim_due(&self, query: &DueQuery) -> Result<Vec<Claimed>, StoreError> {
        let now = self.clock.now();
        let mut shelf = self.shelf();
        let mut due: Vec<(Timestamp, RecordKey)> = shelf
            .records
            .iter()
            .filter(|(key, v)| {
                key.tenant() == query.tenant
                    && v.record.kept_alive()
                    && v.record.wake_at <= now
                    && Lane::of(v.record.expires_at.since(now)) == query.lane
                    && shelf.busy(key, now).is_none()
            })
            .map(|(key, v)| match query.lane {
                Lane::Normal => (v.record.wake_at, *key),
                Lane::Critical | Lane::Urgent => (v.record.expires_at, *key),
            })
            .collect();
        due.sort_unstable();
        due.truncate(query.limit);
        let claimed = due.into_iter().filter_map(|(_, key)| {
            let record = shelf.records.get(&key).cloned()?;
            Some(Claimed {
                lease: shelf.take(key, query.span, now),
                record,
            })
        });
        Ok(claimed.collect())
    }

    async fn forecast(&self, tenant: TenantId, horizons: &[Duration]) -> Result<Forecast, StoreError> {
        let now = self.clock.now();
        let shelf = self.shelf();
        let mut forecast = Forecast {
            lapsing: vec![0; horizons.len()],
            ..Forecast::default()
        };
        let kept = shelf
            .records
            .iter()
            .filter(|(k, v)| k.tenant() == tenant && v.record.kept_alive());
        for (_, v) in kept {
            forecast.kept_alive += 1;
            forecast.due += u64::from(v.record.wake_at <= now);
            for (count, horizon) in forecast.lapsing.iter_mut().zip(horizons) {
                *count += u64::from(v.record.expires_at <= now + *horizon);
            }
        }
        Ok(forecast)
    }
}
