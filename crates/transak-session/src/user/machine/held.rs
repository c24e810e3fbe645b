//! A token in use, and what is known about it: what a record holds, and what only this process needs to know.

use std::time::Duration;

use super::pacing;
use crate::clock::Timestamp;
use crate::error::LapseCause;
use crate::identity::UserIp;
use crate::machine::Pause;
use crate::policy::UserPolicy;
use crate::store::{FailureClass, Record, RecordState};
use crate::token::Issued;

#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) issued: Issued,
    pub(super) ip: UserIp,
    pub(super) signed_in_at: Timestamp,
    pub(super) used_at: Timestamp,
    pub(super) health: Health,
    /// A 401 to this token waits for the flight under way, or the next one, to deal with it.
    pub(super) reported: bool,
    /// From a renewal until a 401 or a wish for more life may cause the next.
    pub(super) spacing: Option<Pause>,
    /// After its expiry a last attempt was made and refused, but whether another process has renewed could not be read.
    pub(super) tried: bool,
    /// Another process renews, or the store is down: to be looked at again after this.
    pub(super) look: Option<Pause>,
}

#[derive(Clone, Debug)]
pub(super) enum Health {
    Good,
    /// The last renewals failed, and that says nothing about the session.
    Failing(Setback),
    Suspect(Suspicion),
    /// Served, but not kept alive.
    Dormant,
}

/// Renewals that failed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setback {
    pub(super) failures: u32,
    pub(super) class: FailureClass,
    pub(super) pause: Pause,
}

/// What speaks against the session. One word of Transak's is not enough to end it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suspicion {
    /// When the first word fell.
    pub(super) since: Timestamp,
    /// A 401 to the token itself.
    pub(super) unauthorized: bool,
    /// A renewal that was refused.
    pub(super) refused: bool,
    pub(super) setback: Option<Setback>,
}

/// How a session ended without its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Expired,
    Rejected,
}

impl From<End> for LapseCause {
    fn from(end: End) -> Self {
        match end {
            End::Expired => Self::Expired,
            End::Rejected => Self::Rejected,
        }
    }
}

impl Session {
    pub(super) fn new(issued: Issued, ip: UserIp, now: Timestamp) -> Self {
        Self {
            issued,
            ip,
            signed_in_at: now,
            used_at: now,
            health: Health::Good,
            reported: false,
            spacing: None,
            tried: false,
            look: None,
        }
    }

    /// The session with the token that it was renewed to.
    pub(super) fn renewed(&self, issued: Issued) -> Self {
        Self {
            issued,
            spacing: self.spacing,
            signed_in_at: self.signed_in_at,
            ..Self::new(self.issued.clone(), self.ip, self.used_at)
        }
    }

    /// Reads a record; `None` if it has no token, or no address to renew it from.
    pub(super) fn restore(record: &Record, now: Timestamp) -> Option<Self> {
        let mut session = Self::new(record.issued()?, record.user_ip?, record.used_at);
        session.signed_in_at = record.signed_in_at;
        // A pause that is too long was written by a clock that was wrong: following it could cost the session.
        let waits = match record.wake_at.since(now) {
            left if left > pacing::LONGEST + pacing::DRIFT => Pause::OVER,
            left => Pause::lasting(left.min(pacing::LONGEST), now),
        };
        let failed = record.last_failure.filter(|_| record.failures > 0);
        let setback = failed.map(|class| Setback {
            failures: record.failures,
            class,
            pause: waits,
        });
        session.health = match (record.state, setback) {
            (RecordState::Dormant, _) => Health::Dormant,
            (RecordState::Suspect { since }, setback) => {
                let refused = record.last_failure == Some(FailureClass::Rejected);
                session.look = setback.is_none().then_some(waits);
                Health::Suspect(Suspicion {
                    since: since.min(now),
                    unauthorized: !refused,
                    refused,
                    setback,
                })
            }
            (_, Some(setback)) => Health::Failing(setback),
            (_, None) => Health::Good,
        };
        Some(session)
    }

    pub(super) fn record(&self) -> Record {
        let mut record = Record::user(&self.issued, Some(self.ip), self.signed_in_at);
        record.used_at = self.used_at;
        if let Some(setback) = self.setback() {
            record.failures = setback.failures;
            record.last_failure = Some(setback.class);
        }
        record.wake_at = self.wake_at();
        match &self.health {
            Health::Good | Health::Failing(_) => record,
            Health::Suspect(s) => record.in_state(RecordState::Suspect { since: s.since }),
            Health::Dormant => record.in_state(RecordState::Dormant),
        }
    }

    /// A record of its end.
    pub(super) fn record_of_end(&self, end: End) -> Record {
        let mut record = self.record().in_state(RecordState::Lapsed);
        record.last_failure = match end {
            End::Rejected => Some(FailureClass::Rejected),
            // What the last attempt failed in is not why it ended.
            End::Expired => None,
        };
        record
    }

    /// When the session is to be looked at next; not after its expiry, when the last attempt is due.
    fn wake_at(&self) -> Timestamp {
        let at = match &self.health {
            Health::Good => self.issued.due_at,
            Health::Failing(setback) => self.issued.due_at.max(setback.pause.until()),
            Health::Suspect(s) => {
                let spacing = self.spacing.map_or(s.since, |p| p.until());
                s.setback.map_or(spacing, |b| b.pause.until())
            }
            Health::Dormant => Timestamp::MAX,
        };
        at.min(self.issued.expires_at)
    }

    pub(super) fn setback(&self) -> Option<Setback> {
        match self.health {
            Health::Failing(setback) => Some(setback),
            Health::Suspect(s) => s.setback,
            Health::Good | Health::Dormant => None,
        }
    }

    pub(super) fn rests(&self, now: Timestamp) -> bool {
        let open = |pause: Option<Pause>| pause.is_some_and(|p| !p.is_over(now));
        open(self.setback().map(|s| s.pause)) || open(self.look)
    }

    /// Whether a renewal was so recent that neither a 401 nor a wish for more life may cause another.
    pub(super) fn spaced(&self, now: Timestamp) -> Option<Pause> {
        self.spacing.filter(|p| !p.is_over(now))
    }

    /// Whether it is to be renewed, caller or not.
    pub(super) fn due(&self, now: Timestamp) -> bool {
        let come = match self.health {
            Health::Good | Health::Failing(_) => now >= self.issued.due_at,
            Health::Suspect(_) => self.spaced(now).is_none(),
            Health::Dormant => false,
        };
        come && !self.rests(now)
    }

    /// Before this nothing has to be done about it, if nobody uses it.
    pub(super) fn quiet_until(&self) -> Timestamp {
        let until = |pause: Option<Pause>| pause.map_or(Timestamp::MIN, |p| p.until());
        let rest = until(self.setback().map(|s| s.pause)).max(until(self.look));
        match self.health {
            Health::Good | Health::Failing(_) => rest.max(self.issued.due_at),
            Health::Suspect(_) => rest.max(until(self.spacing)),
            Health::Dormant => rest,
        }
    }

    /// Nobody has used it for long.
    pub(super) fn idle(&self, now: Timestamp, policy: &UserPolicy) -> bool {
        policy.idle_cutoff.is_some_and(|span| now.since(self.used_at) >= span)
    }

    /// A person has to log in from time to time.
    pub(super) fn aged(&self, now: Timestamp, policy: &UserPolicy) -> bool {
        policy
            .absolute_cutoff
            .is_some_and(|span| now.since(self.signed_in_at) >= span)
    }

    /// Less than a tenth of its life is left.
    pub(super) fn urgent(&self, now: Timestamp) -> bool {
        let life = self.issued.expires_at.since(self.issued.issued_at);
        self.issued.expires_at.since(now) < life / 10
    }

    pub(super) fn suspicion(&self) -> Option<Suspicion> {
        match self.health {
            Health::Suspect(suspicion) => Some(suspicion),
            _ => None,
        }
    }

    /// Begins to suspect it, or goes on.
    pub(super) fn suspect(&mut self, now: Timestamp, learn: impl FnOnce(&mut Suspicion)) {
        let mut suspicion = self.suspicion().unwrap_or(Suspicion {
            since: now,
            unauthorized: false,
            refused: false,
            setback: self.setback(),
        });
        learn(&mut suspicion);
        self.health = Health::Suspect(suspicion);
    }

    pub(super) fn rebase(&mut self, now: Timestamp) {
        // A clock that was wrong had it expire.
        self.tried &= !self.issued.usable(now);
        let pause = match &mut self.health {
            Health::Failing(setback) => Some(&mut setback.pause),
            Health::Suspect(s) => {
                s.since = s.since.min(now);
                s.setback.as_mut().map(|b| &mut b.pause)
            }
            Health::Good | Health::Dormant => None,
        };
        let rest = [self.spacing.as_mut(), self.look.as_mut()];
        pause
            .into_iter()
            .chain(rest.into_iter().flatten())
            .for_each(|p| p.rebase(now));
    }

    /// How much longer it lives.
    pub(super) fn left(&self, now: Timestamp) -> Duration {
        self.issued.expires_at.since(now)
    }
}
