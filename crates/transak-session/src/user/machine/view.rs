//! What the state looks like from outside.

use std::sync::Arc;

use super::held::Health;
use super::people::USE_RESOLUTION;
use super::{Activity, Change, Effect, Event, Note, Standing, Step, UserState};
use crate::clock::Timestamp;
use crate::error::{LapseCause, TokenError};
use crate::issuer::{IssuerError, IssuerErrorKind};
use crate::machine::Machine;
use crate::policy::UserPolicy;
use crate::store::StoreError;
use crate::token::Issued;

/// A session's state in a word.
///
/// Part of [`SessionStatus`](crate::SessionStatus); [`guide::lifecycle`](crate::guide::lifecycle) tells of the states.
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
    /// The token is good, but not kept alive any more.
    Dormant,
    /// Only a login helps.
    Lapsed(LapseCause),
}

impl UserState {
    pub(crate) fn label(&self, now: Timestamp) -> SessionLabel {
        if let Some(cause) = self.lapse_cause(now) {
            return SessionLabel::Lapsed(cause);
        }
        let Some(session) = self.signed() else {
            return SessionLabel::Unknown;
        };
        match session.health {
            Health::Suspect(_) => SessionLabel::Suspect,
            Health::Dormant => SessionLabel::Dormant,
            _ if matches!(self.activity, Activity::Refreshing { .. }) => SessionLabel::Refreshing,
            _ if session.rests(now) => SessionLabel::Backoff,
            _ if now >= session.issued.due_at => SessionLabel::Due,
            _ => SessionLabel::Fresh,
        }
    }

    /// Why a login is needed, if it is.
    pub(crate) fn lapse_cause(&self, now: Timestamp) -> Option<LapseCause> {
        match &self.standing {
            Standing::Unknown => None,
            Standing::Absent => Some(LapseCause::NeverLoggedIn),
            Standing::Signed(s) if s.issued.usable(now) => None,
            Standing::Signed(_) => Some(LapseCause::Expired),
            Standing::Lapsed { end, .. } => Some((*end).into()),
            Standing::LoggedOut { .. } => Some(LapseCause::LoggedOut),
        }
    }

    /// When a person last logged in.
    pub(crate) fn signed_in_at(&self) -> Option<Timestamp> {
        self.signed().map(|s| s.signed_in_at)
    }

    /// Whether nothing would be lost with this state: the store has it, or it is about a token that is over.
    pub(crate) fn may_go(&self, now: Timestamp) -> bool {
        let over = match &self.standing {
            Standing::Unknown | Standing::Absent => true,
            Standing::Signed(s) => !s.issued.usable(now),
            Standing::Lapsed { former, .. } => !former.issued.usable(now),
            Standing::LoggedOut { until, .. } => now >= *until,
        };
        over || self.unsaved.is_none_or(|u| u.what == Change::Use)
    }

    fn rebase(&mut self, now: Timestamp) {
        if let Some(unsaved) = self.unsaved.as_mut() {
            unsaved.after.rebase(now);
        }
        match &mut self.standing {
            Standing::Signed(session) => session.rebase(now),
            // A clock that was wrong has judged.
            Standing::Lapsed {
                former,
                end: super::End::Expired,
            } if former.issued.usable(now) => {
                let former = former.clone();
                self.sign(*former);
                self.mark(Change::Standing);
            }
            _ => {}
        }
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
            (Event::Wanted { min_remaining }, _) => self.wanted(min_remaining, now, policy),
            (Event::RefreshNow, _) => self.refresh_now(now, policy),
            (Event::Rejected(which), _) => self.rejected(which, now, policy),
            (Event::LoggedIn(issued, ip), _) => self.logged_in(issued, ip, now, policy),
            (Event::LogOut, _) => self.log_out(now, policy),
            (Event::Kept { tenure, record }, _) => self.kept(tenure, record, now, policy),
            (Event::Retry, Activity::Idle) if self.retry_at().is_some_and(|at| at <= now) => self.retry(now, policy),
            (Event::Hinted(version), _) => self.hinted(version),
            (Event::Lost(cause), _) => self.lost(cause, now),
            (Event::Read(result), Activity::Reading { wish }) => self.after_read(result, wish, now, policy),
            (Event::Claimed(result), Activity::Claiming { why, left }) => {
                self.claimed(result, (why, left), now, policy)
            }
            (Event::Polled { result, slept }, Activity::Polling { why, left, retry_at }) => {
                self.polled(result, slept, (why, left, retry_at), now, policy)
            }
            (Event::Refreshed(result), Activity::Refreshing { which, ip }) => {
                self.refreshed(result, (which, ip), now, policy)
            }
            (Event::TooLate, Activity::Refreshing { .. }) => self.too_late(now, policy),
            (Event::Read(result), Activity::Rereading { which, last }) => {
                self.reread(result, (which, last), now, policy)
            }
            (Event::Probed { result, guarded }, Activity::Probing { which }) => {
                self.probed(result, guarded, which, now, policy)
            }
            (Event::Saved(result), Activity::Saving { what, trouble, tries }) => {
                self.saved(result, (what, trouble, tries), now, policy)
            }
            (Event::Released, Activity::Releasing) => self.settle(now, policy),
            (Event::Revoked(result), Activity::Revoking) => self.revoked(result, now, policy),
            // The answer to an effect that is not under way any more.
            _ => (self, None),
        }
    }

    fn held(&self) -> Option<&Issued> {
        self.signed().map(|s| &s.issued)
    }

    fn quiet_until(&self) -> Timestamp {
        let Some(session) = self.signed() else {
            return Timestamp::MIN;
        };
        if self.activity != Activity::Idle {
            return Timestamp::MAX;
        }
        let save = self.unsaved.map_or(Timestamp::MAX, |u| u.after.until());
        let used = session.used_at + USE_RESOLUTION;
        session.quiet_until().min(save).min(used)
    }

    fn retry_at(&self) -> Option<Timestamp> {
        // Of what is left, a use may be forgotten; a token or an end may not.
        let unsaved = self.unsaved.filter(|u| u.what != Change::Use)?;
        Some(unsaved.after.until())
    }

    fn retry() -> Event {
        Event::Retry
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
            // If the claim was granted all the same, its lease lapses.
            Effect::Claim => Event::Claimed(Err(silent())),
            Effect::Poll => Event::Polled {
                result: Err(silent()),
                slept: std::time::Duration::MAX,
            },
            Effect::Save { .. } => Event::Saved(Err(silent())),
            Effect::Release(_) => Event::Released,
            Effect::Refresh { .. } => Event::Refreshed(Err(unknown())),
            Effect::Probe { .. } => Event::Probed {
                result: Err(unknown()),
                guarded: false,
            },
            Effect::Revoke { .. } => Event::Revoked(Err(unknown())),
        }
    }
}
