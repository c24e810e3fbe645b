//! What callers and persons do to a session.

use std::time::Duration;

use super::held::{Health, Session};
use super::{Activity, Change, Note, Standing, Step, UserState, Why};
use crate::clock::Timestamp;
use crate::identity::UserIp;
use crate::policy::UserPolicy;
use crate::token::{Issued, TokenFingerprint};

/// That a session was used is noted once in this span: a record is not written for each call.
pub(super) const USE_RESOLUTION: Duration = Duration::from_secs(86_400);

impl UserState {
    pub(super) fn wanted(mut self, min_remaining: Duration, now: Timestamp, policy: &UserPolicy) -> Step {
        self.touch(now, policy);
        if self.activity != Activity::Idle {
            self.wish(Why::Life(min_remaining));
            return (self, None);
        }
        if self.unfinished_logout(now) {
            return self.settle(now, policy);
        }
        let Some(session) = self.usable(now) else {
            return match self.standing {
                Standing::Signed(_) => self.claim(Why::Expired, now, policy),
                // Another process may have logged in.
                _ => self.read(Some(Why::Life(min_remaining))),
            };
        };
        if session.due(now) {
            return self.claim(Why::Due, now, policy);
        }
        if session.may_lengthen(min_remaining, now, policy) {
            return self.claim(Why::Life(min_remaining), now, policy);
        }
        if self.unsaved.is_some_and(|u| u.after.is_over(now)) {
            return self.save(1, now, policy);
        }
        (self, None)
    }

    pub(super) fn refresh_now(mut self, now: Timestamp, policy: &UserPolicy) -> Step {
        self.touch(now, policy);
        self.failure = None;
        match self.activity {
            Activity::Idle if self.unfinished_logout(now) => self.settle(now, policy),
            Activity::Idle => self.claim(Why::Asked, now, policy),
            _ => {
                self.wish(Why::Asked);
                (self, None)
            }
        }
    }

    pub(super) fn rejected(mut self, which: TokenFingerprint, now: Timestamp, policy: &UserPolicy) -> Step {
        match self.signed_mut() {
            Some(session) if session.issued.fingerprint() == which => {
                let known = session.suspicion().is_some();
                session.reported = true;
                session.suspect(now, |s| s.unauthorized = true);
                self.mark(Change::Standing);
                if !known {
                    self.note(Note::Suspect { token: which });
                }
            }
            // A request that was under way with a former token.
            _ => return (self, None),
        }
        match self.activity {
            Activity::Idle => self.claim(Why::Report, now, policy),
            _ => (self, None),
        }
    }

    /// Somebody uses the session.
    pub(super) fn touch(&mut self, now: Timestamp, policy: &UserPolicy) {
        let Some(session) = self.signed_mut() else { return };
        if matches!(session.health, Health::Dormant) {
            if session.aged(now, policy) {
                session.look = Some(crate::machine::Pause::lasting(USE_RESOLUTION, now));
            } else {
                session.health = Health::Good;
                session.used_at = now;
                self.mark(Change::Standing);
            }
        } else if now.since(session.used_at) >= USE_RESOLUTION {
            session.used_at = now;
            self.mark(Change::Use);
        }
    }

    /// A login wins over everything older. The token before it is left alone: whether a logout would end this session with
    /// that one is not documented.
    pub(super) fn logged_in(mut self, issued: Issued, ip: UserIp, now: Timestamp, policy: &UserPolicy) -> Step {
        self.note(Note::LoggedIn {
            token: issued.fingerprint(),
            expires_at: issued.expires_at,
        });
        match self.usable(now) {
            // A renewal of later, whose answer came earlier.
            Some(held)
                if held.suspicion().is_none()
                    && held.issued.order() > issued.order()
                    && held.issued.issued_at <= now =>
            {
                if let Some(held) = self.signed_mut() {
                    (held.signed_in_at, held.used_at) = (now, now);
                }
                self.mark(Change::Standing);
            }
            _ => {
                let issued = match self.floor.filter(|_| self.which() != Some(issued.fingerprint())) {
                    Some(floor) => issued.issued_after(floor),
                    None => issued,
                };
                self.sign(Session::new(issued, ip, now));
                self.mark(Change::Login);
            }
        }
        match self.activity {
            Activity::Idle => self.settle(now, policy),
            _ => (self, None),
        }
    }

    pub(super) fn log_out(mut self, now: Timestamp, policy: &UserPolicy) -> Step {
        let unread = matches!(self.standing, Standing::Unknown);
        if !matches!(self.standing, Standing::LoggedOut { .. }) {
            self.note(Note::LoggedOut);
        }
        let revoke = match std::mem::take(&mut self.standing) {
            Standing::Signed(s) => vec![(s.issued, s.ip)],
            Standing::LoggedOut { revoke, .. } => revoke,
            Standing::Unknown | Standing::Absent | Standing::Lapsed { .. } => Vec::new(),
        };
        let until = revoke.iter().map(|(i, _)| i.expires_at).fold(now, Timestamp::max);
        let revoke = revoke.into_iter().filter(|(i, _)| i.usable(now)).collect();
        self.standing = Standing::LoggedOut { at: now, until, revoke };
        self.mark(Change::Standing);
        self.failure = None;
        match self.activity {
            // There may be a token in the store that this process has never seen.
            Activity::Idle if unread => self.read(Some(Why::Due)),
            Activity::Idle => self.settle(now, policy),
            _ => (self, None),
        }
    }

    /// Uses a token that was just received, or is being taken over.
    pub(super) fn sign(&mut self, session: Session) {
        self.met(&session.issued);
        self.standing = Standing::Signed(Box::new(session));
        self.failure = None;
    }
}
