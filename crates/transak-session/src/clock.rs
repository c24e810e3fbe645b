//! Time: the only place of this crate that asks the machine what time it is.
//!
//! Everything else is given a [`Clock`], so that weeks of a token's life pass in a test within milliseconds.

mod coarse;
#[cfg(any(test, feature = "test-util"))]
mod manual;
mod timekeeper;

use std::fmt;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

pub use coarse::CoarseClock;
#[cfg(any(test, feature = "test-util"))]
pub use manual::ManualClock;
pub(crate) use timekeeper::Timekeeper;

/// A point in wall-clock time, in milliseconds since 1970-01-01T00:00:00Z.
///
/// Arithmetic saturates: no clock reading and no token can make it overflow.
///
/// ```
/// use std::time::Duration;
/// use transak_session::clock::Timestamp;
///
/// let issued = Timestamp::from_unix_seconds(1_800_000_000);
/// let expires = issued + Duration::from_secs(30 * 86_400);
/// assert_eq!(expires.unix_millis(), 1_802_592_000_000);
/// assert_eq!(expires.to_string(), "2027-02-14T08:00:00Z");
/// assert_eq!(issued.since(expires), Duration::ZERO);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Earlier than every reading of a clock.
    pub const MIN: Self = Self(i64::MIN);
    /// Later than every reading of a clock.
    pub const MAX: Self = Self(i64::MAX);

    /// From Unix time in seconds, the unit of Transak's `expiresAt` and of the JWT claims `exp` and `iat`.
    #[must_use]
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }

    /// From Unix time in milliseconds.
    #[must_use]
    pub const fn from_unix_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Unix time in whole seconds, rounded down.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Unix time in milliseconds.
    #[must_use]
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let millis = self.0.saturating_sub(earlier.0).max(0);
        Duration::from_millis(millis.unsigned_abs())
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => Self(whole_millis(after)),
            Err(before) => Self(-whole_millis(before.duration())),
        }
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(whole_millis(span)))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(whole_millis(span)))
    }
}

fn whole_millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// RFC 3339 in UTC to the second, for years 0 to 9999; the bare number of milliseconds outside them.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const YEAR_0: i64 = -62_167_219_200;
        const YEAR_10000: i64 = 253_402_300_800;
        let seconds = self.unix_seconds();
        if !(YEAR_0..YEAR_10000).contains(&seconds) {
            return write!(f, "{}ms", self.0);
        }
        // Counting years from March puts the leap day last, so that one linear formula gives every month.
        let day = seconds.div_euclid(86_400) + 719_468;
        let (era, day_of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let date = day_of_year - (153 * shifted + 2) / 5 + 1;
        let clock = seconds.rem_euclid(86_400);
        let (h, m, s) = (clock / 3_600, clock / 60 % 60, clock % 60);
        write!(f, "{year:04}-{month:02}-{date:02}T{h:02}:{m:02}:{s:02}Z")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where the crate gets its time from.
///
/// `now` may jump in either direction (a corrected clock): every decision is made to survive that. `elapsed` and `sleep`
/// count time that has passed and are not moved by such a jump.
///
/// [`SystemClock`] and [`CoarseClock`] are the machine's, [`ManualClock`] is for tests.
#[async_trait]
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The wall clock's reading.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment, the same for the life of this clock. It never goes back, and it goes on while the
    /// machine is suspended.
    fn elapsed(&self) -> Duration;

    /// Returns once `span` has gone by. Dropping the future ends the wait.
    async fn sleep(&self, span: Duration);
}

/// The machine's clock. Sleeping needs a tokio runtime with its timer enabled.
///
/// The default; [`TransakBuilder::clock`](crate::TransakBuilder::clock) takes another one.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // A machine whose clock stands before 1970 is treated as standing at 1970.
        Timestamp::from(SystemTime::now()).max(Timestamp(0))
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn elapsed(&self) -> Duration {
        let since_boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Duration::try_from(since_boot).unwrap_or_default()
    }

    /// Here the standard library's clock is the best there is; on some systems it stands still during a suspend, which
    /// the first answer of Transak corrects.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn elapsed(&self) -> Duration {
        static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
        START.elapsed()
    }

    async fn sleep(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_rfc_3339() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_729_775_825, "2024-10-24T13:17:05Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(Timestamp::from_unix_seconds(seconds).to_string(), text);
        }
        assert!(Timestamp::MAX.to_string().ends_with("ms"));
    }

    #[test]
    fn saturates() {
        assert_eq!(Timestamp::MAX + Duration::MAX, Timestamp::MAX);
        assert_eq!(Timestamp::MIN - Duration::MAX, Timestamp::MIN);
        assert_eq!(Timestamp::MIN.since(Timestamp::MAX), Duration::ZERO);
    }
}
