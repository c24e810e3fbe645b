//! What goes into the store, and what is taken over from it.
//!
//! Of two tokens the one that was issued later is the live one, whoever wrote last. The loser is kept as retired. If both
//! were issued in the same second, the one that was written later counts, because it has most likely been minted later; if
//! that is wrong, its first 401 leads to the next mint.

use std::sync::Arc;
use std::time::Duration;

use super::{Activity, Effect, Hold, LONGEST_RETRY_AFTER, PartnerState, SAVE_TRIES, Saved, Step};
use crate::clock::Timestamp;
use crate::error::TokenError;
use crate::events::{SessionEvent, Subject};
use crate::machine::Pause;
use crate::policy::PartnerPolicy;
use crate::store::{FailureClass, Record, StoreError, Versioned};
use crate::token::Issued;

impl PartnerState {
    /// Takes in what is stored. `tie`: of two tokens of the same second ours counts, because it is about to be written.
    pub(super) fn meet(&mut self, there: Option<Versioned>, tie: bool, now: Timestamp, policy: &PartnerPolicy) {
        self.version = there.as_ref().map(|v| v.version);
        let record = there.map(|v| v.record);
        self.stored = record.as_ref().and_then(|r| r.token.as_ref()).map(|t| t.fingerprint());
        let mut lacks = self.stored != self.current();
        if let Some(record) = record {
            self.heed(&record, now, policy);
            if let Some(theirs) = record.issued() {
                let ours = self.held.as_ref().map(|h| &h.issued);
                let newer = ours.is_none_or(|ours| {
                    theirs.fingerprint() != ours.fingerprint()
                        && match tie {
                            true => !ours.at_least_as_new_as(&theirs),
                            false => theirs.at_least_as_new_as(ours),
                        }
                });
                if newer {
                    self.attempted(theirs.issued_at.min(now), policy);
                    self.strikes = record.failures;
                    if theirs.usable(now) {
                        self.notes.push(SessionEvent::Adopted {
                            subject: Subject::Partner,
                            token: theirs.fingerprint(),
                        });
                    }
                    self.accept(theirs, now);
                } else if self.stored != self.current() {
                    let current = self.current();
                    self.retired.retire(Some(theirs), current, now);
                }
            }
            self.retired.merge(&record.retired, self.current(), now);
            lacks = self.stored != self.current() || !self.retired.all_in(&record.retired);
        }
        let unsaved = self.unsaved.unwrap_or(Pause::OVER);
        self.unsaved = (lacks && self.usable(now)).then_some(unsaved);
    }

    /// What others have noted about their attempts; each note counts once, because their clock may be ahead of ours.
    fn heed(&mut self, record: &Record, now: Timestamp, policy: &PartnerPolicy) {
        if self.told.replace(record.used_at) == Some(record.used_at) {
            return;
        }
        self.attempted(record.used_at.min(now), policy);
        if record.last_failure.is_some() && record.wake_at < Timestamp::MAX {
            let until = record.wake_at.min(now + LONGEST_RETRY_AFTER);
            if self.closed.is_none_or(|p| p.until() < until) {
                self.closed = Some(Pause::spanning(now.min(until), until));
            }
        }
    }

    fn record(&self, note: bool, now: Timestamp) -> Record {
        const MEMORY: Duration = Duration::from_secs(86_400);
        let attempt = self.minted.map_or(now, |p| p.from());
        let mut record = match &self.held {
            Some(held) => Record::partner(&held.issued, self.retired.list(now)),
            None => Record::partner_without_token(attempt, now + MEMORY, self.retired.list(now)),
        };
        record.used_at = attempt;
        record.failures = self.strikes;
        if note {
            record.last_failure = Some(match &self.failure {
                Some(TokenError::Issuer(error)) => error.kind().into(),
                _ => FailureClass::Unknown,
            });
            record.wake_at = self.closed.map_or(Timestamp::MAX, |p| p.until());
        }
        record
    }

    pub(super) fn save(mut self, tries: u8, hold: Option<Hold>, note: bool, now: Timestamp) -> Step {
        let record = self.record(note, now);
        self.told = Some(record.used_at);
        let effect = Effect::Save {
            record,
            expected: self.version,
            finishing: hold.as_ref().map(|h| h.lease.clone()),
        };
        self.go(Activity::Saving { tries, hold, note }, effect)
    }

    pub(super) fn saved(
        mut self,
        result: Result<Saved, Arc<StoreError>>,
        (tries, hold, note): (u8, Option<Hold>, bool),
        now: Timestamp,
        policy: &PartnerPolicy,
    ) -> Step {
        match result {
            Ok(Saved::As(version)) => {
                self.version = Some(version);
                self.stored = self.current();
                self.unsaved = None;
                self.save_failures = 0;
                return self.rest(now);
            }
            Ok(Saved::Conflict(there)) => {
                if hold.is_some() && !note && tries == 1 {
                    self.notice_duplicate(there.as_ref(), policy);
                }
                self.meet(there, true, now, policy);
                match self.unsaved {
                    Some(_) if tries < SAVE_TRIES => return self.save(tries + 1, hold, note, now),
                    Some(_) => self.not_stored(now),
                    None => {}
                }
                // A note that came too late is not repeated: the lease is left to lapse, which tells the others as much.
                if let (Some(hold), false) = (hold, note) {
                    return self.release(hold);
                }
            }
            Err(_) if self.unsaved.is_some() => self.not_stored(now),
            Err(_) => {}
        }
        self.rest(now)
    }

    pub(super) fn not_stored(&mut self, now: Timestamp) {
        self.unsaved = Some(Pause::after_failed_save(self.save_failures, now));
        self.save_failures = self.save_failures.saturating_add(1);
        if self.save_failures == 1 {
            self.notes.push(SessionEvent::NotStored {
                subject: Subject::Partner,
            });
        }
    }

    /// Another process has minted at about the same time, although the lease was ours.
    fn notice_duplicate(&mut self, there: Option<&Versioned>, policy: &PartnerPolicy) {
        let theirs = there.and_then(|v| v.record.issued());
        let since = self.minted.map_or(Timestamp::MIN, |p| p.from() - policy.interval(0));
        let other = |theirs: &Issued| {
            let which = Some(theirs.fingerprint());
            which != self.stored && which != self.current() && theirs.issued_at >= since
        };
        if theirs.is_some_and(|theirs| other(&theirs)) {
            self.notes.push(SessionEvent::DuplicateUpstream {
                subject: Subject::Partner,
            });
        }
    }
}
