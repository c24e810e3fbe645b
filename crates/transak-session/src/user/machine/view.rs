//! What the state looks like from outside.

use std::sync::Arc;

use super::{Activity, Effect, Event, Note, Standing, Step, UserState};
use crate::clock::Timestamp;
use crate::error::{LapseCause, TokenError};
use crate::issuer::{IssuerError, IssuerErrorKind};
use crate::machine::Machine;
use crate::policy::UserPolicy;
use crate::store::StoreError;
use crate::token::Issued;

/// A session's state in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionLabel {
    /// The store has not been asked yet.
    Unknown,
    /// The token is good and not due.
    Fresh,
    /// The token is good and due for renewal.
    Due,
    /// A renewal is under way.
    Refreshing,
    /// A renewal failed; the next attempt waits. The token is still good.
    Backoff,
    /// Transak refused a renewal, or answered 401 to the token. It is served, but a login may be needed soon.
    Suspect,
    /// Only a login helps.
    Lapsed(LapseCause),
}

impl UserState {
    pub(crate) fn label(&self, now: Timestamp) -> SessionLabel {
        if let Some(cause) = self.lapse_cause(now) {
            return SessionLabel::Lapsed(cause);
        }
        let resting = self.resting.is_some_and(|p| !p.is_over(now));
        match &self.standing {
            Standing::Signed(s) if s.doubted() || s.refused => SessionLabel::Suspect,
            Standing::Signed(_) if matches!(self.activity, Activity::Refreshing { .. }) => SessionLabel::Refreshing,
            Standing::Signed(_) if resting => SessionLabel::Backoff,
            Standing::Signed(s) if now >= s.issued.due_at => SessionLabel::Due,
            Standing::Signed(_) => SessionLabel::Fresh,
            _ => SessionLabel::Unknown,
        }
    }

    /// Why a login is needed, if it is.
    pub(crate) fn lapse_cause(&self, now: Timestamp) -> Option<LapseCause> {
        match &self.standing {
            Standing::Unknown => None,
            Standing::Absent => Some(LapseCause::NeverLoggedIn),
            Standing::Signed(s) if s.issued.usable(now) => None,
            Standing::Signed(_) => Some(LapseCause::Expired),
            Standing::Lapsed { .. } => Some(LapseCause::Rejected),
            Standing::LoggedOut { .. } => Some(LapseCause::LoggedOut),
        }
    }

    /// Whether nothing would be lost with this state: the store has it, or it is about a token that is over.
    pub(crate) fn may_go(&self, now: Timestamp) -> bool {
        let over = match &self.standing {
            Standing::Unknown | Standing::Absent => true,
            Standing::Signed(s) => !s.issued.usable(now),
            Standing::Lapsed { former, .. } => !former.usable(now),
            Standing::LoggedOut { until, .. } => now >= *until,
        };
        over || self.unsaved.is_none()
    }

    fn rebase(&mut self, now: Timestamp) {
        [&mut self.unsaved, &mut self.resting, &mut self.spacing]
            .into_iter()
            .flatten()
            .for_each(|pause| pause.rebase(now));
    }
}

impl Machine for UserState {
    type Policy = UserPolicy;
    type Event = Event;
    type Effect = Effect;
    type Note = Note;

    fn step(mut self, event: Event, now: Timestamp, policy: &UserPolicy) -> Step {
        self.rebase(now);
        match (event, self.activity) {
            (Event::Wanted { min_remaining }, _) => self.wanted(min_remaining, now),
            (Event::RefreshNow, _) => self.refresh_now(),
            (Event::Rejected(which), _) => self.rejected(which),
            (Event::LoggedIn(issued, ip), _) => self.logged_in(issued, ip, now),
            (Event::LogOut, _) => self.log_out(now),
            (Event::Lost(cause), _) => self.lost(cause, now),
            (Event::Read(result), Activity::Reading { renew }) => self.after_read(result, renew, now, policy),
            (Event::Read(result), Activity::ReadingAfterRefusal { which }) => {
                self.after_refusal(result, which, now, policy)
            }
            (Event::Refreshed(result), Activity::Refreshing { which }) => self.refreshed(result, which, now, policy),
            (Event::Saved(result), Activity::Saving { tries }) => self.saved(result, tries, now),
            (Event::Revoked(result), Activity::Revoking) => self.revoked(result, now),
            // The answer to an effect that is not under way any more.
            _ => (self, None),
        }
    }

    fn held(&self) -> Option<&Issued> {
        self.signed().map(|s| &s.issued)
    }

    fn quiet_until(&self) -> Timestamp {
        let Some(signed) = self.signed() else {
            return Timestamp::MIN;
        };
        if self.activity != Activity::Idle {
            return Timestamp::MAX;
        }
        let rest = self.resting.map_or(Timestamp::MIN, |p| p.until());
        let save = self.unsaved.map_or(Timestamp::MAX, |p| p.until());
        signed.issued.due_at.max(rest).min(save)
    }

    fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    fn failure(&self) -> Option<TokenError> {
        self.failure.clone()
    }

    fn must_be_heard(event: &Event) -> bool {
        matches!(event, Event::LoggedIn(..))
    }

    fn lost(cause: TokenError) -> Event {
        Event::Lost(cause)
    }

    fn overdue(effect: &Effect) -> Event {
        let silent = || Arc::new(StoreError::new("no answer in time"));
        let unknown = || Arc::new(IssuerError::new(IssuerErrorKind::Unknown));
        match effect {
            Effect::Read => Event::Read(Err(silent())),
            Effect::Save { .. } => Event::Saved(Err(silent())),
            Effect::Refresh { .. } => Event::Refreshed(Err(unknown())),
            Effect::Revoke { .. } => Event::Revoked(Err(unknown())),
        }
    }
}
