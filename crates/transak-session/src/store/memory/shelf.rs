//! A part of the records, with their leases and their part of the due index.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use hashbrown::HashTable;

use super::leases::Leases;
use super::tree::{Forest, Root, push};
use crate::clock::Timestamp;
use crate::identity::{RecordKey, TenantId};
use crate::store::{Claimed, DueQuery, Forecast, Lane, Lease, LeaseEpoch, Record, Version, Versioned};

/// What the store's clock says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) wall: Timestamp,
    pub(super) elapsed: Duration,
}

/// A part of the records. Which part is for the store to say.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    hasher: RandomState,
    /// Slot numbers by key. The keys are in the slots, once.
    table: HashTable<u32>,
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
    /// By expiry, with the time from which on a record may be claimed; `MAX` while it is leased.
    lives: Forest<Timestamp>,
    /// What is kept alive, by wake time.
    wakes: Forest<()>,
    tenants: HashMap<TenantId, Roots>,
    /// What is not kept alive, of all tenants: a tree of `lives`.
    resting: Root,
    pub(super) leases: Leases,
    /// One counter for all keys, so that neither a version nor an epoch ever comes back.
    last: u64,
}

#[derive(Debug)]
struct Slot {
    key: RecordKey,
    version: Version,
    record: Record,
}

/// A tenant's trees of what is kept alive.
#[derive(Debug, Default)]
struct Roots {
    lives: Root,
    wakes: Root,
}

/// Later than every wake time of a record that may be claimed.
const NOT_NOW: Timestamp = Timestamp::MAX;

/// The last time at which a record may be claimed, or counts as due.
fn latest(now: Timestamp) -> Timestamp {
    now.min(NOT_NOW - Duration::from_millis(1))
}

impl Shelf {
    pub(super) fn get(&self, key: &RecordKey) -> Option<Versioned> {
        let slot = self.slots.get(self.find(key)? as usize)?.as_ref()?;
        Some(Versioned {
            version: slot.version,
            record: slot.record.clone(),
        })
    }

    pub(super) fn version(&self, key: &RecordKey) -> Option<Version> {
        let slot = self.slots.get(self.find(key)? as usize)?.as_ref()?;
        Some(slot.version)
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Writes a record over what is there, if anything is.
    pub(super) fn put(&mut self, key: RecordKey, record: Record, now: Reading) -> Version {
        let version = Version::new(self.next());
        let filled = Some(Slot { key, version, record });
        let slot = match self.find(&key) {
            Some(slot) => {
                self.delist(slot);
                self.slots[slot as usize] = filled;
                slot
            }
            None => {
                let slot = self.free.pop().unwrap_or(self.slots.len() as u32);
                match self.slots.get_mut(slot as usize) {
                    Some(empty) => *empty = filled,
                    None => push(&mut self.slots, filled),
                }
                let (hasher, slots) = (&self.hasher, &self.slots);
                let hash_of = |slot: &u32| {
                    slots[*slot as usize]
                        .as_ref()
                        .map_or(0, |slot| hasher.hash_one(slot.key))
                };
                self.table.insert_unique(hasher.hash_one(key), slot, hash_of);
                slot
            }
        };
        self.enlist(slot, now);
        version
    }

    /// Whether there was one.
    pub(super) fn remove(&mut self, key: &RecordKey) -> bool {
        let Some(slot) = self.find(key) else {
            return false;
        };
        self.delist(slot);
        if let Ok(entry) = self.table.find_entry(self.hasher.hash_one(key), |there| *there == slot) {
            entry.remove();
        }
        self.slots[slot as usize] = None;
        push(&mut self.free, slot);
        true
    }

    /// Removes up to `most` records whose tokens have expired, and tells how many. Those under a lease stay: somebody may
    /// just be renewing them.
    pub(super) fn remove_expired(&mut self, most: usize, now: Reading) -> usize {
        self.wake_lapsed(now);
        for removed in 0..most {
            let roots = self.tenants.values().map(|roots| roots.lives);
            let expired = std::iter::once(self.resting)
                .chain(roots)
                .find_map(|root| self.lives.first(root, Timestamp::MIN, now.wall, latest(NOT_NOW)));
            let key = expired.and_then(|(_, slot)| self.slots[slot as usize].as_ref().map(|slot| slot.key));
            match key {
                Some(key) => self.remove(&key),
                None => return removed,
            };
        }
        most
    }

    /// Takes a lease that nobody holds. `None` if too many are held.
    pub(super) fn lease(&mut self, key: RecordKey, span: Duration, now: Reading) -> Option<Lease> {
        if !self.leases.has_room(&key, self.len(), now.elapsed) {
            return None;
        }
        let epoch = LeaseEpoch::new(self.next());
        let lease = self.leases.take(key, epoch, span, now.elapsed);
        self.mark(&key, now);
        Some(lease)
    }

    pub(super) fn end(&mut self, lease: &Lease, now: Reading) {
        if self.leases.end(lease, now.elapsed) {
            self.mark(&lease.key, now);
        }
    }

    /// The time by which the most urgent due record is sorted.
    pub(super) fn head(&mut self, query: &DueQuery, now: Reading) -> Option<Timestamp> {
        self.wake_lapsed(now);
        Some(self.most_urgent(query, now.wall)?.0)
    }

    /// Claims the most urgent due record, unless it comes after `bound`.
    pub(super) fn claim_head(&mut self, query: &DueQuery, bound: Timestamp, now: Reading) -> Option<Claimed> {
        let (at, slot) = self.most_urgent(query, now.wall)?;
        let key = self.slots[slot as usize].as_ref()?.key;
        if at > bound {
            return None;
        }
        let lease = self.lease(key, query.span, now)?;
        let record = self.get(&key)?;
        Some(Claimed { lease, record })
    }

    pub(super) fn add_to(&self, forecast: &mut Forecast, tenant: TenantId, horizons: &[Duration], now: Timestamp) {
        let Some(roots) = self.tenants.get(&tenant) else {
            return;
        };
        forecast.kept_alive += self.lives.len(roots.lives);
        forecast.due += self.wakes.count_to(roots.wakes, latest(now));
        for (count, horizon) in forecast.lapsing.iter_mut().zip(horizons) {
            *count += self.lives.count_to(roots.lives, now + *horizon);
        }
    }

    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn find(&self, key: &RecordKey) -> Option<u32> {
        let is_it = |slot: &u32| self.slots[*slot as usize].as_ref().is_some_and(|slot| slot.key == *key);
        self.table.find(self.hasher.hash_one(key), is_it).copied()
    }

    fn most_urgent(&self, query: &DueQuery, now: Timestamp) -> Option<(Timestamp, u32)> {
        let root = self.tenants.get(&query.tenant)?.lives;
        let awake = latest(now);
        match query.lane {
            Lane::Normal => {
                let least = self.lives.least_from(root, now + query.lane.floor());
                least.filter(|(wake_at, _)| *wake_at <= awake)
            }
            Lane::Critical | Lane::Urgent => {
                let from = match query.lane {
                    Lane::Critical => Timestamp::MIN,
                    _ => now + query.lane.floor(),
                };
                let last = now + query.lane.ceiling() - Duration::from_millis(1);
                self.lives.first(root, from, last, awake)
            }
        }
    }

    /// From when on the record in a slot may be claimed, and whether it is kept alive at all.
    fn claimable(&self, slot: &Slot, now: Reading) -> Timestamp {
        match self.leases.busy(&slot.key, now.elapsed) {
            Some(_) => NOT_NOW,
            None if slot.record.kept_alive() => slot.record.wake_at,
            None => Timestamp::MIN,
        }
    }

    fn enlist(&mut self, number: u32, now: Reading) {
        let Some(slot) = &self.slots[number as usize] else {
            return;
        };
        let (at, value) = (slot.record.expires_at, self.claimable(slot, now));
        if slot.record.kept_alive() {
            let roots = self.tenants.entry(slot.key.tenant()).or_default();
            self.lives.insert(&mut roots.lives, number, at, value);
            self.wakes.insert(&mut roots.wakes, number, slot.record.wake_at, ());
        } else {
            self.lives.insert(&mut self.resting, number, at, value);
        }
    }

    fn delist(&mut self, number: u32) {
        let Some(slot) = &self.slots[number as usize] else {
            return;
        };
        if !slot.record.kept_alive() {
            self.lives.remove(&mut self.resting, number);
            return;
        }
        let tenant = slot.key.tenant();
        if let Some(roots) = self.tenants.get_mut(&tenant) {
            self.lives.remove(&mut roots.lives, number);
            self.wakes.remove(&mut roots.wakes, number);
            if roots.lives == Root::EMPTY {
                self.tenants.remove(&tenant);
            }
        }
    }

    /// Notes in the index that a lease began or ended.
    fn mark(&mut self, key: &RecordKey, now: Reading) {
        let Some(number) = self.find(key) else {
            return;
        };
        let Some(slot) = &self.slots[number as usize] else {
            return;
        };
        let root = match self.tenants.get(&slot.key.tenant()) {
            Some(roots) if slot.record.kept_alive() => roots.lives,
            _ => self.resting,
        };
        let value = self.claimable(slot, now);
        self.lives.set(root, number, value);
    }

    /// Notes in the index which leases have lapsed. Each is met once.
    fn wake_lapsed(&mut self, now: Reading) {
        for key in self.leases.lapsed(now.elapsed) {
            self.mark(&key, now);
        }
    }
}
