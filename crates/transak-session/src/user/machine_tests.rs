//! The user machine against a model of Transak and of a store that another process uses too.
#![allow(clippy::unwrap_used)]

mod elsewhere;
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

#[test]
fn a_clock_that_jumps_ahead_and_comes_back_ends_nothing() {
    let mut world = World::new(false);
    world.apply(Op::LogIn).unwrap();
    world.drain().unwrap();
    world.apply(Op::Jump(400 * DAY)).unwrap();
    world.apply(Op::Wanted(0)).unwrap();
    // The last attempt does not get through, and the end is stored.
    world.succeed().unwrap();
    world.apply(Op::Fail(IssuerErrorKind::Transient)).unwrap();
    world.drain().unwrap();
    let lapsed = SessionLabel::Lapsed(LapseCause::Expired);
    assert_eq!(world.state.label(world.now()), lapsed);
    assert_eq!(world.stored.as_ref().unwrap().record.state, RecordState::Lapsed);
    for _ in 0..5 {
        world.apply(Op::Wanted(0)).unwrap();
        world.drain().unwrap();
    }
    assert_eq!(world.renewals, 0, "one last attempt is enough");
    world.apply(Op::Jump(-400 * DAY)).unwrap();
    world.apply(Op::Wanted(0)).unwrap();
    world.drain().unwrap();
    assert_eq!(world.state.label(world.now()), SessionLabel::Fresh);
    assert_eq!(world.stored.as_ref().unwrap().record.state, RecordState::Live);
}

#[test]
fn an_answer_without_gain_is_not_asked_for_again_at_once() {
    let mut world = World::new(false);
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
    let mut world = World::new(false);
    world.apply(Op::LogIn).unwrap();
    world.drain().unwrap();
    let before = world.held();
    // Tokens without the claim `iat`, and a clock that was set back: the age is the clock's.
    world.truth -= 3_600;
    world.apply(Op::RefreshNow).unwrap();
    world.drain().unwrap();
    assert_ne!(world.held(), before, "a received token was dropped");
    let stored = world.stored.as_ref().unwrap().record.token.clone().unwrap();
    assert_eq!(Some(stored.fingerprint()), world.held());
}

#[test]
fn the_end_of_another_token_of_the_same_second_ends_no_login() {
    use Op::{Fail, LogIn, RefreshNow, Succeed, TransakEnds, Unauthorized};
    let mut world = World::new(false);
    // The end of the first token is stored; the second one cannot be, and the store is read again.
    let first = [LogIn, Succeed, TransakEnds, Unauthorized];
    first.into_iter().for_each(|op| world.apply(op).unwrap());
    world.drain().unwrap();
    assert!(world.state.held().is_none());
    let ops = [LogIn, Fail(IssuerErrorKind::Transient), RefreshNow, Succeed];
    ops.into_iter().for_each(|op| world.apply(op).unwrap());
    assert!(world.state.held().is_some());
}

#[test]
fn a_401_and_a_refusal_are_followed_by_one_question_at_once() {
    for (ended, guarded) in [(true, false), (true, true), (false, false)] {
        let mut world = World::new(false);
        world.apply(Op::LogIn).unwrap();
        world.drain().unwrap();
        world.guarded = guarded;
        if ended {
            world.apply(Op::TransakEnds).unwrap();
        }
        world.apply(Op::Unauthorized).unwrap();
        while !matches!(world.pending, Some(Effect::Refresh { .. })) {
            world.succeed().unwrap();
        }
        world.apply(Op::Fail(IssuerErrorKind::Rejected)).unwrap();
        world.succeed().unwrap();
        assert!(matches!(world.pending, Some(Effect::Probe { .. })));
        world.drain().unwrap();
        let lapses = world.notes.iter().filter(|n| matches!(n, Note::OtpRequired { .. }));
        assert_eq!(lapses.count(), usize::from(ended && !guarded));
        let record = &world.stored.as_ref().unwrap().record;
        match ended && !guarded {
            true => assert_eq!(record.lapse_cause(), Some(LapseCause::Rejected)),
            // Under the guard nothing is decided; a token that is known to be good only waits.
            false => {
                let suspect = matches!(record.state, RecordState::Suspect { .. });
                assert!(record.kept_alive() && suspect == ended && record.wake_at > world.now());
            }
        }
    }
}

#[test]
fn a_session_that_nobody_uses_sleeps_until_somebody_does() {
    let mut world = World::new(true);
    world.apply(Op::LogIn).unwrap();
    world.drain().unwrap();
    // A worker alone keeps it alive; nobody asks for a token.
    let mut days = 0;
    while !world.notes.contains(&Note::Dormant) {
        world.apply(Op::Wait(DAY)).unwrap();
        world.apply(Op::Keep).unwrap();
        world.drain().unwrap();
        days += 1;
    }
    assert!((90..=113).contains(&days), "{days}");
    assert_eq!(world.state.label(world.now()), SessionLabel::Dormant);
    let record = world.stored.clone().unwrap().record;
    assert_eq!((record.state, record.kept_alive()), (RecordState::Dormant, false));
    let renewals = world.renewals;
    assert!(renewals >= 4);
    assert!(world.state.held().is_some_and(|h| h.usable(world.now())));
    world.apply(Op::Wanted(0)).unwrap();
    world.drain().unwrap();
    assert_eq!(world.stored.clone().unwrap().record.used_at, world.now());
    // It was due already, so the one who woke it up renewed it as well; a worker goes on from there.
    assert_eq!(world.state.label(world.now()), SessionLabel::Fresh);
    for _ in 0..30 {
        world.apply(Op::Wait(DAY)).unwrap();
        world.apply(Op::Keep).unwrap();
        world.drain().unwrap();
    }
    assert_eq!(world.renewals, renewals + 2);
}

#[test]
fn a_lease_that_a_worker_brings_during_a_flight_is_seen_to() {
    let mut world = World::new(true);
    world.apply(Op::LogIn).unwrap();
    world.drain().unwrap();
    world.apply(Op::Wait(25 * DAY)).unwrap();
    world.apply(Op::Wanted(0)).unwrap();
    assert!(matches!(world.pending, Some(Effect::Claim)));
    // The worker was faster: our own claim finds its lease, which is ours.
    world.apply(Op::Keep).unwrap();
    world.drain().unwrap();
    assert_eq!(world.renewals, 1);
}
