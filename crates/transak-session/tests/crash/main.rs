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

use tokio::task::JoinSet;

use outcomes::{Renewer, login, logout, mint, renewal};
use steps::Step;

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);
const EMAIL: &str = "jane@example.com";
/// A child that is neither killed nor done by then ends itself, and the test with it fails.
const CHILD_LIMIT: Duration = Duration::from_secs(30);
/// Some scenes wait for a second or two, so others may use the time.
const AT_A_TIME: usize = 3;
const SCENE_LIMIT: Duration = Duration::from_secs(90);

type BoxedScene = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if arguments.first().is_some_and(|first| first == "--child") {
        child::watch_over(&arguments[1..]);
        runtime.block_on(child::run(&arguments[1..]));
        return;
    }
    let started = Instant::now();
    let played = runtime.block_on(play(scenes()));
    println!("{played} processes were killed; {:.1?}", started.elapsed());
    println!("test result: ok. {played} passed; 0 failed");
}

fn scenes() -> Vec<BoxedScene> {
    let mut scenes: Vec<BoxedScene> = Vec::new();
    for step in Step::UNDER_LEASE {
        for revokes in [false, true] {
            scenes.push(Box::pin(renewal(Renewer::Caller, revokes, step)));
            scenes.push(Box::pin(renewal(Renewer::Worker, revokes, step)));
        }
        scenes.push(Box::pin(mint(step)));
    }
    for step in Step::LOGIN {
        scenes.push(Box::pin(login(step)));
    }
    for step in Step::LOGOUT {
        scenes.push(Box::pin(logout(step)));
    }
    scenes
}

/// Plays all scenes, a few at a time, and counts them. The first that fails ends the test.
async fn play(scenes: Vec<BoxedScene>) -> usize {
    let mut left = scenes.into_iter();
    let mut under_way = JoinSet::new();
    let mut played = 0;
    loop {
        while under_way.len() < AT_A_TIME
            && let Some(scene) = left.next()
        {
            under_way.spawn(tokio::time::timeout(SCENE_LIMIT, scene));
        }
        match under_way.join_next().await {
            None => return played,
            Some(Ok(Ok(()))) => played += 1,
            Some(Ok(Err(_))) => panic!("a scene took longer than {SCENE_LIMIT:?}"),
            Some(Err(failed)) => std::panic::resume_unwind(failed.into_panic()),
        }
    }
}
