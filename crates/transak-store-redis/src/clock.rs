//! The store's time, as far as this process knows it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use transak_session::clock::Clock;

/// Follows the server's clock by its answers. It lags by the way of an answer and never leads by more than two clocks drift
/// apart between two answers.
pub(crate) struct StoreClock {
    started: Instant,
    /// Microseconds from the start of this process's store to the server's reading.
    offset: AtomicI64,
    /// A test's clock instead of the server's.
    manual: Option<Arc<dyn Clock>>,
}

impl StoreClock {
    pub(crate) fn new(manual: Option<Arc<dyn Clock>>) -> Self {
        Self {
            started: Instant::now(),
            offset: AtomicI64::new(0),
            manual,
        }
    }

    fn elapsed(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX)
    }

    /// Takes over a reading of the server's clock, in microseconds since 1970.
    pub(crate) fn heard(&self, micros: i64) {
        self.offset
            .store(micros.saturating_sub(self.elapsed()), Ordering::Relaxed);
    }

    /// Microseconds since 1970.
    pub(crate) fn micros(&self) -> i64 {
        match &self.manual {
            Some(clock) => clock.now().unix_millis().saturating_mul(1_000),
            None => self.offset.load(Ordering::Relaxed).saturating_add(self.elapsed()),
        }
    }

    /// What scripts are told: nothing, or a test's time in milliseconds.
    pub(crate) fn argument(&self) -> String {
        match &self.manual {
            Some(clock) => clock.now().unix_millis().to_string(),
            None => String::new(),
        }
    }
}

impl fmt::Debug for StoreClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreClock").finish_non_exhaustive()
    }
}
