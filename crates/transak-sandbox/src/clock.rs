//! The sandbox's own clock: it runs or stands still, and can be moved.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::world::Moment;

/// First moment the clock can show, 1970-01-01T00:00:00Z.
const EARLIEST: i64 = 0;
/// Last moment the clock can show, 9999-01-01T00:00:00Z: four-digit years everywhere, and room for lifetimes.
const LATEST: i64 = 253_370_764_800_000;

/// Whether time passes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ClockMode {
    /// Time passes as it does on the wall.
    #[default]
    Running,
    /// Time stands still until it is moved.
    Frozen,
}

/// What the clock shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClockReading {
    /// The moment, in milliseconds since 1970.
    pub unix_millis: i64,
    /// Whether it is running.
    pub mode: ClockMode,
}

/// A moment the clock cannot show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the clock shows moments from 1970 to the end of 9998 only")]
pub struct OutOfRange;

/// A clock that never goes back unless it is [set](SandboxClock::set) back.
#[derive(Debug)]
pub struct SandboxClock {
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Showed `base` at `since`, and has been running since then.
    Running {
        base: i64,
        since: Instant,
    },
    Frozen {
        at: i64,
    },
}

impl State {
    fn now(self) -> i64 {
        match self {
            Self::Frozen { at } => at,
            Self::Running { base, since } => {
                let passed = i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX);
                base.saturating_add(passed).min(LATEST)
            }
        }
    }

    const fn mode(self) -> ClockMode {
        match self {
            Self::Running { .. } => ClockMode::Running,
            Self::Frozen { .. } => ClockMode::Frozen,
        }
    }

    fn at(mode: ClockMode, millis: i64) -> Self {
        match mode {
            ClockMode::Running => Self::Running {
                base: millis,
                since: Instant::now(),
            },
            ClockMode::Frozen => Self::Frozen { at: millis },
        }
    }
}

impl SandboxClock {
    /// A clock that shows `start`, brought into range when it is outside.
    #[must_use]
    pub fn new(start: Moment, mode: ClockMode) -> Self {
        let start = start.unix_millis.clamp(EARLIEST, LATEST);
        Self {
            state: Mutex::new(State::at(mode, start)),
        }
    }

    /// The moment the machine's own clock shows.
    #[must_use]
    pub fn wall() -> Moment {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment::from_millis(i64::try_from(since.as_millis()).unwrap_or(LATEST))
    }

    /// The moment it shows.
    #[must_use]
    pub fn now(&self) -> Moment {
        Moment::from_millis(self.change(|_| None).unix_millis)
    }

    /// Moment and mode.
    #[must_use]
    pub fn reading(&self) -> ClockReading {
        self.change(|_| None)
    }

    /// Moves it forward; it stops at the last moment it can show.
    pub fn advance(&self, by: Duration) -> ClockReading {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.change(|state| Some(State::at(state.mode(), state.now().saturating_add(by).min(LATEST))))
    }

    /// Sets it, forward or back.
    ///
    /// # Errors
    /// [`OutOfRange`] for a moment it cannot show.
    pub fn set(&self, to: Moment) -> Result<ClockReading, OutOfRange> {
        if !(EARLIEST..=LATEST).contains(&to.unix_millis) {
            return Err(OutOfRange);
        }
        Ok(self.change(|state| Some(State::at(state.mode(), to.unix_millis))))
    }

    /// Makes it stand still at what it shows.
    pub fn freeze(&self) -> ClockReading {
        self.change(|state| Some(State::at(ClockMode::Frozen, state.now())))
    }

    /// Lets it run from what it shows.
    pub fn run(&self) -> ClockReading {
        self.change(|state| Some(State::at(ClockMode::Running, state.now())))
    }

    fn change(&self, next: impl FnOnce(State) -> Option<State>) -> ClockReading {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(next) = next(*state) {
            *state = next;
        }
        ClockReading {
            unix_millis: state.now(),
            mode: state.mode(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Moment = Moment::from_seconds(1_800_000_000);

    #[test]
    fn a_frozen_clock_moves_only_when_it_is_moved() {
        let clock = SandboxClock::new(START, ClockMode::Frozen);
        std::thread::sleep(Duration::from_millis(3));
        assert_eq!(clock.now(), START);
        clock.advance(Duration::from_secs(2_592_000));
        assert_eq!(clock.now(), START.plus_seconds(2_592_000));
        clock
            .set(START)
            .map(|r| assert_eq!(r.mode, ClockMode::Frozen))
            .unwrap_or_default();
        assert_eq!(clock.now(), START);
    }

    #[test]
    fn a_running_clock_never_goes_back() {
        let clock = SandboxClock::new(START, ClockMode::Running);
        let mut last = clock.now();
        for step in 0..1000 {
            if step % 100 == 0 {
                clock.freeze();
            } else if step % 50 == 0 {
                clock.run();
            }
            let now = clock.now();
            assert!(now >= last);
            last = now;
        }
    }

    #[test]
    fn the_ends_of_time_hold() {
        let clock = SandboxClock::new(Moment::from_millis(i64::MAX), ClockMode::Running);
        assert_eq!(clock.now().unix_millis, LATEST);
        clock.advance(Duration::MAX);
        assert_eq!(clock.now().unix_millis, LATEST);
        assert_eq!(clock.set(Moment::from_millis(-1)), Err(OutOfRange));
        assert_eq!(clock.set(Moment::from_millis(LATEST + 1)), Err(OutOfRange));
        assert_eq!(clock.now().unix_millis, LATEST);
    }
}
