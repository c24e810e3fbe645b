//! The best guess of what time it is at Transak, whose clock alone decides whether a token has expired.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use super::{Clock, Timestamp, whole_millis};
use crate::events::{Events, SessionEvent};

/// From here on a wrong wall clock is worth an event.
const ALARM: Duration = Duration::from_secs(30);

/// Time since the start of the machine plus an offset, so that steps of the wall clock do not move it.
///
/// At first the offset comes from the wall clock; of two readings the later one counts, because taking a token for expired
/// costs a call and taking an expired one for valid costs a login. The first answer of Transak settles it: from then on the
/// `Date` header decides, in both directions, and the wall clock is only watched.
#[derive(Debug)]
pub(crate) struct Timekeeper {
    clock: Arc<dyn Clock>,
    events: Events,
    /// Unix time in milliseconds at which `elapsed` was zero.
    offset: AtomicI64,
    anchored: AtomicBool,
    alarmed: AtomicBool,
    heed_server: bool,
}

impl Timekeeper {
    pub(crate) fn new(clock: Arc<dyn Clock>, events: Events, heed_server: bool) -> Self {
        let offset = offset_of(clock.now(), clock.elapsed());
        Self {
            clock,
            events,
            offset: AtomicI64::new(offset),
            anchored: AtomicBool::new(false),
            alarmed: AtomicBool::new(false),
            heed_server,
        }
    }

    /// What time it is at Transak. One clock reading, no lock.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(self.at(self.clock.elapsed()))
    }

    /// Looks at the wall clock too. Not for the hot path.
    pub(crate) fn now_checked(&self) -> Timestamp {
        let (wall, elapsed) = (self.clock.now(), self.clock.elapsed());
        if !self.anchored.load(Ordering::Relaxed) {
            self.offset.fetch_max(offset_of(wall, elapsed), Ordering::Relaxed);
        }
        let now = Timestamp(self.at(elapsed));
        self.watch(wall, now);
        now
    }

    /// Time that has passed, for measuring spans.
    pub(crate) fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// Takes in the `Date` of an answer (whole seconds) to a request that was sent when `elapsed` read `sent`.
    pub(crate) fn observe(&self, date: Timestamp, sent: Duration) {
        if !self.heed_server {
            return;
        }
        let received = self.clock.elapsed();
        // The header was written between sending and receiving, somewhere in the second that it names.
        let (earliest, latest) = (date.0, date.0.saturating_add(999));
        let (at_sent, at_received) = (self.at(sent), self.at(received));
        let shift = if at_received < earliest {
            earliest.saturating_sub(at_received)
        } else if at_sent > latest {
            latest.saturating_sub(at_sent)
        } else {
            0
        };
        if shift != 0 {
            self.offset.fetch_add(shift, Ordering::Relaxed);
        }
        self.anchored.store(true, Ordering::Relaxed);
        self.watch(self.clock.now(), Timestamp(self.at(received)));
    }

    fn watch(&self, wall: Timestamp, now: Timestamp) {
        let off = wall.0.saturating_sub(now.0);
        let wrong = off.unsigned_abs() > ALARM.as_millis() as u64;
        if self.alarmed.swap(wrong, Ordering::Relaxed) != wrong && wrong {
            self.events.emit(SessionEvent::ClockSkewed {
                wall_ahead_by_millis: off,
            });
        }
    }

    fn at(&self, elapsed: Duration) -> i64 {
        self.offset
            .load(Ordering::Relaxed)
            .saturating_add(whole_millis(elapsed))
    }
}

fn offset_of(wall: Timestamp, elapsed: Duration) -> i64 {
    wall.0.saturating_sub(whole_millis(elapsed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    fn keeper(clock: &ManualClock) -> Timekeeper {
        Timekeeper::new(Arc::new(clock.clone()), Events::new(8), true)
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    #[test]
    fn before_the_first_answer_the_later_reading_counts() {
        let clock = ManualClock::new(at(1_000_000));
        let keeper = keeper(&clock);
        clock.jump_to(at(900_000));
        clock.advance(Duration::from_secs(5));
        assert_eq!(keeper.now_checked(), at(1_000_005));
        clock.jump_to(at(1_100_000));
        assert_eq!(keeper.now(), at(1_000_005));
        assert_eq!(keeper.now_checked(), at(1_100_000));
    }

    #[test]
    fn transaks_date_settles_it_in_both_directions() {
        let clock = ManualClock::new(at(1_000_000));
        let keeper = keeper(&clock);
        for truth in [2_000_000, 500_000] {
            let sent = keeper.elapsed();
            clock.advance(Duration::from_secs(1));
            keeper.observe(at(truth), sent);
            assert!(
                keeper.now().since(at(truth)) <= Duration::from_secs(2),
                "{}",
                keeper.now()
            );
            clock.jump_to(at(9_000_000));
            assert!(keeper.now_checked() < at(truth + 10));
        }
    }

    #[test]
    fn an_answer_that_agrees_moves_nothing() {
        let clock = ManualClock::new(at(1_000_000));
        let keeper = keeper(&clock);
        clock.advance(Duration::from_millis(1_500));
        let sent = keeper.elapsed();
        clock.advance(Duration::from_millis(700));
        let before = keeper.now();
        keeper.observe(at(1_000_002), sent);
        keeper.observe(at(1_000_001), sent);
        assert_eq!(keeper.now(), before);
    }
}
