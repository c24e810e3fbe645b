//! Search trees over the slots of a shelf, which also count, and find the least of a second value, in logarithmic time.
//!
//! The standard library's trees can do neither: how many tokens expire within three days, or which of those that expire
//! within one day may be looked at now, would take a walk over all of them.
//!
//! These are treaps: binary trees by time whose shape follows a hash of the slot number. That keeps them balanced whatever
//! the order of writing, without a word of bookkeeping.

use crate::clock::Timestamp;

/// No slot.
const NONE: u32 = u32::MAX;

/// The root of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Root(u32);

impl Root {
    pub(super) const EMPTY: Self = Self(NONE);
}

impl Default for Root {
    fn default() -> Self {
        Self::EMPTY
    }
}

/// Trees that share one row of nodes, one for each slot. A slot is in one tree at most.
#[derive(Debug)]
pub(super) struct Forest<V> {
    nodes: Vec<Node<V>>,
}

#[derive(Debug)]
struct Node<V> {
    at: Timestamp,
    value: V,
    /// The least value from here downwards.
    least: V,
    left: u32,
    right: u32,
    /// How many nodes there are from here downwards.
    size: u32,
}

/// Makes room for one more without doubling what is there: a million sessions should not cost the memory of two.
pub(super) fn push<T>(row: &mut Vec<T>, item: T) {
    if row.len() == row.capacity() {
        row.reserve_exact(row.len() / 8 + 8);
    }
    row.push(item);
}

/// Spreads slot numbers over all values.
fn rank(slot: u32) -> u32 {
    let mut z = slot.wrapping_mul(0x9e37_79b9) ^ 0x5bd1_e995;
    z = (z ^ (z >> 16)).wrapping_mul(0x85eb_ca6b);
    z = (z ^ (z >> 13)).wrapping_mul(0xc2b2_ae35);
    z ^ (z >> 16)
}

impl<V> Default for Forest<V> {
    fn default() -> Self {
        Self { nodes: Vec::new() }
    }
}

impl<V: Copy + Ord> Forest<V> {
    /// Adds a slot to a tree.
    pub(super) fn insert(&mut self, root: &mut Root, slot: u32, at: Timestamp, value: V) {
        let node = || Node {
            at,
            value,
            least: value,
            left: NONE,
            right: NONE,
            size: 1,
        };
        while self.nodes.len() <= slot as usize {
            push(&mut self.nodes, node());
        }
        self.nodes[slot as usize] = node();
        root.0 = self.inserted(root.0, slot);
    }

    /// Takes a slot out of its tree.
    pub(super) fn remove(&mut self, root: &mut Root, slot: u32) {
        root.0 = self.removed(root.0, slot);
    }

    /// Changes the value of a slot where it is.
    pub(super) fn set(&mut self, root: Root, slot: u32, value: V) {
        self.nodes[slot as usize].value = value;
        self.touch(root.0, slot);
    }

    /// How many there are.
    pub(super) fn len(&self, root: Root) -> u64 {
        self.size(root.0).into()
    }

    /// How many there are up to and with this time.
    pub(super) fn count_to(&self, root: Root, last: Timestamp) -> u64 {
        let (mut at, mut count) = (root.0, 0_u64);
        while let Some(node) = self.nodes.get(at as usize) {
            if node.at <= last {
                count += u64::from(self.size(node.left)) + 1;
                at = node.right;
            } else {
                at = node.left;
            }
        }
        count
    }

    /// The first from `from` to `last` whose value is not above `most`.
    pub(super) fn first(&self, root: Root, from: Timestamp, last: Timestamp, most: V) -> Option<(Timestamp, u32)> {
        self.first_below(root.0, from, last, most)
    }

    /// The one with the least value from `from` on.
    pub(super) fn least_from(&self, root: Root, from: Timestamp) -> Option<(V, u32)> {
        // Either a single node or all from it downwards.
        let mut best: Option<(V, u32, bool)> = None;
        let mut offer = |value: V, at: u32, all: bool| {
            if best.is_none_or(|(least, ..)| value < least) {
                best = Some((value, at, all));
            }
        };
        let mut at = root.0;
        while let Some(node) = self.nodes.get(at as usize) {
            if node.at < from {
                at = node.right;
                continue;
            }
            offer(node.value, at, false);
            if let Some(right) = self.nodes.get(node.right as usize) {
                offer(right.least, node.right, true);
            }
            at = node.left;
        }
        let (value, mut at, all) = best?;
        while all && self.nodes[at as usize].value != value {
            let node = &self.nodes[at as usize];
            let in_left = self.nodes.get(node.left as usize).is_some_and(|n| n.least == value);
            at = if in_left { node.left } else { node.right };
        }
        Some((value, at))
    }

    fn size(&self, at: u32) -> u32 {
        self.nodes.get(at as usize).map_or(0, |node| node.size)
    }

    fn key(&self, slot: u32) -> (Timestamp, u32) {
        (self.nodes[slot as usize].at, slot)
    }

    /// Sums a node up again after a change below it.
    fn sum(&mut self, at: u32) {
        let node = &self.nodes[at as usize];
        let below = [node.left, node.right];
        let (mut size, mut least) = (1, node.value);
        for child in below.into_iter().filter_map(|child| self.nodes.get(child as usize)) {
            size += child.size;
            least = least.min(child.least);
        }
        let node = &mut self.nodes[at as usize];
        (node.size, node.least) = (size, least);
    }

    fn inserted(&mut self, at: u32, slot: u32) -> u32 {
        if at == NONE {
            return slot;
        }
        if rank(slot) > rank(at) {
            let (left, right) = self.split(at, self.key(slot));
            let node = &mut self.nodes[slot as usize];
            (node.left, node.right) = (left, right);
            self.sum(slot);
            return slot;
        }
        if self.key(slot) < self.key(at) {
            self.nodes[at as usize].left = self.inserted(self.nodes[at as usize].left, slot);
        } else {
            self.nodes[at as usize].right = self.inserted(self.nodes[at as usize].right, slot);
        }
        self.sum(at);
        at
    }

    fn removed(&mut self, at: u32, slot: u32) -> u32 {
        if at == NONE {
            return NONE;
        }
        let (left, right) = (self.nodes[at as usize].left, self.nodes[at as usize].right);
        if at == slot {
            return self.merge(left, right);
        }
        if self.key(slot) < self.key(at) {
            self.nodes[at as usize].left = self.removed(left, slot);
        } else {
            self.nodes[at as usize].right = self.removed(right, slot);
        }
        self.sum(at);
        at
    }

    fn touch(&mut self, at: u32, slot: u32) {
        if at == NONE {
            return;
        }
        if at != slot {
            let node = &self.nodes[at as usize];
            let next = if self.key(slot) < self.key(at) {
                node.left
            } else {
                node.right
            };
            self.touch(next, slot);
        }
        self.sum(at);
    }

    /// Those before `key`, and the others.
    fn split(&mut self, at: u32, key: (Timestamp, u32)) -> (u32, u32) {
        if at == NONE {
            return (NONE, NONE);
        }
        if self.key(at) < key {
            let (left, right) = self.split(self.nodes[at as usize].right, key);
            self.nodes[at as usize].right = left;
            self.sum(at);
            (at, right)
        } else {
            let (left, right) = self.split(self.nodes[at as usize].left, key);
            self.nodes[at as usize].left = right;
            self.sum(at);
            (left, at)
        }
    }

    /// Joins two trees of which all of one comes before all of the other.
    fn merge(&mut self, left: u32, right: u32) -> u32 {
        if left == NONE || right == NONE {
            return left.min(right);
        }
        if rank(left) > rank(right) {
            self.nodes[left as usize].right = self.merge(self.nodes[left as usize].right, right);
            self.sum(left);
            left
        } else {
            self.nodes[right as usize].left = self.merge(left, self.nodes[right as usize].left);
            self.sum(right);
            right
        }
    }

    fn first_below(&self, at: u32, from: Timestamp, last: Timestamp, most: V) -> Option<(Timestamp, u32)> {
        let node = self.nodes.get(at as usize).filter(|node| node.least <= most)?;
        if node.at >= from {
            let before = self.first_below(node.left, from, last, most);
            if before.is_some() {
                return before;
            }
            if node.at > last {
                return None;
            }
            if node.value <= most {
                return Some((node.at, at));
            }
        }
        self.first_below(node.right, from, last, most)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(millis)
    }

    proptest! {
        /// Two trees in one forest answer what walks over plain maps answer.
        #[test]
        fn answers_like_a_plain_map(
            steps in prop::collection::vec((0_u32..40, any::<bool>(), 0_i64..30, 0_i64..30, 0_u8..4), 0..300),
            ends in (0_i64..30, 0_i64..30, 0_i64..30),
        ) {
            let mut forest = Forest::default();
            let mut roots = [Root::EMPTY; 2];
            let mut plain: [BTreeMap<u32, (i64, i64)>; 2] = Default::default();
            for (slot, second, time, value, kind) in steps {
                let tree = usize::from(second);
                let other = plain[1 - tree].contains_key(&slot);
                match (kind, plain[tree].get(&slot).copied()) {
                    (0, Some(_)) => {
                        forest.remove(&mut roots[tree], slot);
                        plain[tree].remove(&slot);
                    }
                    (_, Some((time, _))) => {
                        forest.set(roots[tree], slot, at(value));
                        plain[tree].insert(slot, (time, value));
                    }
                    (_, None) if !other => {
                        forest.insert(&mut roots[tree], slot, at(time), at(value));
                        plain[tree].insert(slot, (time, value));
                    }
                    _ => {}
                }
            }
            let (from, last, most) = ends;
            for (root, plain) in roots.into_iter().zip(&plain) {
                prop_assert_eq!(forest.len(root), plain.len() as u64);
                let count = plain.values().filter(|(t, _)| *t <= last).count();
                prop_assert_eq!(forest.count_to(root, at(last)), count as u64);
                let inside = |t: i64| from <= t && t <= last;
                let first = plain.iter().filter(|(_, (t, v))| inside(*t) && *v <= most).map(|(s, (t, _))| (at(*t), *s)).min();
                prop_assert_eq!(forest.first(root, at(from), at(last), at(most)), first);
                let least = plain.values().filter(|(t, _)| *t >= from).map(|(_, v)| at(*v)).min();
                let found = forest.least_from(root, at(from));
                prop_assert_eq!(found.map(|(v, _)| v), least);
                if let Some((value, slot)) = found {
                    prop_assert!(plain.get(&slot).is_some_and(|(t, v)| *t >= from && at(*v) == value));
                }
            }
        }
    }

    #[test]
    fn stays_flat_whatever_the_order() {
        fn depth<V>(forest: &Forest<V>, at: u32) -> u32 {
            forest
                .nodes
                .get(at as usize)
                .map_or(0, |n| 1 + depth(forest, n.left).max(depth(forest, n.right)))
        }
        const NUMBER: u32 = 1 << 15;
        let orders: [fn(u32) -> i64; 4] = [
            |n| i64::from(n),
            |n| -i64::from(n),
            |_| 0,
            |n| i64::from(n.reverse_bits()),
        ];
        for order in orders {
            let (mut forest, mut root) = (Forest::default(), Root::EMPTY);
            for slot in 0..NUMBER {
                forest.insert(&mut root, slot, at(order(slot)), ());
            }
            // A perfect tree has 15 levels; one by chance seldom has three times as many.
            assert!(depth(&forest, root.0) < 45, "{} levels", depth(&forest, root.0));
        }
    }
}
