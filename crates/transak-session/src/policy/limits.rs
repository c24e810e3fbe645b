//! Bounds that nobody has to set.

use std::time::Duration;

/// Bounds of the machinery around the decisions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// How many callers may wait for one flight.
    pub(crate) joiners: usize,
    /// How many calls this process makes to Transak at a time on its own account.
    pub(crate) calls: usize,
    /// After this long one step of a flight counts as unanswered, so that every flight ends.
    pub(crate) deadline: Duration,
    /// For how long a lease on a record is taken: twice as long as a call may take, so that a claim that took its time still
    /// leaves enough; and no longer, because this is what a crash costs the others.
    pub(crate) lease: Duration,
    /// After this long a call under a lease counts as unanswered; it is not made if less is left of the lease.
    pub(crate) call: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            joiners: 10_000,
            calls: 64,
            deadline: Duration::from_secs(45),
            lease: Duration::from_secs(30),
            call: Duration::from_secs(15),
        }
    }
}
