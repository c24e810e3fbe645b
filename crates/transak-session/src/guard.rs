//! Tells one user's end from Transak's bad day.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::events::{Events, SessionEvent};

/// The window is cut into this many slices; the oldest one is forgotten when a new one begins.
const SLICES: u64 = 10;

/// Counts answered renewals over a sliding window, and trips when so many of them are refused that the fault is hardly the
/// users': then nobody is logged out.
///
/// Silence does not reset it, only better news: it recovers when, of the renewals since, more are granted than refused. So
/// a few have to be tried now and then. No lock: each slice is one word of its number and two counts.
#[derive(Debug)]
pub(crate) struct LapseGuard {
    slices: [AtomicU64; SLICES as usize],
    tripped: AtomicBool,
    window: Duration,
    least: u32,
}

/// A slice's word: number (32 bits), refused (16), all (16). Counts stop at their highest.
fn pack(number: u32, refused: u16, all: u16) -> u64 {
    u64::from(number) << 32 | u64::from(refused) << 16 | u64::from(all)
}

fn unpack(word: u64) -> (u32, u16, u16) {
    ((word >> 32) as u32, (word >> 16) as u16, word as u16)
}

impl LapseGuard {
    /// Trips at `least` answered renewals or more within `window` of which half or more were refused.
    pub(crate) fn new(window: Duration, least: u32) -> Self {
        Self {
            slices: Default::default(),
            tripped: AtomicBool::new(false),
            window,
            least,
        }
    }

    /// Takes in how a renewal was answered, at a reading of `Clock::elapsed`.
    pub(crate) fn count(&self, refused: bool, elapsed: Duration, events: &Events) {
        // From 1: a slice that was never written counts for nothing.
        let number = self.number(elapsed);
        if let Some(slice) = self.slices.get((u64::from(number) % SLICES) as usize) {
            let _ = slice.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
                let (n, r, a) = unpack(word);
                // A thread that was held up for a whole window must not wipe a younger slice.
                let (r, a) = if n == number { (r, a) } else { (0, 0) };
                (n <= number).then(|| pack(number, r.saturating_add(u16::from(refused)), a.saturating_add(1)))
            });
        }
        let (refused, of) = self.sum(number);
        let bad = refused.saturating_mul(2) >= of;
        if self.is_tripped() {
            if !bad && self.tripped.swap(false, Ordering::Relaxed) {
                tracing::info!(refused, of, "Transak grants renewals again");
                self.forget();
            }
        } else if bad && of >= self.least && !self.tripped.swap(true, Ordering::Relaxed) {
            events.emit(SessionEvent::MassLapseGuard { refused, of });
            self.forget();
        }
    }

    /// Whether a refusal says nothing about the session that it hit.
    pub(crate) fn is_tripped(&self) -> bool {
        self.tripped.load(Ordering::Relaxed)
    }

    /// What was before a change of mind is no news.
    fn forget(&self) {
        self.slices.iter().for_each(|slice| slice.store(0, Ordering::Relaxed));
    }

    fn number(&self, elapsed: Duration) -> u32 {
        let slice = (millis(self.window) / SLICES).max(1);
        u32::try_from(millis(elapsed) / slice + 1).unwrap_or(u32::MAX)
    }

    fn sum(&self, number: u32) -> (u32, u32) {
        let words = self.slices.iter().map(|s| unpack(s.load(Ordering::Relaxed)));
        words
            .filter(|(n, _, _)| *n > 0 && u64::from(number.saturating_sub(*n)) < SLICES)
            .fold((0, 0), |(refused, all), (_, r, a)| {
                (refused + u32::from(r), all + u32::from(a))
            })
    }
}

/// 20 or more within ten minutes.
impl Default for LapseGuard {
    fn default() -> Self {
        Self::new(Duration::from_secs(600), 20)
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::events::Delivery;
    use proptest::prelude::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn trips_once_when_half_of_many_are_refused_and_recovers_by_better_news_only() {
        let (guard, events) = (LapseGuard::default(), Events::new(8));
        let mut heard = events.subscribe();
        let mut at = Duration::from_secs(1_000_000);
        for i in 0..40 {
            assert!(!guard.is_tripped(), "{i}");
            guard.count(i % 3 == 0, at, &events);
            at += Duration::from_secs(10);
        }
        at += MINUTE * 10;
        for i in 0..19 {
            guard.count(true, at, &events);
            assert!(!guard.is_tripped(), "{i}");
        }
        guard.count(false, at, &events);
        assert!(guard.is_tripped());
        // However long it takes, as long as each try is refused.
        for _ in 0..100 {
            at += MINUTE * 15;
            guard.count(true, at, &events);
            assert!(guard.is_tripped());
        }
        guard.count(false, at, &events);
        assert!(guard.is_tripped(), "one of two is not better news");
        guard.count(false, at, &events);
        assert!(!guard.is_tripped());
        assert_eq!(
            heard.try_next(),
            Some(Delivery::Event(SessionEvent::MassLapseGuard { refused: 19, of: 20 }))
        );
        assert_eq!(heard.try_next(), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        /// Against a plain list. The oldest slice may be partly outside of the window, so the plain list has two bounds.
        #[test]
        fn counts_what_a_list_would(steps in prop::collection::vec((0_u64..120, any::<bool>()), 1..200)) {
            let (guard, events) = (LapseGuard::new(MINUTE * 10, u32::MAX), Events::new(1));
            let mut list: Vec<(u64, bool)> = Vec::new();
            let mut at = 0;
            for (wait, refused) in steps {
                at += wait;
                list.push((at, refused));
                guard.count(refused, Duration::from_secs(at), &events);
                let (bad, all) = guard.sum(guard.number(Duration::from_secs(at)));
                let within = |span: u64, of: &dyn Fn(bool) -> bool| {
                    list.iter().filter(|(t, r)| at - t < span && of(*r)).count() as u32
                };
                prop_assert!((within(540, &|_| true)..=within(601, &|_| true)).contains(&all));
                prop_assert!((within(540, &|r| r)..=within(601, &|r| r)).contains(&bad));
            }
        }
    }

    #[test]
    fn threads_lose_no_count() {
        let (guard, events) = (LapseGuard::default(), Events::new(1));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1_000).for_each(|i| guard.count(i % 4 == 0, MINUTE, &events)));
            }
        });
        assert_eq!(guard.sum(guard.number(MINUTE)), (1_000, 4_000));
    }
}
