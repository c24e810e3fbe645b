//! The pace that all workers of a tenant keep between them.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::identity::TenantId;

/// A worker's wish to begin renewals.
///
/// [`MemoryStore`](crate::store::MemoryStore) shows its use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allowance {
    /// Whose sessions.
    pub tenant: TenantId,
    /// How many renewals a second all workers together may begin, as far as this one knows. The bucket that they share fills
    /// at the rate of whoever draws, and never holds more than what a second brings, or one.
    pub per_second: f64,
    /// At most this many.
    pub wanted: u32,
}

/// What a worker may begin.
///
/// [`MemoryStore`](crate::store::MemoryStore) shows its use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// So many renewals.
    pub permits: u32,
    /// When there will be another one, if nobody else draws it.
    pub next_in: Duration,
}

/// A clock that was set back further than this is believed; less is a writer who had to wait.
const SET_BACK: Duration = Duration::from_secs(2);

/// A tenant's bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    pub(super) permits: f64,
    pub(super) filled_at: Timestamp,
}

impl Bucket {
    /// A bucket that nobody has drawn from is full.
    pub(super) fn full(per_second: f64, now: Timestamp) -> Self {
        Self {
            permits: most(per_second),
            filled_at: now,
        }
    }

    pub(super) fn draw(&mut self, allowance: &Allowance, now: Timestamp) -> Allowed {
        let passed = now.since(self.filled_at).as_secs_f64();
        let rate = allowance.per_second.max(f64::MIN_POSITIVE);
        let held = (self.permits + passed * rate).min(most(rate)).max(0.0);
        if now > self.filled_at || self.filled_at.since(now) > SET_BACK {
            self.filled_at = now;
        }
        // Whole permits; a float beyond what fits becomes the greatest number.
        let permits = (held as u32).min(allowance.wanted);
        self.permits = held - f64::from(permits);
        let lacking = (1.0 - self.permits).max(0.0);
        Allowed {
            permits,
            next_in: Duration::try_from_secs_f64(lacking / rate).unwrap_or(Duration::MAX),
        }
    }

    /// The next draw cuts what is too much.
    pub(super) fn give_back(&mut self, permits: u32) {
        self.permits += f64::from(permits);
    }
}

fn most(per_second: f64) -> f64 {
    per_second.max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(millis)
    }

    fn wish(per_second: f64, wanted: u32) -> Allowance {
        Allowance {
            tenant: TenantId::from_bytes([0; 8]),
            per_second,
            wanted,
        }
    }

    #[test]
    fn odd_numbers_do_no_harm() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::MAX] {
            let mut bucket = Bucket::full(rate, at(0));
            let drawn = bucket.draw(&wish(rate, 5), at(10));
            assert!(drawn.permits <= 5, "{rate}: {drawn:?}");
        }
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_stop_it_for_long() {
        let mut bucket = Bucket::full(1.0, at(3_600_000));
        assert_eq!(bucket.draw(&wish(1.0, 5), at(3_600_000)).permits, 1);
        assert_eq!(bucket.draw(&wish(1.0, 5), at(0)).permits, 0);
        assert_eq!(bucket.draw(&wish(1.0, 5), at(1_000)).permits, 1);
    }

    #[test]
    fn writers_who_waited_do_not_count_time_twice() {
        let mut bucket = Bucket::full(10.0, at(0));
        let mut all = 0;
        for millis in [0, 1_000, 500, 1_000, 500, 1_000, 500, 1_000] {
            all += bucket.draw(&wish(10.0, 100), at(millis)).permits;
        }
        assert_eq!(all, 20);
    }
}
