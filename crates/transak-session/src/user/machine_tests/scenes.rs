//! Single histories that once went wrong, or that show a rule best.

use super::world::{DAY, World};
use super::*;

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

#[test]
fn of_two_wishes_during_a_read_the_greater_counts() {
    for wishes in [[0, 20 * DAY as u64], [20 * DAY as u64, 0]] {
        let mut world = World::new(true);
        world.apply(Op::LogIn).unwrap();
        world.drain().unwrap();
        world.apply(Op::Wait(12 * DAY)).unwrap();
        // Another process, which has only the store.
        world.state = Default::default();
        for wish in wishes {
            world.apply(Op::Wanted(wish)).unwrap();
            assert!(matches!(world.pending, Some(Effect::Read)));
        }
        world.drain().unwrap();
        assert_eq!(world.renewals, 1, "{wishes:?}");
    }
}
#[test]
fn a_hint_is_no_use_of_the_session() {
    let mut world = World::new(true);
    world.apply(Op::LogIn).unwrap();
    world.drain().unwrap();
    let used_at = world.stored.as_ref().unwrap().record.used_at;
    world.apply(Op::Wait(5 * DAY)).unwrap();
    world.apply(Op::OtherRenews).unwrap();
    world.hint(0).unwrap();
    world.drain().unwrap();
    let record = &world.stored.as_ref().unwrap().record;
    assert_eq!(world.held(), record.token.as_ref().map(AccessToken::fingerprint));
    assert!(record.used_at <= used_at);
}

/// The answer came while the token lived, so it is no last attempt, though the store failed after the end.
#[test]
fn a_refusal_from_before_the_end_is_no_last_attempt() {
    use Op::{Fail, Jump, LogIn, Succeed, TransakEnds, Unauthorized, Wanted};
    let fails = || Fail(IssuerErrorKind::Transient);
    let mut world = World::new(false);
    let ops = [
        LogIn,
        TransakEnds,
        Unauthorized,
        Succeed,
        fails(),
        Succeed,
        Jump(30 * DAY),
        fails(),
        Succeed,
    ];
    ops.into_iter().for_each(|op| world.apply(op).unwrap());
    let renewals = world.renewals;
    world.apply(Wanted(0)).unwrap();
    world.drain().unwrap();
    assert_eq!(world.renewals, renewals + 1);
    assert_eq!(
        world.state.label(world.now()),
        SessionLabel::Lapsed(LapseCause::Expired)
    );
}
