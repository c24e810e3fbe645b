//! Asking Transak, and what follows from its answers.

use std::sync::Arc;

use super::held::{End, Health};
use super::{Activity, Change, Effect, Note, Standing, Step, UserState};
use crate::clock::Timestamp;
use crate::error::{RefusedHint, TokenError};
use crate::identity::UserIp;
use crate::issuer::{IssuerError, IssuerErrorKind};
use crate::machine::Pause;
use crate::policy::UserPolicy;
use crate::store::{FailureClass, StoreError, Versioned};
use crate::token::{Issued, TokenFingerprint};

impl UserState {
    /// Renews, once for this lease.
    pub(super) fn refresh(mut self, now: Timestamp, policy: &UserPolicy) -> Step {
        let tenure = self.tenure.clone();
        let Some(session) = self.signed_mut() else {
            return self.settle(now, policy);
        };
        session.spacing = Some(Pause::lasting(policy.min_interval, now));
        let (issued, ip) = (session.issued.clone(), session.ip);
        let which = issued.fingerprint();
        self.failure = None;
        self.go(
            Activity::Refreshing { which, ip },
            Effect::Refresh { issued, ip, tenure },
        )
    }

    fn probe(mut self, now: Timestamp, policy: &UserPolicy) -> Step {
        let Some(session) = self.signed_mut() else {
            return self.settle(now, policy);
        };
        let (issued, ip) = (session.issued.clone(), session.ip);
        let which = issued.fingerprint();
        self.go(Activity::Probing { which }, Effect::Probe { issued, ip })
    }

    /// A caller has met a 401 with the token in use, and the store has no newer one.
    pub(super) fn answer_report(mut self, now: Timestamp, policy: &UserPolicy) -> Step {
        self.dismiss_report();
        let Some(session) = self.signed() else {
            return self.settle(now, policy);
        };
        match session.spaced(now) {
            None => self.refresh(now, policy),
            // Its renewal was refused a moment ago: with the 401 that makes two.
            Some(_) if session.suspicion().is_some_and(|s| s.refused) => self.probe(now, policy),
            Some(pause) => {
                let (hint, retry_at) = (RefusedHint::AllowListOrActivation, pause.until());
                // After a failed renewal its failure tells more than this one could.
                if self.failure.is_none() {
                    self.failure = Some(TokenError::Refused { retry_at, hint });
                    self.note(Note::Refused { hint, retry_at });
                }
                self.settle(now, policy)
            }
        }
    }

    pub(super) fn refreshed(
        mut self,
        result: Result<Issued, Arc<IssuerError>>,
        (which, ip): (TokenFingerprint, UserIp),
        now: Timestamp,
        policy: &UserPolicy,
    ) -> Step {
        match result {
            Ok(new) => {
                self.received(new, (which, ip), now, policy);
                self.settle(now, policy)
            }
            // It was another token's renewal: a person has logged in, or out, meanwhile.
            Err(_) if self.which() != Some(which) => self.settle(now, policy),
            Err(error) if error.kind() == IssuerErrorKind::Rejected => {
                self.failure = Some(TokenError::Issuer(error));
                let last = self.usable(now).is_none();
                self.go(Activity::Rereading { which, last }, Effect::Read)
            }
            Err(error) => {
                self.set_back(&error, now, policy);
                self.failure = Some(TokenError::Issuer(error));
                self.end_if_over(now, policy)
            }
        }
    }

    /// A token is here. Whatever happened meanwhile, it is not dropped for an older one.
    fn received(&mut self, new: Issued, (which, ip): (TokenFingerprint, UserIp), now: Timestamp, policy: &UserPolicy) {
        if new.fingerprint() != which {
            self.note(Note::Renewed {
                former: which,
                token: new.fingerprint(),
                expires_at: new.expires_at,
            });
        }
        match &mut self.standing {
            Standing::LoggedOut { until, revoke, .. } => {
                *until = new.expires_at.max(*until);
                revoke.push((new, ip));
            }
            Standing::Signed(s) if s.issued.fingerprint() == new.fingerprint() => {
                // Nothing gained; asking again at once would gain nothing either. But the token is good.
                s.health = Health::Good;
                s.reported = false;
                self.pause_after_nothing(now, policy);
            }
            // What was made from the token at hand is newer, whatever the two say of their age. A person who logged in
            // meanwhile has a token of their own: then the later one counts.
            Standing::Signed(s) if s.issued.fingerprint() == which || new.order() > s.issued.order() => {
                let new = new.following(&s.issued);
                let renewed = s.renewed(new);
                self.sign(renewed);
                self.mark(Change::Renewed(which));
            }
            Standing::Signed(_) | Standing::Unknown | Standing::Absent | Standing::Lapsed { .. } => {}
        }
    }

    /// Too little of the lease was left: somebody else may have it by now.
    pub(super) fn too_late(mut self, now: Timestamp, policy: &UserPolicy) -> Step {
        if let Some(session) = self.signed_mut() {
            // Nothing was sent.
            session.spacing = None;
        }
        let pause = policy.backoff.pause(1, 0);
        self.failure = Some(TokenError::Busy { retry_at: now + pause });
        self.look_later(pause, now);
        self.dismiss_report();
        self.settle(now, policy)
    }

    /// Transak refused the renewal. That alone does not end a session whose token may still be good: it could be too early,
    /// or from the wrong address.
    pub(super) fn reread(
        mut self,
        result: Result<Option<Versioned>, Arc<StoreError>>,
        (which, last): (TokenFingerprint, bool),
        now: Timestamp,
        policy: &UserPolicy,
    ) -> Step {
        match result {
            Ok(there) => self.meet(there, now, policy),
            // The record was read under this lease, and nobody else can have renewed since: that was the last attempt.
            Err(_) if self.tenure.is_some() && self.which() == Some(which) && self.usable(now).is_none() => {
                return self.end_if_over(now, policy);
            }
            Err(error) => {
                // Whether another process has renewed is not known, so nothing is decided.
                self.failure = Some(TokenError::Store(error));
                self.look_later(policy.backoff.pause(1, which.draw(0)), now);
                self.dismiss_report();
                if let Some(session) = self.signed_mut().filter(|s| s.issued.fingerprint() == which) {
                    session.tried = last && !session.issued.usable(now);
                }
                return self.settle(now, policy);
            }
        }
        let Some(session) = self.signed_mut().filter(|s| s.issued.fingerprint() == which) else {
            self.failure = None;
            return self.settle(now, policy);
        };
        if !session.issued.usable(now) {
            return self.end_if_over(now, policy);
        }
        let before = session.suspicion();
        // A 401 to the token itself is the other word; or a refusal long enough before this one.
        let twice = before.is_some_and(|s| s.unauthorized || now.since(s.since) >= policy.refused_pause);
        session.suspect(now, |s| s.refused = true);
        self.set_back_refused(now, policy);
        if twice {
            return self.probe(now, policy);
        }
        if before.is_none() {
            self.note(Note::Suspect { token: which });
        }
        self.settle(now, policy)
    }

    /// Two refusals, and now Transak has been asked about the token itself.
    pub(super) fn probed(
        mut self,
        result: Result<(), Arc<IssuerError>>,
        guarded: bool,
        which: TokenFingerprint,
        now: Timestamp,
        policy: &UserPolicy,
    ) -> Step {
        if self.which() != Some(which) {
            return self.settle(now, policy);
        }
        match result {
            Err(error) if error.kind() == IssuerErrorKind::Rejected && !guarded => {
                let end = match self.usable(now) {
                    Some(_) => End::Rejected,
                    None => End::Expired,
                };
                return self.lapse(end, now, policy);
            }
            // Nothing is decided. The pause after the refusal stands.
            Err(error) => {
                self.failure.get_or_insert(TokenError::Issuer(error));
            }
            // The token is good, only not to be renewed now. What was said against it counts no more; the pause stands.
            Ok(()) => {
                if let Some(session) = self.signed_mut() {
                    session.health = session.setback().map_or(Health::Good, Health::Failing);
                }
                self.mark(Change::Standing);
            }
        }
        self.dismiss_report();
        // If its time is over meanwhile, that was no last attempt yet: whoever asks next makes it.
        self.settle(now, policy)
    }

    /// After a failed renewal: if the token's time is over, that was the last one.
    fn end_if_over(self, now: Timestamp, policy: &UserPolicy) -> Step {
        match self.signed() {
            Some(session) if !session.issued.usable(now) => self.lapse(End::Expired, now, policy),
            _ => self.settle(now, policy),
        }
    }

    pub(super) fn lapse(mut self, end: End, now: Timestamp, policy: &UserPolicy) -> Step {
        if let Standing::Signed(former) = std::mem::take(&mut self.standing) {
            self.note(Note::OtpRequired { cause: end.into() });
            self.standing = Standing::Lapsed { former, end };
            self.mark(Change::Standing);
        }
        self.failure = None;
        self.settle(now, policy)
    }

    fn pause_after_nothing(&mut self, now: Timestamp, policy: &UserPolicy) {
        if let Some(session) = self.signed_mut() {
            session.health = Health::Failing(super::held::Setback {
                failures: 1,
                class: FailureClass::Invalid,
                pause: Pause::lasting(policy.refused_pause, now),
            });
        }
        self.mark(Change::Standing);
    }
}
