//! The index of records that a keep-alive worker has to look at.

use std::time::Duration;

use super::{Lease, Versioned};
use crate::identity::TenantId;

const HOUR: Duration = Duration::from_secs(3_600);

/// How urgent a record is, by the life its token has left.
///
/// ```
/// use std::time::Duration;
/// use transak_session::store::Lane;
///
/// let hour = Duration::from_secs(3_600);
/// assert_eq!(Lane::of(hour * 23), Lane::Critical);
/// assert_eq!(Lane::of(hour * 24), Lane::Urgent);
/// assert_eq!(Lane::of(hour * 72), Lane::Normal);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// Less than 24 hours, or none: by expiry, the soonest first.
    Critical,
    /// 24 to 72 hours: by expiry, the soonest first.
    Urgent,
    /// 72 hours or more: by due time, the longest due first.
    Normal,
}

impl Lane {
    /// All lanes, the most urgent first.
    pub const ALL: [Self; 3] = [Self::Critical, Self::Urgent, Self::Normal];

    /// The lane of a token with this much life left.
    #[must_use]
    pub fn of(left: Duration) -> Self {
        if left < Self::Critical.ceiling() {
            Self::Critical
        } else if left < Self::Urgent.ceiling() {
            Self::Urgent
        } else {
            Self::Normal
        }
    }

    /// Tokens of this lane have at least this much life left; those of the critical lane may have none.
    #[must_use]
    pub const fn floor(self) -> Duration {
        match self {
            Self::Critical => Duration::ZERO,
            Self::Urgent => Self::Critical.ceiling(),
            Self::Normal => Self::Urgent.ceiling(),
        }
    }

    /// Tokens of this lane have less life left than this.
    #[must_use]
    pub const fn ceiling(self) -> Duration {
        match self {
            Self::Critical => Duration::from_secs(24 * HOUR.as_secs()),
            Self::Urgent => Duration::from_secs(72 * HOUR.as_secs()),
            Self::Normal => Duration::MAX,
        }
    }
}

/// Which due records to claim.
///
/// [`MemoryStore`](crate::store::MemoryStore) shows its use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueQuery {
    /// Whose.
    pub tenant: TenantId,
    /// How urgent ones.
    pub lane: Lane,
    /// At most this many.
    pub limit: usize,
    /// For how long.
    pub span: Duration,
}

/// A due record that was claimed.
///
/// [`MemoryStore`](crate::store::MemoryStore) shows its use.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The lease; it names the record.
    pub lease: Lease,
    /// What is stored.
    pub record: Versioned,
}

/// A tenant's user records, counted.
///
/// [`MemoryStore`](crate::store::MemoryStore) shows its use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    /// Records that are kept alive.
    pub kept_alive: u64,
    /// Records whose time to be looked at has come.
    pub due: u64,
    /// For each horizon that was asked for, in that order: kept alive records whose token expires within it.
    pub lapsing: Vec<u64>,
}
