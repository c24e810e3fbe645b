//! Records in this process's memory.

mod leases;
mod listeners;
mod shelf;
mod tree;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::allowance::Bucket;
use super::{
    Allowance, Allowed, Claim, Claimed, DueQuery, Forecast, Hint, Hints, Lease, Record, SessionStore, StoreError,
    StoreErrorKind, Swap, Version, Versioned,
};
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::identity::{RecordKey, TenantId};
use listeners::Listeners;
use shelf::{Reading, Shelf};

/// Records are spread over so many locks.
const SHELVES: usize = 64;

/// One call of `claim_due` claims no more than this, whatever its limit: it does not give way to other tasks meanwhile.
const MOST_AT_ONCE: usize = 1_024;

/// So many expired records are dropped at a time to make room.
const DROPPED_AT_ONCE: usize = 16;

/// Keeps records until the process ends.
///
/// It is bounded. When it is full it drops records whose token has expired, unless they are under a lease; if all are alive
/// it refuses new ones, because forgetting a live session would cost a user a login. (The session then goes on with its
/// token from memory.) Leases on keys without a record are bounded too.
///
/// No call does work in proportion to the number of records. `claim_due` claims at most 1,024 records at a time. A million
/// user sessions take about 350 bytes each besides the text of their tokens. Leases are timed by the clock's `elapsed`, so
/// that a corrected wall clock does not end them.
///
/// ```
/// use std::time::Duration;
/// use transak_session::clock::{Clock, SystemClock, Timestamp};
/// use transak_session::store::{Claim, DueQuery, Lane, MemoryStore, Record, SessionStore, Swap};
/// use transak_session::{AccessToken, Issued, RecordKey};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::new(1_000);
/// let key = RecordKey::from_bytes([7; 40]);
/// let (now, day) = (SystemClock.now(), Duration::from_secs(86_400));
/// let token = AccessToken::new("the token's text");
///
/// // The lease first: who renews a token is alone with it.
/// let Claim::Granted { lease, record: None } = store.claim(&key, Duration::from_secs(30)).await? else {
///     panic!("somebody else is at it");
/// };
/// let record = Record::user(&Issued::restore(token, now, now + day * 30, now), None, now);
/// let Swap::Stored(version) = store.swap(&key, None, record.clone(), Some(&lease)).await? else {
///     panic!("there is a record already");
/// };
/// // Who has not read the last version does not get through.
/// assert!(matches!(store.swap(&key, None, record, None).await?, Swap::Conflict(Some(there)) if there.version == version));
///
/// // What a keep-alive worker asks for.
/// let query = DueQuery { tenant: key.tenant(), lane: Lane::Normal, limit: 100, span: Duration::from_secs(30) };
/// let due = store.claim_due(&query).await?;
/// assert_eq!(due[0].record.version, version);
/// assert_eq!(store.forecast(key.tenant(), &[day * 31]).await?.lapsing, [1]);
/// # Ok(())
/// # }
/// ```
pub struct MemoryStore {
    capacity: usize,
    clock: Arc<dyn Clock>,
    /// How many records there are, or are being written.
    number: AtomicUsize,
    spread: RandomState,
    shelves: Box<[Mutex<Shelf>]>,
    /// One for each tenant whose workers have drawn.
    buckets: Mutex<HashMap<TenantId, Bucket>>,
    listeners: Listeners,
}

/// Shows how full it is.
impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("capacity", &self.capacity)
            .field("records", &self.number)
            .finish_non_exhaustive()
    }
}

impl MemoryStore {
    /// A store for at most `capacity` records, judged by the machine's clock.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self::with_clock(capacity, Arc::new(SystemClock))
    }

    /// A store that judges leases, due times and expiry by another clock.
    #[must_use]
    pub fn with_clock(capacity: usize, clock: Arc<dyn Clock>) -> Self {
        Self {
            capacity,
            clock,
            number: AtomicUsize::new(0),
            spread: RandomState::new(),
            shelves: (0..SHELVES).map(|_| Mutex::default()).collect(),
            buckets: Mutex::default(),
            listeners: Listeners::default(),
        }
    }

    fn shelf(&self, key: &RecordKey) -> MutexGuard<'_, Shelf> {
        let number = self.spread.hash_one(key) % SHELVES as u64;
        lock(&self.shelves[number as usize])
    }

    fn reading(&self) -> Reading {
        Reading {
            wall: self.clock.now(),
            elapsed: self.clock.elapsed(),
        }
    }

    /// Counts one more record in, if there is room.
    fn reserve(&self) -> bool {
        let one_more = |number| (number < self.capacity).then_some(number + 1);
        let reserved = self.number.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        reserved.is_ok()
    }

    /// Drops some expired records. No lock may be held.
    fn make_room(&self, now: Reading) -> bool {
        self.shelves.iter().any(|shelf| {
            let dropped = lock(shelf).remove_expired(DROPPED_AT_ONCE, now);
            self.number.fetch_sub(dropped, Ordering::Relaxed);
            dropped > 0
        })
    }
}

fn lock(shelf: &Mutex<Shelf>) -> MutexGuard<'_, Shelf> {
    // No code that can panic runs under this lock, so what a poisoned one guards is still whole.
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}

fn full(what: &'static str) -> StoreError {
    StoreError::of(StoreErrorKind::Full, what)
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
        Ok(self.shelf(key).get(key))
    }

    async fn swap(
        &self,
        key: &RecordKey,
        expected: Option<Version>,
        record: Record,
        finishing: Option<&Lease>,
    ) -> Result<Swap, StoreError> {
        let now = self.reading();
        // Each further round follows records that were dropped for this one, and that others were quicker to replace.
        loop {
            let mut shelf = self.shelf(key);
            let there = shelf.version(key);
            if there != expected {
                return Ok(Swap::Conflict(shelf.get(key)));
            }
            if there.is_some() || self.reserve() {
                if let Some(lease) = finishing.filter(|lease| lease.key == *key) {
                    shelf.end(lease, now);
                }
                let version = shelf.put(*key, record, now);
                drop(shelf);
                self.listeners.tell(Hint { key: *key, version });
                return Ok(Swap::Stored(version));
            }
            drop(shelf);
            if !self.make_room(now) {
                return Err(full("the memory store is full of live sessions; give it more room"));
            }
        }
    }

    async fn delete(&self, key: &RecordKey) -> Result<(), StoreError> {
        if self.shelf(key).remove(key) {
            self.number.fetch_sub(1, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn claim(&self, key: &RecordKey, span: Duration) -> Result<Claim, StoreError> {
        let now = self.reading();
        let mut shelf = self.shelf(key);
        let record = shelf.get(key);
        if let Some(retry_in) = shelf.leases.busy(key, now.elapsed) {
            return Ok(Claim::Busy { retry_in, record });
        }
        match shelf.lease(*key, span, now) {
            Some(lease) => Ok(Claim::Granted { lease, record }),
            None => Err(full(
                "too many leases are held on sessions that are not in the memory store",
            )),
        }
    }

    async fn extend(&self, lease: &Lease, span: Duration) -> Result<bool, StoreError> {
        let now = self.reading();
        Ok(self.shelf(&lease.key).leases.extend(lease, span, now.elapsed))
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let now = self.reading();
        self.shelf(&lease.key).end(lease, now);
        Ok(())
    }

    async fn claim_due(&self, query: &DueQuery) -> Result<Vec<Claimed>, StoreError> {
        let now = self.reading();
        let limit = query.limit.min(MOST_AT_ONCE);
        let mut claimed = Vec::new();
        if limit == 0 {
            return Ok(claimed);
        }
        // Merges the shelves: from the one with the most urgent record, all that are more urgent than the next shelf's.
        let head = |number: usize| lock(&self.shelves[number]).head(query, now);
        let mut heads: BinaryHeap<Reverse<(Timestamp, usize)>> = (0..SHELVES)
            .filter_map(|number| Some(Reverse((head(number)?, number))))
            .collect();
        while claimed.len() < limit
            && let Some(Reverse((_, number))) = heads.pop()
        {
            let bound = heads.peek().map_or(Timestamp::MAX, |Reverse((at, _))| *at);
            let mut shelf = lock(&self.shelves[number]);
            while claimed.len() < limit
                && let Some(next) = shelf.claim_head(query, bound, now)
            {
                claimed.push(next);
            }
            // What is left of this shelf comes after the next shelf's, or nothing is.
            if let Some(at) = shelf.head(query, now).filter(|at| *at > bound) {
                heads.push(Reverse((at, number)));
            }
        }
        Ok(claimed)
    }

    async fn forecast(&self, tenant: TenantId, horizons: &[Duration]) -> Result<Forecast, StoreError> {
        let now = self.clock.now();
        let mut forecast = Forecast {
            lapsing: vec![0; horizons.len()],
            ..Forecast::default()
        };
        for shelf in &self.shelves {
            lock(shelf).add_to(&mut forecast, tenant, horizons, now);
        }
        Ok(forecast)
    }

    async fn draw(&self, allowance: &Allowance) -> Result<Allowed, StoreError> {
        let now = self.clock.now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(allowance.tenant);
        let bucket = bucket.or_insert_with(|| Bucket::full(allowance.per_second, now));
        Ok(bucket.draw(allowance, now))
    }

    async fn give_back(&self, tenant: TenantId, permits: u32) -> Result<(), StoreError> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(&tenant) {
            bucket.give_back(permits);
        }
        Ok(())
    }

    async fn hints(&self, tenant: TenantId) -> Result<Option<Hints>, StoreError> {
        Ok(Some(self.listeners.add(tenant)))
    }
}
