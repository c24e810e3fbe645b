//! What a killed process leaves behind: a real child on a real SQLite file is stopped by SIGKILL at each write step of a
//! renewal, a mint, a login and a logout, and a process that starts after it must find what `src/guide/crashes.md` says.
//!
//! The program runs itself: without arguments it is the test, with `--child` the process that is killed or comes after.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod child;
mod outcomes;
mod scene;
mod steps;

use std::time::{Duration, Instant};

use outcomes::{Renewer, login, logout, mint, renewal};
use steps::Step;

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);
const EMAIL: &str = "jane@example.com";
/// A child that is neither killed nor done by then ends itself, and the test with it fails.
const CHILD_LIMIT: Duration = Duration::from_secs(30);
const SCENE_LIMIT: Duration = Duration::from_secs(90);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if arguments.first().is_some_and(|first| first == "--child") {
        child::watch_over();
        runtime.block_on(child::run(&arguments[1..]));
        return;
    }
    let started = Instant::now();
    let mut passed = 0;
    let mut play = |scene: std::pin::Pin<Box<dyn Future<Output = ()>>>| {
        let in_time = runtime.block_on(async { tokio::time::timeout(SCENE_LIMIT, scene).await });
        assert!(in_time.is_ok(), "a scene took longer than {SCENE_LIMIT:?}");
        passed += 1;
    };
    for revokes in [false, true] {
        for step in Step::UNDER_LEASE {
            play(Box::pin(renewal(Renewer::Caller, revokes, step)));
            play(Box::pin(renewal(Renewer::Worker, revokes, step)));
        }
    }
    for step in Step::UNDER_LEASE {
        play(Box::pin(mint(step)));
    }
    for step in Step::LOGIN {
        play(Box::pin(login(step)));
    }
    for step in Step::LOGOUT {
        play(Box::pin(logout(step)));
    }
    println!("{passed} processes were killed; {:.1?}", started.elapsed());
    println!("test result: ok. {passed} passed; 0 failed");
}
