//! What the two state machines have in common.

use std::fmt;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::TokenError;
use crate::token::Issued;

/// How long a write that the store did not take is left alone, each time it fails again.
///
/// At first not for long: once the lease has lapsed, another process may renew the token that was there before.
const SAVE_SECONDS: [u64; 6] = [1, 2, 4, 8, 16, 30];

/// A pure state machine: what happens next depends on the state, the event and the time, and on nothing else.
///
/// A step names at most one effect, and until that effect's own event comes back no step names another: so "at most one
/// call under way" is a property of the type plus one proven rule, not of locks.
pub(crate) trait Machine: Clone + Default + fmt::Debug + Send + 'static {
    type Policy: Copy + fmt::Debug + Send + Sync + 'static;
    type Event: Send + 'static;
    type Effect: Send + 'static;
    /// What is worth telling the world about, without whom it is about.
    type Note: Send + 'static;

    fn step(self, event: Self::Event, now: Timestamp, policy: &Self::Policy) -> (Self, Option<Self::Effect>);

    /// The token to serve until it expires.
    fn held(&self) -> Option<&Issued>;

    /// Until when nothing has to be done, if no event comes.
    fn quiet_until(&self) -> Timestamp;

    /// When something that could not be done is to be tried again, caller or not: by the event of [`retry`](Self::retry).
    fn retry_at(&self) -> Option<Timestamp>;

    /// The event that says so.
    fn retry() -> Self::Event;

    /// What has happened since this was last asked.
    fn take_notes(&mut self) -> Vec<Self::Note>;

    /// What the last attempt failed in, if it did.
    fn failure(&self) -> Option<TokenError>;

    /// Whether an event brings a token, and so counts even during a shutdown.
    fn must_be_heard(event: &Self::Event) -> bool;

    /// The event that stands for an effect whose own event will never come.
    fn lost(cause: TokenError) -> Self::Event;

    /// The event that stands for an effect that takes too long.
    fn overdue(effect: &Self::Effect) -> Self::Event;
}

/// A span in which something is not tried again.
///
/// It remembers when it began: a wall clock that is set back would otherwise stretch it by the size of the jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pause {
    from: Timestamp,
    until: Timestamp,
}

impl Pause {
    pub(crate) const OVER: Self = Self {
        from: Timestamp::MIN,
        until: Timestamp::MIN,
    };

    pub(crate) fn lasting(span: Duration, now: Timestamp) -> Self {
        Self {
            from: now,
            until: now + span,
        }
    }

    /// After a write has failed for the first time (0) or once more.
    pub(crate) fn after_failed_save(failures: u8, now: Timestamp) -> Self {
        let [.., longest] = SAVE_SECONDS;
        let seconds = SAVE_SECONDS.get(usize::from(failures)).copied();
        Self::lasting(Duration::from_secs(seconds.unwrap_or(longest)), now)
    }

    pub(crate) fn spanning(from: Timestamp, until: Timestamp) -> Self {
        Self { from, until }
    }

    pub(crate) fn from(&self) -> Timestamp {
        self.from
    }

    pub(crate) fn until(&self) -> Timestamp {
        self.until
    }

    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        now >= self.until
    }

    /// Begins anew if the clock shows a time before the beginning.
    pub(crate) fn rebase(&mut self, now: Timestamp) {
        if now < self.from {
            *self = Self::lasting(self.until.since(self.from), now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_set_back_does_not_stretch_a_pause() {
        let at = Timestamp::from_unix_seconds;
        let mut pause = Pause::lasting(Duration::from_secs(60), at(1_000_000));
        pause.rebase(at(1_000_010));
        assert_eq!(pause.until(), at(1_000_060));
        pause.rebase(at(10));
        assert_eq!(pause.until(), at(70));
        assert!(!pause.is_over(at(69)) && pause.is_over(at(70)));
    }
}
