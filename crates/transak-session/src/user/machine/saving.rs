//! What is known here against what is in the store.

use std::sync::Arc;
use std::time::Duration;

use super::{Activity, Doubt, Effect, SAVE_PAUSE, SAVE_TRIES, Saved, Standing, Step, UserState};
use crate::clock::Timestamp;
use crate::error::TokenError;
use crate::identity::UserIp;
use crate::issuer::{IssuerError, IssuerErrorKind};
use crate::machine::Pause;
use crate::store::{Record, RecordState, StoreError, Versioned};
use crate::token::Issued;

/// Whether a token was issued after a logout. The claim `iat` is cut to whole seconds, the time of the logout is not.
fn follows(issued: &Issued, logout: Timestamp) -> bool {
    issued.issued_at + Duration::from_secs(1) >= logout
}

impl UserState {
    /// What is left to do before the flight may end.
    pub(super) fn settle(mut self, now: Timestamp) -> Step {
        if let Standing::LoggedOut { revoke, .. } = &mut self.standing
            && let Some((issued, ip)) = revoke.pop()
        {
            return self.go(Activity::Revoking, Effect::Revoke { issued, ip });
        }
        // A 401 that came while the flight was busy with something else.
        if self.signed().is_some_and(|s| s.doubt == Doubt::Reported) {
            return self.read(true);
        }
        if self.unsaved.is_some_and(|p| p.is_over(now)) {
            return self.save(1);
        }
        self.activity = Activity::Idle;
        (self, None)
    }

    /// Whether a logout is to be carried on with now.
    pub(super) fn unfinished_logout(&self, now: Timestamp) -> bool {
        match &self.standing {
            Standing::LoggedOut { revoke, .. } => !revoke.is_empty() || self.unsaved.is_some_and(|p| p.is_over(now)),
            _ => false,
        }
    }

    pub(super) fn save(mut self, tries: u8) -> Step {
        let record = match &self.standing {
            Standing::Signed(s) => Record::user(&s.issued, Some(s.ip), s.issued.issued_at),
            Standing::Lapsed { former, ip } => {
                Record::user(former, Some(*ip), former.issued_at).in_state(RecordState::Lapsed)
            }
            Standing::LoggedOut { at, until, .. } => Record::logged_out(*at, *until),
            Standing::Unknown | Standing::Absent => {
                self.unsaved = None;
                self.activity = Activity::Idle;
                return (self, None);
            }
        };
        let expected = self.version;
        // Whatever changes the standing from now on sets this again.
        self.unsaved = None;
        self.go(Activity::Saving { tries }, Effect::Save { record, expected })
    }

    pub(super) fn saved(mut self, result: Result<Saved, Arc<StoreError>>, tries: u8, now: Timestamp) -> Step {
        match result {
            Ok(Saved::As(version)) => {
                self.version = Some(version);
                self.failure.take_if(|f| matches!(f, TokenError::Store(_)));
            }
            Ok(Saved::Conflict(there)) => {
                self.unsaved = Some(Pause::OVER);
                self.meet(there, now);
                if self.unsaved.is_some() && tries >= SAVE_TRIES {
                    self.unsaved = Some(Pause::lasting(SAVE_PAUSE, now));
                } else if self.unsaved.is_some() && !self.unfinished_revocation() {
                    return self.save(tries + 1);
                }
            }
            Err(error) => self.save_failed(TokenError::Store(error), now),
        }
        self.settle(now)
    }

    fn unfinished_revocation(&self) -> bool {
        matches!(&self.standing, Standing::LoggedOut { revoke, .. } if !revoke.is_empty())
    }

    fn save_failed(&mut self, failure: TokenError, now: Timestamp) {
        self.unsaved.get_or_insert(Pause::lasting(SAVE_PAUSE, now));
        // A token that could not be stored is used from memory; a logout that could not be stored is not complete.
        if matches!(self.standing, Standing::LoggedOut { .. }) {
            self.failure = Some(failure);
        }
    }

    pub(super) fn revoked(mut self, result: Result<(), Arc<IssuerError>>, now: Timestamp) -> Step {
        match result {
            // Transak does not know the token any more, which is what was wanted.
            Err(error) if error.kind() == IssuerErrorKind::Rejected => {}
            Err(error) => self.failure = Some(TokenError::Issuer(error)),
            Ok(()) => {}
        }
        self.settle(now)
    }

    pub(super) fn lost(mut self, cause: TokenError, now: Timestamp) -> Step {
        match std::mem::take(&mut self.activity) {
            Activity::Idle => return (self, None),
            Activity::Saving { .. } => self.save_failed(cause.clone(), now),
            Activity::Reading { .. }
            | Activity::Refreshing { .. }
            | Activity::ReadingAfterRefusal { .. }
            | Activity::Revoking => {}
        }
        self.failures = self.failures.saturating_add(1);
        self.resting = Some(Pause::lasting(SAVE_PAUSE, now));
        self.failure = Some(cause);
        (self, None)
    }

    /// Compares what the store has with what is known here, and takes over what is newer.
    pub(super) fn meet(&mut self, there: Option<Versioned>, now: Timestamp) {
        self.version = there.as_ref().map(|t| t.version);
        let Some(record) = there.map(|t| t.record) else {
            // A store that lost the record does not end a session: the next save brings it back.
            match &self.standing {
                Standing::Unknown => self.standing = Standing::Absent,
                Standing::Signed(_) if self.unsaved.is_none() => self.unsaved = Some(Pause::OVER),
                _ => {}
            }
            return;
        };
        let unsaved = self.unsaved.is_some();
        match (record.issued(), record.user_ip) {
            (Some(issued), Some(ip)) => self.meet_token(&record, issued, ip, now),
            // A logout elsewhere ends what was known before it, but not a login that came after it.
            _ => match &self.standing {
                Standing::Signed(s) if unsaved && follows(&s.issued, record.issued_at) => {}
                Standing::LoggedOut { .. } if unsaved => {}
                _ => {
                    self.unsaved = None;
                    self.standing = Standing::LoggedOut {
                        at: record.issued_at,
                        until: record.expires_at,
                        revoke: Vec::new(),
                    };
                }
            },
        }
    }

    fn meet_token(&mut self, record: &Record, issued: Issued, ip: UserIp, now: Timestamp) {
        let lapsed = record.state == RecordState::Lapsed;
        let same = |known: &Issued| known.fingerprint() == issued.fingerprint();
        let newer = |known: &Issued| !same(known) && issued.at_least_as_new_as(known);
        let take = match &mut self.standing {
            Standing::Unknown | Standing::Absent => true,
            // Another token's end, of the same second, is not the end of this one.
            Standing::Signed(s) if lapsed => same(&s.issued) || !s.issued.at_least_as_new_as(&issued),
            Standing::Signed(s) => newer(&s.issued),
            Standing::Lapsed { former, .. } => newer(former),
            Standing::LoggedOut { at, until, revoke } => {
                // As long as the logout is not stored, what is in the store is what the user wants to be rid of.
                if self.unsaved.is_some() {
                    *until = issued.expires_at.max(*until);
                    if issued.usable(now) && !revoke.iter().any(|(known, _)| same(known)) {
                        revoke.push((issued, ip));
                    }
                    return;
                }
                follows(&issued, *at)
            }
        };
        if take && lapsed {
            self.standing = Standing::Lapsed { former: issued, ip };
            self.unsaved = None;
        } else if take {
            self.sign(issued, ip, None);
        }
    }
}
