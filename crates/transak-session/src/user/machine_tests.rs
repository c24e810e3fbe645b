//! The user machine against a model of Transak and of a store that another process uses too.
#![allow(clippy::unwrap_used)]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::machine::{Effect, Event, Saved, SessionLabel, UserState};
use crate::clock::Timestamp;
use crate::error::{LapseCause, TokenError};
use crate::identity::UserIp;
use crate::issuer::{IssuerError, IssuerErrorKind};
use crate::machine::Machine;
use crate::policy::{RefreshWindow, UserPolicy};
use crate::store::{Record, RecordState, StoreError, Version, Versioned};
use crate::token::{AccessToken, Issued, TokenFingerprint};

const DAY: i64 = 86_400;

#[derive(Clone, Debug)]
enum Op {
    Wait(i64),
    Jump(i64),
    Wanted(u64),
    RefreshNow,
    RejectCurrent,
    LogIn,
    LogOut,
    Succeed,
    SameAgain,
    Fail(IssuerErrorKind),
    Lose,
    OtherRenews,
    OtherLogsOut,
    StoreForgets,
}

fn op() -> impl Strategy<Value = Op> {
    use IssuerErrorKind::{RateLimited, Rejected, Transient, Unknown};
    prop_oneof![
        3 => (1..6 * DAY).prop_map(Op::Wait),
        2 => (1_i64..900).prop_map(Op::Wait),
        1 => (-40 * DAY..40 * DAY).prop_map(Op::Jump),
        6 => prop::sample::select(vec![0, 3_600, 20 * DAY as u64]).prop_map(Op::Wanted),
        1 => Just(Op::RefreshNow),
        2 => Just(Op::RejectCurrent),
        2 => Just(Op::LogIn),
        1 => Just(Op::LogOut),
        12 => Just(Op::Succeed),
        1 => Just(Op::SameAgain),
        3 => prop::sample::select(vec![Transient, Unknown, Rejected, RateLimited { retry_after: None }]).prop_map(Op::Fail),
        1 => Just(Op::Lose),
        1 => Just(Op::OtherRenews),
        1 => Just(Op::OtherLogsOut),
        1 => Just(Op::StoreForgets),
    ]
}

struct World {
    state: UserState,
    pending: Option<Effect>,
    wall: i64,
    truth: i64,
    issued: u64,
    versions: u64,
    stored: Option<Versioned>,
    /// Tokens to which Transak answered 401, and tokens whose renewal it refused.
    rejected: HashSet<TokenFingerprint>,
    refused: HashSet<TokenFingerprint>,
    revoked: HashSet<TokenFingerprint>,
    refreshing: Option<TokenFingerprint>,
}

impl World {
    fn new() -> Self {
        Self {
            state: UserState::default(),
            pending: None,
            wall: 1_700_000_000,
            truth: 1_700_000_000,
            issued: 0,
            versions: 0,
            stored: None,
            rejected: HashSet::new(),
            refused: HashSet::new(),
            revoked: HashSet::new(),
            refreshing: None,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.wall)
    }

    fn ip() -> UserIp {
        UserIp::parse("203.0.113.7").unwrap()
    }

    fn issue(&mut self) -> Issued {
        self.issued += 1;
        let at = Timestamp::from_unix_seconds(self.truth);
        let until = at + Duration::from_secs(30 * DAY as u64);
        let token = AccessToken::new(format!("token {}", self.issued));
        let due = RefreshWindow::default().due_at(at, until, token.fingerprint().draw(0));
        Issued::restore(token, at, until, due)
    }

    fn store(&mut self, record: Record) -> Version {
        self.versions += 1;
        let version = Version::new(self.versions);
        self.stored = Some(Versioned { version, record });
        version
    }

    fn send(&mut self, event: Event) -> Result<(), TestCaseError> {
        let now = self.now();
        let before = self.state.held().cloned();
        let leaves = matches!(&event, Event::LogOut);
        // The store may tell of a logout elsewhere; only those events may end a usable session without rejections.
        let tombstone = |v: &Versioned| v.record.state == RecordState::LoggedOut;
        let told = match &event {
            Event::Read(Ok(Some(v))) | Event::Saved(Ok(Saved::Conflict(Some(v)))) => tombstone(v),
            _ => false,
        };
        let human = matches!(&event, Event::LoggedIn(..));
        let (next, effect) = self.state.clone().step(event, now, &UserPolicy::default());
        self.state = next;
        if let Some(effect) = effect {
            prop_assert!(self.pending.is_none(), "two effects under way");
            if let Effect::Refresh { issued, .. } = &effect {
                prop_assert!(issued.usable(now), "an expired token was to be renewed");
                prop_assert_eq!(Some(issued), self.state.held());
                self.refreshing = Some(issued.fingerprint());
            }
            self.pending = Some(effect);
        }
        let Some(before) = before else { return Ok(()) };
        let fingerprint = before.fingerprint();
        match self.state.held() {
            Some(after) => prop_assert!(
                human || after.at_least_as_new_as(&before),
                "an older token replaced a newer one"
            ),
            None => {
                let ended = self.rejected.contains(&fingerprint) && self.refused.contains(&fingerprint);
                prop_assert!(leaves || told || ended, "a session ended without two rejections");
            }
        }
        Ok(())
    }

    fn succeed(&mut self) -> Result<(), TestCaseError> {
        match self.pending.take() {
            None => Ok(()),
            Some(Effect::Read) => self.send(Event::Read(Ok(self.stored.clone()))),
            Some(Effect::Refresh { .. }) => {
                let new = self.issue();
                self.send(Event::Refreshed(Ok(new)))
            }
            Some(Effect::Revoke { issued, .. }) => {
                self.revoked.insert(issued.fingerprint());
                self.send(Event::Revoked(Ok(())))
            }
            Some(Effect::Save { record, expected }) => {
                if self.stored.as_ref().map(|s| s.version) != expected {
                    return self.send(Event::Saved(Ok(Saved::Conflict(self.stored.clone()))));
                }
                let there = self.stored.as_ref().and_then(|s| s.record.issued());
                if let (Some(there), Some(new)) = (there, record.issued()) {
                    let better = new.at_least_as_new_as(&there) || self.rejected.contains(&there.fingerprint());
                    prop_assert!(
                        better || self.refused.contains(&there.fingerprint()),
                        "an older token was stored"
                    );
                }
                let version = self.store(record);
                self.send(Event::Saved(Ok(Saved::As(version))))
            }
        }
    }

    fn fail(&mut self, kind: IssuerErrorKind) -> Result<(), TestCaseError> {
        let store = || Arc::new(StoreError::new("down"));
        let issuer = || Arc::new(IssuerError::new(kind));
        match self.pending.take() {
            None => Ok(()),
            Some(Effect::Read) => self.send(Event::Read(Err(store()))),
            Some(Effect::Save { .. }) => self.send(Event::Saved(Err(store()))),
            Some(Effect::Revoke { .. }) => self.send(Event::Revoked(Err(issuer()))),
            Some(Effect::Refresh { issued, .. }) => {
                if kind == IssuerErrorKind::Rejected {
                    self.refused.insert(issued.fingerprint());
                }
                self.send(Event::Refreshed(Err(issuer())))
            }
        }
    }

    fn apply(&mut self, op: Op) -> Result<(), TestCaseError> {
        match op {
            Op::Wait(s) => {
                self.wall += s;
                self.truth += s;
                Ok(())
            }
            Op::Jump(s) => {
                self.wall += s;
                Ok(())
            }
            Op::Wanted(s) => self.send(Event::Wanted {
                min_remaining: Duration::from_secs(s),
            }),
            Op::RefreshNow => self.send(Event::RefreshNow),
            Op::RejectCurrent => match self.state.held().map(Issued::fingerprint) {
                Some(which) => {
                    self.rejected.insert(which);
                    self.send(Event::Rejected(which))
                }
                None => Ok(()),
            },
            Op::LogIn => {
                let issued = self.issue();
                self.send(Event::LoggedIn(issued, Self::ip()))
            }
            Op::LogOut => {
                self.send(Event::LogOut)?;
                prop_assert!(self.state.held().is_none(), "a token is served after the logout");
                Ok(())
            }
            Op::Succeed => self.succeed(),
            Op::SameAgain => match self.pending.clone() {
                Some(Effect::Refresh { issued, .. }) => {
                    self.pending = None;
                    self.send(Event::Refreshed(Ok(issued)))
                }
                _ => Ok(()),
            },
            Op::Fail(kind) => self.fail(kind),
            Op::Lose => match self.pending.take() {
                Some(_) => self.send(Event::Lost(TokenError::Panicked)),
                None => Ok(()),
            },
            Op::OtherRenews => {
                let there = self.stored.as_ref().filter(|v| v.record.state == RecordState::Live);
                if there.is_some() {
                    let issued = self.issue();
                    self.store(Record::user(&issued, Some(Self::ip()), issued.issued_at));
                }
                Ok(())
            }
            Op::OtherLogsOut => {
                let (at, until) = (self.now(), self.now() + Duration::from_secs(30 * DAY as u64));
                self.store(Record::logged_out(at, until));
                Ok(())
            }
            Op::StoreForgets => {
                self.stored = None;
                Ok(())
            }
        }
    }

    fn drain(&mut self) -> Result<(), TestCaseError> {
        for _ in 0..40 {
            self.succeed()?;
        }
        prop_assert!(self.pending.is_none(), "it never comes to rest");
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn keeps_its_promises(ops in prop::collection::vec(op(), 1..100)) {
        let mut world = World::new();
        for op in ops {
            world.apply(op)?;
        }
        world.drain()?;
    }

    #[test]
    fn a_logout_revokes_what_there_is(ops in prop::collection::vec(op(), 1..60), at in 0_usize..60) {
        let mut world = World::new();
        for (i, op) in ops.into_iter().enumerate() {
            // From the logout on nobody logs in, and no other process, loss or failure stands in the way.
            if i >= at {
                break;
            }
            world.apply(op)?;
        }
        let mut live: HashSet<TokenFingerprint> = HashSet::new();
        live.extend(world.state.held().filter(|h| h.usable(world.now())).map(Issued::fingerprint));
        world.apply(Op::LogOut)?;
        while let Some(effect) = world.pending.clone() {
            let refreshing = matches!(effect, Effect::Refresh { .. });
            world.succeed()?;
            if refreshing && !live.is_empty() {
                live.insert(AccessToken::new(format!("token {}", world.issued)).fingerprint());
            }
        }
        prop_assert!(live.is_subset(&world.revoked), "a live token was not revoked");
        prop_assert_eq!(world.state.label(world.now()), SessionLabel::Lapsed(LapseCause::LoggedOut));
        let there = world.stored.as_ref().unwrap();
        prop_assert!(there.record.token.is_none() && there.record.state == RecordState::LoggedOut);
    }

    #[test]
    fn a_healthy_world_never_lapses(hours in prop::collection::vec(1_i64..120, 1..60)) {
        let mut world = World::new();
        world.apply(Op::LogIn)?;
        world.drain()?;
        // Somebody looks in at least every five days: then there is always a token, and none is renewed early.
        for h in hours {
            let before = world.state.held().cloned().unwrap();
            world.apply(Op::Wait(h * 3_600))?;
            world.send(Event::Wanted { min_remaining: Duration::ZERO })?;
            let renewing = world.pending.is_some();
            prop_assert_eq!(renewing, world.now() >= before.due_at);
            world.drain()?;
            prop_assert!(world.state.held().is_some_and(|held| held.usable(world.now())));
        }
    }
}

#[test]
fn a_clock_that_jumps_ahead_and_comes_back_ends_nothing() {
    let mut world = World::new();
    world.apply(Op::LogIn).unwrap();
    world.drain().unwrap();
    world.apply(Op::Jump(400 * DAY)).unwrap();
    world.apply(Op::Wanted(0)).unwrap();
    world.drain().unwrap();
    assert_eq!(
        world.state.label(world.now()),
        SessionLabel::Lapsed(LapseCause::Expired)
    );
    world.apply(Op::Jump(-400 * DAY)).unwrap();
    assert_eq!(world.state.label(world.now()), SessionLabel::Fresh);
}

#[test]
fn an_answer_without_gain_is_not_asked_for_again_at_once() {
    let mut world = World::new();
    world.apply(Op::LogIn).unwrap();
    world.drain().unwrap();
    world.apply(Op::Wait(25 * DAY)).unwrap();
    world.apply(Op::Wanted(0)).unwrap();
    world.succeed().unwrap();
    world.apply(Op::SameAgain).unwrap();
    world.drain().unwrap();
    world.apply(Op::Wanted(0)).unwrap();
    assert!(world.pending.is_none());
    world.apply(Op::Wait(601)).unwrap();
    world.apply(Op::Wanted(0)).unwrap();
    assert!(world.pending.is_some());
}

#[test]
fn a_renewed_token_is_taken_even_if_the_clock_says_that_it_is_older() {
    let mut world = World::new();
    world.apply(Op::LogIn).unwrap();
    world.drain().unwrap();
    // Tokens without the claim `iat`, and a clock that was set back: the age is the clock's.
    world.truth -= 3_600;
    world.wall -= 3_600;
    world.send(Event::RefreshNow).unwrap();
    world.succeed().unwrap();
    let before = world.state.held().map(Issued::fingerprint);
    world.state = world
        .state
        .clone()
        .step(Event::Refreshed(Ok(world.issue())), world.now(), &UserPolicy::default())
        .0;
    assert_ne!(
        world.state.held().map(Issued::fingerprint),
        before,
        "a received token was dropped"
    );
}

#[test]
fn the_end_of_another_token_of_the_same_second_ends_no_login() {
    use Op::{Fail, LogIn, RefreshNow, RejectCurrent, Succeed};
    let (refused, down) = (Fail(IssuerErrorKind::Rejected), Fail(IssuerErrorKind::Transient));
    let mut world = World::new();
    // The end of the first token is stored; the second one cannot be, and the store is read again.
    let first = [LogIn, Succeed, RejectCurrent, Succeed, refused, Succeed, Succeed];
    let ops = first.into_iter().chain([LogIn, down, RefreshNow, Succeed]);
    ops.for_each(|op| world.apply(op).unwrap());
    assert!(world.state.held().is_some());
}
