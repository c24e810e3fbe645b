//! Which user has which engine: exactly one, or two renewals of one session could run at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::Engine;
use crate::identity::UserKey;
use crate::user::UserState;

type User = Arc<Engine<UserState>>;

#[derive(Debug)]
pub(super) struct Registry {
    capacity: usize,
    shelf: Mutex<Shelf>,
}

#[derive(Debug)]
struct Shelf {
    users: HashMap<UserKey, User>,
    /// At this size those that are not in use are let go.
    sweep_at: usize,
}

impl Registry {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            shelf: Mutex::new(Shelf {
                users: HashMap::new(),
                sweep_at: capacity,
            }),
        }
    }

    /// The bound is soft: a session that somebody holds, that is under way or that the store does not have yet stays.
    pub(super) fn get_or_insert(&self, key: UserKey, make: impl FnOnce() -> User) -> User {
        // Maps are whole between operations, so what a poisoned lock guards can be used.
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
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
}
