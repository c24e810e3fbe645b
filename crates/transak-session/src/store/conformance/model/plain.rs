//! The model: what a store should hold and answer, with no thought of speed.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::broken::ensure;
use super::super::stage::HOUR;
use super::super::{Broken, Outcome};
use crate::clock::Timestamp;
use crate::identity::{RecordKey, TenantId};
use crate::store::{Claimed, DueQuery, Forecast, Lane, Lease, LeaseEpoch, Record, Version, Versioned};

/// What the store should hold.
#[derive(Default)]
pub(super) struct Model {
    pub(super) records: BTreeMap<RecordKey, (Version, Record)>,
    pub(super) leases: BTreeMap<RecordKey, Held>,
    pub(super) versions: BTreeMap<RecordKey, Version>,
    pub(super) epochs: BTreeMap<RecordKey, LeaseEpoch>,
    /// Leases that were given out, live or not.
    pub(super) given: Vec<Lease>,
}

pub(super) struct Held {
    pub(super) epoch: LeaseEpoch,
    pub(super) taken_at: Timestamp,
    pub(super) until: Timestamp,
}

impl Model {
    pub(super) fn live(&self, key: &RecordKey, now: Timestamp) -> Option<&Held> {
        self.leases.get(key).filter(|held| now < held.until)
    }

    pub(super) fn is_live(&self, lease: &Lease, now: Timestamp) -> bool {
        self.live(&lease.key, now).is_some_and(|held| held.epoch == lease.epoch)
    }

    pub(super) fn shows(&self, key: &RecordKey, found: Option<&Versioned>) -> Outcome {
        let expected = self.records.get(key).map(|(version, record)| (*version, record));
        let found = found.map(|v| (v.version, &v.record));
        ensure!(found == expected, "{key} holds {found:?}, not {expected:?}");
        Ok(())
    }

    pub(super) fn written(&mut self, key: RecordKey, version: Version, record: Record) -> Outcome {
        let before = self.versions.insert(key, version);
        ensure!(before < Some(version), "version {version:?} came after {before:?}");
        self.records.insert(key, (version, record));
        Ok(())
    }

    /// Takes over a lease that the store gave out, and checks what it says about the one before.
    pub(super) fn leased(&mut self, lease: &Lease, span: Duration, now: Timestamp) -> Outcome {
        let before = self.epochs.insert(lease.key, lease.epoch);
        ensure!(
            before < Some(lease.epoch),
            "epoch {:?} came after {before:?}",
            lease.epoch
        );
        ensure!(self.live(&lease.key, now).is_none(), "a live lease was given away");
        let held = Held {
            epoch: lease.epoch,
            taken_at: now,
            until: now + span,
        };
        let before = self.leases.insert(lease.key, held);
        // A store may in time forget who abandoned a key that has no record.
        let forgettable = |held: &Held| now.since(held.until) > HOUR && !self.records.contains_key(&lease.key);
        let expected = before.as_ref().map(|held| now.since(held.taken_at));
        let right =
            lease.abandoned == expected || (lease.abandoned.is_none() && before.as_ref().is_some_and(forgettable));
        ensure!(right, "abandoned: {:?}, not {expected:?}", lease.abandoned);
        self.given.push(lease.clone());
        Ok(())
    }

    pub(super) fn end(&mut self, lease: &Lease, now: Timestamp) {
        if self.is_live(lease, now) {
            self.leases.remove(&lease.key);
        }
    }

    pub(super) fn kept(&self, tenant: TenantId) -> impl Iterator<Item = (&RecordKey, &Record)> {
        self.records
            .iter()
            .map(|(key, (_, record))| (key, record))
            .filter(move |(key, record)| key.tenant() == tenant && record.kept_alive())
    }

    pub(super) fn due(&self, query: &DueQuery, now: Timestamp) -> BTreeMap<RecordKey, Timestamp> {
        self.kept(query.tenant)
            .filter(|(key, r)| {
                r.wake_at <= now && Lane::of(r.expires_at.since(now)) == query.lane && self.live(key, now).is_none()
            })
            .map(|(key, r)| match query.lane {
                Lane::Normal => (*key, r.wake_at),
                Lane::Critical | Lane::Urgent => (*key, r.expires_at),
            })
            .collect()
    }

    pub(super) fn forecast(&self, tenant: TenantId, horizons: &[Duration], now: Timestamp) -> Forecast {
        let count = |wanted: &dyn Fn(&Record) -> bool| self.kept(tenant).filter(|(_, r)| wanted(r)).count() as u64;
        Forecast {
            kept_alive: count(&|_| true),
            due: count(&|r| r.wake_at <= now),
            lapsing: horizons.iter().map(|h| count(&|r| r.expires_at <= now + *h)).collect(),
        }
    }

    pub(super) fn claimed(&mut self, query: &DueQuery, claimed: &[Claimed], now: Timestamp) -> Outcome {
        let mut due = self.due(query, now);
        let expected = due.len().min(query.limit);
        ensure!(
            claimed.len() == expected,
            "{} were claimed, not {expected}",
            claimed.len()
        );
        let mut last = Timestamp::MIN;
        for Claimed { lease, record } in claimed {
            let Some(order) = due.remove(&lease.key) else {
                return Err(Broken::Rule(format!("{} was claimed, which is not due", lease.key)));
            };
            ensure!(last <= order, "the less urgent came first");
            last = order;
            self.shows(&lease.key, Some(record))?;
            self.leased(lease, query.span, now)?;
        }
        let missed = due.values().any(|order| *order < last);
        ensure!(!missed, "a more urgent one was passed over");
        Ok(())
    }
}
