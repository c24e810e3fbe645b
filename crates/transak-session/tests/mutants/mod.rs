//! A memory store that defects can be built into.
#![allow(unreachable_pub)]

mod bench;
mod due;
mod fault;
mod hints;
mod pace;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::yield_now;
use transak_session::clock::{Clock, ManualClock, Timestamp};
use transak_session::store::{
    Allowance, Allowed, Claim, Claimed, DueQuery, Forecast, Hints, Lease, LeaseEpoch, MemoryStore, Record, RecordState,
    SessionStore, StoreError, Swap, Version, Versioned,
};
use transak_session::{AccessToken, RecordKey, TenantId};

pub use self::bench::Workshop;
pub use self::fault::Fault;

const MILLI: Duration = Duration::from_millis(1);

/// What a defect has to remember.
#[derive(Default)]
struct Memo {
    keys: BTreeSet<RecordKey>,
    /// The first and the last record written, and when the last was.
    first: BTreeMap<RecordKey, Record>,
    last: BTreeMap<RecordKey, (Versioned, Timestamp)>,
    leases: HashMap<RecordKey, Lease>,
    bases: HashMap<RecordKey, u64>,
    deleted: BTreeSet<RecordKey>,
    deletions: u32,
    forecast: Option<Forecast>,
    buckets: HashMap<TenantId, pace::Bucket>,
}

pub struct Faulty {
    inner: MemoryStore,
    clock: ManualClock,
    fault: Fault,
    memo: Mutex<Memo>,
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let memo = self.memo();
        let tokens = memo.last.values().filter_map(|(v, _)| v.record.token.as_ref());
        match self.fault {
            Fault::ShowsTokens => f.debug_list().entries(tokens.map(AccessToken::expose)).finish(),
            _ => f.write_str("Faulty"),
        }
    }
}

impl Faulty {
    fn memo(&self) -> MutexGuard<'_, Memo> {
        self.memo.lock().unwrap()
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn key(&self, key: &RecordKey) -> RecordKey {
        let mut bytes = *key.as_bytes();
        if self.has(Fault::ForgetsTenants) {
            bytes[..8].fill(0);
        }
        RecordKey::from_bytes(bytes)
    }

    /// A version as callers see it, and back.
    fn shown(&self, key: &RecordKey, version: Version) -> Version {
        Version::new(match self.fault {
            Fault::VersionsFall => 1_000_000_u64.wrapping_sub(version.get()),
            Fault::RestartsVersionsAfterDeletion => version.get() - self.memo().bases.get(key).copied().unwrap_or(0),
            _ => version.get(),
        })
    }

    fn meant(&self, key: &RecordKey, version: Version) -> Version {
        match self.fault {
            Fault::RestartsVersionsAfterDeletion => {
                Version::new(version.get() + self.memo().bases.get(key).copied().unwrap_or(0))
            }
            _ => self.shown(key, version),
        }
    }

    fn show(&self, key: &RecordKey, there: Option<Versioned>) -> Option<Versioned> {
        there.map(|v| Versioned {
            version: self.shown(key, v.version),
            record: v.record,
        })
    }

    /// A lease as callers see it, and back.
    fn turned(&self, lease: &Lease) -> Lease {
        let mut lease = lease.clone();
        if self.has(Fault::EpochsFall) {
            lease.epoch = LeaseEpoch::new(1_000_000_u64.wrapping_sub(lease.epoch.get()));
        }
        if self.has(Fault::ForgetsTenants) {
            lease.key = self.key(&lease.key);
        }
        lease
    }

    fn spoilt(&self, key: &RecordKey, mut record: Record) -> Record {
        match self.fault {
            Fault::MixesFields => std::mem::swap(&mut record.due_at, &mut record.signed_in_at),
            Fault::LapsesLogouts if record.state == RecordState::LoggedOut => record.state = RecordState::Lapsed,
            Fault::DropsNegativeTimes => record.issued_at = record.issued_at.max(Timestamp::from_unix_millis(0)),
            Fault::DropsIpv6 => record.user_ip = record.user_ip.filter(|ip| ip.expose().is_ipv4()),
            Fault::CutsTokens => {
                let text = record
                    .token
                    .as_ref()
                    .map(|t| t.expose().chars().take(4_096).collect::<String>());
                record.token = text.map(AccessToken::new);
            }
            Fault::ReversesRetired => record.retired.reverse(),
            Fault::KeepsOldRetired if record.retired.is_empty() => {
                let memo = self.memo();
                record.retired = memo
                    .last
                    .get(key)
                    .map(|(v, _)| v.record.retired.clone())
                    .unwrap_or_default();
            }
            _ => {}
        }
        record
    }

    async fn release_known(&self, key: &RecordKey) -> Result<(), StoreError> {
        let lease = self.memo().leases.get(key).cloned();
        match lease {
            Some(lease) => self.inner.release(&lease).await,
            None => Ok(()),
        }
    }

    /// Claims whatever anybody else holds.
    async fn steal(&self, key: &RecordKey, span: Duration) -> Result<Claim, StoreError> {
        match self.inner.claim(key, span).await? {
            Claim::Busy { .. } => {
                self.release_known(key).await?;
                self.inner.claim(key, span).await
            }
            granted => Ok(granted),
        }
    }
}

#[async_trait]
impl SessionStore for Faulty {
    async fn load(&self, key: &RecordKey) -> Result<Option<Versioned>, StoreError> {
        let key = self.key(key);
        Ok(self.show(&key, self.inner.load(&key).await?))
    }

    async fn swap(
        &self,
        key: &RecordKey,
        expected: Option<Version>,
        record: Record,
        finishing: Option<&Lease>,
    ) -> Result<Swap, StoreError> {
        let key = &self.key(key);
        let finishing = finishing.map(|lease| self.turned(lease));
        let finishing = finishing.as_ref();
        let mut expected = expected.map(|version| self.meant(key, version));
        let there = self.inner.load(key).await?;
        let current = there.as_ref().map(|v| v.version);
        let blind = match self.fault {
            Fault::IgnoresVersions => true,
            Fault::CreatesBlindly => expected.is_none() && current.is_none(),
            Fault::WritesBlindly => expected.is_some() && expected == current,
            _ => false,
        };
        if blind {
            yield_now().await;
            expected = self.inner.load(key).await?.map(|v| v.version);
        }
        let stale = match finishing {
            Some(lease) if self.has(Fault::RefusesStaleFinish) => !self.inner.extend(lease, 600 * MILLI).await?,
            _ => false,
        };
        if stale {
            return Ok(Swap::Conflict(there));
        }
        let apart = [Fault::IgnoresFinish, Fault::WritesInTwoSteps].contains(&self.fault);
        let record = self.spoilt(key, record);
        let with = finishing.filter(|_| !apart);
        let answer = self.inner.swap(key, expected, record.clone(), with).await?;
        if let Some(lease) = finishing {
            let conflict = matches!(answer, Swap::Conflict(_));
            let releases = match self.fault {
                Fault::WritesInTwoSteps => {
                    yield_now().await;
                    !conflict
                }
                Fault::EndsOnConflict => conflict,
                Fault::FinishesOtherKeys => !conflict,
                _ => false,
            };
            if releases {
                self.inner.release(lease).await?;
            }
        }
        Ok(match answer {
            Swap::Conflict(there) => Swap::Conflict(self.show(key, there)),
            Swap::Stored(version) => {
                {
                    let mut memo = self.memo();
                    memo.keys.insert(*key);
                    memo.first.entry(*key).or_insert_with(|| record.clone());
                    memo.last
                        .insert(*key, (Versioned { version, record }, self.clock.now()));
                    if memo.deleted.remove(key) {
                        memo.bases.insert(*key, version.get() - 1);
                    }
                }
                Swap::Stored(self.shown(key, version))
            }
        })
    }

    async fn delete(&self, key: &RecordKey) -> Result<(), StoreError> {
        let key = &self.key(key);
        let skipped = {
            let mut memo = self.memo();
            memo.deleted.insert(*key);
            memo.deletions += 1;
            memo.deletions.is_multiple_of(9)
        };
        match self.fault {
            Fault::SkipsSomeDeletions if skipped => return Ok(()),
            Fault::DeletesNeighbours => {
                let keys = self.memo().keys.clone();
                for key in keys {
                    self.inner.delete(&key).await?;
                }
            }
            Fault::DeletesLease => self.release_known(key).await?,
            Fault::DeletesInTwoSteps => {
                if let Some(there) = self.inner.load(key).await? {
                    let dormant = there.record.in_state(RecordState::Dormant);
                    let _ = self.inner.swap(key, Some(there.version), dormant, None).await?;
                }
                yield_now().await;
            }
            _ => {}
        }
        self.inner.delete(key).await
    }

    async fn claim(&self, key: &RecordKey, span: Duration) -> Result<Claim, StoreError> {
        let key = &self.key(key);
        if self.has(Fault::NeedsRecord) && self.inner.load(key).await?.is_none() {
            return Err(StoreError::new("no such record"));
        }
        let span = match self.fault {
            Fault::LapsesLate => span.saturating_add(MILLI),
            Fault::CutsSpans => Duration::from_millis((span.as_millis() as u32).into()),
            _ => span,
        };
        let answer = match self.fault {
            Fault::GrantsTwice => self.steal(key, span).await?,
            Fault::ClaimsBlindly => {
                let free = !self.memo().leases.contains_key(key);
                yield_now().await;
                match free {
                    true => self.steal(key, span).await?,
                    false => self.inner.claim(key, span).await?,
                }
            }
            Fault::ClaimsInTwoSteps => {
                let answer = self.inner.claim(key, Duration::MAX).await?;
                yield_now().await;
                if let Claim::Granted { lease, .. } = &answer {
                    self.inner.extend(lease, span).await?;
                }
                answer
            }
            _ => self.inner.claim(key, span).await?,
        };
        let hide = |there| self.show(key, there).filter(|_| !self.has(Fault::HidesRecord));
        Ok(match answer {
            Claim::Granted { lease, record } => {
                self.memo().leases.insert(*key, lease.clone());
                let mut lease = self.turned(&lease);
                lease.abandoned = lease.abandoned.filter(|_| !self.has(Fault::HidesAbandonment));
                Claim::Granted {
                    lease,
                    record: hide(record),
                }
            }
            Claim::Busy { retry_in, record } => Claim::Busy {
                retry_in,
                record: hide(record),
            },
        })
    }

    async fn extend(&self, lease: &Lease, span: Duration) -> Result<bool, StoreError> {
        match self.fault {
            Fault::IgnoresExtension => Ok(true),
            _ => self.inner.extend(&self.turned(lease), span).await,
        }
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let lease = self.turned(lease);
        match self.fault {
            Fault::ReleasesAnybodys => self.release_known(&lease.key).await?,
            Fault::ReleasesInTwoSteps => {
                self.inner.extend(&lease, Duration::MAX).await?;
                yield_now().await;
            }
            _ => {}
        }
        self.inner.release(&lease).await
    }

    async fn claim_due(&self, query: &DueQuery) -> Result<Vec<Claimed>, StoreError> {
        if self.has_plain_index() {
            return self.claim_due_plainly(query).await;
        }
        let in_steps = self.has(Fault::ClaimsDueInTwoSteps);
        let mut query = *query;
        let span = query.span;
        if in_steps {
            query.span = Duration::MAX;
        }
        let claimed = self.inner.claim_due(&query).await?;
        if in_steps {
            yield_now().await;
            for claimed in &claimed {
                self.inner.extend(&claimed.lease, span).await?;
            }
        }
        Ok(claimed)
    }

    async fn forecast(&self, tenant: TenantId, horizons: &[Duration]) -> Result<Forecast, StoreError> {
        let mut horizons = horizons.to_vec();
        match self.fault {
            Fault::SortsHorizons => horizons.sort(),
            Fault::HorizonOneOff => horizons.iter_mut().for_each(|h| *h = h.saturating_sub(MILLI)),
            _ => {}
        }
        let mut forecast = self.inner.forecast(tenant, &horizons).await?;
        let mut memo = self.memo();
        match self.fault {
            Fault::CountsEverything => forecast.kept_alive = memo.keys.len() as u64,
            Fault::LeavesLeasedOut => forecast.due = forecast.due.saturating_sub(memo.leases.len() as u64),
            Fault::RemembersForecast => return Ok(memo.forecast.get_or_insert(forecast).clone()),
            _ => {}
        }
        Ok(forecast)
    }

    async fn draw(&self, allowance: &Allowance) -> Result<Allowed, StoreError> {
        pace::draw(self, allowance).await
    }

    async fn give_back(&self, tenant: TenantId, permits: u32) -> Result<(), StoreError> {
        pace::give_back(self, tenant, permits);
        Ok(())
    }

    async fn hints(&self, tenant: TenantId) -> Result<Option<Hints>, StoreError> {
        hints::hints(self, tenant).await
    }
}
