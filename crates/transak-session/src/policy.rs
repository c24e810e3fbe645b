//! The numbers behind the decisions, checked when they are set.

mod limits;

use std::time::Duration;

use crate::clock::Timestamp;

pub(crate) use limits::Limits;

const DAY: Duration = Duration::from_secs(86_400);

/// How long a user access token is assumed to live when nothing else says so: 30 days.
///
/// <https://docs.transak.com/features/authentication> states the lifetime; the refresh answer carries none.
///
/// See [`RefreshWindow`].
pub const ASSUMED_USER_TOKEN_LIFE: Duration = Duration::from_secs(2_592_000);

/// How long a partner access token lives: 7 days.
///
/// <https://docs.transak.com/api/public/refresh-access-token>
///
/// See [`PartnerPolicy`].
pub const ASSUMED_PARTNER_TOKEN_LIFE: Duration = Duration::from_secs(604_800);

/// A policy that would not keep its promises.
///
/// See [`UserPolicy`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The window opens after it closes, or at the very start of the token's life.
    #[error("the refresh window must open after the token's birth and not after it closes")]
    EmptyWindow,
    /// Renewal could begin so late that no reserve is left for retries.
    #[error("the refresh window must close before the last tenth of the token's life")]
    NoReserve,
    /// A session would be given up that was used only recently: when it was used is noted once a day.
    #[error("{0} must be at least two days")]
    TooShort(&'static str),
    /// A duration that must not be zero is zero, or a minimum exceeds its maximum.
    #[error("{0} must not be zero and its first value must not exceed its last")]
    BadSpan(&'static str),
}

/// When a user token is renewed: at an instant drawn uniformly between two ages.
///
/// The ages are given for one nominal lifetime and scale with the real one. The draw is made once per token and stored,
/// so that tokens issued together do not come due together and a restart does not draw again.
///
/// ```
/// use std::time::Duration;
/// use transak_session::{ASSUMED_USER_TOKEN_LIFE, RefreshWindow, clock::Timestamp};
///
/// let day = Duration::from_secs(86_400);
/// let window = RefreshWindow::new(ASSUMED_USER_TOKEN_LIFE, day * 15, day * 20)?;
/// let born = Timestamp::from_unix_seconds(1_800_000_000);
/// assert_eq!(window.due_at(born, born + day * 30, 0), born + day * 15);
/// assert!(window.due_at(born, born + day * 30, u64::MAX) <= born + day * 20);
/// // A shorter life scales.
/// assert_eq!(window.due_at(born, born + day * 10, 0), born + day * 5);
/// # Ok::<(), transak_session::PolicyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshWindow {
    lifetime: Duration,
    earliest: Duration,
    latest: Duration,
}

impl RefreshWindow {
    /// A window from age `earliest` to age `latest` of a token that lives for `lifetime`.
    ///
    /// # Errors
    ///
    /// [`PolicyError::EmptyWindow`] if `earliest` is zero or later than `latest`; [`PolicyError::NoReserve`] if `latest`
    /// falls into the last tenth of `lifetime`.
    pub fn new(lifetime: Duration, earliest: Duration, latest: Duration) -> Result<Self, PolicyError> {
        if earliest.is_zero() || earliest > latest {
            return Err(PolicyError::EmptyWindow);
        }
        if latest > lifetime - lifetime / 10 {
            return Err(PolicyError::NoReserve);
        }
        Ok(Self {
            lifetime,
            earliest,
            latest,
        })
    }

    /// The instant at which a token that lives from `issued_at` to `expires_at` comes due.
    ///
    /// `draw` spreads the instants over the window: 0 is its start, `u64::MAX` its end.
    #[must_use]
    pub fn due_at(&self, issued_at: Timestamp, expires_at: Timestamp, draw: u64) -> Timestamp {
        let life = expires_at.since(issued_at).as_millis();
        let scale = |age: Duration| {
            // Both factors are below 2^64, so the product fits; the nominal lifetime is never zero.
            life.saturating_mul(age.as_millis()) / self.lifetime.as_millis().max(1)
        };
        let (from, to) = (scale(self.earliest), scale(self.latest));
        let age = from + ((to - from).saturating_mul(u128::from(draw)) >> 64);
        issued_at + Duration::from_millis(u64::try_from(age).unwrap_or(u64::MAX))
    }
}

/// Days 18 to 22.5 of 30.
impl Default for RefreshWindow {
    fn default() -> Self {
        Self {
            lifetime: DAY * 30,
            earliest: DAY * 18,
            latest: DAY * 22 + DAY / 2,
        }
    }
}

/// How renewals of user tokens are paced.
///
/// ```
/// use std::time::Duration;
/// use transak_session::{PolicyError, Transak, UserPolicy};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let day = Duration::from_secs(86_400);
/// let policy = UserPolicy::default().idle_cutoff(Some(day * 30))?.absolute_cutoff(None)?;
/// let transak = Transak::builder().api_key("your-api-key").user_policy(policy).build()?;
///
/// let too_eager = UserPolicy::default().idle_cutoff(Some(Duration::from_secs(60)));
/// assert_eq!(too_eager.unwrap_err(), PolicyError::TooShort("idle_cutoff"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct UserPolicy {
    pub(crate) window: RefreshWindow,
    pub(crate) backoff: Backoff,
    pub(crate) min_interval: Duration,
    pub(crate) refused_pause: Duration,
    pub(crate) patience: Duration,
    pub(crate) idle_cutoff: Option<Duration>,
    pub(crate) absolute_cutoff: Option<Duration>,
}

impl UserPolicy {
    /// Replaces the refresh window.
    #[must_use]
    pub fn window(mut self, window: RefreshWindow) -> Self {
        self.window = window;
        self
    }

    /// Replaces the pauses between failed renewals.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// The least time between two renewals that were caused by a 401 or by a wish for more remaining life, not by the
    /// window. 60 seconds by default.
    ///
    /// # Errors
    ///
    /// [`PolicyError::BadSpan`] if it is zero: a 401 that no renewal cures would then renew on every call.
    pub fn min_interval(mut self, span: Duration) -> Result<Self, PolicyError> {
        self.min_interval = nonzero(span, "min_interval")?;
        Ok(self)
    }

    /// After how long without use a session is not kept alive any more; `None` for never. 90 days by default.
    ///
    /// Its token is served while it is valid, and using it before then ends the pause. A credential that is kept alive for
    /// nobody is only a risk.
    ///
    /// # Errors
    ///
    /// [`PolicyError::TooShort`] if it is less than two days.
    pub fn idle_cutoff(mut self, span: Option<Duration>) -> Result<Self, PolicyError> {
        self.idle_cutoff = cutoff(span, "idle_cutoff")?;
        Ok(self)
    }

    /// How long after a login a session is renewed at most, however much it is used; `None` for as long as Transak allows.
    /// 365 days by default.
    ///
    /// After that its last token is served until it expires, and then the person logs in again.
    /// [`UserSession::refresh_now`](crate::UserSession::refresh_now) and a 401 renew all the same.
    ///
    /// # Errors
    ///
    /// [`PolicyError::TooShort`] if it is less than two days.
    pub fn absolute_cutoff(mut self, span: Option<Duration>) -> Result<Self, PolicyError> {
        self.absolute_cutoff = cutoff(span, "absolute_cutoff")?;
        Ok(self)
    }
}

fn cutoff(span: Option<Duration>, name: &'static str) -> Result<Option<Duration>, PolicyError> {
    match span {
        Some(span) if span < DAY * 2 => Err(PolicyError::TooShort(name)),
        other => Ok(other),
    }
}

impl Default for UserPolicy {
    fn default() -> Self {
        Self {
            window: RefreshWindow::default(),
            backoff: Backoff::default(),
            min_interval: Duration::from_secs(60),
            refused_pause: Duration::from_secs(600),
            patience: Duration::from_secs(2),
            idle_cutoff: Some(DAY * 90),
            absolute_cutoff: Some(DAY * 365),
        }
    }
}

/// How partner tokens are minted. Every mint kills the token before it, for every process that uses it.
///
/// ```
/// use std::time::Duration;
/// use transak_session::{PartnerPolicy, Transak};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let policy = PartnerPolicy::default().margin(Duration::from_secs(30 * 60))?;
/// let transak = Transak::builder().api_key("your-api-key").partner_policy(policy).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PartnerPolicy {
    pub(crate) margin: Duration,
    pub(crate) intervals: [Duration; 3],
    pub(crate) contested_age: Duration,
    pub(crate) backoff: Backoff,
}

impl PartnerPolicy {
    /// How long before its expiry a token is replaced, give or take half of it, drawn once for each token. 10 minutes by
    /// default, because Transak asks to mint only when the old token is at its end:
    /// <https://docs.transak.com/api/public/refresh-access-token>
    ///
    /// # Errors
    ///
    /// [`PolicyError::NoReserve`] if it is a day or more, which would mint far more often than Transak asks for.
    pub fn margin(mut self, margin: Duration) -> Result<Self, PolicyError> {
        if margin >= DAY {
            return Err(PolicyError::NoReserve);
        }
        self.margin = margin;
        Ok(self)
    }

    /// The least time between two mints: at first, after one token that was rejected soon after its mint, and after more
    /// of them. 1 minute, 10 minutes, 1 hour by default.
    ///
    /// # Errors
    ///
    /// [`PolicyError::BadSpan`] if one is zero or they do not rise.
    pub fn min_intervals(mut self, intervals: [Duration; 3]) -> Result<Self, PolicyError> {
        nonzero(intervals[0], "min_intervals")?;
        if !intervals.is_sorted() {
            return Err(PolicyError::BadSpan("min_intervals"));
        }
        self.intervals = intervals;
        Ok(self)
    }

    /// When a token that lives between these two comes due: half the margin earlier or later, as drawn.
    pub(crate) fn due_at(&self, from: Timestamp, until: Timestamp, draw: u64) -> Timestamp {
        let drawn = (self.margin.as_millis().saturating_mul(u128::from(draw)) >> 64) as u64;
        let margin = self.margin / 2 + Duration::from_millis(drawn);
        // A token that lives hardly longer than the margin is still used for half of its life.
        (until - margin).max(from + until.since(from) / 2)
    }

    pub(crate) fn interval(&self, strikes: u32) -> Duration {
        self.intervals[(strikes as usize).min(self.intervals.len() - 1)]
    }
}

impl Default for PartnerPolicy {
    fn default() -> Self {
        Self {
            margin: Duration::from_secs(600),
            intervals: [60, 600, 3_600].map(Duration::from_secs),
            contested_age: Duration::from_secs(600),
            backoff: Backoff::default(),
        }
    }
}

/// Pauses after failures: doubling from a first one up to a cap, each drawn from the upper half of its span.
///
/// ```
/// use std::time::Duration;
/// use transak_session::{Backoff, UserPolicy};
///
/// let minute = Duration::from_secs(60);
/// let policy = UserPolicy::default().backoff(Backoff::new(minute, minute * 15)?);
/// # Ok::<(), transak_session::PolicyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
}

impl Backoff {
    /// Pauses of about `first`, then twice as long each time, up to `cap`.
    ///
    /// # Errors
    ///
    /// [`PolicyError::BadSpan`] if `first` is zero or longer than `cap`.
    pub fn new(first: Duration, cap: Duration) -> Result<Self, PolicyError> {
        nonzero(first, "backoff")?;
        if first > cap {
            return Err(PolicyError::BadSpan("backoff"));
        }
        Ok(Self { first, cap })
    }

    /// The pause after the `failures`-th failure in a row (1 is the first). `draw` places it within its span.
    pub(crate) fn pause(&self, failures: u32, draw: u64) -> Duration {
        let doublings = failures.saturating_sub(1).min(20);
        let span = self.first.saturating_mul(1 << doublings).min(self.cap);
        // Half of the span is certain: a full draw could pause for nothing at all and hammer a failing issuer.
        let half = span / 2;
        let drawn = (half.as_millis().saturating_mul(u128::from(draw)) >> 64) as u64;
        half + Duration::from_millis(drawn)
    }
}

/// 30 seconds, doubling up to 30 minutes.
impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(30),
            cap: Duration::from_secs(1_800),
        }
    }
}

fn nonzero(span: Duration, name: &'static str) -> Result<Duration, PolicyError> {
    if span.is_zero() {
        return Err(PolicyError::BadSpan(name));
    }
    Ok(span)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_windows_without_reserve() {
        let new = |a, b| RefreshWindow::new(DAY * 30, DAY * a, DAY * b);
        assert_eq!(new(0, 20), Err(PolicyError::EmptyWindow));
        assert_eq!(new(21, 20), Err(PolicyError::EmptyWindow));
        assert_eq!(new(18, 28), Err(PolicyError::NoReserve));
        assert!(new(20, 27).is_ok());
        assert!(RefreshWindow::new(Duration::ZERO, DAY, DAY).is_err());
        assert!(Backoff::new(DAY, Duration::from_secs(1)).is_err());
        assert!(PartnerPolicy::default().margin(DAY).is_err());
        assert!(UserPolicy::default().min_interval(Duration::ZERO).is_err());
        assert!(UserPolicy::default().idle_cutoff(Some(DAY)).is_err());
        assert!(UserPolicy::default().absolute_cutoff(Some(DAY)).is_err());
        assert!(UserPolicy::default().idle_cutoff(None).is_ok());
        let limits = Limits::default();
        assert!(limits.lease >= limits.call * 2);
    }

    proptest! {
        #[test]
        fn due_times_lie_inside_the_window(life in 1_000_u64..10_000_000_000, draw: u64, issued in 0_i64..4_000_000_000) {
            let issued = Timestamp::from_unix_seconds(issued);
            let expires = issued + Duration::from_millis(life);
            let due = RefreshWindow::default().due_at(issued, expires, draw);
            let age = due.since(issued).as_millis() * 1_000;
            // Day 18 is 60 % of the life, day 22.5 is 75 %; a millisecond is lost to rounding.
            prop_assert!(age + 1_000 >= u128::from(life) * 600 && age <= u128::from(life) * 750);
        }

        #[test]
        fn pauses_grow_and_stay_below_the_cap(failures in 1_u32..100, draw: u64) {
            let pause = Backoff::default().pause(failures, draw);
            prop_assert!(pause >= Duration::from_secs(15) && pause <= Duration::from_secs(1_800));
        }
    }
}
