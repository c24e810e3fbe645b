//! Two processes, two users, one store and one Transak under random sequences of commands; the promises hold after each.
//!
//! Each process has a runtime of its own on this one thread, so that dropping the runtime is a crash: every task of the
//! process ends at the await point where it stands. Nothing depends on real time, so a failing sequence shrinks.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::panic)]

mod process;
mod store;
mod vendor;

use std::time::Duration;

use process::{Fleet, PROCESSES, USERS};
use proptest::prelude::*;
use transak_session::issuer::IssuerErrorKind;
use vendor::{Ending, Hold};

#[derive(Clone, Copy, Debug)]
pub enum Command {
    Login(usize, usize),
    Token(usize, usize),
    LongToken(usize, usize),
    RefreshNow(usize, usize),
    /// Many callers at once, of which most are dropped after a few polls.
    Crowd(usize, usize),
    Report401(usize, usize),
    Logout(usize, usize),
    Partner(usize),
    PartnerCrowd(usize),
    Report401ToPartner(usize),
    /// A keep-alive worker is started, or stopped.
    KeepAlive(usize),
    Wait(u32),
    WallJump(i32),
    Next(&'static str, Ending),
    Hold(Option<Hold>),
    StoreDown(bool),
    Crash(usize),
    EndUpstream(usize),
}

fn endings() -> impl Strategy<Value = Ending> {
    prop_oneof![
        Just(Ending::Fails(IssuerErrorKind::Transient)),
        Just(Ending::Fails(IssuerErrorKind::Unknown)),
        Just(Ending::Fails(IssuerErrorKind::Rejected)),
        Just(Ending::Fails(IssuerErrorKind::RateLimited {
            retry_after: Some(Duration::from_secs(90))
        })),
        Just(Ending::LosesAnswer),
        Just(Ending::Panics),
    ]
}

fn command() -> impl Strategy<Value = Command> {
    let (p, u) = (0..PROCESSES, 0..USERS);
    prop_oneof![
        3 => (p.clone(), u.clone()).prop_map(|(p, u)| Command::Login(p, u)),
        8 => (p.clone(), u.clone()).prop_map(|(p, u)| Command::Token(p, u)),
        2 => (p.clone(), u.clone()).prop_map(|(p, u)| Command::LongToken(p, u)),
        2 => (p.clone(), u.clone()).prop_map(|(p, u)| Command::RefreshNow(p, u)),
        3 => (p.clone(), u.clone()).prop_map(|(p, u)| Command::Crowd(p, u)),
        3 => (p.clone(), u.clone()).prop_map(|(p, u)| Command::Report401(p, u)),
        1 => (p.clone(), u.clone()).prop_map(|(p, u)| Command::Logout(p, u)),
        4 => p.clone().prop_map(Command::Partner),
        2 => p.clone().prop_map(Command::PartnerCrowd),
        2 => p.clone().prop_map(Command::Report401ToPartner),
        1 => p.clone().prop_map(Command::KeepAlive),
        4 => (1_u32..120).prop_map(Command::Wait),
        4 => (600_u32..900_000).prop_map(Command::Wait),
        // Nobody here sends the `Date` header that corrects clocks, so what a process has seen once it goes on believing:
        // a clock that is ahead by a partner token's whole life would have it mint for itself.
        1 => (-2_000_000_i32..500_000).prop_map(Command::WallJump),
        4 => (prop::sample::select(vec!["mint", "refresh", "verify_otp", "probe", "logout"]), endings())
            .prop_map(|(call, ending)| Command::Next(call, ending)),
        2 => prop::sample::select(vec![None, Some(Hold::BeforeEffect), Some(Hold::AfterEffect)]).prop_map(Command::Hold),
        2 => any::<bool>().prop_map(Command::StoreDown),
        2 => p.prop_map(Command::Crash),
        1 => u.prop_map(Command::EndUpstream),
    ]
}

/// 110 sequences of 200 steps on average are 22,000 steps in each run.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(110)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_promises_hold(revokes: bool, commands in prop::collection::vec(command(), 150..250)) {
        let mut fleet = Fleet::new(revokes);
        for command in commands {
            fleet.obey(command);
            let breaches = fleet.breaches();
            prop_assert!(breaches.is_empty(), "after {:?}: {:?}", command, breaches);
        }
        let breaches = fleet.heal_and_check();
        prop_assert!(breaches.is_empty(), "at rest: {:?}", breaches);
    }
}
