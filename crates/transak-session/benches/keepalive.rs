//! Durable renewals by a keep-alive worker: over HTTP against the sandbox, into a SQLite file with a million sessions.
//!
//! ```text
//! cargo bench -p transak-session --bench keepalive
//! ```
//!
//! Worker, sandbox and store share the machine, so this is what all three together sustain. The file is made below the
//! temporary directory (`TMPDIR`) and takes about a gigabyte; `SESSIONS=100000` makes it smaller.
#![allow(clippy::unwrap_used, missing_docs)]

mod crowd;

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tokio::task::JoinSet;
use transak_sandbox::Sandbox;
use transak_session::clock::{ManualClock, Timestamp};
use transak_session::store::seal::{KeyRing, SealKey};
use transak_session::store::{SessionStore, SqliteOptions, SqliteStore, Swap};
use transak_session::{Otp, TenantId, Transak, UserIdentity, UserPolicy};

/// How many are due in each round; the others of the file are not, and have no token that the sandbox knows.
const DUE: u64 = 2_000;
const WRITERS: usize = 256;

async fn fill(store: &SqliteStore, sessions: usize, tenant: TenantId, now: Timestamp) {
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        writers.spawn(async move {
            for n in (writer..sessions).step_by(WRITERS) {
                let mut record = crowd::record(n, now);
                record.wake_at = Timestamp::from_unix_seconds(now.unix_seconds() + 100 * 365 * 86_400);
                let swap = store.swap(&crowd::key_of(tenant, n), None, record, None).await.unwrap();
                assert!(matches!(swap, Swap::Stored(_)));
            }
        });
    }
    writers.join_all().await;
}

async fn log_in(sandbox: &Sandbox, transak: &Transak) {
    for number in 0..DUE {
        let email = format!("user{number}@example.com");
        let user = transak.user(UserIdentity::parse(&email, "203.0.113.7").unwrap());
        let challenge = user.begin_login().await.unwrap();
        let code = sandbox.control().latest_code(&email).unwrap();
        challenge.verify(Otp::parse(&code).unwrap()).await.unwrap();
    }
}

/// Lets a worker renew all that is due. Its clock keeps step with real time, as leases and the rate budget want it to.
async fn renew_all(transak: &Transak, clock: &ManualClock) -> Duration {
    let begun = Instant::now();
    let worker = transak.keep_alive().rate(100_000.0).unwrap().concurrency(64).unwrap();
    let worker = worker.start().unwrap();
    let mut told = Duration::ZERO;
    while worker.health().renewed < DUE {
        tokio::time::sleep(Duration::from_millis(1)).await;
        clock.advance(begun.elapsed() - told);
        told = begun.elapsed();
    }
    let spent = begun.elapsed();
    assert_eq!(worker.health().failed, 0);
    worker.stop().await;
    spent
}

fn renewals(c: &mut Criterion) {
    let sessions = std::env::var("SESSIONS").map_or(1_000_000, |n| n.parse().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let home = tempfile::tempdir().unwrap();
    let (sandbox, clock, transak) = runtime.block_on(async {
        let sandbox = Sandbox::builder().strict(false).start().await.unwrap();
        let settings = sandbox.control().settings();
        let now = Timestamp::from_unix_millis(sandbox.control().clock().unix_millis);
        let clock = ManualClock::new(now);
        let ring = KeyRing::new(SealKey::generate().unwrap());
        let options = SqliteOptions::new(ring).clock(clock.clone());
        let store = options.open(home.path().join("sessions.db")).await.unwrap();
        // Each round is a month in which nobody uses the sessions.
        let policy = UserPolicy::default()
            .idle_cutoff(None)
            .unwrap()
            .absolute_cutoff(None)
            .unwrap();
        let transak = Transak::builder()
            .environment(sandbox.environment())
            .api_key(settings.api_key)
            .clock(clock.clone())
            .store(store.clone())
            .user_policy(policy)
            .build()
            .unwrap();
        fill(&store, sessions, transak.tenant(), now).await;
        log_in(&sandbox, &transak).await;
        (sandbox, clock, transak)
    });
    let mut group = c.benchmark_group("keep-alive on a SQLite file");
    group.throughput(Throughput::Elements(DUE)).sample_size(10);
    group.bench_function(format!("{DUE} due of {sessions}"), |b| {
        b.iter_custom(|rounds| {
            runtime.block_on(async {
                let mut spent = Duration::ZERO;
                for _ in 0..rounds {
                    let span = Duration::from_secs(23 * 86_400);
                    sandbox.control().advance(span);
                    clock.advance(span);
                    spent += renew_all(&transak, &clock).await;
                }
                spent
            })
        });
    });
    group.finish();
    runtime.block_on(transak.shutdown());
}

criterion_group!(benches, renewals);
criterion_main!(benches);
