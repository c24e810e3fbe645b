//! Processes, a store with leases, and a Transak of which the last mint lives.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use crate::clock::Timestamp;
use crate::error::TokenError;
use crate::events::SessionEvent;
use crate::identity::RecordKey;
use crate::issuer::{IssuerError, IssuerErrorKind};
use crate::machine::Machine;
use crate::partner::machine::{Claimed, Effect, Event, Hold, MintFailure, PartnerState, Saved};
use crate::policy::PartnerPolicy;
use crate::store::{Lease, LeaseEpoch, Record, StoreError, Version, Versioned};
use crate::token::{AccessToken, Issued, TokenFingerprint};

const SPAN: i64 = 30_000;
const CALL: i64 = 15_000;

/// What becomes of an effect.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    Succeeds,
    /// Nothing happens, and the process is told so.
    Fails(IssuerErrorKind),
    /// It happens, but the process is told that nobody knows.
    LosesAnswer,
    /// The process goes on without an answer.
    Panics {
        acts: bool,
    },
}

#[derive(Default)]
pub(super) struct Process {
    pub(super) state: PartnerState,
    /// What is under way, and for a mint that was sent: when, and what is on its way back.
    pub(super) pending: Option<(Effect, Option<(i64, Issued)>)>,
    /// How far its wall clock is ahead.
    pub(super) skew: i64,
    pub(super) notes: Vec<SessionEvent>,
    delivered: usize,
}

pub(super) struct Fleet {
    pub(super) processes: Vec<Process>,
    /// True time in milliseconds.
    pub(super) truth: i64,
    /// True times of mints that reached Transak, except foreign ones.
    pub(super) mints: Vec<i64>,
    pub(super) live: Option<TokenFingerprint>,
    pub(super) jumped: bool,
    /// The store has lost something, or a mint was made without it.
    unsure: bool,
    serial: u64,
    pub(super) record: Option<Versioned>,
    former: Option<Versioned>,
    lease: Option<(LeaseEpoch, i64, i64)>,
    counter: u64,
}

impl Fleet {
    pub(super) fn new(processes: usize) -> Self {
        Self {
            processes: (0..processes).map(|_| Process::default()).collect(),
            truth: 1_700_000_000_000,
            mints: Vec::new(),
            live: None,
            jumped: false,
            unsure: false,
            serial: 0,
            record: None,
            former: None,
            lease: None,
            counter: 0,
        }
    }

    pub(super) fn now(&self, p: usize) -> Timestamp {
        Timestamp::from_unix_millis(self.truth + self.processes[p].skew)
    }

    pub(super) fn held(&self, p: usize) -> Option<&Issued> {
        self.processes[p].state.held()
    }

    pub(super) fn stored(&self) -> Option<Issued> {
        self.record.as_ref()?.record.issued()
    }

    pub(super) fn retired_in_store(&self) -> usize {
        self.record.as_ref().map_or(0, |v| v.record.retired.len())
    }

    /// A mint: it kills the token before it.
    pub(super) fn issue(&mut self) -> Issued {
        self.serial += 1;
        let at = Timestamp::from_unix_seconds(self.truth.div_euclid(1_000));
        let until = at + Duration::from_secs(604_800);
        let token = AccessToken::new(format!("token {}", self.serial));
        self.live = Some(token.fingerprint());
        Issued::restore(token, at, until, until - Duration::from_secs(600))
    }

    pub(super) fn forget(&mut self) {
        self.former = self.record.take();
        self.unsure = true;
    }

    /// An older snapshot is restored.
    pub(super) fn go_back(&mut self) {
        self.record = self.former.take();
        self.unsure = true;
    }

    pub(super) fn drop_lease(&mut self) {
        self.lease = None;
    }

    pub(super) fn reject(&mut self, p: usize) -> Result<(), TestCaseError> {
        match self.held(p).map(Issued::fingerprint) {
            Some(which) => self.send(p, Event::Rejected(which)),
            None => Ok(()),
        }
    }

    pub(super) fn send(&mut self, p: usize, event: Event) -> Result<(), TestCaseError> {
        let (now, jumped) = (self.now(p), self.jumped);
        let process = &mut self.processes[p];
        let (before, keys) = (process.state.held().cloned(), process.state.keys(now));
        let minted = matches!(event, Event::Minted(Ok(_)));
        process.delivered += usize::from(minted);
        let (mut next, effect) = process.state.clone().step(event, now, &PartnerPolicy::default());
        process.notes.append(&mut next.take_notes());
        process.state = next;
        if let Some(effect) = effect {
            let good = process.state.held().filter(|h| h.usable(now) && now < h.due_at);
            let needless = good.is_some_and(|h| !process.state.doubts(h.fingerprint()));
            prop_assert!(
                !needless || !matches!(effect, Effect::Mint { .. }),
                "minted without need"
            );
            prop_assert!(process.pending.is_none(), "two effects under way");
            process.pending = Some((effect, None));
        }
        let after = process.state.held();
        if let Some(before) = before {
            prop_assert!(after.is_some(), "a token was dropped");
            prop_assert!(
                minted || after.is_some_and(|a| a.at_least_as_new_as(&before)),
                "an older token replaced a newer one"
            );
        }
        let kept = process.state.keys(now);
        let full = kept.len() > 8;
        for key in keys.iter().skip(1) {
            prop_assert!(jumped || full || kept.contains(key), "a retired token was dropped");
        }
        let told = process
            .notes
            .iter()
            .filter(|e| matches!(e, SessionEvent::Minted { .. }));
        prop_assert_eq!(told.count(), process.delivered, "not each mint was told of once");
        Ok(())
    }

    /// Sends a mint, if one is to be sent; anything else waits.
    pub(super) fn begin(&mut self, p: usize) -> Result<(), TestCaseError> {
        match self.processes[p].pending.take() {
            Some((Effect::Mint { hold }, None)) => {
                if hold
                    .as_ref()
                    .is_some_and(|h| self.truth - millis(h.asked) + CALL > SPAN)
                {
                    return self.send(p, Event::Minted(Err(MintFailure::NoLease)));
                }
                self.unsure |= hold.is_none();
                self.mints.push(self.truth);
                let issued = self.issue();
                self.processes[p].pending = Some((Effect::Mint { hold }, Some((self.truth, issued))));
            }
            other => self.processes[p].pending = other,
        }
        Ok(())
    }

    pub(super) fn perform(&mut self, p: usize, fate: Fate) -> Result<(), TestCaseError> {
        if let Fate::Fails(kind) = fate {
            let sent = matches!(self.processes[p].pending, Some((Effect::Mint { .. }, Some(_))));
            // What was sent is not known to have failed.
            let kind = if sent { IssuerErrorKind::Unknown } else { kind };
            return match self.processes[p].pending.take() {
                Some((effect, _)) => self.send(p, failure(&effect, kind)),
                None => Ok(()),
            };
        }
        if matches!(fate, Fate::Succeeds | Fate::LosesAnswer | Fate::Panics { acts: true }) {
            self.begin(p)?;
        }
        let Some((effect, sent)) = self.processes[p].pending.take() else {
            return Ok(());
        };
        if let Fate::Panics { acts } = fate {
            if acts {
                let _ = self.act(&effect, sent)?;
            }
            return self.send(p, Event::Lost(TokenError::Panicked));
        }
        let overdue = sent.as_ref().is_some_and(|(at, _)| self.truth - at > CALL);
        let unknown = failure(&effect, IssuerErrorKind::Unknown);
        let event = self.act(&effect, sent)?;
        match fate {
            Fate::Succeeds if !overdue => self.send(p, event),
            _ => self.send(p, unknown),
        }
    }

    /// The process dies and another one takes its place.
    pub(super) fn crash(&mut self, p: usize, acts: bool) -> Result<(), TestCaseError> {
        if acts {
            self.begin(p)?;
            if let Some((effect, sent)) = self.processes[p].pending.take() {
                let _ = self.act(&effect, sent)?;
            }
        }
        let skew = self.processes[p].skew;
        self.processes[p] = Process {
            skew,
            ..Process::default()
        };
        Ok(())
    }

    /// Performs everything that is under way.
    pub(super) fn settle(&mut self, p: usize) -> Result<(), TestCaseError> {
        for _ in 0..1_000 {
            if self.processes[p].pending.is_none() {
                return Ok(());
            }
            self.perform(p, Fate::Succeeds)?;
        }
        Err(TestCaseError::fail("it never comes to rest"))
    }

    fn act(&mut self, effect: &Effect, sent: Option<(i64, Issued)>) -> Result<Event, TestCaseError> {
        Ok(match effect {
            Effect::Read => Event::Read(Ok(self.record.clone())),
            Effect::Poll { count } => {
                self.truth += 50 + i64::from(*count * 97 % 351);
                Event::Read(Ok(self.record.clone()))
            }
            Effect::Claim => Event::Claimed(Ok(self.claim())),
            Effect::Mint { .. } => match sent {
                Some((_, issued)) => Event::Minted(Ok(issued)),
                None => Event::Minted(Err(MintFailure::NoLease)),
            },
            Effect::Save {
                record,
                expected,
                finishing,
            } => Event::Saved(Ok(self.swap(record, *expected, finishing.as_ref())?)),
            Effect::Release { lease } => {
                self.end(lease);
                Event::Released
            }
        })
    }

    fn claim(&mut self) -> Claimed {
        let record = self.record.clone();
        if let Some((_, _, until)) = self.lease.filter(|(_, _, until)| self.truth < *until) {
            let retry_in = Duration::from_millis((until - self.truth).unsigned_abs());
            return Claimed::Busy { retry_in, record };
        }
        self.counter += 1;
        let epoch = LeaseEpoch::new(self.counter);
        let taken = (epoch, self.truth, self.truth + SPAN);
        let before = self.lease.replace(taken);
        let ago = before.map(|(_, taken, _)| Duration::from_millis((self.truth - taken).unsigned_abs()));
        Claimed::Granted {
            hold: Hold {
                lease: Lease {
                    key: RecordKey::from_bytes([7; 40]),
                    epoch,
                    abandoned: ago,
                },
                asked: Duration::from_millis(self.truth.unsigned_abs()),
            },
            record,
            attempted: ago.map(|ago| ago.saturating_sub(Duration::from_millis(SPAN.unsigned_abs()))),
        }
    }

    fn end(&mut self, lease: &Lease) {
        if self.lease.is_some_and(|(epoch, ..)| epoch == lease.epoch) {
            self.lease = None;
        }
    }

    fn swap(
        &mut self,
        record: &Record,
        expected: Option<Version>,
        finishing: Option<&Lease>,
    ) -> Result<Saved, TestCaseError> {
        if self.record.as_ref().map(|v| v.version) != expected {
            return Ok(Saved::Conflict(self.record.clone()));
        }
        if let Some(there) = &self.record {
            let there = &there.record;
            if let Some(old) = there.issued() {
                let newer = record.issued().is_some_and(|new| new.at_least_as_new_as(&old));
                prop_assert!(newer, "an older token was stored over a newer one");
            }
            let now = Timestamp::from_unix_millis(self.truth);
            let current = there.issued().map(|i| (i.token, i.expires_at));
            let known = there.retired.iter().map(|t| (t.token.clone(), t.expires_at));
            for (token, until) in known.chain(current) {
                let kept = record.token.as_ref() == Some(&token) || record.retired.iter().any(|t| t.token == token);
                let over = until <= now || record.retired.len() >= 8 || self.jumped;
                prop_assert!(kept || over, "a token has gone from the store");
            }
        }
        if let Some(lease) = finishing {
            self.end(lease);
        }
        self.counter += 1;
        let version = Version::new(self.counter);
        let record = record.clone();
        self.former = self
            .record
            .replace(Versioned { version, record })
            .or(self.former.take());
        Ok(Saved::As(version))
    }

    /// A second is lost to the rounding of issue times.
    pub(super) fn check_distances(&self) -> Result<(), TestCaseError> {
        prop_assert!(!self.jumped);
        for pair in self.mints.windows(2) {
            let gap = pair[1] - pair[0];
            prop_assert!(self.unsure || gap >= 59_000, "two mints within {gap} ms");
        }
        Ok(())
    }
}

fn failure(effect: &Effect, kind: IssuerErrorKind) -> Event {
    let store = || Arc::new(StoreError::new("down"));
    match effect {
        Effect::Read | Effect::Poll { .. } => Event::Read(Err(store())),
        Effect::Claim => Event::Claimed(Err(store())),
        Effect::Mint { .. } => Event::Minted(Err(MintFailure::Issuer(Arc::new(IssuerError::new(kind))))),
        Effect::Save { .. } => Event::Saved(Err(store())),
        Effect::Release { .. } => Event::Released,
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap()
}
