//! Who may call Transak about a record for a while.

use std::time::Duration;

use super::Versioned;
use crate::identity::RecordKey;

/// Which taking of a lease this is: the fencing number. Epochs of one key only grow.
///
/// [`MemoryStore`](crate::store::MemoryStore) shows its use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeaseEpoch(u64);

impl LeaseEpoch {
    /// An epoch as the store counts it.
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

/// A lease that was taken. It ends by itself after its span; how long that is still, the holder measures on its own clock
/// from before it asked.
///
/// [`MemoryStore`](crate::store::MemoryStore) shows its use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Whose record it is about.
    pub key: RecordKey,
    /// Which taking this is.
    pub epoch: LeaseEpoch,
    /// How long ago the lease before this one was taken, if its holder never ended it: it crashed or was paused, and may
    /// have called Transak meanwhile.
    pub abandoned: Option<Duration>,
}

/// The outcome of a claim.
///
/// [`MemoryStore`](crate::store::MemoryStore) shows its use.
#[derive(Clone, Debug)]
#[must_use]
pub enum Claim {
    /// The lease is ours, and this is the record under it; `None` if there is no record.
    Granted {
        /// The lease.
        lease: Lease,
        /// What is stored.
        record: Option<Versioned>,
    },
    /// Somebody else holds the lease.
    Busy {
        /// When it ends at the latest.
        retry_in: Duration,
        /// What is stored.
        record: Option<Versioned>,
    },
}
