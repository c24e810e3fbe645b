//! One attempt, watched by many.
//!
//! The attempt is a task of its own. Callers hold a [`Joiner`], which only watches: dropping it changes nothing. What the
//! flight brings is shared by those who watch it and by nobody later.

use tokio::sync::watch;

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
        let end = self.0.wait_for(|outcome| outcome.is_some() || enough()).await;
        match end {
            Ok(seen) => seen.clone().unwrap_or(Ok(())),
            Err(_) => Err(TokenError::Interrupted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everybody_who_joined_hears_the_outcome_and_joining_is_bounded() {
        let flight = Flight::new();
        let (a, b) = (flight.join(2), flight.join(2));
        assert!(matches!(flight.join(2), Err(TokenError::Overloaded)));
        drop(b);
        let c = flight.join(2);
        flight.land(Err(TokenError::Panicked));
        for joiner in [a, c].into_iter().flatten() {
            assert!(matches!(joiner.outcome(|| false).await, Err(TokenError::Panicked)));
        }
    }

    #[tokio::test]
    async fn a_flight_that_vanishes_is_an_interruption() {
        let flight = Flight::new();
        let joiner = flight.join(1);
        drop(flight);
        for joiner in joiner.into_iter() {
            assert!(matches!(joiner.outcome(|| false).await, Err(TokenError::Interrupted)));
        }
    }
}
