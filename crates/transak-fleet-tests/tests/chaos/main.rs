//! Eight processes, one store, one sandbox, and a minute of killing, pausing and cutting.
//!
//! The program runs itself: without arguments it is the test, with `--child` one of the processes. What is done to them comes
//! from a seed, `TRANSAK_CHAOS_SEED` or a fixed one; when it is done comes from the machine, so a seed repeats the plan, not
//! the run. `TRANSAK_CHAOS_SECONDS` says for how long, `TRANSAK_CHAOS_REVOKES=1` lets Transak revoke each token that is renewed:
//! then sessions may be lost, but no more than answers were.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod child;
mod disturb;
mod scene;
mod verdict;

use std::time::Duration;

use transak_fleet_tests::EngineKind;

const DEFAULT_SEED: u64 = 20_261_127;
/// Longer than a lease, so that one process can be paused for longer than that.
const DEFAULT_SECONDS: u64 = 60;

fn number(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name} is not a number: {text}")),
        Err(_) => otherwise,
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Some(at) = arguments.iter().position(|argument| argument == "--child") {
        runtime.block_on(child::run(&arguments[at + 1..]));
        return;
    }
    let seed = number("TRANSAK_CHAOS_SEED", DEFAULT_SEED);
    let span = Duration::from_secs(number("TRANSAK_CHAOS_SECONDS", DEFAULT_SECONDS));
    let revokes = number("TRANSAK_CHAOS_REVOKES", 0) > 0;
    // Both at once: what they wait for is time.
    runtime.block_on(async {
        let both = EngineKind::ALL.map(|kind| tokio::spawn(scene::play(kind, seed, span, revokes)));
        let mut failed = false;
        for one in both {
            match one.await {
                Ok(verdict) => println!("{verdict}"),
                Err(error) => {
                    eprintln!("{error}");
                    failed = true;
                }
            }
        }
        assert!(!failed, "chaos won; seed {seed}");
    });
    println!("test result: ok. 2 passed; 0 failed (chaos on both engines)");
}
