//! A map with a cap that forgets its oldest entries.

use std::{
    borrow::Borrow,
    collections::{HashMap, VecDeque},
    hash::Hash,
};

/// Entries by key; the ones put in first are dropped first.
#[derive(Clone)]
pub(crate) struct Bounded<K, V> {
    entries: HashMap<K, V>,
    order: VecDeque<K>,
}

/// Keys are e-mail addresses and secret ids: only their number is shown.
impl<K, V> std::fmt::Debug for Bounded<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bounded")
            .field("len", &self.entries.len())
            .finish_non_exhaustive()
    }
}

impl<K: Clone + Eq + Hash, V> Bounded<K, V> {
    pub(crate) fn new() -> Self {
        Self {
            entries: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    pub(crate) fn get<Q: ?Sized + Eq + Hash>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entries.get(key)
    }

    pub(crate) fn get_mut<Q: ?Sized + Eq + Hash>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.entries.get_mut(key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Puts an entry in and returns the ones that had to go; an entry that is overwritten keeps its age.
    pub(crate) fn insert(&mut self, key: K, value: V, cap: usize) -> Vec<(K, V)> {
        if self.entries.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
        }
        let mut dropped = Vec::new();
        while self.entries.len() > cap.max(1) {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some(value) = self.entries.remove(&oldest) {
                dropped.push((oldest, value));
            }
        }
        dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_first() {
        let mut map = Bounded::new();
        assert!(map.insert(1, 'a', 2).is_empty());
        assert!(map.insert(2, 'b', 2).is_empty());
        assert!(map.insert(1, 'c', 2).is_empty());
        assert_eq!(map.insert(3, 'd', 2), [(1, 'c')]);
        assert_eq!(map.insert(4, 'e', 1), [(2, 'b'), (3, 'd')]);
        assert_eq!((map.len(), map.order.len()), (1, 1));
    }
}
