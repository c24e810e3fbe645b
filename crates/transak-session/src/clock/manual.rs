//! A clock that stands still until it is told to move.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use super::{Clock, Timestamp};

/// A clock for tests and demonstrations: time passes only through [`advance`](Self::advance).
///
/// Clones show the same time.
///
/// ```
/// use std::time::Duration;
/// use transak_session::clock::{Clock, ManualClock, Timestamp};
///
/// let clock = ManualClock::new(Timestamp::from_unix_seconds(1_800_000_000));
/// let shared = clock.clone();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(shared.now(), Timestamp::from_unix_seconds(1_800_000_060));
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock {
    hands: Arc<watch::Sender<Hands>>,
}

#[derive(Clone, Copy, Debug)]
struct Hands {
    wall: Timestamp,
    /// Time that has passed, whatever happened to the wall clock meanwhile. Sleepers wait for this one.
    elapsed: Duration,
}

impl ManualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        let (hands, _) = watch::channel(Hands {
            wall: start,
            elapsed: Duration::ZERO,
        });
        Self { hands: Arc::new(hands) }
    }

    /// Lets `span` go by; sleepers whose time has come wake up.
    pub fn advance(&self, span: Duration) {
        self.hands.send_modify(|hands| {
            hands.wall = hands.wall + span;
            hands.elapsed = hands.elapsed.saturating_add(span);
        });
    }

    /// Sets the wall clock, forwards or back, without letting time go by: what a time server's correction does.
    pub fn jump_to(&self, wall: Timestamp) {
        self.hands.send_modify(|hands| hands.wall = wall);
    }

    /// How many sleepers are waiting, so that a test can wait for one to appear before it moves the clock.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        self.hands.receiver_count()
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.hands.borrow().wall
    }

    fn elapsed(&self) -> Duration {
        self.hands.borrow().elapsed
    }

    async fn sleep(&self, span: Duration) {
        let mut seen = self.hands.subscribe();
        let until = seen.borrow().elapsed.saturating_add(span);
        // The sender lives in `self`, so the channel cannot close under this wait.
        let _ = seen.wait_for(|hands| hands.elapsed >= until).await;
    }
}
