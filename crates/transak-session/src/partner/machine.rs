//! What happens to the partner token, as a pure function.

mod view;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{RefusedHint, TokenError};
use crate::events::SessionEvent;
use crate::issuer::{IssuerError, IssuerErrorKind};
use crate::machine::Pause;
use crate::policy::PartnerPolicy;
use crate::store::{StoreError, Version};
use crate::token::{Issued, TokenFingerprint};

pub use view::PartnerLabel;

/// How often a token is offered to a store in which somebody else writes at the same time.
const SAVE_TRIES: u8 = 3;
const SAVE_PAUSE: Duration = Duration::from_secs(30);
/// A server that asks for more patience than this is asked again earlier: the token may be needed.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3_600);

/// A token and the version under which it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) version: Version,
    pub(crate) issued: Issued,
}

#[derive(Debug)]
pub(crate) enum Event {
    /// Somebody wants a token.
    Wanted,
    /// Transak answered 401 to this token.
    Rejected(TokenFingerprint),
    Read(Result<Option<Stored>, Arc<StoreError>>),
    Minted(Result<Issued, Arc<IssuerError>>),
    Saved(Result<Saved, Arc<StoreError>>),
    Lost(TokenError),
}

#[derive(Clone, Debug)]
pub(crate) enum Saved {
    As(Version),
    /// Somebody else has written.
    Conflict(Option<Stored>),
}

#[derive(Clone, Debug)]
pub(crate) enum Effect {
    Read,
    Mint,
    Save { issued: Issued, expected: Option<Version> },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Activity {
    #[default]
    Idle,
    Reading,
    Minting {
        /// When the mint before this one was, for the case that this one did not get through.
        former: Option<Pause>,
    },
    Saving {
        tries: u8,
    },
}

#[derive(Clone, Debug)]
struct Held {
    issued: Issued,
    /// Transak has answered 401 to it.
    doubted: bool,
    /// A report of that has not been answered yet. One report leads to one mint at most.
    asked: bool,
    /// Not stored yet; to be tried again after this.
    unsaved: Option<Pause>,
}

/// The machine's state.
#[derive(Clone, Debug, Default)]
pub(crate) struct PartnerState {
    held: Option<Held>,
    version: Option<Version>,
    activity: Activity,
    /// From the last mint that may have reached Transak until the next one is allowed, on the shortest interval.
    minted: Option<Pause>,
    /// How many tokens in a row were rejected soon after their mint.
    strikes: u32,
    /// Asked for by Transak, or owed to it after a refusal.
    closed: Option<Pause>,
    /// After a failed renewal of a token that is still usable.
    resting: Option<Pause>,
    failures: u32,
    failure: Option<TokenError>,
    notes: Vec<SessionEvent>,
}

type Step = (PartnerState, Option<Effect>);

impl PartnerState {
    fn usable(&self, now: Timestamp) -> bool {
        self.held.as_ref().is_some_and(|h| h.issued.usable(now))
    }

    fn doubted(&self) -> bool {
        self.held.as_ref().is_some_and(|h| h.doubted)
    }

    fn rests(&self, now: Timestamp) -> bool {
        self.resting.is_some_and(|p| !p.is_over(now))
    }

    /// From when on a mint is allowed.
    fn opens_at(&self, policy: &PartnerPolicy) -> Timestamp {
        let strikes = self.strikes.saturating_sub(1);
        let extra = policy.interval(strikes).saturating_sub(policy.interval(0));
        let minted = self.minted.map_or(Timestamp::MIN, |p| p.until() + extra);
        minted.max(self.closed.map_or(Timestamp::MIN, |p| p.until()))
    }

    fn go(mut self, activity: Activity, effect: Effect) -> Step {
        self.activity = activity;
        (self, Some(effect))
    }

    fn rest(mut self) -> Step {
        self.activity = Activity::Idle;
        if let Some(held) = self.held.as_mut() {
            held.asked = false;
        }
        (self, None)
    }

    fn wanted(self, now: Timestamp) -> Step {
        if self.activity != Activity::Idle {
            return (self, None);
        }
        let Some(held) = &self.held else {
            return self.go(Activity::Reading, Effect::Read);
        };
        let usable = held.issued.usable(now);
        let due = now >= held.issued.due_at;
        if !usable || (due && !self.rests(now)) {
            return self.go(Activity::Reading, Effect::Read);
        }
        if held.unsaved.is_some_and(|p| p.is_over(now)) {
            return self.save(1);
        }
        (self, None)
    }

    fn rejected(mut self, which: TokenFingerprint, now: Timestamp, policy: &PartnerPolicy) -> Step {
        let Some(held) = self.held.as_mut() else {
            return (self, None);
        };
        if held.issued.fingerprint() != which {
            // A request that was under way with a former token. There is a newer one already.
            return (self, None);
        }
        held.asked = true;
        if !held.doubted {
            held.doubted = true;
            let young = now.since(held.issued.issued_at) < policy.contested_age;
            self.strikes = if young { self.strikes.saturating_add(1) } else { 0 };
        }
        match self.activity {
            Activity::Idle => self.go(Activity::Reading, Effect::Read),
            _ => (self, None),
        }
    }

    fn read(mut self, result: Result<Option<Stored>, Arc<StoreError>>, now: Timestamp, policy: &PartnerPolicy) -> Step {
        match result {
            Ok(stored) => {
                self.version = stored.as_ref().map(|s| s.version);
                if let Some(stored) = stored {
                    self.adopt(stored.issued, now, policy);
                }
            }
            // A mint that nobody else gets to know of costs them their token: not as long as there is one to serve, and
            // not by a process that has just started and knows nothing, perhaps one of many that a store's outage restarts.
            Err(error) if self.held.is_none() || self.usable(now) => {
                return self.failed(TokenError::Store(error), now, policy);
            }
            Err(_) => {}
        }
        self.mint_if_needed(now, policy)
    }

    /// Takes a stored token over if it is another one than ours and not an older one.
    fn adopt(&mut self, stored: Issued, now: Timestamp, policy: &PartnerPolicy) {
        let known = self.held.as_ref().map(|h| &h.issued);
        let newer = known.is_none_or(|k| k.fingerprint() != stored.fingerprint() && stored.at_least_as_new_as(k));
        if !newer {
            return;
        }
        // Somebody minted: the distance between mints counts from there, however long ago it was, because more may be added
        // to it. (Their clock may be ahead of ours.)
        let at = stored.issued_at.min(now);
        let minted = Pause::spanning(at, at + policy.interval(0));
        if self.minted.is_none_or(|p| p.until() < minted.until()) {
            self.minted = Some(minted);
        }
        self.accept(stored, None);
    }

    fn accept(&mut self, issued: Issued, unsaved: Option<Pause>) {
        self.held = Some(Held {
            issued,
            doubted: false,
            asked: false,
            unsaved,
        });
        self.failures = 0;
        self.resting = None;
        self.failure = None;
    }

    fn mint_if_needed(mut self, now: Timestamp, policy: &PartnerPolicy) -> Step {
        let due = self.held.as_ref().is_none_or(|h| now >= h.issued.due_at);
        let doubted = self.doubted();
        if !due && !doubted {
            self.failure = None;
            return self.rest();
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
            self.failure = Some(if doubted && cause.is_none() && self.usable(now) {
                TokenError::Refused {
                    retry_at: opens,
                    hint: match self.strikes {
                        0..3 => RefusedHint::AllowListOrActivation,
                        _ => RefusedHint::AnotherMinter,
                    },
                }
            } else {
                TokenError::MintHeld { retry_at: opens, cause }
            });
            self.resting = Some(Pause::lasting(opens.since(now), now));
            return self.rest();
        }
        let former = self.minted.replace(Pause::lasting(policy.interval(0), now));
        self.go(Activity::Minting { former }, Effect::Mint)
    }

    fn minted(mut self, result: Result<Issued, Arc<IssuerError>>, now: Timestamp, policy: &PartnerPolicy) -> Step {
        match result {
            Ok(issued) => {
                self.notes.push(SessionEvent::Minted {
                    token: issued.fingerprint(),
                    expires_at: issued.expires_at,
                });
                // The last mint is the one that lives, whatever the two tokens say about their age.
                self.accept(issued, Some(Pause::OVER));
                self.closed = None;
                self.save(1)
            }
            Err(error) => {
                let interval = policy.interval(0);
                match error.kind() {
                    IssuerErrorKind::Transient => {
                        if let Activity::Minting { former } = self.activity {
                            self.minted = former;
                        }
                    }
                    IssuerErrorKind::RateLimited { retry_after } => {
                        let asked = retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER);
                        self.closed = Some(Pause::lasting(asked.max(interval), now));
                    }
                    _ => self.closed = Some(Pause::lasting(interval, now)),
                }
                self.failed(TokenError::Issuer(error), now, policy)
            }
        }
    }

    /// Keeps what there is. A usable token is left in peace for a while; without one, the next caller tries again.
    fn failed(mut self, failure: TokenError, now: Timestamp, policy: &PartnerPolicy) -> Step {
        self.failure = Some(failure);
        self.failures = self.failures.saturating_add(1);
        if let Some(held) = self.held.as_ref().filter(|h| h.issued.usable(now)) {
            let draw = held.issued.fingerprint().draw(self.failures);
            let pause = policy.backoff.pause(self.failures, draw);
            self.resting = Some(Pause::lasting(pause, now));
        }
        self.rest()
    }

    fn save(self, tries: u8) -> Step {
        let Some(held) = &self.held else {
            return self.rest();
        };
        let issued = held.issued.clone();
        let expected = self.version;
        self.go(Activity::Saving { tries }, Effect::Save { issued, expected })
    }

    fn saved(mut self, result: Result<Saved, Arc<StoreError>>, now: Timestamp, policy: &PartnerPolicy) -> Step {
        let tries = match self.activity {
            Activity::Saving { tries } => tries,
            _ => SAVE_TRIES,
        };
        let unsaved = match result {
            Ok(Saved::As(version)) => {
                self.version = Some(version);
                None
            }
            Ok(Saved::Conflict(stored)) => {
                self.version = stored.as_ref().map(|s| s.version);
                match stored {
                    // Of two tokens of one second, who writes last has most likely minted last. The other process serves
                    // its dead one until a 401, which leads it to the store.
                    Some(stored)
                        if self.held.as_ref().is_none_or(|h| {
                            stored.issued.fingerprint() == h.issued.fingerprint()
                                || !h.issued.at_least_as_new_as(&stored.issued)
                        }) =>
                    {
                        self.adopt(stored.issued, now, policy);
                        None
                    }
                    _ if tries < SAVE_TRIES => return self.save(tries + 1),
                    _ => Some(Pause::lasting(SAVE_PAUSE, now)),
                }
            }
            Err(_) => Some(Pause::lasting(SAVE_PAUSE, now)),
        };
        if let Some(held) = self.held.as_mut() {
            held.unsaved = unsaved;
        }
        // A 401 that came meanwhile wants an answer from this flight.
        if self.held.as_ref().is_some_and(|h| h.asked) {
            return self.go(Activity::Reading, Effect::Read);
        }
        self.rest()
    }

    fn lost(mut self, cause: TokenError, now: Timestamp, policy: &PartnerPolicy) -> Step {
        match self.activity {
            Activity::Idle => return (self, None),
            Activity::Saving { .. } => {
                if let Some(held) = self.held.as_mut() {
                    held.unsaved = Some(Pause::lasting(SAVE_PAUSE, now));
                }
            }
            // A mint that was under way may have happened: the distance to the next one stands.
            Activity::Reading | Activity::Minting { .. } => {}
        }
        self.failed(cause, now, policy)
    }
}
