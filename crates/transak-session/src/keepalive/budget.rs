//! How many renewals may be begun now.

use std::time::Duration;

/// Renewing at less than this share of the configured rate would keep nobody alive.
const FLOOR: f64 = 0.02;
/// A minute without trouble adds this share of the configured rate.
const RISE: f64 = 0.1;
const MINUTE: Duration = Duration::from_secs(60);
/// However many renewals fail at once, the rate is halved once in this time: they tell of one trouble.
const SETTLING: Duration = Duration::from_secs(10);

/// A bucket that fills at a rate, which is halved when Transak is in trouble and rises slowly while it is not.
///
/// It never holds more than what a second brings, so time that went by unused (a suspended laptop, an outage) does not turn
/// into a storm.
#[derive(Debug)]
pub(super) struct Budget {
    ceiling: f64,
    rate: f64,
    tokens: f64,
    filled_at: Duration,
    clean_since: Duration,
    lowered_at: Option<Duration>,
    /// Nothing before this, because Transak asked for it.
    closed_until: Duration,
}

impl Budget {
    /// Begins full, at a reading of `Clock::elapsed`.
    pub(super) fn new(rate: f64, now: Duration) -> Self {
        Self {
            ceiling: rate,
            rate,
            tokens: rate.max(1.0),
            filled_at: now,
            clean_since: now,
            lowered_at: None,
            closed_until: Duration::ZERO,
        }
    }

    /// What may be begun.
    pub(super) fn available(&mut self, now: Duration) -> usize {
        while self.rate < self.ceiling && now.saturating_sub(self.clean_since) >= MINUTE {
            self.rate = (self.rate + self.ceiling * RISE).min(self.ceiling);
            self.clean_since += MINUTE;
        }
        let passed = now.saturating_sub(self.filled_at).as_secs_f64();
        self.filled_at = self.filled_at.max(now);
        self.tokens = (self.tokens + passed * self.rate).min(self.burst());
        if now < self.closed_until {
            0
        } else {
            self.tokens as usize
        }
    }

    /// How long until `wanted` may be begun, or as many as the bucket holds.
    pub(super) fn wait_for(&self, wanted: usize, now: Duration) -> Duration {
        let lacking = (wanted as f64).min(self.burst()) - self.tokens;
        let filled = Duration::try_from_secs_f64(lacking.max(0.0) / self.rate).unwrap_or(MINUTE);
        filled.max(self.closed_until.saturating_sub(now))
    }

    pub(super) fn spend(&mut self, begun: usize) {
        self.tokens = (self.tokens - begun as f64).max(0.0);
    }

    /// Transak limits requests, fails or does not answer.
    pub(super) fn trouble(&mut self, retry_after: Option<Duration>, now: Duration) {
        self.clean_since = now;
        if let Some(span) = retry_after {
            self.closed_until = self.closed_until.max(now + span.min(MINUTE * 10));
        }
        if self.lowered_at.is_none_or(|at| now.saturating_sub(at) >= SETTLING) {
            self.lowered_at = Some(now);
            self.rate = (self.rate / 2.0).max(self.ceiling * FLOOR);
            self.tokens = self.tokens.min(self.burst());
        }
    }

    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    fn burst(&self) -> f64 {
        self.rate.max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn ten_days_of_sleep_are_worth_a_second() {
        let mut budget = Budget::new(30.0, secs(0));
        let all = budget.available(secs(0));
        budget.spend(all);
        assert_eq!(budget.available(secs(10 * 86_400)), 30);
    }

    #[test]
    fn trouble_halves_it_once_and_clean_minutes_bring_it_back() {
        let mut budget = Budget::new(30.0, secs(0));
        for _ in 0..50 {
            budget.trouble(None, secs(100));
        }
        assert_eq!(budget.rate(), 15.0);
        for at in 0..100 {
            budget.trouble(Some(secs(5)), secs(200 + at * 10));
        }
        assert_eq!(budget.rate(), 30.0 * FLOOR);
        assert_eq!(budget.available(secs(1_194)), 0);
        assert_eq!(budget.available(secs(1_190 + 60 * 11)), 30);
    }

    #[test]
    fn a_slow_rate_still_begins_one() {
        let mut budget = Budget::new(0.01, secs(0));
        assert_eq!(budget.available(secs(0)), 1);
        budget.spend(1);
        assert_eq!(budget.wait_for(32, secs(0)), secs(100));
        assert_eq!(budget.available(secs(100)), 1);
    }

    proptest! {
        #[test]
        fn never_more_than_the_rate_allows(rate in 0.05_f64..500.0, steps in prop::collection::vec((0_u64..5_000, any::<bool>()), 1..200)) {
            let mut budget = Budget::new(rate, secs(0));
            let (mut now, mut begun) = (Duration::ZERO, 0_usize);
            for (millis, trouble) in steps {
                now += Duration::from_millis(millis);
                if trouble {
                    budget.trouble(None, now);
                }
                let some = budget.available(now);
                budget.spend(some);
                begun += some;
                prop_assert!(begun as f64 <= rate.max(1.0) + now.as_secs_f64() * rate + 1e-6);
                let wait = budget.wait_for(1, now);
                prop_assert!(budget.available(now + wait + Duration::from_millis(1)) >= 1);
                now += wait + Duration::from_millis(1);
            }
        }
    }
}
