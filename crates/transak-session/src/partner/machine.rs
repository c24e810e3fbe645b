//! What happens to the partner token, as a pure function.

mod deciding;
mod minting;
mod retired;
mod saving;
mod view;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::TokenError;
use crate::events::SessionEvent;
use crate::issuer::IssuerError;
use crate::machine::Pause;
use crate::policy::PartnerPolicy;
use crate::store::{Lease, Record, StoreError, Version, Versioned};
use crate::token::{Issued, TokenFingerprint};

use retired::Retired;
pub use view::PartnerLabel;

/// How often a token is offered to a store in which somebody else writes at the same time.
const SAVE_TRIES: u8 = 3;
/// A server that asks for more patience than this is asked again earlier: the token may be needed.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3_600);
/// The store is not asked more often than this for forged webhooks and for reports that have their answer already.
const LOOK_PAUSE: Duration = Duration::from_secs(2);
/// How long a process with a usable token watches another one mint.
const POLL_PATIENCE: Duration = Duration::from_secs(2);
/// How often a flight looks at the store while another process mints, and how often it then asks for the lease itself.
const POLLS: u32 = 200;
const ROUNDS: u8 = 3;
/// From so many tokens in a row that were rejected soon after their mint, somebody else is taken to mint as well.
const CONTESTED: u32 = 3;

#[derive(Debug)]
pub(crate) enum Event {
    /// Somebody wants a token.
    Wanted,
    /// Somebody wants to know of tokens that other processes have minted. None is minted for that.
    Look,
    /// What the store could not take may be offered again.
    Retry,
    /// Another process has written this version of the record, it is said.
    Hinted(Version),
    /// Transak answered 401 to this token.
    Rejected(TokenFingerprint),
    Read(Result<Option<Versioned>, Arc<StoreError>>),
    Claimed(Result<Claimed, Arc<StoreError>>),
    Minted(Result<Issued, MintFailure>),
    Saved(Result<Saved, Arc<StoreError>>),
    Released,
    Lost(TokenError),
}

/// A lease in our hands.
#[derive(Clone, Debug)]
pub(crate) struct Hold {
    pub(crate) lease: Lease,
    /// What our own clock read before we asked for it.
    pub(crate) asked: Duration,
}

#[derive(Debug)]
pub(crate) enum Claimed {
    Granted {
        hold: Hold,
        record: Option<Versioned>,
        /// How long ago a former holder that never came back may have called Transak, at the latest.
        attempted: Option<Duration>,
    },
    Busy {
        retry_in: Duration,
        record: Option<Versioned>,
    },
}

#[derive(Debug)]
pub(crate) enum MintFailure {
    /// Too little was left of the lease, so Transak was not called.
    NoLease,
    Issuer(Arc<IssuerError>),
}

#[derive(Clone, Debug)]
pub(crate) enum Saved {
    As(Version),
    /// Somebody else has written.
    Conflict(Option<Versioned>),
}

#[derive(Clone, Debug)]
pub(crate) enum Effect {
    Read,
    /// Reads after a short pause; `count` says which one of a row this is.
    Poll {
        count: u32,
    },
    Claim,
    Mint {
        hold: Option<Hold>,
    },
    Save {
        record: Record,
        expected: Option<Version>,
        finishing: Option<Lease>,
    },
    Release {
        lease: Lease,
    },
}

/// Waiting for another process that mints.
#[derive(Clone, Copy, Debug)]
struct Wait {
    from: Timestamp,
    /// When its lease ends.
    until: Timestamp,
    polls: u32,
    round: u8,
}

#[derive(Clone, Debug, Default)]
enum Activity {
    #[default]
    Idle,
    Reading {
        /// Only to learn what there is.
        look: bool,
    },
    Claiming {
        round: u8,
    },
    Polling(Wait),
    Minting {
        hold: Option<Hold>,
        /// When the mint before this one was, for the case that this one did not get through.
        former: Option<Pause>,
    },
    Saving {
        tries: u8,
        hold: Option<Hold>,
        /// Not a new token, but that a mint has failed.
        note: bool,
    },
    Releasing,
}

/// On what ground a decision is made.
enum Ground {
    /// After a look at the store.
    Open,
    /// Another process mints.
    Busy(Wait),
    /// The lease is ours. `owed`: the next one would not learn from it what this one has told us.
    Held { hold: Hold, owed: bool },
    /// The store is out of order, and there is no usable token any more.
    Blind,
}

#[derive(Clone, Debug)]
struct Held {
    issued: Issued,
    /// Transak has answered 401 to it.
    doubted: bool,
    /// That is among the strikes.
    counted: bool,
    /// A report of it has not been answered yet. One report leads to one mint at most.
    asked: bool,
}

/// The machine's state.
#[derive(Clone, Debug, Default)]
pub(crate) struct PartnerState {
    held: Option<Held>,
    retired: Retired,
    activity: Activity,
    version: Option<Version>,
    /// Which token the store had when it was last asked.
    stored: Option<TokenFingerprint>,
    /// The last attempt that the store has told of.
    told: Option<Timestamp>,
    /// The store does not have all of this yet; to be tried again after this.
    unsaved: Option<Pause>,
    /// How often it could not be stored; an event has told of the first time.
    save_failures: u8,
    /// From the last mint that may have reached Transak until the next one is allowed, on the shortest interval.
    minted: Option<Pause>,
    /// How many tokens in a row were rejected soon after their mint.
    strikes: u32,
    /// Asked for by Transak, or owed to it after a refusal.
    closed: Option<Pause>,
    /// After a failed renewal of a token that is still usable.
    resting: Option<Pause>,
    /// Since the store was last asked.
    looked: Option<Pause>,
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

    fn asked(&self) -> bool {
        self.held.as_ref().is_some_and(|h| h.asked)
    }

    fn current(&self) -> Option<TokenFingerprint> {
        self.held.as_ref().map(|h| h.issued.fingerprint())
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

    fn read(mut self, look: bool, now: Timestamp) -> Step {
        self.looked = Some(Pause::lasting(LOOK_PAUSE, now));
        self.go(Activity::Reading { look }, Effect::Read)
    }

    /// Nothing is left to do, except for a report that has come meanwhile.
    fn rest(mut self, now: Timestamp) -> Step {
        self.activity = Activity::Idle;
        if self.asked() {
            return self.read(false, now);
        }
        (self, None)
    }

    /// Stores what is not stored yet, and is at rest.
    fn finish(self, now: Timestamp) -> Step {
        if self.unsaved.is_some_and(|p| p.is_over(now)) {
            return self.save(1, None, false, now);
        }
        self.rest(now)
    }

    /// Ends a decision that led to no mint.
    fn leave(mut self, ground: Ground, now: Timestamp) -> Step {
        self.answer();
        match ground {
            Ground::Held { hold, owed: true } => self.save(1, Some(hold), true, now),
            Ground::Held { hold, .. } if self.unsaved.is_some() => self.save(1, Some(hold), false, now),
            Ground::Held { hold, .. } => self.release(hold),
            Ground::Open | Ground::Busy(_) | Ground::Blind => self.finish(now),
        }
    }

    fn release(self, hold: Hold) -> Step {
        self.go(Activity::Releasing, Effect::Release { lease: hold.lease })
    }

    /// The reports that have come so far get what is known now.
    fn answer(&mut self) {
        if let Some(held) = self.held.as_mut() {
            held.asked = false;
        }
    }

    /// Whether the store was asked only moments ago and no mint is allowed before some time to come: who asks again gets the
    /// same answer.
    fn answered(&self, now: Timestamp) -> bool {
        let held_back = match self.failure {
            Some(TokenError::Refused { retry_at, .. } | TokenError::MintHeld { retry_at, .. }) => now < retry_at,
            _ => false,
        };
        held_back && self.looked.is_some_and(|p| !p.is_over(now))
    }

    fn wanted(mut self, now: Timestamp) -> Step {
        match &mut self.activity {
            Activity::Idle => {}
            Activity::Reading { look } => {
                *look = false;
                return (self, None);
            }
            _ => return (self, None),
        }
        if !self.usable(now) && self.answered(now) {
            return (self, None);
        }
        let rests = self.resting.is_some_and(|p| !p.is_over(now));
        let due = self.held.as_ref().is_some_and(|h| now >= h.issued.due_at);
        if !self.usable(now) || (due && !rests) {
            return self.read(false, now);
        }
        match self.unsaved {
            Some(pause) if pause.is_over(now) => self.save(1, None, false, now),
            _ => (self, None),
        }
    }

    fn look(self, now: Timestamp) -> Step {
        let recently = self.looked.is_some_and(|p| !p.is_over(now));
        match self.activity {
            Activity::Idle if !recently => self.read(true, now),
            _ => (self, None),
        }
    }

    /// Each version is looked at once, so a hint needs no pause before it.
    fn hinted(self, version: Version, now: Timestamp) -> Step {
        let news = self.version.is_none_or(|known| known < version);
        match self.activity {
            Activity::Idle if news && self.held.is_some() => self.read(true, now),
            _ => (self, None),
        }
    }

    fn rejected(mut self, which: TokenFingerprint, now: Timestamp) -> Step {
        let answered = self.answered(now);
        let Some(held) = self.held.as_mut().filter(|h| h.issued.fingerprint() == which) else {
            // A request that was under way with a former token. There is a newer one already.
            return (self, None);
        };
        if held.doubted && answered && matches!(self.activity, Activity::Idle) {
            return (self, None);
        }
        held.doubted = true;
        held.asked = true;
        match &mut self.activity {
            Activity::Idle => self.read(false, now),
            Activity::Reading { look } => {
                *look = false;
                (self, None)
            }
            _ => (self, None),
        }
    }

    fn have_read(
        mut self,
        result: Result<Option<Versioned>, Arc<StoreError>>,
        look: bool,
        now: Timestamp,
        policy: &PartnerPolicy,
    ) -> Step {
        match result {
            Ok(there) => self.meet(there, false, now, policy),
            Err(error) if look => {
                self.failure = Some(TokenError::Store(error));
                return self.rest(now);
            }
            Err(error) => return self.without_store(error, now, policy),
        }
        if look {
            if matches!(self.failure, Some(TokenError::Store(_))) {
                self.failure = None;
            }
            return self.finish(now);
        }
        self.decide(Ground::Open, now, policy)
    }

    /// A mint that nobody else gets to know of costs them their token: not as long as there is one to serve, and not by a
    /// process that has just started and knows nothing, perhaps one of many that a store's outage restarts.
    fn without_store(mut self, error: Arc<StoreError>, now: Timestamp, policy: &PartnerPolicy) -> Step {
        if self.held.is_none() || self.usable(now) {
            self.failed(TokenError::Store(error), now, policy);
            self.answer();
            return self.rest(now);
        }
        self.decide(Ground::Blind, now, policy)
    }
}
