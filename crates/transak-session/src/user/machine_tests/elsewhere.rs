//! What Transak, the store and another process do in the model.

use std::time::Duration;

use super::world::{Checked, DAY, Held, LEASE, World};
use crate::clock::Timestamp;
use crate::identity::{Email, Tenant};
use crate::policy::RefreshWindow;
use crate::store::{FailureClass, Lease, LeaseEpoch, Record, RecordState, Version, Versioned};
use crate::token::{AccessToken, Issued, TokenFingerprint};
use crate::user::machine::{Event, Tenure};

impl World {
    pub(super) fn issue(&mut self) -> Issued {
        self.issued += 1;
        let at = Timestamp::from_unix_seconds(self.truth);
        let until = at + Duration::from_secs(30 * DAY as u64);
        let token = AccessToken::new(format!("token {}", self.issued));
        self.live.insert(token.fingerprint(), self.truth + 30 * DAY);
        let due = RefreshWindow::default().due_at(at, until, token.fingerprint().draw(0));
        Issued::restore(token, at, until, due)
    }

    pub(super) fn renew(&mut self, which: TokenFingerprint) -> Option<Issued> {
        if !self.accepts(which) {
            return None;
        }
        if self.rotates {
            self.live.remove(&which);
        }
        Some(self.issue())
    }

    pub(super) fn put(&mut self, record: Record) -> Version {
        self.counter += 1;
        let version = Version::new(self.counter);
        self.former = self.stored.replace(Versioned { version, record });
        version
    }

    pub(super) fn forget(&mut self) {
        self.former = self.stored.take();
    }

    /// What a store does that fails over to a replica that lags.
    pub(super) fn roll_back(&mut self) {
        // A store that has forgotten the last attempt may see another.
        self.said.values_mut().for_each(|said| said.last_try = false);
        if let Some(former) = self.former.take() {
            self.put(former.record);
        }
    }

    pub(super) fn busy(&self) -> bool {
        self.lease.as_ref().is_some_and(|l| self.truth < l.until)
    }

    pub(super) fn take_lease(&mut self, ours: bool) -> Lease {
        self.counter += 1;
        self.lease = Some(Held {
            epoch: self.counter,
            until: self.truth + LEASE,
            ours,
        });
        Lease {
            key: Tenant::new("test", "key")
                .user_key(&Email::parse("a@b.c").unwrap())
                .record(),
            epoch: LeaseEpoch::new(self.counter),
            abandoned: None,
        }
    }

    pub(super) fn end_lease(&mut self, lease: &Lease) {
        if self.lease.as_ref().is_some_and(|l| l.epoch == lease.epoch.get()) {
            self.lease = None;
        }
    }

    pub(super) fn other_claims(&mut self) {
        if !self.busy() {
            self.take_lease(false);
        }
    }

    pub(super) fn other_ends(&mut self) {
        if self.lease.as_ref().is_some_and(|l| !l.ours) {
            self.lease = None;
        }
    }

    pub(super) fn tenure(&mut self) -> Tenure {
        Tenure {
            lease: self.take_lease(true),
            since: Duration::ZERO,
            span: Duration::from_secs(LEASE as u64),
        }
    }

    /// What another process with the same code would do. It may have been paused for longer than its lease.
    pub(super) fn other_renews(&mut self) {
        let there = self.stored.as_ref().map(|v| v.record.clone());
        let Some(there) = there.filter(|r| matches!(r.state, RecordState::Live | RecordState::Suspect { .. })) else {
            return;
        };
        let Some(old) = there.issued() else { return };
        if let Some(new) = self.renew(old.fingerprint()) {
            self.put(Record::user(&new.following(&old), Some(Self::ip()), there.signed_in_at));
        }
    }

    /// Somebody says that the record was written.
    pub(super) fn hint(&mut self, distance: i64) -> Checked {
        let stored = self.stored.as_ref().map_or(0, |v| v.version.get());
        self.send(Event::Hinted(Version::new(stored.saturating_add_signed(distance))))
    }

    pub(super) fn other_logs_in(&mut self) {
        let old = self.stored.as_ref().and_then(|v| v.record.issued());
        let new = self.issue();
        let new = match old {
            Some(old) => new.following(&old),
            None => new,
        };
        let at = Timestamp::from_unix_seconds(self.truth);
        self.put(Record::user(&new, Some(Self::ip()), at));
    }

    /// Found out by another process, with what it takes.
    pub(super) fn other_lapses(&mut self) {
        let Some(there) = self.stored.as_ref().map(|v| v.record.clone()) else {
            return;
        };
        let Some(old) = there.issued().filter(|_| there.state == RecordState::Live) else {
            return;
        };
        self.live.remove(&old.fingerprint());
        let mut record = there.in_state(RecordState::Lapsed);
        record.last_failure = Some(FailureClass::Rejected);
        self.put(record);
    }

    /// A keep-alive worker of this process finds the record due.
    pub(super) fn keep(&mut self) -> Checked {
        let due = self.stored.clone().filter(|v| v.record.kept_alive() && !self.busy());
        match due.filter(|v| v.record.wake_at <= Timestamp::from_unix_seconds(self.truth)) {
            Some(record) => {
                let tenure = self.tenure();
                self.send(Event::Kept { tenure, record })
            }
            None => Ok(()),
        }
    }
}
