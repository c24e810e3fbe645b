//! One attempt, watched by many.
//!
//! The attempt is a task of its own. Callers hold a [`Joiner`], which only watches: dropping it changes nothing. What the
//! flight brings is shared by those who watch it and by nobody later.

use super::sync::watch;
use crate::error::TokenError;

pub(crate) type Outcome = Result<(), TokenError>;

/// The sending end, kept next to the state it works on for as long as the attempt is under way.
#[derive(Debug)]
pub(crate) struct Flight {
    outcome: watch::Sender<Option<Outcome>>,
}

impl Flight {
    pub(crate) fn new() -> Self {
        Self {
            outcome: watch::Sender::new(None),
        }
    }

    /// Watches the flight, unless `limit` callers do so already.
    pub(crate) fn join(&self, limit: usize) -> Result<Joiner, TokenError> {
        if self.outcome.receiver_count() >= limit {
            return Err(TokenError::Overloaded);
        }
        Ok(Joiner(self.outcome.subscribe()))
    }

    /// Makes those who watch look at the state again.
    pub(crate) fn nudge(&self) {
        self.outcome.send_modify(|_| ());
    }

    pub(crate) fn land(self, outcome: Outcome) {
        self.outcome.send_replace(Some(outcome));
    }
}

/// A caller's view of a flight.
#[derive(Debug)]
pub(crate) struct Joiner(watch::Receiver<Option<Outcome>>);

impl Joiner {
    /// Waits until the flight ends, or until `enough` is true after one of its steps. Dropping this future leaves the
    /// flight alone.
    pub(crate) async fn outcome(mut self, enough: impl Fn() -> bool) -> Outcome {
        loop {
            // `enough` may take the lock of the state, under which `nudge` is called: not under the channel's own lock, as
            // within `wait_for`, or two threads could each hold the lock that the other one waits for.
            let seen = self.0.borrow_and_update().clone();
            if let Some(outcome) = seen {
                return outcome;
            }
            if enough() {
                return Ok(());
            }
            // What came since is seen at once.
            if self.0.changed().await.is_err() {
                return Err(TokenError::Interrupted);
            }
        }
    }
}
