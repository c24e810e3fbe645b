//! A due index by walking over everything, with room for mistakes.

use std::time::Duration;

use tokio::task::yield_now;
use transak_session::RecordKey;
use transak_session::clock::{Clock as _, Timestamp};
use transak_session::store::{
    Claim, Claimed, DueQuery, Lane, Lease, LeaseEpoch, Record, RecordKind, RecordState, SessionStore as _, StoreError,
    Versioned,
};

use super::{Fault, Faulty, MILLI};

impl Faulty {
    pub(super) fn has_plain_index(&self) -> bool {
        use Fault::*;
        matches!(
            self.fault,
            PlainIndex
                | ClaimsPartner
                | ClaimsDormant
                | ClaimsOtherTenants
                | BoundaryOneOff
                | LanesAtWriting
                | SkipsExpired
                | LeastUrgentFirst
                | NormalByExpiry
                | OneTooMany
                | NoLimitAtZero
                | WakesLate
                | WakesEarly
                | ClaimsLeased
                | InventsLeases
                | IndexesFirstWrite
                | KeepsDeleted
                | LosesIndexOnReopening
                | ClaimsDueBlindly
        )
    }

    /// Whether a record is due, by what the index knows of it.
    fn is_due(&self, query: &DueQuery, key: &RecordKey, record: &Record, written_at: Timestamp) -> bool {
        let now = self.clock.now();
        let kind = record.kind == RecordKind::User || self.has(Fault::ClaimsPartner);
        let state = matches!(record.state, RecordState::Live | RecordState::Suspect { .. })
            || (record.state == RecordState::Dormant && self.has(Fault::ClaimsDormant));
        let tenant = key.tenant() == query.tenant || self.has(Fault::ClaimsOtherTenants);
        let awake = match self.fault {
            Fault::WakesLate => record.wake_at < now,
            Fault::WakesEarly => record.wake_at <= now + 2 * MILLI,
            _ => record.wake_at <= now,
        };
        let left = match self.fault {
            Fault::BoundaryOneOff => record.expires_at.since(now).saturating_sub(MILLI),
            Fault::LanesAtWriting => record.expires_at.since(written_at),
            _ => record.expires_at.since(now),
        };
        let counts = !(self.has(Fault::SkipsExpired) && left == Duration::ZERO);
        let woken = record.wake_at < Timestamp::MAX;
        kind && state && tenant && awake && counts && woken && Lane::of(left) == query.lane
    }

    fn order(&self, query: &DueQuery, record: &Record) -> Timestamp {
        match query.lane {
            Lane::Normal if !self.has(Fault::NormalByExpiry) => record.wake_at,
            _ => record.expires_at,
        }
    }

    pub(super) async fn claim_due_plainly(&self, query: &DueQuery) -> Result<Vec<Claimed>, StoreError> {
        let keys = self.memo().keys.clone();
        let mut due = Vec::new();
        for key in keys {
            let there = self.inner.load(&key).await?;
            let (first, last) = {
                let memo = self.memo();
                (memo.first.get(&key).cloned(), memo.last.get(&key).cloned())
            };
            let Some((last, written_at)) = last else { continue };
            let indexed = match (self.fault, there) {
                (Fault::KeepsDeleted, None) => Some(last),
                (Fault::IndexesFirstWrite, Some(there)) => Some(Versioned {
                    version: there.version,
                    record: first.unwrap_or(there.record),
                }),
                (_, there) => there,
            };
            if let Some(v) = indexed.filter(|v| self.is_due(query, &key, &v.record, written_at)) {
                due.push((self.order(query, &v.record), key, v));
            }
        }
        due.sort_by_key(|(order, key, _)| (*order, *key));
        if self.has(Fault::LeastUrgentFirst) {
            due.reverse();
        }
        let limit = match (self.fault, query.limit) {
            (Fault::OneTooMany, limit) => limit.saturating_add(1),
            (Fault::NoLimitAtZero, 0) => usize::MAX,
            (_, limit) => limit,
        };
        if self.has(Fault::ClaimsDueBlindly) {
            let leased = self.memo().leases.clone();
            due.retain(|(_, key, _)| !leased.contains_key(key));
            yield_now().await;
        }
        let mut claimed = Vec::new();
        for (_, key, record) in due {
            if claimed.len() == limit {
                break;
            }
            if let Some(lease) = self.due_lease(&key, query.span).await? {
                claimed.push(Claimed { lease, record });
            }
        }
        Ok(claimed)
    }

    async fn due_lease(&self, key: &RecordKey, span: Duration) -> Result<Option<Lease>, StoreError> {
        if self.has(Fault::InventsLeases) {
            return Ok(Some(Lease {
                key: *key,
                epoch: LeaseEpoch::new(1),
                abandoned: None,
            }));
        }
        let answer = match self.fault {
            Fault::ClaimsLeased | Fault::ClaimsDueBlindly => self.steal(key, span).await?,
            _ => self.inner.claim(key, span).await?,
        };
        Ok(match answer {
            Claim::Granted { lease, .. } => {
                self.memo().leases.insert(*key, lease.clone());
                Some(lease)
            }
            Claim::Busy { .. } => None,
        })
    }
}
