//! Whether to mint.

use super::{Activity, CONTESTED, Effect, Ground, PartnerState, Step};
use crate::clock::Timestamp;
use crate::error::{RefusedHint, TokenError};
use crate::events::{SessionEvent, Subject};
use crate::machine::Pause;
use crate::policy::PartnerPolicy;

impl PartnerState {
    pub(super) fn decide(mut self, ground: Ground, now: Timestamp, policy: &PartnerPolicy) -> Step {
        self.count_strike(now, policy);
        let due = self.held.as_ref().is_none_or(|h| now >= h.issued.due_at);
        let doubted = self.doubted();
        if !due && !doubted {
            self.failure = None;
            return self.leave(ground, now);
        }
        let cause = match self.failure.clone() {
            Some(TokenError::Issuer(e)) => Some(e),
            Some(TokenError::MintHeld { cause, .. }) => cause,
            _ => None,
        };
        let mut opens = self.opens_at(policy);
        if let (Some(rest), Some(_)) = (self.resting.filter(|_| self.usable(now)), &cause) {
            // Or each report of a 401 would be another try of a mint that keeps failing.
            opens = opens.max(rest.until());
        }
        if now < opens {
            if doubted && cause.is_none() && self.usable(now) {
                self.refuse(opens);
            } else {
                self.failure = Some(TokenError::MintHeld { retry_at: opens, cause });
            }
            self.resting = Some(Pause::lasting(opens.since(now), now));
            return self.leave(ground, now);
        }
        match ground {
            Ground::Open => self.go(Activity::Claiming { round: 1 }, Effect::Claim),
            Ground::Busy(wait) => self.wait(wait, now),
            Ground::Held { hold, .. } => self.mint(Some(hold), now, policy),
            Ground::Blind => self.mint(None, now, policy),
        }
    }

    /// A rejection counts once for each token, and only if the store knows no newer one.
    fn count_strike(&mut self, now: Timestamp, policy: &PartnerPolicy) {
        let Some(held) = self.held.as_mut().filter(|h| h.doubted && !h.counted) else {
            return;
        };
        held.counted = true;
        if now.since(held.issued.issued_at) >= policy.contested_age {
            self.strikes = 0;
            return;
        }
        self.strikes = self.strikes.saturating_add(1);
        if self.strikes == CONTESTED {
            self.notes.push(SessionEvent::ContestedMinter);
        }
    }

    fn refuse(&mut self, retry_at: Timestamp) {
        let hint = match self.strikes {
            0..CONTESTED => RefusedHint::AllowListOrActivation,
            _ => RefusedHint::AnotherMinter,
        };
        let known =
            matches!(self.failure, Some(TokenError::Refused { retry_at: r, hint: h }) if r == retry_at && h == hint);
        if !known {
            self.notes.push(SessionEvent::Refused {
                subject: Subject::Partner,
                hint,
                retry_at,
            });
        }
        self.failure = Some(TokenError::Refused { retry_at, hint });
    }
}
