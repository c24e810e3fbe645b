//! A million sessions on each engine, and what a fleet of workers does with them: one report, in Markdown.
//!
//! ```text
//! cargo xtask bench fleet
//! ```
//!
//! `SESSIONS=100000` makes it shorter, as do `ENGINE=redis` and `PART=gets`. Not by criterion: each of these takes a loaded
//! engine and seconds, and what is asked for are percentiles and rates of whole fleets. Engine, workers and sandbox share
//! the machine.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs
)]

#[cfg(target_os = "linux")]
mod apart;
#[cfg(not(target_os = "linux"))]
mod apart {
    /// Only Linux can be told who runs where.
    pub(crate) struct Apart;

    impl Apart {
        pub(crate) fn from(_: &transak_fleet_tests::Engine) -> Option<Self> {
            None
        }
    }
}
mod gets;
mod ground;
mod load;
mod measure;

use std::fmt::Write as _;
use std::time::Duration;

use transak_fleet_tests::EngineKind;

use ground::Ground;

/// What a day without Transak leaves due: a session is renewed every 20.25 days on average.
const DAYS_BETWEEN_RENEWALS: f64 = 20.25;

fn main() {
    // `cargo bench` says `--bench`; `cargo test --benches` does not, and is not meant.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("0 passed, 0 failed: a bench, to be run by `cargo bench`");
        return;
    }
    let sessions: u64 = std::env::var("SESSIONS").map_or(1_000_000, |n| n.parse().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut report = String::from("# A fleet's session stores, measured\n");
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    writeln!(
        report,
        "\n{sessions} sessions with tokens of 640 bytes; engine, workers and sandbox on the same {cores} cores; \
         every write is on the disk before it is acknowledged.\n"
    )
    .unwrap();
    let only = std::env::var("ENGINE").ok();
    for kind in EngineKind::ALL {
        if only.as_deref().is_none_or(|name| name == kind.name()) {
            runtime.block_on(on(kind, sessions, &mut report));
            eprintln!("{report}");
        }
    }
    println!("{report}");
}

async fn on(kind: EngineKind, sessions: u64, report: &mut String) {
    let backlog = (sessions as f64 / DAYS_BETWEEN_RENEWALS) as u64;
    eprintln!(
        "{}: loading {sessions} sessions, logging {backlog} users in",
        kind.name()
    );
    let mut ground = Ground::prepare(kind).await;
    let loaded = load::million(&ground, sessions).await;
    load::log_in(&ground, backlog).await;
    let size = ground.size(sessions + backlog);
    ground.make_durable();
    writeln!(report, "## {}\n\n| what | figure |\n|---|---|", kind.name()).unwrap();
    if std::env::var("PART").is_ok_and(|part| part == "gets") {
        return report_gets(&ground, backlog, report);
    }
    eprintln!("{}: claims", kind.name());
    let claims = measure::claims(&ground).await;
    eprintln!("{}: {:?} {:?}", kind.name(), claims.first, claims.lanes);
    let mut renewals = Vec::new();
    for workers in [1, 2, 4] {
        eprintln!("{}: renewals by {workers}", kind.name());
        let rate = measure::renewals(&ground, backlog, workers, Duration::from_secs(10)).await;
        eprintln!("{}: {rate:.0} renewals a second by {workers}", kind.name());
        renewals.push((workers, rate));
    }
    eprintln!("{}: the day after", kind.name());
    let day = measure::after_an_outage(&ground, backlog, sessions).await;
    writeln!(
        report,
        "| loaded through the store, without waiting for the disk | {loaded:.0} sessions a second |"
    )
    .unwrap();
    report_gets(&ground, backlog, report);
    for (what, bytes) in size {
        writeln!(report, "| {what} | {bytes:.0} bytes a session |").unwrap();
    }
    writeln!(report, "| the first 500 due after the load | {:.1?} |", claims.first).unwrap();
    for (lane, p50, p99) in claims.lanes {
        writeln!(
            report,
            "| 500 due found and leased, {lane:?} lane: p50, p99 | {p50:.1?}, {p99:.1?} |"
        )
        .unwrap();
    }
    for (workers, rate) in renewals {
        writeln!(
            report,
            "| durable renewals by {workers} worker(s) | {rate:.0} a second |"
        )
        .unwrap();
    }
    writeln!(report, "| Transak was down for a day: {backlog} due, 4 workers at {} a second between them | drained in {:.0?}, {:.0} a second at most, nobody lapsed |\n", day.allowed, day.took, day.most).unwrap();
}

fn report_gets(ground: &Ground, backlog: u64, report: &mut String) {
    eprintln!("{}: gets", ground.kind.name());
    let [near, far] = gets::on_one_thread(ground, backlog.min(5_000));
    let what = "a get, cold, beside a bare read of the same row";
    writeln!(report, "| {what}, each on a core of its own | {near} |").unwrap();
    writeln!(report, "| {what}, a millisecond away | {far} |").unwrap();
    writeln!(report, "| a get, warm | {:.2?} |", near.warm).unwrap();
}
