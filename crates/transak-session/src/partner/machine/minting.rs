//! From the lease to the token.

use std::sync::Arc;

use super::{
    Activity, Claimed, Effect, Ground, Held, Hold, LONGEST_RETRY_AFTER, MintFailure, POLL_PATIENCE, POLLS,
    PartnerState, ROUNDS, Step, Wait,
};
use crate::clock::Timestamp;
use crate::error::TokenError;
use crate::events::{SessionEvent, Subject};
use crate::issuer::{IssuerError, IssuerErrorKind};
use crate::machine::Pause;
use crate::policy::PartnerPolicy;
use crate::store::{FailureClass, StoreError, Versioned};
use crate::token::Issued;

impl PartnerState {
    pub(super) fn claimed(
        mut self,
        result: Result<Claimed, Arc<StoreError>>,
        round: u8,
        now: Timestamp,
        policy: &PartnerPolicy,
    ) -> Step {
        match result {
            Ok(Claimed::Granted {
                hold,
                record,
                attempted,
            }) => {
                self.meet(record, false, now, policy);
                let owed = attempted.is_some_and(|ago| {
                    let at = now - ago;
                    self.attempted(at, policy);
                    now < at + policy.interval(0)
                });
                self.decide(Ground::Held { hold, owed }, now, policy)
            }
            Ok(Claimed::Busy { retry_in, record }) => {
                self.meet(record, false, now, policy);
                let wait = Wait {
                    from: now,
                    until: now + retry_in,
                    polls: 0,
                    round,
                };
                self.decide(Ground::Busy(wait), now, policy)
            }
            Err(error) => self.without_store(error, now, policy),
        }
    }

    pub(super) fn polled(
        mut self,
        result: Result<Option<Versioned>, Arc<StoreError>>,
        wait: Wait,
        now: Timestamp,
        policy: &PartnerPolicy,
    ) -> Step {
        match result {
            Ok(there) => {
                self.meet(there, false, now, policy);
                self.decide(Ground::Busy(wait), now, policy)
            }
            Err(_) => self.wait(wait, now),
        }
    }

    /// Another process mints: its token is waited for, not its lease.
    pub(super) fn wait(mut self, mut wait: Wait, now: Timestamp) -> Step {
        let urgent = !self.usable(now) || self.asked();
        let patience = match urgent {
            true => wait.until,
            false => wait.until.min(wait.from + POLL_PATIENCE),
        };
        if now < patience && wait.polls < POLLS {
            wait.polls += 1;
            let count = wait.polls;
            return self.go(Activity::Polling(wait), Effect::Poll { count });
        }
        if urgent && now >= wait.until && wait.round < ROUNDS {
            let round = wait.round + 1;
            return self.go(Activity::Claiming { round }, Effect::Claim);
        }
        if urgent {
            self.failure = Some(TokenError::MintHeld {
                retry_at: wait.until,
                cause: None,
            });
        }
        self.resting = Some(Pause::lasting(wait.until.since(now), now));
        self.answer();
        self.finish(now)
    }

    pub(super) fn mint(mut self, hold: Option<Hold>, now: Timestamp, policy: &PartnerPolicy) -> Step {
        if !self.doubted() {
            // A token that has lived to its due time ends a row of early deaths.
            self.strikes = 0;
        }
        let former = self.minted.replace(Pause::lasting(policy.interval(0), now));
        let effect = Effect::Mint { hold: hold.clone() };
        self.go(Activity::Minting { hold, former }, effect)
    }

    pub(super) fn minted(
        mut self,
        result: Result<Issued, MintFailure>,
        hold: Option<Hold>,
        former: Option<Pause>,
        now: Timestamp,
        policy: &PartnerPolicy,
    ) -> Step {
        match result {
            Ok(issued) => {
                self.notes.push(SessionEvent::Minted {
                    token: issued.fingerprint(),
                    expires_at: issued.expires_at,
                });
                self.attempted(issued.issued_at.min(now), policy);
                // The last mint is the one that lives, whatever the two tokens say about their age.
                self.accept(issued, now);
                self.closed = None;
                self.unsaved = Some(Pause::OVER);
                self.save(1, hold, false, now)
            }
            Err(MintFailure::NoLease) => {
                self.minted = former;
                let failure = TokenError::MintHeld {
                    retry_at: now,
                    cause: None,
                };
                self.failed(failure, now, policy);
                self.end(hold, false, now)
            }
            Err(MintFailure::Issuer(error)) => self.not_minted(error, hold, former, now, policy),
        }
    }

    fn not_minted(
        mut self,
        error: Arc<IssuerError>,
        hold: Option<Hold>,
        former: Option<Pause>,
        now: Timestamp,
        policy: &PartnerPolicy,
    ) -> Step {
        let interval = policy.interval(0);
        let kind = error.kind();
        match kind {
            IssuerErrorKind::Transient => self.minted = former,
            IssuerErrorKind::RateLimited { retry_after } => {
                let asked = retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER);
                self.closed = Some(Pause::lasting(asked.max(interval), now));
            }
            _ => self.closed = Some(Pause::lasting(interval, now)),
        }
        self.failed(TokenError::Issuer(error), now, policy);
        self.tell_of_failure(kind.into(), now, policy);
        self.end(hold, kind != IssuerErrorKind::Transient, now)
    }

    pub(super) fn tell_of_failure(&mut self, class: FailureClass, now: Timestamp, policy: &PartnerPolicy) {
        let rest = self.resting.map_or(Timestamp::MIN, |p| p.until());
        self.notes.push(SessionEvent::Failed {
            subject: Subject::Partner,
            class,
            retry_at: self.opens_at(policy).max(rest).max(now),
        });
    }

    /// Ends an attempt that brought nothing. One that may have reached Transak holds other processes back, too.
    fn end(mut self, hold: Option<Hold>, note: bool, now: Timestamp) -> Step {
        self.answer();
        match hold {
            Some(hold) if note => self.save(1, Some(hold), true, now),
            Some(hold) => self.release(hold),
            None => self.rest(now),
        }
    }

    /// Keeps what there is. A usable token is left in peace for a while; without one, the next caller tries again.
    pub(super) fn failed(&mut self, failure: TokenError, now: Timestamp, policy: &PartnerPolicy) {
        self.failure = Some(failure);
        self.failures = self.failures.saturating_add(1);
        if let Some(held) = self.held.as_ref().filter(|h| h.issued.usable(now)) {
            let draw = held.issued.fingerprint().draw(self.failures);
            let pause = policy.backoff.pause(self.failures, draw);
            self.resting = Some(Pause::lasting(pause, now));
        }
    }

    /// Somebody may have minted then: the distance between mints counts from there, however long ago it was, because more
    /// may be added to it.
    pub(super) fn attempted(&mut self, at: Timestamp, policy: &PartnerPolicy) {
        let attempt = Pause::spanning(at, at + policy.interval(0));
        if self.minted.is_none_or(|p| p.until() < attempt.until()) {
            self.minted = Some(attempt);
        }
    }

    /// Goes on with this token. The one before it is retired.
    pub(super) fn accept(&mut self, issued: Issued, now: Timestamp) {
        let current = Some(issued.fingerprint());
        let former = self.held.replace(Held {
            issued,
            doubted: false,
            counted: false,
            asked: false,
        });
        self.retired.retire(former.map(|h| h.issued), current, now);
        self.failures = 0;
        self.resting = None;
        self.failure = None;
        self.save_failures = 0;
    }

    pub(super) fn lost(mut self, cause: TokenError, now: Timestamp, policy: &PartnerPolicy) -> Step {
        let minting = matches!(self.activity, Activity::Minting { .. });
        match self.activity {
            Activity::Idle => return (self, None),
            Activity::Saving { .. } if self.unsaved.is_some() => {
                self.not_stored(now);
            }
            // A mint that was under way may have happened: the distance to the next one stands, and a lease that is left to
            // lapse tells the others.
            _ => {}
        }
        self.failed(cause, now, policy);
        if minting {
            self.attempted(now, policy);
            self.tell_of_failure(FailureClass::Unknown, now, policy);
        }
        self.answer();
        self.activity = Activity::Idle;
        (self, None)
    }
}
