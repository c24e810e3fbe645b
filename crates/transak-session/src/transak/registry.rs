//! Which user has which engine: exactly one, or two renewals of one session could run at a time.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, PoisonError, RwLock};

use crate::engine::Engine;
use crate::identity::UserKey;
use crate::user::UserState;

type User = Arc<Engine<UserState>>;

/// So many parts have a lock each that two cores seldom meet at one.
const SHARDS: usize = 64;

/// The engines at hand, found without a common lock.
#[derive(Debug)]
pub(super) struct Registry {
    /// What each shard may hold before it is swept.
    capacity: usize,
    shards: Box<[RwLock<Shelf>]>,
}

#[derive(Debug)]
struct Shelf {
    users: HashMap<UserKey, User, BuildHasherDefault<AlreadyHashed>>,
    /// At this size those that are not in use are let go.
    sweep_at: usize,
}

/// Keys are keyed hashes already: their last bytes are as good as any hash, and nobody outside can choose them.
#[derive(Debug, Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.last_chunk() {
            self.0 = u64::from_ne_bytes(*last);
        }
    }

    fn write_usize(&mut self, _: usize) {
        // The length of the bytes, which is always the same.
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Registry {
    pub(super) fn new(capacity: usize) -> Self {
        let capacity = capacity.div_ceil(SHARDS);
        let shelf = || {
            RwLock::new(Shelf {
                users: HashMap::default(),
                sweep_at: capacity,
            })
        };
        Self {
            capacity,
            shards: std::iter::repeat_with(shelf).take(SHARDS).collect(),
        }
    }

    /// The bound is soft: a session that somebody holds, that is under way or that the store does not have yet stays.
    pub(super) fn get_or_insert(&self, key: UserKey, make: impl FnOnce() -> User) -> User {
        if let Some(user) = self.get(&key) {
            return user;
        }
        // Maps are whole between operations, so what a poisoned lock guards can be used.
        let mut shelf = self.shard(&key).write().unwrap_or_else(PoisonError::into_inner);
        if let Some(user) = shelf.users.get(&key) {
            return Arc::clone(user);
        }
        if shelf.users.len() >= shelf.sweep_at {
            shelf.users.retain(|_, user| {
                let held = Arc::strong_count(user) > 1;
                held || !user.is_idle(|state| state.may_go(user.now()))
            });
            // If all were in use, sweeping again at each insertion would be quadratic.
            shelf.sweep_at = self.capacity.max(shelf.users.len() * 2);
        }
        let user = make();
        shelf.users.insert(key, Arc::clone(&user));
        user
    }

    /// The user's engine, if it is at hand.
    pub(super) fn get(&self, key: &UserKey) -> Option<User> {
        let shelf = self.shard(key).read().unwrap_or_else(PoisonError::into_inner);
        shelf.users.get(key).map(Arc::clone)
    }

    fn shard(&self, key: &UserKey) -> &RwLock<Shelf> {
        // Another byte than those that the maps go by; the keys are uniform, and there are as many shards as this has values.
        &self.shards[key.shard() % SHARDS]
    }
}
