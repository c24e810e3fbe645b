//! What a rule is tried on.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::Broken;
use crate::clock::Timestamp;
use crate::store::{Claim, Claimed, DueQuery, Lane, Lease, Record, SessionStore, Swap, Version, Versioned};
use crate::{RecordKey, TenantId};

/// Makes stores of one engine.
///
/// The [suite](crate::store::conformance) shows its use.
#[async_trait]
pub trait Harness: Send + Sync {
    /// Makes a new, empty store that shares nothing with those before it. Each rule gets its own.
    ///
    /// If that fails, panic: the engine cannot be tested then.
    async fn fresh(&self) -> Box<dyn TestBed>;
}

/// One store, and ways to do to it what happens to stores.
///
/// The [suite](crate::store::conformance) shows its use.
#[async_trait]
pub trait TestBed: Send + Sync {
    /// The store. Each call may give another clone of the same handle.
    fn store(&self) -> Arc<dyn SessionStore>;

    /// A handle on the same data as another process would open it: its own connections, its own caches. `None` if no
    /// other process can share the data.
    async fn second(&mut self) -> Option<Arc<dyn SessionStore>> {
        None
    }

    /// Closes the store and opens its data again, as after a restart; [`store`](Self::store) then gives the new handle.
    /// `false` if the data end with the process.
    async fn reopen(&mut self) -> bool {
        false
    }

    /// The reading of the store's clock, by which it judges leases and due times.
    fn now(&self) -> Timestamp;

    /// Lets at least `span` pass on the store's clock: moves the clock if it can be moved, else waits. With a clock that
    /// cannot be moved no rule asks for more than a few times [`slack`](Self::slack).
    async fn advance(&mut self, span: Duration);

    /// Zero (the default) for a clock that stands still unless [`advance`](Self::advance) is called: times are then checked
    /// to the millisecond. For a clock that runs: how long a dozen calls may take at worst, on a busy machine, plus the
    /// difference between the store's clock and [`now`](Self::now); half a second is a good start.
    fn slack(&self) -> Duration {
        Duration::ZERO
    }
}

/// A test bed and what the suite was set to.
///
/// The [suite](crate::store::conformance) shows its use.
pub struct Stage {
    bed: Box<dyn TestBed>,
    pub(super) seed: u64,
    pub(super) sequences: u32,
    pub(super) steps: u32,
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage")
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

pub(super) const HOUR: Duration = Duration::from_secs(3_600);
pub(super) const DAY: Duration = Duration::from_secs(86_400);
pub(super) const MILLI: Duration = Duration::from_millis(1);

/// The tenant that most rules work with, and another one.
pub(super) const TENANT: TenantId = TenantId::from_bytes(*b"tenant 1");
pub(super) const OTHER_TENANT: TenantId = TenantId::from_bytes(*b"tenant 2");

impl Stage {
    /// A stage over a test bed, with the suite's usual settings.
    #[must_use]
    pub fn new(bed: Box<dyn TestBed>) -> Self {
        super::Suite::new().stage(bed)
    }

    pub(super) fn set(bed: Box<dyn TestBed>, seed: u64, sequences: u32, steps: u32) -> Self {
        Self {
            bed,
            seed,
            sequences,
            steps,
        }
    }

    pub(super) fn store(&self) -> Arc<dyn SessionStore> {
        self.bed.store()
    }

    /// Another process's handle; the same one where there is no such thing.
    pub(super) async fn second(&mut self) -> Arc<dyn SessionStore> {
        match self.bed.second().await {
            Some(store) => store,
            None => self.bed.store(),
        }
    }

    pub(super) async fn reopen(&mut self) -> Result<(), Broken> {
        match self.bed.reopen().await {
            true => Ok(()),
            false => Err(Broken::Untried("the data end with the process")),
        }
    }

    pub(super) async fn try_reopen(&mut self) -> bool {
        self.bed.reopen().await
    }

    pub(super) fn now(&self) -> Timestamp {
        self.bed.now()
    }

    pub(super) async fn pass(&mut self, span: Duration) {
        self.bed.advance(span).await;
    }

    pub(super) fn slack(&self) -> Duration {
        self.bed.slack()
    }

    /// Whether times can be checked to the millisecond.
    pub(super) fn exact(&self) -> bool {
        self.bed.slack().is_zero()
    }

    /// A span that outlasts a few calls and that may be waited for.
    pub(super) fn short(&self) -> Duration {
        match self.exact() {
            true => Duration::from_secs(30),
            false => self.bed.slack(),
        }
    }

    /// Lets a lease of [`short`](Self::short) lapse.
    pub(super) async fn outlast_short(&mut self) {
        let span = self.short() + self.bed.slack() / 2;
        self.pass(span).await;
    }

    /// The least difference by which times of the store can be told apart from each other and from now.
    pub(super) fn grain(&self) -> Duration {
        self.bed.slack().max(MILLI)
    }

    // What rules do often, without the answers that would end them.

    pub(super) async fn create(&self, key: RecordKey, record: Record) -> Result<Version, Broken> {
        put(&*self.store(), key, None, record).await
    }

    pub(super) async fn replace(&self, key: RecordKey, record: Record) -> Result<Version, Broken> {
        let store = self.store();
        let there = store.load(&key).await?.map(|v| v.version);
        put(&*store, key, there, record).await
    }

    pub(super) async fn load(&self, key: RecordKey) -> Result<Option<Versioned>, Broken> {
        Ok(self.store().load(&key).await?)
    }

    pub(super) async fn granted(&self, key: RecordKey, span: Duration) -> Result<Lease, Broken> {
        Ok(grant(&*self.store(), key, span).await?.0)
    }

    pub(super) async fn due(&self, lane: Lane, limit: usize, span: Duration) -> Result<Vec<Claimed>, Broken> {
        let query = DueQuery {
            tenant: TENANT,
            lane,
            limit,
            span,
        };
        let claimed = self.store().claim_due(&query).await?;
        match claimed.len() <= limit {
            true => Ok(claimed),
            false => Err(Broken::Rule(format!(
                "{} records for a limit of {limit}",
                claimed.len()
            ))),
        }
    }

    /// The keys due in each lane; their leases are given back.
    pub(super) async fn peek(&self, lane: Lane) -> Result<Vec<RecordKey>, Broken> {
        let claimed = self.due(lane, 1_000, HOUR).await?;
        for claimed in &claimed {
            self.store().release(&claimed.lease).await?;
        }
        Ok(claimed.into_iter().map(|c| c.lease.key).collect())
    }
}

/// A write that must be let through.
pub(super) async fn put(
    store: &dyn SessionStore,
    key: RecordKey,
    expected: Option<Version>,
    record: Record,
) -> Result<Version, Broken> {
    match store.swap(&key, expected, record, None).await? {
        Swap::Stored(version) => Ok(version),
        Swap::Conflict(there) => Err(Broken::Rule(format!(
            "a write that expected {expected:?} was refused; there is {:?}",
            there.map(|v| v.version)
        ))),
    }
}

/// A claim that must be granted.
pub(super) async fn grant(
    store: &dyn SessionStore,
    key: RecordKey,
    span: Duration,
) -> Result<(Lease, Option<Versioned>), Broken> {
    match store.claim(&key, span).await? {
        Claim::Granted { lease, record } if lease.key == key => Ok((lease, record)),
        Claim::Granted { lease, .. } => Err(Broken::Rule(format!("asked for {key}, got a lease on {}", lease.key))),
        Claim::Busy { retry_in, .. } => Err(Broken::Rule(format!(
            "nobody should hold the lease, but it is busy for {retry_in:?}"
        ))),
    }
}

/// A claim that must be refused.
pub(super) async fn busy(store: &dyn SessionStore, key: RecordKey) -> Result<(Duration, Option<Versioned>), Broken> {
    match store.claim(&key, HOUR).await? {
        Claim::Busy { retry_in, record } => Ok((retry_in, record)),
        Claim::Granted { .. } => Err(Broken::Rule("a live lease was given to somebody else".into())),
    }
}
