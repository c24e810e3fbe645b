//! The memory store with a million sessions of 640 characters: what calls take, and what a session takes.
//!
//! ```text
//! cargo bench -p transak-session --bench memory
//! ```
//!
//! The figures for 1,000 sessions are there to compare with: no call takes time in proportion to the number of sessions.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod crowd;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::{Builder, Runtime};
use transak_session::clock::{Clock as _, SystemClock};
use transak_session::store::{DueQuery, Lane, MemoryStore, SessionStore};

const SIZES: [usize; 2] = [1_000, 1_000_000];
const BATCH: usize = 100;
const CALLERS: usize = 10_000;

/// Resident bytes of this process, by Linux.
fn resident() -> Option<usize> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4_096)
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().enable_all().build().unwrap()
}

fn calls(c: &mut Criterion) {
    let runtime = runtime();
    let mut group = c.benchmark_group("memory");
    for size in SIZES {
        let before = resident();
        let store = Arc::new(MemoryStore::new(size));
        let text = runtime.block_on(crowd::settle(&*store, size));
        if let Some((before, after)) = before.zip(resident()) {
            let each = after.saturating_sub(before + text) / size;
            println!(
                "{size} sessions: {each} resident bytes each besides {} of token text",
                text / size
            );
        }
        let now = SystemClock.now();
        let mut n = 0;
        let mut next = move || {
            n = (n + 7_919) % size;
            n
        };

        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::new("load", size), |b| {
            b.to_async(&runtime).iter_batched(
                &mut next,
                |n| {
                    let store = &store;
                    async move { black_box(store.load(&crowd::key(n)).await.unwrap()) }
                },
                criterion::BatchSize::SmallInput,
            );
        });
        group.bench_function(BenchmarkId::new("swap", size), |b| {
            b.to_async(&runtime).iter_batched(
                &mut next,
                |n| {
                    let store = &store;
                    async move {
                        let there = store.load(&crowd::key(n)).await.unwrap().map(|v| (v.version, v.record));
                        let (version, mut record) = there.unwrap();
                        record.used_at = now;
                        crowd::write(&**store, n, Some(version), record).await
                    }
                },
                criterion::BatchSize::SmallInput,
            );
        });
        group.bench_function(BenchmarkId::new("forecast", size), |b| {
            let horizons = [crowd::DAY, 3 * crowd::DAY, 7 * crowd::DAY];
            b.to_async(&runtime).iter(|| store.forecast(crowd::TENANT, &horizons));
        });

        // Claims and gives back: the leases would run out otherwise. The giving back is part of the figure.
        group.throughput(Throughput::Elements(BATCH.min(size / 20) as u64));
        group.bench_function(BenchmarkId::new("claim and release 100 due", size), |b| {
            let query = DueQuery {
                tenant: crowd::TENANT,
                lane: Lane::Normal,
                limit: BATCH,
                span: Duration::from_secs(3_600),
            };
            b.to_async(&runtime).iter(|| async {
                let claimed = store.claim_due(&query).await.unwrap();
                assert!((1..=BATCH).contains(&claimed.len()), "one in twenty is due");
                for claimed in claimed {
                    store.release(&claimed.lease).await.unwrap();
                }
            });
        });

        // Many tasks at once, each of which loads and writes sessions of its own.
        group.throughput(Throughput::Elements(CALLERS as u64));
        group.bench_function(BenchmarkId::new("swap by 10,000 tasks", size), |b| {
            b.to_async(&runtime).iter_custom(|rounds| {
                let store = Arc::clone(&store);
                async move {
                    let mut total = Duration::ZERO;
                    for _ in 0..rounds {
                        let started = Instant::now();
                        let mut tasks = tokio::task::JoinSet::new();
                        for caller in 0..CALLERS {
                            let store = Arc::clone(&store);
                            tasks.spawn(async move {
                                let key = crowd::key(caller * 97 % size);
                                let there = store.load(&key).await.unwrap().unwrap();
                                store.swap(&key, Some(there.version), there.record, None).await.unwrap()
                            });
                        }
                        while tasks.join_next().await.is_some() {}
                        total += started.elapsed();
                    }
                    total
                }
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(3));
    targets = calls
}
criterion_main!(benches);
