//! The partner machine: several processes against a model of Transak and of the store that they share.
#![allow(clippy::unwrap_used, clippy::panic)]

mod fleet;

use proptest::prelude::*;

use super::machine::{Effect, Event};
use crate::error::{RefusedHint, TokenError};
use crate::events::SessionEvent;
use crate::issuer::IssuerErrorKind;
use crate::machine::Machine;
use crate::store::Version;
use crate::token::AccessToken;
use fleet::{Fate, Fleet};

#[derive(Clone, Debug)]
enum Op {
    Wait(u32),
    Jump(usize, i32),
    Wanted(usize),
    Look(usize),
    Hint(usize, i64),
    Retry(usize),
    RejectCurrent(usize),
    RejectOther(usize),
    /// Sends a mint, without its answer yet.
    Send(usize),
    Perform(usize, Fate),
    Crash(usize, bool),
    ForeignMint,
    StoreForgets,
    StoreGoesBack,
}

const PROCESSES: usize = 3;

fn op(wild: bool) -> BoxedStrategy<Op> {
    use IssuerErrorKind::{Rejected, Transient, Unknown};
    let who = || 0..PROCESSES;
    let kinds = prop::sample::select(vec![
        Transient,
        Unknown,
        Rejected,
        IssuerErrorKind::RateLimited { retry_after: None },
    ]);
    let tame = prop_oneof![
        2 => (1_u32..400_000).prop_map(Op::Wait),
        4 => (1_u32..90).prop_map(Op::Wait),
        7 => who().prop_map(Op::Wanted),
        1 => who().prop_map(Op::Look),
        1 => (who(), -1_i64..2).prop_map(|(p, distance)| Op::Hint(p, distance)),
        1 => who().prop_map(Op::Retry),
        4 => who().prop_map(Op::RejectCurrent),
        1 => who().prop_map(Op::RejectOther),
        2 => who().prop_map(Op::Send),
        16 => who().prop_map(|p| Op::Perform(p, Fate::Succeeds)),
        2 => (who(), kinds).prop_map(|(p, kind)| Op::Perform(p, Fate::Fails(kind))),
        1 => who().prop_map(|p| Op::Perform(p, Fate::LosesAnswer)),
        1 => (who(), any::<bool>()).prop_map(|(p, acts)| Op::Perform(p, Fate::Panics { acts })),
        1 => (who(), any::<bool>()).prop_map(|(p, acts)| Op::Crash(p, acts)),
        1 => Just(Op::ForeignMint),
    ];
    if !wild {
        return tame.boxed();
    }
    prop_oneof![
        30 => tame,
        1 => (who(), -900_000_i32..900_000).prop_map(|(p, s)| Op::Jump(p, s)),
        1 => Just(Op::StoreForgets),
        1 => Just(Op::StoreGoesBack),
    ]
    .boxed()
}

fn apply(fleet: &mut Fleet, op: Op) -> Result<(), TestCaseError> {
    match op {
        Op::Wait(seconds) => fleet.truth += i64::from(seconds) * 1_000,
        Op::Jump(p, seconds) => {
            fleet.processes[p].skew += i64::from(seconds) * 1_000;
            fleet.jumped = true;
        }
        Op::Wanted(p) => fleet.send(p, Event::Wanted)?,
        Op::Look(p) => fleet.send(p, Event::Look)?,
        Op::Hint(p, distance) => {
            let idle = fleet.processes[p].pending.is_none();
            let stored = fleet.record.as_ref().map_or(0, |there| there.version.get());
            fleet.send(p, Event::Hinted(Version::new(stored.saturating_add_signed(distance))))?;
            let looks = matches!(fleet.processes[p].pending, None | Some((Effect::Read, _)));
            prop_assert!(!idle || looks, "a hint did more than look");
        }
        Op::Retry(p) => fleet.send(p, Event::Retry)?,
        Op::RejectCurrent(p) => fleet.reject(p)?,
        Op::RejectOther(p) => {
            let idle = fleet.processes[p].pending.is_none();
            fleet.send(p, Event::Rejected(AccessToken::new("long gone").fingerprint()))?;
            prop_assert!(
                !idle || fleet.processes[p].pending.is_none(),
                "a stale 401 had an effect"
            );
        }
        Op::Send(p) => fleet.begin(p)?,
        Op::Perform(p, fate) => fleet.perform(p, fate)?,
        Op::Crash(p, acts) => fleet.crash(p, acts)?,
        Op::ForeignMint => drop(fleet.issue()),
        Op::StoreForgets => fleet.forget(),
        Op::StoreGoesBack => fleet.go_back(),
    }
    Ok(())
}

/// Left alone in a healthy world all come to rest, and with the token that lives.
fn recover(fleet: &mut Fleet) -> Result<(), TestCaseError> {
    for _ in 0..6 {
        fleet.truth += 7_200_000;
        for p in 0..PROCESSES {
            match fleet.held(p).map(|held| held.fingerprint()) {
                Some(which) if fleet.live != Some(which) => fleet.reject(p)?,
                _ => fleet.send(p, Event::Wanted)?,
            }
            fleet.settle(p)?;
            // A store that has forgotten gets its token back when somebody looks.
            fleet.truth += 2_000;
            fleet.send(p, Event::Look)?;
            fleet.settle(p)?;
        }
    }
    if fleet.jumped {
        return Ok(());
    }
    for p in 0..PROCESSES {
        let held = fleet.held(p).cloned();
        prop_assert!(
            held.as_ref().is_some_and(|h| h.usable(fleet.now(p))),
            "process {p} has no usable token"
        );
        prop_assert_eq!(
            held.map(|h| h.fingerprint()),
            fleet.live,
            "process {} holds a dead token",
            p
        );
    }
    prop_assert_eq!(
        fleet.stored().map(|i| i.fingerprint()),
        fleet.live,
        "the store holds a dead token"
    );
    Ok(())
}

/// 300 cases of each, or as many as `PROPTEST_CASES` asks for.
fn cases() -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig::with_cases(300),
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_fleet_with_a_working_store_mints_once_per_interval(ops in prop::collection::vec(op(false), 1..90)) {
        let mut fleet = Fleet::new(PROCESSES);
        for op in ops {
            apply(&mut fleet, op)?;
        }
        fleet.check_distances()?;
        recover(&mut fleet)?;
        fleet.check_distances()?;
    }

    #[test]
    fn whatever_happens_to_clocks_and_store_no_token_is_lost(ops in prop::collection::vec(op(true), 1..90)) {
        let mut fleet = Fleet::new(PROCESSES);
        for op in ops {
            apply(&mut fleet, op)?;
        }
        recover(&mut fleet)?;
    }
}

fn settled(fleet: &mut Fleet, p: usize, event: Event) {
    fleet.send(p, event).unwrap();
    fleet.settle(p).unwrap();
}

#[test]
fn repeated_rejections_widen_the_distance_between_mints_for_all() {
    let mut fleet = Fleet::new(PROCESSES);
    let mut p = 0;
    for _ in 0..20_000 {
        // Whoever is asked next: the distance does not depend on who has met the rejections.
        p = (p + 1) % PROCESSES;
        settled(&mut fleet, p, Event::Wanted);
        fleet.reject(p).unwrap();
        fleet.settle(p).unwrap();
        fleet.truth += 1_000;
    }
    let times: Vec<i64> = fleet.mints.iter().map(|ms| ms / 1_000).collect();
    let gaps: Vec<i64> = times.windows(2).map(|w| w[1] - w[0]).collect();
    assert_eq!(gaps[0] / 10, 6, "{gaps:?}");
    assert_eq!(gaps[1] / 100, 6, "{gaps:?}");
    assert!(gaps[2..].iter().all(|g| (3_600..3_800).contains(g)), "{gaps:?}");
    let contested = |e: &&SessionEvent| matches!(e, SessionEvent::ContestedMinter);
    for process in &fleet.processes {
        assert!(matches!(process.state.failure(), Some(TokenError::Refused { .. })));
        assert!(
            process.notes.iter().filter(contested).count() <= 1,
            "told more than once"
        );
    }
    let told = fleet.processes.iter().flat_map(|p| &p.notes).filter(contested).count();
    assert!(told >= 1, "nobody was told");
}

#[test]
fn an_old_token_of_another_process_does_not_hold_the_next_mint_up() {
    let mut fleet = Fleet::new(2);
    settled(&mut fleet, 0, Event::Wanted);
    for _ in 0..2 {
        fleet.truth += 60_000;
        fleet.reject(0).unwrap();
        fleet.settle(0).unwrap();
    }
    fleet.truth += 604_801_000;
    settled(&mut fleet, 0, Event::Wanted);
    assert!(fleet.held(0).is_some_and(|held| held.usable(fleet.now(0))));
}

#[test]
fn a_look_adopts_but_never_mints_and_is_rare() {
    let mut fleet = Fleet::new(2);
    settled(&mut fleet, 0, Event::Look);
    assert!(fleet.mints.is_empty());
    fleet.send(0, Event::Look).unwrap();
    assert!(fleet.processes[0].pending.is_none(), "two looks at once");
    settled(&mut fleet, 1, Event::Wanted);
    fleet.truth += 2_000;
    settled(&mut fleet, 0, Event::Look);
    assert_eq!(fleet.held(0), fleet.held(1));
    // Somebody who wants a token and meets a look under way gets one all the same.
    let mut fleet = Fleet::new(1);
    fleet.send(0, Event::Look).unwrap();
    settled(&mut fleet, 0, Event::Wanted);
    assert!(fleet.held(0).is_some());
}

#[test]
fn a_process_that_was_paused_for_longer_than_its_lease_does_not_call() {
    let mut fleet = Fleet::new(2);
    fleet.send(0, Event::Wanted).unwrap();
    fleet.perform(0, Fate::Succeeds).unwrap();
    fleet.perform(0, Fate::Succeeds).unwrap();
    assert!(matches!(fleet.processes[0].pending, Some((Effect::Mint { .. }, _))));
    fleet.truth += 16_000;
    fleet.settle(0).unwrap();
    assert!(fleet.mints.is_empty());
    // The lease was given back, so nobody has to wait for its end.
    settled(&mut fleet, 1, Event::Wanted);
    assert_eq!(fleet.mints.len(), 1);
}

/// The pause that no lease can cover: after the check, before the call.
#[test]
fn the_later_of_two_mints_wins_and_the_loser_is_kept() {
    for late_writes_first in [false, true] {
        let mut fleet = Fleet::new(2);
        for p in 0..2 {
            fleet.send(p, Event::Wanted).unwrap();
            fleet.perform(p, Fate::Succeeds).unwrap();
            fleet.perform(p, Fate::Succeeds).unwrap();
            fleet.begin(p).unwrap();
            // As if the lease of the first had lapsed while it was on its way.
            fleet.drop_lease();
            fleet.truth += 2_000;
        }
        let order = if late_writes_first { [1, 0] } else { [0, 1] };
        for p in order {
            fleet.settle(p).unwrap();
        }
        let winner = fleet.stored().unwrap().fingerprint();
        assert_eq!(Some(winner), fleet.live);
        let told = |p: usize| {
            let duplicate = |e: &&SessionEvent| matches!(e, SessionEvent::DuplicateUpstream { .. });
            fleet.processes[p].notes.iter().filter(duplicate).count()
        };
        assert_eq!((told(order[0]), told(order[1])), (0, 1));
        assert_eq!(fleet.retired_in_store(), 1);
        settled(&mut fleet, 0, Event::Look);
        settled(&mut fleet, 1, Event::Look);
        fleet.truth += 3_000;
        for p in 0..2 {
            settled(&mut fleet, p, Event::Look);
            assert_eq!(fleet.held(p).map(|h| h.fingerprint()), Some(winner));
            assert_eq!(fleet.processes[p].state.keys(fleet.now(p)).len(), 2);
        }
    }
}

#[test]
fn a_refusal_of_the_mint_holds_the_whole_fleet_back() {
    let mut fleet = Fleet::new(2);
    fleet.send(0, Event::Wanted).unwrap();
    fleet.perform(0, Fate::Succeeds).unwrap();
    fleet.perform(0, Fate::Succeeds).unwrap();
    let retry_after = Some(std::time::Duration::from_secs(300));
    fleet
        .perform(0, Fate::Fails(IssuerErrorKind::RateLimited { retry_after }))
        .unwrap();
    fleet.settle(0).unwrap();
    fleet.truth += 290_000;
    settled(&mut fleet, 1, Event::Wanted);
    assert!(matches!(
        fleet.processes[1].state.failure(),
        Some(TokenError::MintHeld { .. })
    ));
    assert!(fleet.live.is_none());
    fleet.truth += 10_000;
    settled(&mut fleet, 1, Event::Wanted);
    assert!(fleet.live.is_some());
}

#[test]
fn a_process_that_starts_later_knows_of_the_row_of_rejections() {
    let mut fleet = Fleet::new(2);
    settled(&mut fleet, 0, Event::Wanted);
    for pause in [60_000, 600_000, 3_600_000] {
        fleet.reject(0).unwrap();
        fleet.settle(0).unwrap();
        fleet.truth += pause;
        fleet.reject(0).unwrap();
        fleet.settle(0).unwrap();
    }
    assert_eq!(fleet.mints.len(), 4);
    settled(&mut fleet, 1, Event::Wanted);
    fleet.truth += 300_000;
    fleet.reject(1).unwrap();
    fleet.settle(1).unwrap();
    assert_eq!(fleet.mints.len(), 4);
    let Some(TokenError::Refused { hint, retry_at }) = fleet.processes[1].state.failure() else {
        panic!("it does not hold back");
    };
    assert_eq!(hint, RefusedHint::AnotherMinter);
    assert!(retry_at.since(fleet.now(1)).as_secs() >= 3_200);
}
