//! What a person does to a session.

use super::{Activity, Doubt, Note, Signed, Standing, Step, UserState};
use crate::clock::Timestamp;
use crate::identity::UserIp;
use crate::machine::Pause;
use crate::token::Issued;

impl UserState {
    pub(super) fn logged_in(mut self, issued: Issued, ip: UserIp, now: Timestamp) -> Step {
        let idle = self.activity == Activity::Idle;
        let newer = self
            .usable(now)
            .is_none_or(|s| s.doubted() || s.refused || issued.at_least_as_new_as(&s.issued));
        if newer {
            self.sign(issued, ip, Some(Pause::OVER));
        }
        if idle { self.settle(now) } else { (self, None) }
    }

    pub(super) fn log_out(mut self, now: Timestamp) -> Step {
        let unread = matches!(self.standing, Standing::Unknown);
        let revoke = match std::mem::take(&mut self.standing) {
            Standing::Signed(s) => vec![(s.issued, s.ip)],
            Standing::LoggedOut { revoke, .. } => revoke,
            Standing::Unknown | Standing::Absent | Standing::Lapsed { .. } => Vec::new(),
        };
        let until = revoke.iter().map(|(i, _)| i.expires_at).fold(now, Timestamp::max);
        let revoke = revoke.into_iter().filter(|(i, _)| i.usable(now)).collect();
        self.standing = Standing::LoggedOut { at: now, until, revoke };
        self.unsaved = Some(Pause::OVER);
        self.failure = None;
        self.resting = None;
        self.notes.push(Note::LoggedOut);
        match self.activity {
            // There may be a token in the store that this process has never seen.
            Activity::Idle if unread => self.read(false),
            Activity::Idle => self.settle(now),
            _ => (self, None),
        }
    }

    /// Uses a token that was just received, or is being taken over.
    pub(super) fn sign(&mut self, issued: Issued, ip: UserIp, unsaved: Option<Pause>) {
        self.standing = Standing::Signed(Signed {
            issued,
            ip,
            doubt: Doubt::No,
            refused: false,
        });
        self.unsaved = unsaved;
        self.failures = 0;
        self.failure = None;
        self.resting = None;
    }
}
