//! What is left to do before a flight ends: revoke, answer, save, give the lease back.

use std::sync::Arc;

use super::{Activity, Change, Effect, LOST_PAUSE, Note, SAVE_TRIES, Saved, Standing, Step, Trouble, UserState, Why};
use crate::clock::Timestamp;
use crate::error::TokenError;
use crate::issuer::{IssuerError, IssuerErrorKind};
use crate::machine::Pause;
use crate::policy::UserPolicy;
use crate::store::{Record, StoreError};

impl UserState {
    /// What is left to do before the flight may end.
    pub(super) fn settle(mut self, now: Timestamp, policy: &UserPolicy) -> Step {
        if let Standing::LoggedOut { revoke, .. } = &mut self.standing
            && let Some((issued, ip)) = revoke.pop()
        {
            return self.go(Activity::Revoking, Effect::Revoke { issued, ip });
        }
        // A 401 that came while the flight was busy with something else.
        if self.signed().is_some_and(|s| s.reported) {
            return match self.tenure {
                Some(_) => self.decide(Why::Report, false, now, policy),
                None => self.claim(Why::Report, now, policy),
            };
        }
        if self.unsaved.is_some_and(|u| u.after.is_over(now)) {
            return self.save(1, now, policy);
        }
        if let Some(tenure) = self.tenure.take() {
            return self.go(Activity::Releasing, Effect::Release(tenure.lease));
        }
        if let Some((tenure, record)) = self.parked.take() {
            return self.work_under(tenure, record, Why::Kept, now, policy);
        }
        self.activity = Activity::Idle;
        (self, None)
    }

    /// What the store could not take is offered again, and nothing else is begun.
    pub(super) fn retry(self, now: Timestamp, policy: &UserPolicy) -> Step {
        match self.standing {
            Standing::LoggedOut { .. } => self.settle(now, policy),
            _ => self.save(1, now, policy),
        }
    }

    /// Whether a logout is to be carried on with now.
    pub(super) fn unfinished_logout(&self, now: Timestamp) -> bool {
        let unsaved = self.unsaved.is_some_and(|u| u.after.is_over(now));
        self.unfinished_revocation() || (matches!(self.standing, Standing::LoggedOut { .. }) && unsaved)
    }

    fn unfinished_revocation(&self) -> bool {
        matches!(&self.standing, Standing::LoggedOut { revoke, .. } if !revoke.is_empty())
    }

    pub(super) fn save(mut self, tries: u8, now: Timestamp, policy: &UserPolicy) -> Step {
        let record = match &self.standing {
            Standing::Signed(session) => session.record(),
            Standing::Lapsed { former, end } => former.record_of_end(*end),
            Standing::LoggedOut { at, until, .. } => Record::logged_out(*at, *until),
            Standing::Unknown | Standing::Absent => {
                self.unsaved = None;
                return self.settle(now, policy);
            }
        };
        let saving = self.unsaved.take();
        let finishing = self.tenure.as_ref().map(|t| t.lease.clone());
        // Whatever changes the standing from now on marks this again.
        let what = saving.map_or(Change::Standing, |u| u.what);
        let trouble = saving.map(|u| u.trouble).unwrap_or_default();
        let expected = self.version;
        self.go(
            Activity::Saving { what, trouble, tries },
            Effect::Save {
                record,
                expected,
                finishing,
            },
        )
    }

    pub(super) fn saved(
        mut self,
        result: Result<Saved, Arc<StoreError>>,
        (what, trouble, tries): (Change, Trouble, u8),
        now: Timestamp,
        policy: &UserPolicy,
    ) -> Step {
        match result {
            Ok(Saved::As(version)) => {
                self.version = Some(version);
                // If it was still ours, it has ended with the write.
                self.tenure = None;
                self.failure.take_if(|f| matches!(f, TokenError::Store(_)));
            }
            Ok(Saved::Conflict(there)) => {
                // What came up meanwhile has its own tries.
                let tries = if self.unsaved.is_some() { 0 } else { tries };
                self.mark(what);
                self.meet(there, now, policy);
                if let Some(unsaved) = self.unsaved.as_mut() {
                    unsaved.trouble = trouble;
                    if tries >= SAVE_TRIES {
                        unsaved.trouble.failures = trouble.failures.saturating_add(1);
                        unsaved.after = Pause::after_failed_save(trouble.failures, now);
                    } else if !self.unfinished_revocation() {
                        return self.save(tries + 1, now, policy);
                    }
                }
            }
            Err(error) => self.save_failed(TokenError::Store(error), (what, trouble), now),
        }
        self.settle(now, policy)
    }

    /// The lease is left to lapse: a store that does not take a record will hardly take that.
    fn save_failed(&mut self, failure: TokenError, (what, trouble): (Change, Trouble), now: Timestamp) {
        let newer = self.unsaved;
        self.mark(what);
        self.tenure = None;
        let token = matches!(what, Change::Login | Change::Renewed(_));
        if token && !trouble.told {
            self.note(Note::NotStored);
        }
        if let Some(unsaved) = self.unsaved.as_mut() {
            unsaved.trouble = Trouble {
                told: trouble.told || token,
                failures: trouble.failures.saturating_add(1),
            };
            if newer.is_none() {
                unsaved.after = Pause::after_failed_save(trouble.failures, now);
            }
        }
        // A token that could not be stored is used from memory; a logout that could not be stored is not complete.
        if matches!(self.standing, Standing::LoggedOut { .. }) {
            self.failure = Some(failure);
        }
    }

    pub(super) fn revoked(mut self, result: Result<(), Arc<IssuerError>>, now: Timestamp, policy: &UserPolicy) -> Step {
        match result {
            // Transak does not know the token any more, which is what was wanted.
            Err(error) if error.kind() == IssuerErrorKind::Rejected => {}
            Err(error) => self.failure = Some(TokenError::Issuer(error)),
            Ok(()) => {}
        }
        self.settle(now, policy)
    }

    /// The flight is lost, and with it the lease, which lapses by itself.
    pub(super) fn lost(mut self, cause: TokenError, now: Timestamp) -> Step {
        self.tenure = None;
        self.parked = None;
        match std::mem::take(&mut self.activity) {
            Activity::Idle => return (self, None),
            Activity::Saving { what, trouble, .. } => self.save_failed(cause.clone(), (what, trouble), now),
            _ => {}
        }
        self.look_later(LOST_PAUSE, now);
        self.dismiss_report();
        self.failure = Some(cause);
        (self, None)
    }
}
