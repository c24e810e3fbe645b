//! The user machine against a model of Transak and of a store that another process uses too.
#![allow(clippy::unwrap_used)]

mod elsewhere;
mod scenes;
mod world;

use std::collections::HashSet;
use std::time::Duration;

use proptest::prelude::*;

use super::machine::{Effect, Event, Note, SessionLabel};
use crate::error::LapseCause;
use crate::issuer::IssuerErrorKind;
use crate::machine::Machine;
use crate::store::{Record, RecordState};
use crate::token::{AccessToken, Issued, TokenFingerprint};

use world::{DAY, World};

#[derive(Clone, Debug)]
enum Op {
    Wait(i64),
    Jump(i64),
    SetClock,
    Wanted(u64),
    RefreshNow,
    Unauthorized,
    LogIn,
    LogOut,
    Succeed,
    SameAgain,
    Fail(IssuerErrorKind),
    LoseAnswer,
    Lose,
    TooLate,
    Guard(bool),
    TransakEnds,
    OtherRenews,
    OtherLogsIn,
    OtherLogsOut,
    OtherLapses,
    OtherClaims,
    OtherEnds,
    Keep,
    /// Of the version that is stored, of an older one, or of one that there never was.
    Hint(i64),
    Retry,
    StoreForgets,
    StoreRollsBack,
}

fn op() -> impl Strategy<Value = Op> {
    use IssuerErrorKind::{RateLimited, Rejected, Transient, Unknown};
    let limited = RateLimited {
        retry_after: Some(Duration::from_secs(700)),
    };
    prop_oneof![
        3 => (1..6 * DAY).prop_map(Op::Wait),
        3 => (1_i64..900).prop_map(Op::Wait),
        1 => (-40 * DAY..40 * DAY).prop_map(Op::Jump),
        1 => Just(Op::SetClock),
        7 => prop::sample::select(vec![0, 3_600, 20 * DAY as u64]).prop_map(Op::Wanted),
        1 => Just(Op::RefreshNow),
        3 => Just(Op::Unauthorized),
        2 => Just(Op::LogIn),
        1 => Just(Op::LogOut),
        16 => Just(Op::Succeed),
        1 => Just(Op::SameAgain),
        4 => prop::sample::select(vec![Transient, Unknown, Rejected, Rejected, limited]).prop_map(Op::Fail),
        1 => Just(Op::LoseAnswer),
        1 => Just(Op::Lose),
        1 => Just(Op::TooLate),
        1 => any::<bool>().prop_map(Op::Guard),
        1 => Just(Op::TransakEnds),
        2 => Just(Op::OtherRenews),
        1 => Just(Op::OtherLogsIn),
        1 => Just(Op::OtherLogsOut),
        1 => Just(Op::OtherLapses),
        2 => Just(Op::OtherClaims),
        1 => Just(Op::OtherEnds),
        2 => Just(Op::Keep),
        2 => (-1_i64..2).prop_map(Op::Hint),
        2 => Just(Op::Retry),
        1 => Just(Op::StoreForgets),
        1 => Just(Op::StoreRollsBack),
    ]
}

impl World {
    fn apply(&mut self, op: Op) -> Result<(), TestCaseError> {
        match op {
            Op::Wait(s) => self.truth += s,
            Op::Jump(s) => self.skew += s,
            Op::SetClock => self.skew = 0,
            Op::Guard(on) => self.guarded = on,
            Op::TransakEnds => {
                self.held().map(|which| self.live.remove(&which));
            }
            Op::OtherRenews => self.other_renews(),
            Op::OtherLogsIn => self.other_logs_in(),
            Op::OtherLapses => self.other_lapses(),
            Op::OtherClaims => self.other_claims(),
            Op::OtherEnds => self.other_ends(),
            Op::StoreForgets => self.forget(),
            Op::StoreRollsBack => self.roll_back(),
            Op::OtherLogsOut => {
                let (at, until) = (self.now(), self.now() + Duration::from_secs(30 * DAY as u64));
                self.put(Record::logged_out(at, until));
            }
            Op::Wanted(s) => {
                let min_remaining = Duration::from_secs(s);
                return self.send(Event::Wanted { min_remaining });
            }
            Op::RefreshNow => return self.send(Event::RefreshNow),
            Op::Unauthorized => return self.unauthorized(),
            Op::LogIn => {
                let issued = self.issue();
                return self.send(Event::LoggedIn(issued, Self::ip()));
            }
            Op::LogOut => {
                self.send(Event::LogOut)?;
                prop_assert!(self.state.held().is_none(), "a token is served after the logout");
            }
            Op::Succeed => return self.succeed(),
            Op::SameAgain => {
                if let Some(Effect::Refresh { issued, .. }) = self.pending.clone() {
                    self.pending = None;
                    return self.send(Event::Refreshed(Ok(issued)));
                }
            }
            Op::Fail(kind) => return self.fail(kind),
            Op::LoseAnswer => return self.lose_answer(),
            Op::Lose => return self.lose(),
            Op::TooLate => {
                if let Some(Effect::Refresh { tenure: Some(_), .. }) = &self.pending {
                    self.pending = None;
                    return self.send(Event::TooLate);
                }
            }
            Op::Keep => return self.keep(),
            Op::Retry => {
                let idle = self.pending.is_none();
                self.send(Event::Retry)?;
                let saves = matches!(self.pending, None | Some(Effect::Save { .. } | Effect::Revoke { .. }));
                prop_assert!(!idle || saves, "it came back for more: {:?}", self.pending);
            }
            Op::Hint(distance) => {
                let idle = self.pending.is_none();
                self.hint(distance)?;
                let looks = matches!(self.pending, None | Some(Effect::Read));
                prop_assert!(!idle || looks, "a hint did more than look: {:?}", self.pending);
            }
        }
        Ok(())
    }
}

/// So many, unless the environment says how many.
fn cases(cases: u32) -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig::with_cases(cases),
    }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn keeps_its_promises(rotates: bool, ops in prop::collection::vec(op(), 1..100)) {
        let mut world = World::new(rotates);
        for op in ops {
            world.apply(op)?;
        }
        world.drain()?;
    }

    /// After the worst: whoever has a token that Transak would renew has a new one within a day, if it is due.
    #[test]
    fn recovers_in_a_healthy_world(rotates: bool, ops in prop::collection::vec(op(), 1..80)) {
        let mut world = World::new(rotates);
        for op in ops {
            world.apply(op)?;
        }
        (world.skew, world.guarded) = (0, false);
        world.drain()?;
        world.apply(Op::Wait(31))?;
        world.apply(Op::Wanted(0))?;
        world.drain()?;
        let held = world.state.held().cloned();
        let Some(held) = held.filter(|h| world.accepts(h.fingerprint())) else { return Ok(()) };
        let due = held.due_at <= world.now() && held.expires_at.since(world.now()).as_secs() > 2 * DAY as u64;
        for _ in 0..5 {
            world.apply(Op::Wait(6 * 3_600))?;
            world.apply(Op::Wanted(0))?;
            world.drain()?;
        }
        let after = world.held();
        prop_assert!(!due || after.is_some_and(|a| a != held.fingerprint()), "not renewed: {:?}", world.state);
    }

    #[test]
    fn a_logout_revokes_what_there_is(rotates: bool, ops in prop::collection::vec(op(), 1..60)) {
        let mut world = World::new(rotates);
        for op in ops {
            world.apply(op)?;
        }
        // From the logout on nobody logs in, and no other process, loss or failure stands in the way.
        let mut live: HashSet<TokenFingerprint> = HashSet::new();
        live.extend(world.state.held().filter(|h| h.usable(world.now())).map(Issued::fingerprint));
        world.apply(Op::LogOut)?;
        while let Some(effect) = world.pending.clone() {
            let issued = world.issued;
            world.succeed()?;
            if matches!(effect, Effect::Refresh { .. }) && world.issued > issued && !live.is_empty() {
                let last = AccessToken::new(format!("token {}", world.issued)).fingerprint();
                live.extend(world.accepts(last).then_some(last));
            }
        }
        prop_assert!(live.is_subset(&world.revoked), "a live token was not revoked");
        prop_assert_eq!(world.state.label(world.now()), SessionLabel::Lapsed(LapseCause::LoggedOut));
        let there = world.stored.as_ref().unwrap();
        prop_assert!(there.record.token.is_none() && there.record.state == RecordState::LoggedOut);
    }

    /// Whatever has happened before: who hears of another's token has it, and renews nothing for it.
    #[test]
    fn a_hint_brings_the_stored_token_and_renews_nothing(
        rotates: bool,
        ops in prop::collection::vec(op(), 1..60),
        distance in -1_i64..2,
    ) {
        let mut world = World::new(rotates);
        for op in ops {
            world.apply(op)?;
        }
        world.drain()?;
        let before = world.held();
        world.apply(Op::OtherRenews)?;
        let renewals = world.renewals;
        world.hint(distance)?;
        world.drain()?;
        prop_assert_eq!(world.renewals, renewals, "a hint caused a renewal");
        let there = world.stored.as_ref().and_then(|v| v.record.issued());
        if let (Some(_), Some(held), Some(there), true) = (before, world.state.held(), there, distance >= 0) {
            prop_assert!(held.order() >= there.order(), "a hint was not followed");
        }
    }

    #[test]
    fn a_healthy_world_never_lapses(hours in prop::collection::vec(1_i64..120, 1..60)) {
        let mut world = World::new(true);
        world.apply(Op::LogIn)?;
        world.drain()?;
        // Somebody looks in at least every five days: then there is always a token, and none is renewed early.
        for h in hours {
            let before = world.state.held().cloned().unwrap();
            let renewals = world.renewals;
            world.apply(Op::Wait(h * 3_600))?;
            world.apply(Op::Wanted(0))?;
            let due = world.now() >= before.due_at;
            world.drain()?;
            prop_assert_eq!(world.renewals > renewals, due);
            prop_assert!(world.state.held().is_some_and(|held| held.usable(world.now())));
        }
    }
}
