//! Durable renewals by a keep-alive worker: over HTTP against the sandbox, into a SQLite file.
//!
//! ```text
//! cargo bench -p transak-session --bench keepalive
//! ```
//!
//! Worker, sandbox and store share the machine, so this is what all three together sustain.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use transak_sandbox::Sandbox;
use transak_session::clock::{ManualClock, Timestamp};
use transak_session::store::SqliteOptions;
use transak_session::store::seal::{KeyRing, SealKey};
use transak_session::{Otp, Transak, UserIdentity};

const SESSIONS: u64 = 1_000;

fn renewals(c: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let home = tempfile::tempdir().unwrap();
    let (sandbox, clock, transak) = runtime.block_on(async {
        let sandbox = Sandbox::builder().frozen().strict(false).start().await.unwrap();
        let settings = sandbox.control().settings();
        let clock = ManualClock::new(Timestamp::from_unix_millis(sandbox.control().clock().unix_millis));
        let ring = KeyRing::new(SealKey::generate().unwrap());
        let options = SqliteOptions::new(ring).clock(clock.clone());
        let store = options.open(home.path().join("sessions.db")).await.unwrap();
        let transak = Transak::builder()
            .environment(sandbox.environment())
            .api_key(settings.api_key)
            .clock(clock.clone())
            .store(store)
            .build()
            .unwrap();
        for number in 0..SESSIONS {
            let email = format!("user{number}@example.com");
            let user = transak.user(UserIdentity::parse(&email, "203.0.113.7").unwrap());
            let challenge = user.begin_login().await.unwrap();
            let code = sandbox.control().latest_code(&email).unwrap();
            challenge.verify(Otp::parse(&code).unwrap()).await.unwrap();
        }
        (sandbox, clock, transak)
    });
    let mut group = c.benchmark_group("keep-alive on a SQLite file");
    group.throughput(Throughput::Elements(SESSIONS)).sample_size(10);
    group.bench_function("1,000 due sessions", |b| {
        b.iter_custom(|rounds| {
            runtime.block_on(async {
                let mut spent = Duration::ZERO;
                for _ in 0..rounds {
                    let span = Duration::from_secs(23 * 86_400);
                    sandbox.control().advance(span);
                    clock.advance(span);
                    let begun = Instant::now();
                    let worker = transak.keep_alive().rate(100_000.0).unwrap().concurrency(64).unwrap();
                    let worker = worker.start().unwrap();
                    while worker.health().renewed < SESSIONS {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                    spent += begun.elapsed();
                    worker.stop().await;
                }
                spent
            })
        });
    });
    group.finish();
}

criterion_group!(benches, renewals);
criterion_main!(benches);
