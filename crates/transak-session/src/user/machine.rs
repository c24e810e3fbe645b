//! What happens to a user's session, as a pure function.
//!
//! There is no effect that mails a one-time password: only a person's call does that, in `otp.rs`.

mod claims;
mod held;
mod meet;
mod note;
mod pacing;
mod people;
mod renewal;
mod saving;
mod view;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::TokenError;
use crate::identity::UserIp;
use crate::issuer::IssuerError;
use crate::machine::Pause;
use crate::store::{Lease, Record, StoreError, Version, Versioned};
use crate::token::{Issued, TokenFingerprint};

use held::{End, Session};

pub(crate) use note::Note;
pub use view::SessionLabel;

const SAVE_TRIES: u8 = 3;
/// After a flight that was lost.
const LOST_PAUSE: Duration = Duration::from_secs(30);

/// A lease, and what is needed to tell how much of it is left: that is measured here, from before it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tenure {
    pub(crate) lease: Lease,
    /// What `Clock::elapsed` read before the claim.
    pub(crate) since: Duration,
    pub(crate) span: Duration,
}

#[derive(Debug)]
pub(crate) enum Event {
    /// Somebody wants a token, perhaps one that lives this much longer.
    Wanted {
        min_remaining: Duration,
    },
    /// Somebody wants a newer token, whether one is due or not.
    RefreshNow,
    /// Transak answered 401 to this token.
    Rejected(TokenFingerprint),
    /// A person has logged in.
    LoggedIn(Issued, UserIp),
    /// A person wants to be forgotten.
    LogOut,
    /// A keep-alive worker has claimed this record, because it is due.
    ///
    /// The lease is finished or released whatever comes of it; only if the flight is lost, or if none may begin, it lapses.
    Kept {
        tenure: Tenure,
        record: Versioned,
    },
    /// What the store could not take may be offered again.
    Retry,
    /// Another process has written this version of the record, it is said.
    Hinted(Version),
    Read(Result<Option<Versioned>, Arc<StoreError>>),
    Claimed(Result<Claimed, Arc<StoreError>>),
    /// The record was read again after a pause of this length.
    Polled {
        result: Result<Option<Versioned>, Arc<StoreError>>,
        slept: Duration,
    },
    Refreshed(Result<Issued, Arc<IssuerError>>),
    /// Too little of the lease was left for a renewal, so none was sent.
    TooLate,
    /// Whether Transak still accepts the token; `guarded` if a refusal says nothing at the moment.
    Probed {
        result: Result<(), Arc<IssuerError>>,
        guarded: bool,
    },
    Saved(Result<Saved, Arc<StoreError>>),
    Released,
    Revoked(Result<(), Arc<IssuerError>>),
    Lost(TokenError),
}

#[derive(Clone, Debug)]
pub(crate) enum Claimed {
    Ours {
        tenure: Tenure,
        record: Option<Versioned>,
    },
    Elsewhere {
        /// When it is worth another look.
        retry_in: Duration,
        record: Option<Versioned>,
    },
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
    /// Takes the lease and reads the record under it.
    Claim,
    /// Waits a little, then reads the record.
    Poll,
    Refresh {
        issued: Issued,
        ip: UserIp,
        /// `None` if the store is down and the renewal cannot wait for it.
        tenure: Option<Tenure>,
    },
    /// Asks Transak whether it still accepts the token.
    Probe {
        issued: Issued,
        ip: UserIp,
    },
    Save {
        record: Record,
        expected: Option<Version>,
        finishing: Option<Lease>,
    },
    Release(Lease),
    /// Tells Transak that a token is not needed any more.
    Revoke {
        issued: Issued,
        ip: UserIp,
    },
}

/// What a lease is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// The token is due. Nobody waits.
    Due,
    /// A keep-alive worker found it due. Nobody waits.
    Kept,
    /// Somebody wants a token that lives this much longer.
    Life(Duration),
    /// Somebody wants a newer token.
    Asked,
    /// Transak answered 401 to the token.
    Report,
    /// The token has expired: one last attempt, because the clock may be wrong.
    Expired,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Activity {
    #[default]
    Idle,
    /// Asking the store where the session stands.
    Reading {
        /// What somebody wants, beside to know; `None` if it is for a hint, and nobody waits.
        wish: Option<Why>,
    },
    Claiming {
        why: Why,
        /// For how long somebody else's renewal may still be waited for.
        left: Duration,
    },
    /// Somebody else has the lease, and a caller waits.
    Polling {
        why: Why,
        left: Duration,
        retry_at: Timestamp,
    },
    Refreshing {
        which: TokenFingerprint,
        ip: UserIp,
    },
    /// Transak refused the renewal: perhaps because another process has renewed already.
    Rereading {
        which: TokenFingerprint,
        /// The refusal came after the token's end.
        last: bool,
    },
    Probing {
        which: TokenFingerprint,
    },
    Saving {
        what: Change,
        trouble: Trouble,
        tries: u8,
    },
    Releasing,
    Revoking,
}

/// Where the session stands.
#[derive(Clone, Debug, Default)]
enum Standing {
    /// The store has not been asked yet.
    #[default]
    Unknown,
    Absent,
    /// There is a token. That its time is over is read off the clock each time, until a last attempt has failed as well.
    Signed(Box<Session>),
    Lapsed {
        former: Box<Session>,
        end: End,
    },
    LoggedOut {
        at: Timestamp,
        /// Until when other processes might hold the token, and so have to learn of this.
        until: Timestamp,
        /// Tokens that Transak has not been told of yet.
        revoke: Vec<(Issued, UserIp)>,
    },
}

/// What the store does not have yet.
#[derive(Clone, Copy, Debug)]
struct Unsaved {
    what: Change,
    /// To be tried again after this.
    after: Pause,
    trouble: Trouble,
}

/// What has become of earlier attempts to store something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Trouble {
    /// Whether it has been said that it could not be stored.
    told: bool,
    failures: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// That the session was used, or since when it has been one.
    Use,
    /// How it stands.
    Standing,
    /// A token that was made from this one.
    Renewed(TokenFingerprint),
    /// A token that a person has logged in for.
    Login,
}

/// The machine's state.
#[derive(Clone, Debug, Default)]
pub(crate) struct UserState {
    standing: Standing,
    activity: Activity,
    version: Option<Version>,
    unsaved: Option<Unsaved>,
    /// The lease under which the flight works. It ends with the flight.
    tenure: Option<Tenure>,
    /// A lease that a keep-alive worker brought while a flight was under way, which sees to it before it ends.
    parked: Option<(Tenure, Versioned)>,
    failure: Option<TokenError>,
    /// The latest issue time of a token that was met here: a login comes after it, whatever the clocks say.
    floor: Option<Timestamp>,
    notes: Vec<Note>,
}

type Step = (UserState, Option<Effect>);

impl UserState {
    fn go(mut self, activity: Activity, effect: Effect) -> Step {
        self.activity = activity;
        (self, Some(effect))
    }

    fn note(&mut self, note: Note) {
        self.notes.push(note);
    }

    fn signed(&self) -> Option<&Session> {
        match &self.standing {
            Standing::Signed(session) => Some(session),
            _ => None,
        }
    }

    fn signed_mut(&mut self) -> Option<&mut Session> {
        match &mut self.standing {
            Standing::Signed(session) => Some(session),
            _ => None,
        }
    }

    fn usable(&self, now: Timestamp) -> Option<&Session> {
        self.signed().filter(|s| s.issued.usable(now))
    }

    /// Which token is in use.
    fn which(&self) -> Option<TokenFingerprint> {
        self.signed().map(|s| s.issued.fingerprint())
    }

    /// Notes a token that was met.
    fn met(&mut self, issued: &Issued) {
        self.floor = self.floor.max(Some(issued.issued_at));
    }

    /// Notes that the store does not have this yet.
    fn mark(&mut self, what: Change) {
        let rank = |change: Change| match change {
            Change::Use => 0,
            Change::Standing => 1,
            Change::Renewed(_) | Change::Login => 2,
        };
        let before = self.unsaved.filter(|u| rank(u.what) > rank(what));
        self.unsaved = Some(Unsaved {
            what: before.map_or(what, |u| u.what),
            after: Pause::OVER,
            trouble: before.map(|u| u.trouble).unwrap_or_default(),
        });
    }
}
