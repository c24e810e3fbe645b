//! The single flight under a scheduler that tries thousands of interleavings, and finds deadlocks.
//!
//! `engine.rs` and `flight.rs` are compiled here a second time, unchanged, with shuttle's primitives for `crate::sync`.
//!
//! Modelled: every order of the operations on the state's lock, the flags of a shutdown, the cell that readers see, the
//! channel of a flight, the tracker of tasks, and of the start, the end and the loss of tasks.
//!
//! Not modelled: what happens within one operation of tokio's channel and tracker and of arc-swap, each of which counts as
//! one step here (their authors check them with loom); weak memory, because shuttle's atomics are sequentially consistent; a
//! real unwinding, in whose stead the task is dropped with `panicking` answering true; and time, which stands still.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::duplicate_mod,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic
)]

#[path = "engine.rs"]
mod engine;
#[path = "env.rs"]
mod env;
#[path = "flight.rs"]
mod flight;
mod sync;
mod toy;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner, future, thread};

use crate::error::TokenError;
use crate::machine::Machine;
use engine::Engine;
use flight::Outcome;
use toy::{Event, Fate, Sky, Toy};

const SCHEDULES: usize = 250;

/// Runs a scene under random schedules, and under such as find bugs that need few preemptions (PCT).
fn check(scene: fn()) {
    for seed in [7, 1_914] {
        println!("seed {seed}");
        let random = run(RandomScheduler::new_from_seed(seed, SCHEDULES), scene);
        let pct = run(PctScheduler::new_from_seed(seed, 3, SCHEDULES), scene);
        println!("{random} random schedules, {pct} of PCT");
    }
}

fn run(scheduler: impl Scheduler + 'static, scene: fn()) -> usize {
    toy::prepare();
    let mut config = Config::new();
    config.stack_size = 0x40000;
    Runner::new(scheduler, config).run(scene)
}

type Flights = Arc<Engine<Toy>>;

/// A caller on a thread of its own.
fn caller(engine: &Flights, event: Event) -> thread::JoinHandle<Outcome> {
    let engine = Arc::clone(engine);
    thread::spawn(move || future::block_on(wants(&engine, event)))
}

async fn wants(engine: &Flights, event: Event) -> Outcome {
    let outcome = engine.settle(event, || engine.usable(engine.now()).is_some()).await;
    if outcome.is_ok() {
        assert!(
            engine.usable(engine.now()).is_some(),
            "heard of a success, and there is no token"
        );
    }
    outcome
}

fn at_rest(engine: &Flights) {
    assert!(
        engine.is_idle(|state| *state.stage() == toy::Stage::Idle),
        "something is under way"
    );
}

/// The slot is free: the next call begins a flight and brings a token.
fn still_works(engine: &Flights, sky: &Sky) {
    at_rest(engine);
    sky.fate(&[Fate::Brings]);
    let fetched = sky.fetched();
    let outcome = future::block_on(engine.settle(Event::Anew, || false));
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(sky.fetched(), fetched + 1);
    at_rest(engine);
}

/// Waits until no task is under way.
fn land(engine: &Flights) {
    future::block_on(engine.env().shutdown());
    at_rest(engine);
}

#[test]
fn callers_share_one_flight() {
    check(|| {
        let (engine, sky) = toy::engine(10);
        sky.fate(&[Fate::Brings]);
        let callers: Vec<_> = (0..3).map(|_| caller(&engine, Event::Wanted)).collect();
        for caller in callers {
            assert!(caller.join().unwrap().is_ok());
        }
        assert_eq!(sky.fetched(), 1);
        land(&engine);
    });
}

#[test]
fn everybody_hears_of_a_failure_or_a_panic_once_and_the_slot_is_free() {
    for fate in [Fate::Fails, Fate::Panics] {
        let scene = match fate {
            Fate::Fails => || failure(Fate::Fails),
            _ => || failure(Fate::Panics),
        };
        check(scene);
    }
}

fn failure(fate: Fate) {
    let (engine, sky) = toy::engine(10);
    sky.fate(&[fate, Fate::Brings]);
    let callers: Vec<_> = (0..3).map(|_| caller(&engine, Event::Wanted)).collect();
    let mut failed = 0;
    for caller in callers {
        match caller.join().unwrap() {
            Ok(()) => {}
            Err(TokenError::Panicked) if fate == Fate::Panics => failed += 1,
            Err(TokenError::Issuer(_)) if fate == Fate::Fails => failed += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    // Whoever came after the failure has begun a flight of their own.
    assert!(failed >= 1);
    assert_eq!(sky.fetched(), if failed == 3 { 1 } else { 2 });
    let _ = future::block_on(engine.settle(Event::Wanted, || false));
    while !engine.is_idle(|_| true) {
        thread::yield_now();
    }
    still_works(&engine, &sky);
}

#[test]
fn a_dropped_caller_changes_nothing() {
    check(|| {
        let (engine, sky) = toy::engine(10);
        sky.fate(&[Fate::Brings]);
        let first = {
            let engine = Arc::clone(&engine);
            future::spawn(async move { wants(&engine, Event::Wanted).await })
        };
        let others: Vec<_> = (0..2).map(|_| caller(&engine, Event::Wanted)).collect();
        first.abort();
        let _ = future::block_on(first);
        for other in others {
            assert!(other.join().unwrap().is_ok());
        }
        assert_eq!(sky.fetched(), 1);
        land(&engine);
    });
}

#[test]
fn no_more_wait_than_may() {
    check(|| {
        const MAY: usize = 2;
        sync::watch::most_receivers();
        let (engine, sky) = toy::engine(MAY);
        sky.fate(&[Fate::Brings]);
        let callers: Vec<_> = (0..4).map(|_| caller(&engine, Event::Wanted)).collect();
        let mut served = 0;
        for caller in callers {
            match caller.join().unwrap() {
                Ok(()) => served += 1,
                Err(TokenError::Overloaded) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        assert!(served >= MAY, "{served}");
        assert!(sync::watch::most_receivers() <= MAY);
        assert_eq!(sky.fetched(), 1);
        land(&engine);
    });
}

#[test]
fn a_token_that_comes_from_elsewhere_wakes_those_who_wait() {
    check(|| {
        let (engine, sky) = toy::engine(10);
        // The flight ends only after all callers have been served, so nothing but the nudge can wake them.
        let served = Arc::new(AtomicUsize::new(0));
        sky.hold_until(Arc::clone(&served), 2);
        sky.fate(&[Fate::Brings]);
        let callers: Vec<_> = (0..2)
            .map(|_| {
                let (engine, served) = (Arc::clone(&engine), Arc::clone(&served));
                thread::spawn(move || {
                    let outcome = future::block_on(wants(&engine, Event::Wanted));
                    served.fetch_add(1, Ordering::SeqCst);
                    outcome
                })
            })
            .collect();
        let other = {
            let engine = Arc::clone(&engine);
            thread::spawn(move || engine.tell(Event::LoggedIn(toy::token(1_000))))
        };
        other.join().unwrap().unwrap();
        for caller in callers {
            assert!(caller.join().unwrap().is_ok());
        }
        land(&engine);
    });
}

#[test]
fn whoever_looks_at_the_state_while_waiting_blocks_nobody() {
    check(|| {
        let (engine, sky) = toy::engine(10);
        sky.fate(&[Fate::Brings]);
        let callers: Vec<_> = (0..2)
            .map(|_| {
                let engine = Arc::clone(&engine);
                thread::spawn(move || {
                    let looks = || engine.look(|state| state.held().is_some());
                    future::block_on(engine.settle(Event::Wanted, looks))
                })
            })
            .collect();
        for caller in callers {
            assert!(caller.join().unwrap().is_ok());
        }
        land(&engine);
    });
}

#[test]
fn a_runtime_that_ends_leaves_nobody_waiting() {
    check(|| {
        let (engine, sky) = toy::engine(10);
        sky.fate(&[Fate::Brings; 4]);
        let callers: Vec<_> = (0..3).map(|_| caller(&engine, Event::Wanted)).collect();
        let end = {
            let engine = Arc::clone(&engine);
            thread::spawn(move || engine.env().tasks.abort_all())
        };
        end.join().unwrap();
        for caller in callers {
            match caller.join().unwrap() {
                Ok(()) | Err(TokenError::Interrupted) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        while !engine.is_idle(|_| true) {
            thread::yield_now();
        }
        still_works(&engine, &sky);
    });
}

#[test]
fn a_shutdown_waits_for_the_flight_and_lets_none_begin_behind_it() {
    check(|| {
        let (engine, sky) = toy::engine(10);
        sky.fate(&[Fate::Brings; 4]);
        let callers: Vec<_> = (0..3).map(|_| caller(&engine, Event::Wanted)).collect();
        let end = {
            let (engine, sky) = (Arc::clone(&engine), sky.clone());
            thread::spawn(move || {
                future::block_on(engine.env().shutdown());
                at_rest(&engine);
                let fetched = sky.fetched();
                assert_eq!(
                    engine.usable(engine.now()).is_some(),
                    fetched > 0,
                    "an issued token was lost"
                );
                fetched
            })
        };
        let fetched = end.join().unwrap();
        for caller in callers {
            match caller.join().unwrap() {
                Ok(()) | Err(TokenError::ShutDown) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(sky.fetched(), fetched, "a flight began behind the shutdown");
        assert!(fetched <= 1);
    });
}
