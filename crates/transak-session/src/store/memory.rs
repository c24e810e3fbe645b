//! Records in this process's memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{Record, SessionStore, StoreError, Swap, Version, Versioned};
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::identity::RecordKey;

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
    /// One counter for all keys, so that a version never comes back.
    last_version: u64,
}

impl Shelf {
    fn put(&mut self, key: RecordKey, record: Record) -> Swap {
        self.last_version += 1;
        let version = Version::new(self.last_version);
        self.records.insert(key, Versioned { version, record });
        Swap::Stored(version)
    }

    fn make_room(&mut self, capacity: usize, now: Timestamp) -> bool {
        if self.records.len() >= capacity {
            self.records.retain(|_, v| v.record.expires_at > now);
        }
        self.records.len() < capacity
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

    async fn insert_new(&self, key: &RecordKey, record: Record) -> Result<Swap, StoreError> {
        let now = self.clock.now();
        let mut shelf = self.shelf();
        if let Some(there) = shelf.records.get(key) {
            return Ok(Swap::Conflict(Some(there.clone())));
        }
        if !shelf.make_room(self.capacity, now) {
            return Err(StoreError::new("the memory store is full of live sessions"));
        }
        Ok(shelf.put(*key, record))
    }

    async fn swap(&self, key: &RecordKey, expected: Version, record: Record) -> Result<Swap, StoreError> {
        let mut shelf = self.shelf();
        match shelf.records.get(key) {
            Some(there) if there.version == expected => Ok(shelf.put(*key, record)),
            there => Ok(Swap::Conflict(there.cloned())),
        }
    }

    async fn delete(&self, key: &RecordKey) -> Result<(), StoreError> {
        self.shelf().records.remove(key);
        Ok(())
    }
}
