//! The partner machine against a model of Transak and of a store that another process uses too.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::machine::{Effect, Event, PartnerState, Saved, Stored};
use crate::clock::Timestamp;
use crate::error::TokenError;
use crate::issuer::{IssuerError, IssuerErrorKind};
use crate::machine::Machine;
use crate::policy::PartnerPolicy;
use crate::store::{StoreError, Version};
use crate::token::{AccessToken, Issued};

#[derive(Clone, Debug)]
enum Op {
    Wait(u32),
    Jump(i32),
    Wanted,
    RejectCurrent,
    RejectOther,
    Succeed,
    Fail(IssuerErrorKind),
    Lose,
    OtherMints,
    StoreForgets,
}

fn op() -> impl Strategy<Value = Op> {
    use IssuerErrorKind::{Rejected, Transient, Unknown};
    prop_oneof![
        3 => (1_u32..400_000).prop_map(Op::Wait),
        2 => (1_u32..90).prop_map(Op::Wait),
        1 => (-900_000_i32..900_000).prop_map(Op::Jump),
        6 => Just(Op::Wanted),
        3 => Just(Op::RejectCurrent),
        1 => Just(Op::RejectOther),
        9 => Just(Op::Succeed),
        2 => prop::sample::select(vec![Transient, Unknown, Rejected, IssuerErrorKind::RateLimited { retry_after: None }])
            .prop_map(Op::Fail),
        1 => Just(Op::Lose),
        1 => Just(Op::OtherMints),
        1 => Just(Op::StoreForgets),
    ]
}

/// Transak, the store and the machine's surroundings.
struct World {
    state: PartnerState,
    pending: Option<Effect>,
    wall: i64,
    /// True time, by which tokens are issued; the wall clock may lie.
    truth: i64,
    mints: u64,
    stored: Option<Stored>,
    versions: u64,
    /// True times of our mints that may have reached Transak.
    our_mints: Vec<i64>,
    jumped: bool,
}

impl World {
    fn new() -> Self {
        Self {
            state: PartnerState::default(),
            pending: None,
            wall: 1_700_000_000,
            truth: 1_700_000_000,
            mints: 0,
            stored: None,
            versions: 0,
            our_mints: Vec::new(),
            jumped: false,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.wall)
    }

    fn issue(&mut self) -> Issued {
        self.mints += 1;
        let at = Timestamp::from_unix_seconds(self.truth);
        let until = at + Duration::from_secs(604_800);
        let token = AccessToken::new(format!("token {}", self.mints));
        Issued::restore(token, at, until, until - Duration::from_secs(600))
    }

    fn send(&mut self, event: Event) -> Result<(), TestCaseError> {
        let before = self.state.held().cloned();
        let minted = matches!(event, Event::Minted(Ok(_)));
        let (next, effect) = self.state.clone().step(event, self.now(), &PartnerPolicy::default());
        self.state = next;
        if let Some(effect) = effect {
            prop_assert!(self.pending.is_none(), "two effects under way");
            if matches!(effect, Effect::Mint) {
                let label = self.state.held().map(|h| (h.usable(self.now()), self.now() < h.due_at));
                prop_assert!(label != Some((true, true)) || self.doubted(), "minted without need");
                self.our_mints.push(self.truth);
            }
            self.pending = Some(effect);
        }
        if let Some(before) = before {
            let after = self.state.held();
            prop_assert!(after.is_some(), "a token was dropped");
            prop_assert!(
                minted || after.is_some_and(|a| a.at_least_as_new_as(&before)),
                "an older token replaced a newer one"
            );
        }
        Ok(())
    }

    fn doubted(&self) -> bool {
        format!("{:?}", self.state).contains("doubted: true")
    }

    fn succeed(&mut self) -> Result<(), TestCaseError> {
        match self.pending.take() {
            None => Ok(()),
            Some(Effect::Read) => self.send(Event::Read(Ok(self.stored.clone()))),
            Some(Effect::Mint) => {
                let issued = self.issue();
                self.send(Event::Minted(Ok(issued)))
            }
            Some(Effect::Save { issued, expected }) => {
                if self.stored.as_ref().map(|s| s.version) != expected {
                    return self.send(Event::Saved(Ok(Saved::Conflict(self.stored.clone()))));
                }
                if let Some(there) = &self.stored {
                    prop_assert!(issued.at_least_as_new_as(&there.issued), "an older token was stored");
                }
                let version = self.store(issued);
                self.send(Event::Saved(Ok(Saved::As(version))))
            }
        }
    }

    fn store(&mut self, issued: Issued) -> Version {
        self.versions += 1;
        let version = Version::new(self.versions);
        self.stored = Some(Stored { version, issued });
        version
    }

    fn fail(&mut self, kind: IssuerErrorKind) -> Result<(), TestCaseError> {
        let store = || Arc::new(StoreError::new("down"));
        match self.pending.take() {
            None => Ok(()),
            Some(Effect::Read) => self.send(Event::Read(Err(store()))),
            Some(Effect::Save { .. }) => self.send(Event::Saved(Err(store()))),
            Some(Effect::Mint) => {
                if kind == IssuerErrorKind::Transient {
                    self.our_mints.pop();
                }
                self.send(Event::Minted(Err(Arc::new(IssuerError::new(kind)))))
            }
        }
    }

    fn apply(&mut self, op: Op) -> Result<(), TestCaseError> {
        match op {
            Op::Wait(s) => {
                self.wall += i64::from(s);
                self.truth += i64::from(s);
                Ok(())
            }
            Op::Jump(s) => {
                self.wall += i64::from(s);
                self.jumped = true;
                Ok(())
            }
            Op::Wanted => self.send(Event::Wanted),
            Op::RejectCurrent => match self.state.held().map(Issued::fingerprint) {
                Some(which) => self.send(Event::Rejected(which)),
                None => Ok(()),
            },
            Op::RejectOther => {
                let before = format!("{:?}", self.state);
                let other = AccessToken::new("long gone").fingerprint();
                let idle = self.pending.is_none();
                self.send(Event::Rejected(other))?;
                prop_assert!(!idle || self.pending.is_none(), "a stale 401 had an effect");
                if !self.jumped {
                    prop_assert_eq!(before, format!("{:?}", self.state));
                }
                Ok(())
            }
            Op::Succeed => self.succeed(),
            Op::Fail(kind) => self.fail(kind),
            Op::Lose => match self.pending.take() {
                Some(_) => self.send(Event::Lost(TokenError::Panicked)),
                None => Ok(()),
            },
            Op::OtherMints => {
                let issued = self.issue();
                self.store(issued);
                Ok(())
            }
            Op::StoreForgets => {
                self.stored = None;
                Ok(())
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn keeps_its_promises(ops in prop::collection::vec(op(), 1..80)) {
        let mut world = World::new();
        for op in ops {
            world.apply(op)?;
        }
        // Distances between mints are true ones as long as the clock tells the truth.
        if !world.jumped {
            for pair in world.our_mints.windows(2) {
                prop_assert!(pair[1] - pair[0] >= 60, "mints {pair:?} are too close");
            }
        }
        // Left alone with a healthy world, it comes to rest, and within two intervals has a token.
        world.wall += 7_200;
        world.truth += 7_200;
        for _ in 0..2 {
            world.send(Event::Wanted)?;
            for _ in 0..20 {
                world.succeed()?;
            }
            prop_assert!(world.pending.is_none(), "it never comes to rest");
        }
        prop_assert!(world.state.held().is_some_and(|h| h.usable(world.now())) || world.jumped);
    }
}

#[test]
fn repeated_rejections_widen_the_distance_between_mints() {
    let mut world = World::new();
    let mut mints = Vec::new();
    world.send(Event::Wanted).unwrap();
    for second in 0..20_000 {
        if world.our_mints.len() > mints.len() {
            mints.push(second);
        }
        for _ in 0..4 {
            world.succeed().unwrap();
        }
        let which = world.state.held().map(Issued::fingerprint).unwrap();
        world.send(Event::Rejected(which)).unwrap();
        world.wall += 1;
        world.truth += 1;
    }
    let gaps: Vec<i32> = mints.windows(2).map(|w| w[1] - w[0]).collect();
    assert_eq!(gaps[0] / 10, 6, "{gaps:?}");
    assert_eq!(gaps[1] / 100, 6, "{gaps:?}");
    assert!(gaps[2..].iter().all(|g| (3_600..3_700).contains(g)), "{gaps:?}");
    assert!(matches!(world.state.failure(), Some(TokenError::Refused { .. })));
}

#[test]
fn an_old_token_of_another_process_does_not_hold_the_next_mint_up() {
    let mut world = World::new();
    let run = |world: &mut World, ops: Vec<Op>| ops.into_iter().for_each(|op| world.apply(op).unwrap());
    let settle = || vec![Op::Succeed, Op::Succeed, Op::Succeed];
    // Two tokens that were rejected soon after their mint make the distance between mints ten minutes.
    run(&mut world, vec![Op::Wanted]);
    run(&mut world, settle());
    run(&mut world, vec![Op::RejectCurrent, Op::Wait(60)]);
    run(&mut world, settle());
    run(&mut world, vec![Op::OtherMints, Op::RejectCurrent, Op::Wait(604_801)]);
    run(&mut world, settle());
    assert!(world.state.held().is_some_and(|held| held.usable(world.now())));
}
