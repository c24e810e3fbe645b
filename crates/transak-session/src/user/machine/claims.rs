//! Who renews: normally one process at a time, by a lease in the store.

use std::sync::Arc;
use std::time::Duration;

use super::held::{End, Health, Session};
use super::{Activity, Change, Claimed, Effect, Note, Standing, Step, Tenure, UserState, Why};
use crate::clock::Timestamp;
use crate::error::TokenError;
use crate::policy::UserPolicy;
use crate::store::{StoreError, Version, Versioned};
use crate::token::TokenFingerprint;

impl Why {
    /// Whether a caller waits for the outcome.
    fn waits(self) -> bool {
        !matches!(self, Self::Due | Self::Kept)
    }
}

impl Session {
    /// Whether a renewal for the wish for more life is due.
    pub(super) fn may_lengthen(&self, min_remaining: Duration, now: Timestamp, policy: &UserPolicy) -> bool {
        let open = !self.rests(now) && self.spaced(now).is_none() && !self.aged(now, policy);
        self.left(now) < min_remaining && open
    }

    /// Whether to renew, now that the lease is ours.
    fn renews(&self, why: Why, adopted: bool, now: Timestamp, policy: &UserPolicy) -> bool {
        match why {
            Why::Due | Why::Kept | Why::Expired => self.due(now),
            Why::Life(span) => self.due(now) || self.may_lengthen(span, now, policy),
            Why::Asked => !adopted,
            Why::Report => false,
        }
    }
}

impl UserState {
    pub(super) fn read(self, wish: Option<Why>) -> Step {
        self.go(Activity::Reading { wish }, Effect::Read)
    }

    /// What is not served is read when somebody asks for it, and a flight under way meets the store before it ends.
    pub(super) fn hinted(self, version: Version) -> Step {
        let news = self.version.is_none_or(|known| known < version);
        match self.activity {
            Activity::Idle if news && self.signed().is_some() => self.read(None),
            _ => (self, None),
        }
    }

    /// Somebody wants something while the store is asked. Of several wishes the greatest counts, and a newer token is that.
    pub(super) fn wish(&mut self, why: Why) {
        if let Activity::Reading { wish } = &mut self.activity {
            *wish = Some(match (*wish, why) {
                (Some(Why::Asked), _) => Why::Asked,
                (Some(Why::Life(one)), Why::Life(other)) => Why::Life(one.max(other)),
                _ => why,
            });
        }
    }

    pub(super) fn claim(self, why: Why, now: Timestamp, policy: &UserPolicy) -> Step {
        self.claim_waiting(why, policy.patience, now, policy)
    }

    fn claim_waiting(mut self, why: Why, left: Duration, now: Timestamp, policy: &UserPolicy) -> Step {
        if let Some((tenure, record)) = self.parked.take() {
            return self.work_under(tenure, record, why, now, policy);
        }
        self.go(Activity::Claiming { why, left }, Effect::Claim)
    }

    /// Where a keep-alive worker hands over what it has claimed.
    pub(super) fn kept(mut self, tenure: Tenure, record: Versioned, now: Timestamp, policy: &UserPolicy) -> Step {
        if self.activity == Activity::Idle {
            return self.work_under(tenure, record, Why::Kept, now, policy);
        }
        // If one is waiting already, its lease must have lapsed, or this one could not have been taken.
        self.parked = Some((tenure, record));
        (self, None)
    }

    /// The store was asked where the session stands.
    pub(super) fn after_read(
        mut self,
        result: Result<Option<Versioned>, Arc<StoreError>>,
        wish: Option<Why>,
        now: Timestamp,
        policy: &UserPolicy,
    ) -> Step {
        let Some(why) = wish else {
            // A hint is no reason to renew, nor a use of the session.
            if let Ok(there) = result {
                self.meet(there, now, policy);
            }
            return self.settle(now, policy);
        };
        match result {
            Ok(there) => {
                let before = self.which();
                self.meet(there, now, policy);
                self.failure = None;
                // Whoever asked wants to use it. They have the token now, and do not wait for what comes next.
                self.touch(now, policy);
                let adopted = before.is_some() && before != self.which();
                match &self.standing {
                    Standing::Signed(s) if !s.issued.usable(now) => self.claim(Why::Expired, now, policy),
                    Standing::Signed(_) if why == Why::Asked && !adopted => self.claim(why, now, policy),
                    Standing::Signed(s) if s.due(now) => self.claim(Why::Due, now, policy),
                    Standing::Signed(s) if matches!(why, Why::Life(life) if s.may_lengthen(life, now, policy)) => {
                        self.claim(why, now, policy)
                    }
                    _ => self.settle(now, policy),
                }
            }
            Err(error) => {
                self.failure = Some(TokenError::Store(error));
                self.settle(now, policy)
            }
        }
    }

    pub(super) fn claimed(
        mut self,
        result: Result<Claimed, Arc<StoreError>>,
        (why, left): (Why, Duration),
        now: Timestamp,
        policy: &UserPolicy,
    ) -> Step {
        match result {
            Ok(Claimed::Ours { tenure, record }) => self.under_lease(tenure, record, why, now, policy),
            Ok(Claimed::Elsewhere { retry_in, record }) => {
                if self.parked.is_some() {
                    return self.claim_waiting(why, left, now, policy);
                }
                let before = self.which();
                self.meet(record, now, policy);
                self.elsewhere(before, (why, left), now + retry_in, now, policy)
            }
            Err(error) => {
                // Without a lease, another process may renew at the same time: not as long as there is time. And whether
                // an expired session has been renewed elsewhere, only the store knows.
                let pressing = self.usable(now).is_some_and(|s| s.reported || s.urgent(now));
                if pressing {
                    return self.decide(why, false, now, policy);
                }
                self.failure = Some(TokenError::Store(error));
                let draw = self.which().map_or(0, |which| which.draw(0));
                self.look_later(policy.backoff.pause(1, draw), now);
                self.dismiss_report();
                self.settle(now, policy)
            }
        }
    }

    /// Another process has the lease.
    fn elsewhere(
        mut self,
        before: Option<TokenFingerprint>,
        (why, left): (Why, Duration),
        retry_at: Timestamp,
        now: Timestamp,
        policy: &UserPolicy,
    ) -> Step {
        let news = before != self.which();
        // Whoever reported a 401 meanwhile waits, though the claim was made for nobody.
        let waits = why.waits() || self.usable(now).is_none_or(|s| s.reported);
        match self.signed() {
            Some(_) if !news && waits && !left.is_zero() => {
                self.go(Activity::Polling { why, left, retry_at }, Effect::Poll)
            }
            Some(_) if !news => {
                if waits {
                    self.failure = Some(TokenError::Busy { retry_at });
                }
                self.look_later(retry_at.since(now), now);
                self.dismiss_report();
                self.settle(now, policy)
            }
            _ => {
                self.failure = None;
                self.settle(now, policy)
            }
        }
    }

    pub(super) fn polled(
        mut self,
        result: Result<Option<Versioned>, Arc<StoreError>>,
        slept: Duration,
        (why, left, retry_at): (Why, Duration, Timestamp),
        now: Timestamp,
        policy: &UserPolicy,
    ) -> Step {
        // At least something, or a clock that stands still would poll for ever.
        let left = left.saturating_sub(slept.max(Duration::from_millis(50)));
        let before = (self.which(), self.version);
        if let Ok(there) = result {
            self.meet(there, now, policy);
        }
        if before.0 == self.which() && before.1 != self.version && !left.is_zero() {
            // It has come to an end there, without a token.
            return self.claim_waiting(why, left, now, policy);
        }
        self.elsewhere(before.0, (why, left), retry_at, now, policy)
    }

    /// A lease that a worker has brought, perhaps during a flight. Its record was read some time ago: if this process has
    /// read or written the session since, that says more, and an end or a logout must not be undone by what was there before.
    pub(super) fn work_under(
        mut self,
        tenure: Tenure,
        record: Versioned,
        why: Why,
        now: Timestamp,
        policy: &UserPolicy,
    ) -> Step {
        if self.version.is_none_or(|known| record.version >= known) {
            return self.under_lease(tenure, Some(record), why, now, policy);
        }
        self.tenure = Some(tenure);
        self.decide(why, false, now, policy)
    }

    /// The lease is ours, and this is the record under it.
    pub(super) fn under_lease(
        mut self,
        tenure: Tenure,
        record: Option<Versioned>,
        why: Why,
        now: Timestamp,
        policy: &UserPolicy,
    ) -> Step {
        self.tenure = Some(tenure);
        let before = self.which();
        self.meet(record, now, policy);
        if let Some(session) = self.signed_mut() {
            // Whoever had the lease before has ended, and the store answers.
            session.look = None;
        }
        let adopted = before.is_some() && before != self.which();
        self.decide(why, adopted, now, policy)
    }

    /// What is to be done about the token, now that nobody else does anything.
    pub(super) fn decide(mut self, why: Why, adopted: bool, now: Timestamp, policy: &UserPolicy) -> Step {
        let Some(session) = self.signed_mut() else {
            self.failure = None;
            return self.settle(now, policy);
        };
        if !session.issued.usable(now) {
            if session.tried {
                return self.lapse(End::Expired, now, policy);
            }
            // The one last attempt: if the clock is wrong, Transak still renews; and its answer corrects the clock.
            return self.refresh(now, policy);
        }
        if session.reported {
            return self.answer_report(now, policy);
        }
        let renews = session.renews(why, adopted, now, policy);
        let idle = why == Why::Kept && session.idle(now, policy);
        if renews && why != Why::Asked && (idle || session.aged(now, policy)) {
            session.health = Health::Dormant;
            self.mark(Change::Standing);
            self.note(Note::Dormant);
        } else if renews {
            return self.refresh(now, policy);
        }
        self.failure = None;
        self.settle(now, policy)
    }

    /// Nothing more can be done about a 401 now.
    pub(super) fn dismiss_report(&mut self) {
        if let Some(session) = self.signed_mut() {
            session.reported = false;
        }
    }
}
