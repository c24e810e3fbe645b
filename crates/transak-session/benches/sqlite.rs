//! The SQLite store with a million sessions: `cargo bench -p transak-session --bench sqlite`.
//!
//! It makes two files of about a gigabyte each below the temporary directory (`TMPDIR`); `SESSIONS=100000` makes it shorter.
//! What waits for the disk depends on the disk; the figures without the flush are those of a memory file system.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, missing_docs)]

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use transak_session::clock::{ManualClock, Timestamp};
use transak_session::store::seal::{KeyRing, SealKey};
use transak_session::store::{DueQuery, Lane, Record, SessionStore, SqliteOptions, SqliteStore, Swap};
use transak_session::{AccessToken, Issued, RecordKey, TenantId, UserIp};

const DAY: i64 = 86_400;

fn now() -> Timestamp {
    Timestamp::from_unix_seconds(1_800_000_000)
}

/// Spread without a pattern, the same each time.
fn draw(n: u64) -> u64 {
    let mut x = n.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

fn key(n: u64) -> RecordKey {
    let mut bytes = [1; 40];
    for (at, part) in bytes[8..].chunks_mut(8).enumerate() {
        part.copy_from_slice(&draw(n * 4 + at as u64).to_be_bytes());
    }
    RecordKey::from_bytes(bytes)
}

/// Expiries are spread over 30 days. In the steady case a session is due 7.5 to 12 days before its expiry, and those that
/// have been renewed in time are not due; in the other case all are due.
fn record(n: u64, all_due: bool) -> Record {
    let at = |seconds: i64| Timestamp::from_unix_seconds(now().unix_seconds() + seconds);
    let expires = (draw(n) % (30 * DAY as u64)) as i64;
    let reserve = 7 * DAY + DAY / 2 + (draw(n ^ 0xF00) % (9 * DAY as u64 / 2)) as i64;
    let wake = match all_due {
        true => -((draw(n ^ 0xBA5) % (20 * DAY as u64)) as i64),
        // One in fifty of those whose time has come has not been renewed yet; the others wait after a failure.
        false if expires < reserve && !n.is_multiple_of(50) => 600 + (draw(n) % 1_800) as i64,
        false => expires - reserve,
    };
    let text = format!("{:0640}", draw(n));
    let issued = Issued::restore(
        AccessToken::new(text),
        at(expires - 30 * DAY),
        at(expires),
        at(expires - reserve),
    );
    let mut record = Record::user(&issued, Some(UserIp::parse("203.0.113.77").unwrap()), at(-DAY));
    record.wake_at = at(wake);
    record
}

async fn open(path: &Path) -> SqliteStore {
    let key = SealKey::from_bytes(&std::array::from_fn::<u8, 32, _>(|i| i as u8)).unwrap();
    let options = SqliteOptions::new(KeyRing::new(key)).clock(ManualClock::new(now()));
    options.open(path).await.unwrap()
}

async fn fill(path: &Path, sessions: u64, all_due: bool) -> SqliteStore {
    let store = open(path).await;
    let started = Instant::now();
    let mut writers = JoinSet::new();
    for writer in 0..256 {
        let store = store.clone();
        writers.spawn(async move {
            for n in (writer..sessions).step_by(256) {
                let swap = store.swap(&key(n), None, record(n, all_due), None).await.unwrap();
                assert!(matches!(swap, Swap::Stored(_)));
            }
        });
    }
    writers.join_all().await;
    store.close().await.unwrap();
    let bytes = std::fs::metadata(path).unwrap().len();
    eprintln!(
        "{sessions} sessions, all due: {all_due}: {:.0} inserts/s, {} bytes each on disk",
        sessions as f64 / started.elapsed().as_secs_f64(),
        bytes / sessions
    );
    open(path).await
}

fn million(c: &mut Criterion) {
    let sessions = std::env::var("SESSIONS").map_or(1_000_000, |n| n.parse().unwrap());
    let runtime = Runtime::new().unwrap();
    for all_due in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let store = runtime.block_on(fill(&dir.path().join("sessions.db"), sessions, all_due));
        let case = if all_due { "all due" } else { "steady" };
        let mut group = c.benchmark_group(format!("claim_due(100)/{case}"));
        group.sample_size(20).throughput(Throughput::Elements(100));
        for lane in Lane::ALL {
            let query = DueQuery {
                tenant: TenantId::from_bytes([1; 8]),
                lane,
                limit: 100,
                span: Duration::from_secs(30),
            };
            group.bench_function(BenchmarkId::from_parameter(format!("{lane:?}")), |b| {
                b.iter_custom(|times| {
                    runtime.block_on(async {
                        let mut spent = Duration::ZERO;
                        for _ in 0..times {
                            let started = Instant::now();
                            let claimed = black_box(store.claim_due(&query).await.unwrap());
                            spent += started.elapsed();
                            assert_eq!(claimed.len(), 100);
                            let mut back = JoinSet::new();
                            for c in claimed {
                                let store = store.clone();
                                back.spawn(async move { store.release(&c.lease).await.unwrap() });
                            }
                            back.join_all().await;
                        }
                        spent
                    })
                });
            });
        }
        group.finish();
        if !all_due {
            swaps(c, &runtime, &store, sessions);
            reads(c, &runtime, &store, sessions);
        }
        runtime.block_on(store.close()).unwrap();
    }
}

/// Acknowledged writes, each by compare-and-swap of a session of its own.
fn swaps(c: &mut Criterion, runtime: &Runtime, store: &SqliteStore, sessions: u64) {
    let mut group = c.benchmark_group("swap");
    group.sample_size(10).throughput(Throughput::Elements(1));
    for writers in [1, 8, 64] {
        group.bench_function(BenchmarkId::new("writers", writers), |b| {
            b.iter_custom(|times| {
                runtime.block_on(async {
                    let started = Instant::now();
                    let mut tasks = JoinSet::new();
                    for writer in 0..writers {
                        let store = store.clone();
                        tasks.spawn(async move {
                            for turn in 0..times.div_ceil(writers) {
                                let n = (draw(turn) % (sessions / writers)) * writers + writer;
                                let there = store.load(&key(n)).await.unwrap().unwrap();
                                let swap = store.swap(&key(n), Some(there.version), there.record, None).await;
                                assert!(matches!(swap.unwrap(), Swap::Stored(_)));
                            }
                        });
                    }
                    tasks.join_all().await;
                    started.elapsed()
                })
            });
        });
    }
    group.finish();
}

fn reads(c: &mut Criterion, runtime: &Runtime, store: &SqliteStore, sessions: u64) {
    let mut n = 0;
    c.bench_function("load", |b| {
        b.iter(|| {
            n += 1;
            let loaded = runtime.block_on(store.load(&key(draw(n) % sessions))).unwrap();
            assert!(black_box(loaded).is_some());
        });
    });
    let mut group = c.benchmark_group("forecast");
    group.sample_size(10);
    let horizons = [24, 72, 168].map(|hours| Duration::from_secs(hours * 3_600));
    group.bench_function("three horizons", |b| {
        b.iter(|| {
            runtime
                .block_on(store.forecast(TenantId::from_bytes([1; 8]), &horizons))
                .unwrap()
        });
    });
    group.finish();
}

criterion_group!(benches, million);
criterion_main!(benches);
