//! What is known here against what is in the store.
//!
//! Issue order decides, not who wrote last. Of two tokens of the same instant, neither made from the other, the stored one
//! stays, because other processes use it already; only a login comes before it. Both are good then, or the loser meets one
//! 401, which leads it to the store.

use std::time::Duration;

use super::held::{End, Health, Session};
use super::people::USE_RESOLUTION;
use super::{Change, Note, Standing, UserState};
use crate::clock::Timestamp;
use crate::policy::UserPolicy;
use crate::store::{Record, RecordState, Versioned};
use crate::token::Issued;

/// Whether a token was issued after a logout. The claim `iat` is cut to whole seconds, the time of the logout is not.
fn follows(issued: &Issued, logout: Timestamp) -> bool {
    issued.issued_at + Duration::from_secs(1) >= logout
}

impl UserState {
    /// Compares what the store has with what is known here, and takes over what is newer.
    pub(super) fn meet(&mut self, there: Option<Versioned>, now: Timestamp, policy: &UserPolicy) {
        self.version = there.as_ref().map(|t| t.version);
        let Some(record) = there.map(|t| t.record) else {
            // A store that lost the record does not end a session: the next save brings it back.
            match &self.standing {
                Standing::Unknown => self.standing = Standing::Absent,
                Standing::Signed(_) => self.mark(Change::Standing),
                _ => {}
            }
            return;
        };
        if record.token.is_none() || record.state == RecordState::LoggedOut {
            return self.meet_logout(&record);
        }
        match Session::restore(&record, now) {
            Some(there) => {
                let end = match record.state {
                    RecordState::Lapsed if record.lapse_cause() == Some(End::Rejected.into()) => Some(End::Rejected),
                    // Unless a clock that was wrong has judged.
                    RecordState::Lapsed if !there.issued.usable(now) => Some(End::Expired),
                    _ => None,
                };
                self.meet_session(there, end, now, policy);
                if end.is_none() && record.state == RecordState::Lapsed && self.unsaved.is_none() {
                    self.mark(Change::Standing);
                }
            }
            // Without the user's address nothing can be done with it.
            None if matches!(self.standing, Standing::Unknown) => self.standing = Standing::Absent,
            None => {}
        }
    }

    /// A logout elsewhere ends what was known before it, but not a token that came after it.
    fn meet_logout(&mut self, record: &Record) {
        let received = self
            .unsaved
            .is_some_and(|u| matches!(u.what, Change::Login | Change::Renewed(_)));
        match &self.standing {
            Standing::Signed(s) if received && follows(&s.issued, record.issued_at) => {}
            Standing::LoggedOut { .. } if self.unsaved.is_some() => {}
            _ => {
                self.unsaved = None;
                self.standing = Standing::LoggedOut {
                    at: record.issued_at,
                    until: record.expires_at,
                    revoke: Vec::new(),
                };
            }
        }
    }

    fn meet_session(&mut self, mut there: Session, end: Option<End>, now: Timestamp, policy: &UserPolicy) {
        self.met(&there.issued);
        let same = |known: &Issued| known.fingerprint() == there.issued.fingerprint();
        let later = |known: &Issued| there.issued.order() > known.order();
        let what = self.unsaved.map(|u| u.what);
        match &mut self.standing {
            Standing::Unknown | Standing::Absent => self.take(there, end),
            Standing::Signed(ours) if same(&ours.issued) => match end {
                Some(end) => self.take(there, Some(end)),
                None => self.merge(&there, now, policy),
            },
            Standing::Signed(ours) => {
                let tie = there.issued.order() == ours.issued.order();
                let wins = match what {
                    // An age in the future is a wrong clock's.
                    Some(Change::Login) => later(&ours.issued) && there.issued.issued_at <= now,
                    // The end of another token, of the same instant, is not the end of this one.
                    _ => later(&ours.issued) || (tie && end.is_none()),
                };
                // Unless a person has logged in there, it was made from the same token as ours.
                let twice = match what {
                    Some(Change::Renewed(former)) => former != there.issued.fingerprint(),
                    _ => false,
                };
                if twice && there.signed_in_at <= ours.signed_in_at {
                    self.notes.push(Note::DuplicateUpstream);
                }
                if wins {
                    let before = (ours.signed_in_at, ours.used_at);
                    there.spacing = ours.spacing;
                    if end.is_none() {
                        self.notes.push(Note::Adopted {
                            token: there.issued.fingerprint(),
                        });
                    }
                    self.take(there, end);
                    self.carry(before, now);
                } else {
                    ours.issued = ours.issued.clone().following(&there.issued);
                    ours.signed_in_at = ours.signed_in_at.max(there.signed_in_at);
                    let ours = ours.issued.clone();
                    self.met(&ours);
                    self.mark(Change::Standing);
                }
            }
            Standing::Lapsed { former, .. } if same(&former.issued) => {
                // Somebody may know better, unless this end is the later word.
                if what.is_none() {
                    self.take(there, end);
                }
            }
            Standing::Lapsed { former, .. } => {
                if later(&former.issued) || there.issued.order() == former.issued.order() {
                    if end.is_none() {
                        self.notes.push(Note::Adopted {
                            token: there.issued.fingerprint(),
                        });
                    }
                    self.take(there, end);
                }
            }
            Standing::LoggedOut { at, until, revoke } => {
                // As long as the logout is not stored, what is in the store is what the user wants to be rid of.
                if what.is_some() {
                    *until = there.issued.expires_at.max(*until);
                    if there.issued.usable(now) && !revoke.iter().any(|(known, _)| same(known)) {
                        revoke.push((there.issued, there.ip));
                    }
                } else if follows(&there.issued, *at) {
                    self.take(there, end);
                }
            }
        }
    }

    fn take(&mut self, there: Session, end: Option<End>) {
        self.unsaved = None;
        match end {
            Some(end) => {
                self.standing = Standing::Lapsed {
                    former: Box::new(there),
                    end,
                };
            }
            None => self.sign(there),
        }
    }

    /// The same token here and there: what others have learned of it, with what is new here.
    fn merge(&mut self, there: &Session, now: Timestamp, policy: &UserPolicy) {
        let what = self.unsaved.map(|u| u.what);
        let Some(ours) = self.signed_mut() else { return };
        let before = (ours.signed_in_at, ours.used_at);
        if matches!(what, None | Some(Change::Use)) {
            ours.health = there.health.clone();
            (ours.look, ours.ip) = (there.look, there.ip);
            let (used, old) = (ours.used_at > there.used_at, ours.aged(now, policy));
            if matches!(ours.health, Health::Dormant) && used && !old {
                ours.health = Health::Good;
            }
            self.unsaved = None;
        }
        if let Some(ours) = self.signed_mut() {
            (ours.signed_in_at, ours.used_at) = (there.signed_in_at, there.used_at);
        }
        self.carry(before, now);
    }

    /// Neither a login nor a use is forgotten because another process wrote meanwhile.
    fn carry(&mut self, (signed_in_at, used_at): (Timestamp, Timestamp), now: Timestamp) {
        let Some(ours) = self.signed_mut() else { return };
        let news = signed_in_at > ours.signed_in_at || used_at.since(ours.used_at) >= USE_RESOLUTION;
        ours.signed_in_at = ours.signed_in_at.max(signed_in_at);
        ours.used_at = ours.used_at.max(used_at.min(now));
        if news {
            self.mark(Change::Use);
        }
    }
}
