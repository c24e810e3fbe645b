//! Where tokens are kept: small records that are only ever changed by compare-and-swap.
//!
//! Three things protect a record, and each has one job:
//!
//! * The *version* keeps the record safe: nobody overwrites what they have not read.
//! * The *lease* saves calls: normally one process at a time renews a token. It cannot do more, because Transak does not know
//!   our leases; a process that was paused for longer than its lease may still call.
//! * The *issue order* tells which of two tokens is the current one. That is decided above the store.
//!
//! Times of leases and of the due index are read off the store's own clock, so that processes whose clocks differ agree.

mod allowance;
pub mod codec;
#[cfg(feature = "conformance")]
pub mod conformance;
mod due;
mod error;
mod hints;
#[cfg(feature = "sqlite")]
mod journal;
mod lease;
mod memory;
mod record;
pub mod seal;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::identity::{RecordKey, TenantId};

pub use allowance::{Allowance, Allowed};
pub use due::{Claimed, DueQuery, Forecast, Lane};
pub use error::{StoreError, StoreErrorKind};
pub use hints::{Hint, HintOutbox, HintSender, Hints};
#[cfg(feature = "sqlite")]
pub use journal::{JournaledStore, Replayed};
pub use lease::{Claim, Lease, LeaseEpoch};
pub use memory::MemoryStore;
pub use record::{FailureClass, Record, RecordKind, RecordState, RetiredToken};
#[cfg(feature = "sqlite")]
pub use sqlite::{Resealed, SqliteOptions, SqliteStore, Verified};

/// Keeps records, leases on them, and an index of those that are due.
///
/// A store must never let a version come back: after a deletion, the next version of a key is still a new one. The same holds
/// for lease epochs. Records hold tokens and an IP address in clear: a store that leaves the process must seal both.
/// Every method may be dropped at any await point; a write then either happened or did not.
/// The module `conformance` (behind a feature of that name) tries all this on any store.
///
/// [`MemoryStore`] shows its use.
#[async_trait]
pub trait SessionStore: fmt::Debug + Send + Sync + 'static {
    /// Reads a record.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; every method has the same.
    async fn load(&self, key: &RecordKey) -> Result<Option<Versioned>, StoreError>;

    /// Writes a record if the stored one still has the expected version (`None`: if there is none); otherwise answers
    /// [`Swap::Conflict`] with what is there.
    ///
    /// If the write happens and `finishing` is still the live lease of this key, the lease ends with it, in one step. A
    /// lease that has lapsed or passed to somebody else does not stop the write: the version decides.
    async fn swap(
        &self,
        key: &RecordKey,
        expected: Option<Version>,
        record: Record,
        finishing: Option<&Lease>,
    ) -> Result<Swap, StoreError>;

    /// Removes a record of any version. It is no error if there is none. A lease on the key stays.
    async fn delete(&self, key: &RecordKey) -> Result<(), StoreError>;

    /// Takes the lease of a key for `span`, whether there is a record or not, and reads the record in the same step.
    /// Durable before it returns, so that a crash while the lease is held can be told from none.
    async fn claim(&self, key: &RecordKey, span: Duration) -> Result<Claim, StoreError>;

    /// Prolongs a lease to `span` from now. `false` if it has lapsed or passed to somebody else.
    async fn extend(&self, lease: &Lease, span: Duration) -> Result<bool, StoreError>;

    /// Ends a lease without a write. It is no error if it has ended already. If it has lapsed, nothing changes: the next
    /// claim still learns that it was abandoned.
    async fn release(&self, lease: &Lease) -> Result<(), StoreError>;

    /// Takes the leases of due user records of one tenant and lane, most urgent first, and reads them.
    ///
    /// Due are records that [may be kept alive](Record::kept_alive) and whose `wake_at` has come, without a live lease.
    async fn claim_due(&self, query: &DueQuery) -> Result<Vec<Claimed>, StoreError>;

    /// Counts a tenant's user records: how many are kept alive, how many are due, and how many lapse within each horizon if
    /// nothing is done.
    async fn forecast(&self, tenant: TenantId, horizons: &[Duration]) -> Result<Forecast, StoreError>;

    /// Takes permits to begin renewals from the bucket that all workers of a tenant share, as many as there are.
    ///
    /// The bucket need not survive a crash: it is full at first, and holds no more than a second's worth.
    async fn draw(&self, allowance: &Allowance) -> Result<Allowed, StoreError>;

    /// Puts permits back that were not needed.
    async fn give_back(&self, tenant: TenantId, permits: u32) -> Result<(), StoreError>;

    /// Listens for writes of a tenant's records from now on, by whomever; `None` if this store has no way to tell.
    ///
    /// What comes is a [`Hint`] and may be lost, late or said twice: nothing may rely on it.
    async fn hints(&self, tenant: TenantId) -> Result<Option<Hints>, StoreError> {
        let _ = tenant;
        Ok(None)
    }
}

/// The outcome of a conditional write.
///
/// [`MemoryStore`] shows its use.
#[derive(Clone, Debug)]
#[must_use]
pub enum Swap {
    /// Written, under this version.
    Stored(Version),
    /// Not written. This is there now; `None` if the record has gone.
    Conflict(Option<Versioned>),
}

/// Which writing of a record this is. Versions of one key only grow.
///
/// [`MemoryStore`] shows its use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(u64);

impl Version {
    /// A version as the store counts it.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The store's number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// A record and its version.
///
/// [`MemoryStore`] shows its use.
#[derive(Clone, Debug)]
pub struct Versioned {
    /// Which writing this is.
    pub version: Version,
    /// What was written.
    pub record: Record,
}
