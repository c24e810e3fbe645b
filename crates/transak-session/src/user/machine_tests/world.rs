//! A plain model of Transak, of a store, and of another process that uses both; and the promises, checked at each step.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use crate::clock::Timestamp;
use crate::error::TokenError;
use crate::identity::UserIp;
use crate::issuer::{IssuerError, IssuerErrorKind};
use crate::machine::Machine;
use crate::policy::UserPolicy;
use crate::store::{Lease, Record, StoreError, Version, Versioned};
use crate::token::{Issued, TokenFingerprint};
use crate::user::machine::{Claimed, Effect, Event, Note, Saved, UserState};

pub(super) const DAY: i64 = 86_400;
pub(super) const LEASE: i64 = 30;

pub(super) type Checked = Result<(), TestCaseError>;

pub(super) struct Held {
    pub(super) epoch: u64,
    pub(super) until: i64,
    pub(super) ours: bool,
}

/// What Transak has said against a token.
#[derive(Clone, Copy, Default)]
pub(super) struct Said {
    unauthorized: bool,
    refusals: u32,
    probed: bool,
    /// A renewal was answered, or failed, when its time was over.
    pub(super) last_try: bool,
}

pub(super) struct World {
    pub(super) state: UserState,
    pub(super) pending: Option<Effect>,
    pub(super) policy: UserPolicy,
    /// Seconds; the machine's clock is ahead by `skew`.
    pub(super) truth: i64,
    pub(super) skew: i64,
    /// Whether a renewal kills the token before it.
    pub(super) rotates: bool,
    pub(super) guarded: bool,
    /// Whose renewal has failed in the flight under way.
    tried: Option<TokenFingerprint>,
    pub(super) issued: u64,
    /// What Transak accepts, until when.
    pub(super) live: HashMap<TokenFingerprint, i64>,
    pub(super) stored: Option<Versioned>,
    pub(super) former: Option<Versioned>,
    pub(super) counter: u64,
    pub(super) lease: Option<Held>,
    /// Epochs of leases that nobody has to end any more: their flight was lost, or the store failed.
    excused: HashSet<u64>,
    pub(super) said: HashMap<TokenFingerprint, Said>,
    pub(super) revoked: HashSet<TokenFingerprint>,
    pub(super) notes: Vec<Note>,
    pub(super) renewals: usize,
}

impl World {
    pub(super) fn new(rotates: bool) -> Self {
        Self {
            state: UserState::default(),
            pending: None,
            policy: UserPolicy::default(),
            truth: 1_700_000_000,
            skew: 0,
            rotates,
            guarded: false,
            tried: None,
            issued: 0,
            live: HashMap::new(),
            stored: None,
            former: None,
            counter: 0,
            lease: None,
            excused: HashSet::new(),
            said: HashMap::new(),
            revoked: HashSet::new(),
            notes: Vec::new(),
            renewals: 0,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.truth + self.skew)
    }

    pub(super) fn ip() -> UserIp {
        UserIp::parse("203.0.113.7").unwrap()
    }

    pub(super) fn held(&self) -> Option<TokenFingerprint> {
        self.state.held().map(Issued::fingerprint)
    }

    pub(super) fn accepts(&self, which: TokenFingerprint) -> bool {
        self.live.get(&which).is_some_and(|until| self.truth < *until)
    }

    pub(super) fn send(&mut self, event: Event) -> Checked {
        let now = self.now();
        let before = self.state.held().cloned();
        if let Some(held) = before.as_ref().filter(|held| held.usable(now)) {
            // Whatever was tried when a clock was wrong: each expiry has its own last attempt.
            self.said.entry(held.fingerprint()).or_default().last_try = false;
        }
        let leaves = matches!(&event, Event::LogOut);
        // The store may tell of an end elsewhere.
        let told = match &event {
            Event::Read(Ok(there))
            | Event::Polled { result: Ok(there), .. }
            | Event::Saved(Ok(Saved::Conflict(there)))
            | Event::Claimed(Ok(Claimed::Ours { record: there, .. } | Claimed::Elsewhere { record: there, .. })) => {
                there.as_ref().is_some_and(|v| v.record.lapse_cause().is_some())
            }
            Event::Kept { .. } => true,
            _ => false,
        };
        let received = match &event {
            Event::Refreshed(Ok(new)) => Some(new.clone()),
            _ => None,
        };
        let (mut next, effect) = self.state.clone().step(event, now, &self.policy);
        let notes = next.take_notes();
        self.state = next;
        if let Some(effect) = effect {
            prop_assert!(self.pending.is_none(), "two effects under way");
            if let Effect::Refresh { issued, .. } = &effect {
                prop_assert_eq!(Some(issued), self.state.held());
                let said = self.said.get(&issued.fingerprint()).copied().unwrap_or_default();
                prop_assert!(issued.usable(now) || !said.last_try, "a second last attempt");
            }
            self.pending = Some(effect);
        }
        let lapses = notes.iter().filter(|n| matches!(n, Note::OtpRequired { .. })).count();
        self.notes.extend(notes);
        let after = self.state.held().cloned();
        if let (Some(new), Some(after)) = (&received, &after) {
            let kept = after.fingerprint() == new.fingerprint() || after.order() >= new.order();
            prop_assert!(kept, "a received token was dropped");
        }
        match (&before, &after) {
            (Some(before), Some(after)) => {
                prop_assert!(after.order() >= before.order(), "an older token replaced a newer one");
                prop_assert_eq!(lapses, 0);
            }
            (Some(before), None) => {
                let said = self.said.get(&before.fingerprint()).copied().unwrap_or_default();
                let words = said.refusals + u32::from(said.unauthorized);
                let rejected = words >= 2 && said.probed;
                let tried = said.last_try || self.tried == Some(before.fingerprint());
                let expired = !before.usable(now) && tried;
                prop_assert!(leaves || told || rejected || expired, "a session ended without reason");
                prop_assert!(
                    lapses == usize::from(!leaves) || told,
                    "a lapse was told {} times",
                    lapses
                );
            }
            (None, _) => prop_assert_eq!(lapses, 0, "told of a lapse that was none"),
        }
        if self.pending.is_none() {
            self.tried = None;
            let left = self.lease.as_ref().filter(|l| l.ours && self.truth < l.until);
            prop_assert!(
                left.is_none_or(|l| self.excused.contains(&l.epoch)),
                "a lease was left behind"
            );
        }
        Ok(())
    }

    /// The world answers as it should.
    pub(super) fn succeed(&mut self) -> Checked {
        match self.pending.take() {
            None => Ok(()),
            Some(Effect::Read) => self.send(Event::Read(Ok(self.stored.clone()))),
            Some(Effect::Poll) => {
                let (result, slept) = (Ok(self.stored.clone()), Duration::from_millis(200));
                self.send(Event::Polled { result, slept })
            }
            Some(Effect::Claim) => {
                let record = self.stored.clone();
                let claimed = match &self.lease {
                    Some(lease) if self.busy() => Claimed::Elsewhere {
                        retry_in: Duration::from_secs((lease.until - self.truth) as u64),
                        record,
                    },
                    _ => Claimed::Ours {
                        tenure: self.tenure(),
                        record,
                    },
                };
                self.send(Event::Claimed(Ok(claimed)))
            }
            Some(Effect::Refresh { issued, .. }) => {
                self.renewals += 1;
                let answer = self.renew(issued.fingerprint());
                match answer {
                    Some(new) => self.send(Event::Refreshed(Ok(new))),
                    None => self.refuse(&issued, IssuerErrorKind::Rejected),
                }
            }
            Some(Effect::Probe { issued, .. }) => match self.accepts(issued.fingerprint()) {
                true => self.probed(&issued, Ok(())),
                false => self.probed(&issued, Err(IssuerErrorKind::Rejected)),
            },
            Some(Effect::Release(lease)) => {
                self.end_lease(&lease);
                self.send(Event::Released)
            }
            Some(Effect::Revoke { issued, .. }) => {
                self.live.remove(&issued.fingerprint());
                self.revoked.insert(issued.fingerprint());
                self.send(Event::Revoked(Ok(())))
            }
            Some(Effect::Save {
                record,
                expected,
                finishing,
            }) => {
                let saved = self.swap(record, expected, finishing.as_ref())?;
                self.send(Event::Saved(Ok(saved)))
            }
        }
    }

    fn swap(
        &mut self,
        record: Record,
        expected: Option<Version>,
        finishing: Option<&Lease>,
    ) -> Result<Saved, TestCaseError> {
        if self.stored.as_ref().map(|s| s.version) != expected {
            return Ok(Saved::Conflict(self.stored.clone()));
        }
        let there = self.stored.as_ref().and_then(|s| s.record.issued());
        if let (Some(there), Some(new)) = (there, record.issued()) {
            prop_assert!(new.order() >= there.order(), "an older token was stored");
        }
        if let Some(lease) = finishing {
            self.end_lease(lease);
        }
        Ok(Saved::As(self.put(record)))
    }

    fn refuse(&mut self, issued: &Issued, kind: IssuerErrorKind) -> Checked {
        let over = !issued.usable(self.now());
        self.tried = Some(issued.fingerprint());
        let said = self.said.entry(issued.fingerprint()).or_default();
        said.refusals += u32::from(kind == IssuerErrorKind::Rejected);
        said.last_try |= over;
        self.send(Event::Refreshed(Err(Arc::new(IssuerError::new(kind)))))
    }

    fn probed(&mut self, issued: &Issued, result: Result<(), IssuerErrorKind>) -> Checked {
        let said = self.said.entry(issued.fingerprint()).or_default();
        said.probed = result == Err(IssuerErrorKind::Rejected) && !self.guarded;
        if result.is_ok() {
            *said = Said::default();
        }
        let (guarded, result) = (self.guarded, result.map_err(|kind| Arc::new(IssuerError::new(kind))));
        self.send(Event::Probed { result, guarded })
    }

    pub(super) fn unauthorized(&mut self) -> Checked {
        let Some(which) = self.held() else { return Ok(()) };
        self.said.entry(which).or_default().unauthorized = true;
        self.send(Event::Rejected(which))
    }

    fn excuse(&mut self) {
        self.excused
            .extend(self.lease.as_ref().filter(|l| l.ours).map(|l| l.epoch));
    }

    /// Whoever is asked fails, before anything has happened there.
    pub(super) fn fail(&mut self, kind: IssuerErrorKind) -> Checked {
        let store = || Arc::new(StoreError::new("down"));
        let issuer = || Arc::new(IssuerError::new(kind));
        match self.pending.take() {
            None => Ok(()),
            Some(Effect::Read) => self.send(Event::Read(Err(store()))),
            Some(Effect::Claim) => self.send(Event::Claimed(Err(store()))),
            Some(Effect::Poll) => self.send(Event::Polled {
                result: Err(store()),
                slept: Duration::from_millis(200),
            }),
            Some(Effect::Save { .. }) => {
                self.excuse();
                self.send(Event::Saved(Err(store())))
            }
            Some(Effect::Release(_)) => {
                self.excuse();
                self.send(Event::Released)
            }
            Some(Effect::Revoke { .. }) => self.send(Event::Revoked(Err(issuer()))),
            Some(Effect::Refresh { issued, .. }) => self.refuse(&issued, kind),
            Some(Effect::Probe { issued, .. }) => self.probed(&issued, Err(kind)),
        }
    }

    /// It happens, but the answer is lost.
    pub(super) fn lose_answer(&mut self) -> Checked {
        match self.pending.take() {
            Some(Effect::Refresh { issued, .. }) => {
                self.renew(issued.fingerprint());
                self.refuse(&issued, IssuerErrorKind::Unknown)
            }
            Some(Effect::Save {
                record,
                expected,
                finishing,
            }) => {
                self.swap(record, expected, finishing.as_ref())?;
                self.excuse();
                self.send(Event::Saved(Err(Arc::new(StoreError::new("lost")))))
            }
            Some(Effect::Claim) => {
                if !self.busy() {
                    self.take_lease(true);
                    self.excuse();
                }
                self.send(Event::Claimed(Err(Arc::new(StoreError::new("lost")))))
            }
            other => {
                self.pending = other;
                Ok(())
            }
        }
    }

    pub(super) fn lose(&mut self) -> Checked {
        match self.pending.take() {
            Some(_) => {
                // Nobody knows any more whether the last attempt was made: once per loss there may be another.
                if let Some(which) = self.held() {
                    self.said.entry(which).or_default().last_try = false;
                }
                self.excuse();
                self.send(Event::Lost(TokenError::Panicked))
            }
            None => Ok(()),
        }
    }

    pub(super) fn drain(&mut self) -> Checked {
        for _ in 0..80 {
            self.succeed()?;
        }
        prop_assert!(self.pending.is_none(), "it never comes to rest");
        Ok(())
    }
}
