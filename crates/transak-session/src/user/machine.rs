//! What happens to a user's session, as a pure function.
//!
//! There is no effect that mails a one-time password: only a person's call does that, in `otp.rs`.

mod note;
mod people;
mod saving;
mod view;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{RefusedHint, TokenError};
use crate::identity::UserIp;
use crate::issuer::{IssuerError, IssuerErrorKind};
use crate::machine::Pause;
use crate::policy::UserPolicy;
use crate::store::{Record, StoreError, Version, Versioned};
use crate::token::{Issued, TokenFingerprint};

pub(crate) use note::Note;
pub use view::SessionLabel;

const SAVE_TRIES: u8 = 3;
const SAVE_PAUSE: Duration = Duration::from_secs(30);
/// A server that asks for more patience than this is asked again earlier: a session is at stake.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3_600);

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
    Read(Result<Option<Versioned>, Arc<StoreError>>),
    Refreshed(Result<Issued, Arc<IssuerError>>),
    Saved(Result<Saved, Arc<StoreError>>),
    Revoked(Result<(), Arc<IssuerError>>),
    Lost(TokenError),
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
    Refresh {
        issued: Issued,
        ip: UserIp,
    },
    Save {
        record: Record,
        expected: Option<Version>,
    },
    /// Tells Transak that a token is not needed any more.
    Revoke {
        issued: Issued,
        ip: UserIp,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Activity {
    #[default]
    Idle,
    /// Asking the store whether there is a newer token; `renew` says what for.
    Reading {
        renew: bool,
    },
    Refreshing {
        which: TokenFingerprint,
    },
    /// Transak refused the renewal: perhaps because another process has renewed already.
    ReadingAfterRefusal {
        which: TokenFingerprint,
    },
    Saving {
        tries: u8,
    },
    Revoking,
}

/// Whether Transak has answered 401 to the token itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doubt {
    No,
    /// It has, and the flight under way, or the next one, has to deal with it.
    Reported,
    /// It has, and what could be done about it has been done.
    Known,
}

/// A token in use.
#[derive(Clone, Debug)]
struct Signed {
    issued: Issued,
    ip: UserIp,
    doubt: Doubt,
    /// Transak has refused to renew it.
    refused: bool,
}

/// Where the session stands. That time is over is not a standing but read off the clock each time: a clock that jumps
/// ahead and comes back must not end a session.
#[derive(Clone, Debug, Default)]
enum Standing {
    /// The store has not been asked yet.
    #[default]
    Unknown,
    Absent,
    Signed(Signed),
    Lapsed {
        former: Issued,
        ip: UserIp,
    },
    LoggedOut {
        at: Timestamp,
        /// Until when other processes might hold the token, and so have to learn of this.
        until: Timestamp,
        /// Tokens that Transak has not been told of yet.
        revoke: Vec<(Issued, UserIp)>,
    },
}

/// The machine's state.
#[derive(Clone, Debug, Default)]
pub(crate) struct UserState {
    standing: Standing,
    activity: Activity,
    version: Option<Version>,
    /// The standing is not stored yet; to be tried again after this.
    unsaved: Option<Pause>,
    /// After a failed renewal.
    resting: Option<Pause>,
    /// From a renewal until a 401 or a wish for more life may cause the next.
    spacing: Option<Pause>,
    failures: u32,
    failure: Option<TokenError>,
    notes: Vec<Note>,
}

type Step = (UserState, Option<Effect>);

impl Signed {
    fn doubted(&self) -> bool {
        self.doubt != Doubt::No
    }
}

impl UserState {
    fn go(mut self, activity: Activity, effect: Effect) -> Step {
        self.activity = activity;
        (self, Some(effect))
    }

    fn read(self, renew: bool) -> Step {
        self.go(Activity::Reading { renew }, Effect::Read)
    }

    fn signed(&self) -> Option<&Signed> {
        match &self.standing {
            Standing::Signed(signed) => Some(signed),
            _ => None,
        }
    }

    fn signed_mut(&mut self) -> Option<&mut Signed> {
        match &mut self.standing {
            Standing::Signed(signed) => Some(signed),
            _ => None,
        }
    }

    fn usable(&self, now: Timestamp) -> Option<&Signed> {
        self.signed().filter(|s| s.issued.usable(now))
    }

    fn wanted(self, min_remaining: Duration, now: Timestamp) -> Step {
        if self.activity != Activity::Idle {
            return (self, None);
        }
        let over = |p: Option<Pause>| p.is_none_or(|p| p.is_over(now));
        if self.unfinished_logout(now) {
            return self.settle(now);
        }
        let Some(signed) = self.usable(now) else {
            // Another process may have logged in or renewed.
            return self.read(false);
        };
        let short = signed.issued.expires_at.since(now) < min_remaining;
        let due = now >= signed.issued.due_at && over(self.resting);
        if due || (short && over(self.resting) && over(self.spacing)) {
            return self.read(true);
        }
        if self.unsaved.is_some_and(|p| p.is_over(now)) {
            return self.save(1);
        }
        (self, None)
    }

    fn refresh_now(mut self) -> Step {
        self.failure = None;
        match self.activity {
            Activity::Idle => self.read(true),
            _ => (self, None),
        }
    }

    fn rejected(mut self, which: TokenFingerprint) -> Step {
        match self.signed_mut() {
            Some(signed) if signed.issued.fingerprint() == which => signed.doubt = Doubt::Reported,
            // A request that was under way with a former token.
            _ => return (self, None),
        }
        match self.activity {
            Activity::Idle => self.read(true),
            _ => (self, None),
        }
    }

    fn after_read(
        mut self,
        result: Result<Option<Versioned>, Arc<StoreError>>,
        renew: bool,
        now: Timestamp,
        policy: &UserPolicy,
    ) -> Step {
        let before = self.signed().map(|s| s.issued.fingerprint());
        if let Some(signed) = self.signed_mut().filter(|s| s.doubted()) {
            signed.doubt = Doubt::Known;
        }
        match result {
            Ok(there) => self.meet(there, now),
            Err(error) => {
                let urgent = self.usable(now).is_some_and(|s| {
                    let life = s.issued.expires_at.since(s.issued.issued_at);
                    s.doubted() || s.issued.expires_at.since(now) < life / 10
                });
                // A renewal that cannot be stored is a risk for other processes: not as long as there is time.
                if !urgent {
                    return self.failed(TokenError::Store(error), None, now, policy);
                }
            }
        }
        let adopted = before != self.signed().map(|s| s.issued.fingerprint());
        match self.usable(now) {
            // A caller that only wanted to know where it stands does not wait for a renewal; the next one starts it.
            Some(s) if s.doubted() || (renew && (!adopted || now >= s.issued.due_at)) => self.refresh(now, policy),
            Some(_) => self.settle(now),
            None => {
                self.failure = None;
                self.settle(now)
            }
        }
    }

    fn refresh(mut self, now: Timestamp, policy: &UserPolicy) -> Step {
        let Some(signed) = self.usable(now) else {
            return self.settle(now);
        };
        let young = self.spacing.filter(|p| !p.is_over(now));
        if let (true, Some(pause)) = (signed.doubted(), young) {
            // After a failed renewal its failure tells more than this one could.
            self.failure.get_or_insert(TokenError::Refused {
                retry_at: pause.until(),
                hint: RefusedHint::AllowListOrActivation,
            });
            return self.settle(now);
        }
        let (issued, ip) = (signed.issued.clone(), signed.ip);
        self.spacing = Some(Pause::lasting(policy.min_interval, now));
        let which = issued.fingerprint();
        self.go(Activity::Refreshing { which }, Effect::Refresh { issued, ip })
    }

    fn refreshed(
        mut self,
        result: Result<Issued, Arc<IssuerError>>,
        which: TokenFingerprint,
        now: Timestamp,
        policy: &UserPolicy,
    ) -> Step {
        match result {
            Ok(new) => {
                match &mut self.standing {
                    Standing::LoggedOut { until, revoke, .. } => {
                        *until = new.expires_at.max(*until);
                        let (_, ip) = match revoke.first() {
                            Some(first) => first.clone(),
                            None => return self.settle(now),
                        };
                        revoke.push((new, ip));
                    }
                    Standing::Signed(s) => {
                        let same = s.issued.fingerprint() == new.fingerprint();
                        // What was made from the token at hand is newer, whatever the two say of their age.
                        let older = s.issued.fingerprint() != which && !new.at_least_as_new_as(&s.issued);
                        if same || older {
                            // Nothing gained; asking again at once would gain nothing either. (Or a person has logged in
                            // meanwhile, and that token is the newer one.)
                            if same {
                                s.doubt = Doubt::No;
                            }
                            self.resting = Some(Pause::lasting(policy.refused_pause, now));
                        } else {
                            let ip = s.ip;
                            self.sign(new, ip, Some(Pause::OVER));
                        }
                    }
                    Standing::Unknown | Standing::Absent | Standing::Lapsed { .. } => {}
                }
                self.settle(now)
            }
            // It was another token's renewal: a person has logged in, or out, meanwhile.
            Err(_) if self.signed().is_none_or(|s| s.issued.fingerprint() != which) => self.settle(now),
            Err(error) if error.kind() == IssuerErrorKind::Rejected => {
                self.failure = Some(TokenError::Issuer(error));
                self.go(Activity::ReadingAfterRefusal { which }, Effect::Read)
            }
            Err(error) => {
                let pause = match error.kind() {
                    IssuerErrorKind::RateLimited { retry_after } => {
                        retry_after.map(|span| span.min(LONGEST_RETRY_AFTER))
                    }
                    _ => None,
                };
                self.failed(TokenError::Issuer(error), pause, now, policy)
            }
        }
    }

    /// Transak refused the renewal. One refusal alone does not end a session whose token may still be good: it could be
    /// too early, or from the wrong address. A 401 to the token itself together with it does.
    fn after_refusal(
        mut self,
        result: Result<Option<Versioned>, Arc<StoreError>>,
        which: TokenFingerprint,
        now: Timestamp,
        policy: &UserPolicy,
    ) -> Step {
        let failure = self.failure.take();
        match result {
            Ok(there) => self.meet(there, now),
            // Whether another process has renewed is not known, so nothing is decided.
            Err(error) => return self.failed(TokenError::Store(error), None, now, policy),
        }
        if let Some(signed) = self.signed_mut().filter(|s| s.issued.fingerprint() == which) {
            signed.refused = true;
            if signed.doubted() {
                let (former, ip) = (signed.issued.clone(), signed.ip);
                self.standing = Standing::Lapsed { former, ip };
                self.unsaved = Some(Pause::OVER);
                self.resting = None;
                return self.settle(now);
            }
            // From 10 minutes up to about 5 hours, for as long as the token lives.
            let pause = policy.refused_pause.saturating_mul(1 << self.failures.min(5));
            self.failures = self.failures.saturating_add(1);
            self.resting = Some(Pause::lasting(pause, now));
            self.failure = failure;
        }
        self.settle(now)
    }

    fn failed(mut self, failure: TokenError, pause: Option<Duration>, now: Timestamp, policy: &UserPolicy) -> Step {
        self.failure = Some(failure);
        self.failures = self.failures.saturating_add(1);
        if let Some(signed) = self.signed() {
            let draw = signed.issued.fingerprint().draw(self.failures);
            let own = policy.backoff.pause(self.failures, draw);
            let span = own.max(pause.unwrap_or_default());
            self.resting = Some(Pause::lasting(span, now));
        }
        self.settle(now)
    }
}
