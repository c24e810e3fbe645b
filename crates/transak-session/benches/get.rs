//! What it costs to take a token that is at hand: the partner's, and one of a million users'.
//!
//! Two threads run the same number of gets at the same time, each on its own, and share the token or the users. Compare rows:
//! the time of one get should not depend on the number of threads, and most of it is the reading of the clock.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::hint::black_box;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use criterion::{Criterion, criterion_group, criterion_main};
use transak_session::clock::{Clock, CoarseClock, SystemClock, Timestamp};
use transak_session::issuer::{Issuer, IssuerError, IssuerErrorKind, OtpSent, StateToken};
use transak_session::store::{MemoryStore, Record, SessionStore};
use transak_session::{AccessToken, Grant, Issued, Otp, Transak, UserIdentity, UserIp};

const USERS: u64 = 1_000_000;

/// Mints one token and does nothing else.
#[derive(Debug)]
struct Mint;

fn never<T>() -> Result<T, IssuerError> {
    Err(IssuerError::new(IssuerErrorKind::Invalid))
}

#[async_trait]
impl Issuer for Mint {
    async fn mint(&self) -> Result<Grant, IssuerError> {
        Ok(Grant::new(token(0)))
    }
    async fn refresh(&self, _: &AccessToken, _: UserIp) -> Result<Grant, IssuerError> {
        never()
    }
    async fn send_otp(&self, _: &UserIdentity) -> Result<OtpSent, IssuerError> {
        never()
    }
    async fn verify_otp(&self, _: &UserIdentity, _: &Otp, _: &StateToken) -> Result<Grant, IssuerError> {
        never()
    }
    async fn logout(&self, _: &AccessToken, _: UserIp) -> Result<(), IssuerError> {
        never()
    }
    async fn probe(&self, _: &AccessToken, _: UserIp) -> Result<(), IssuerError> {
        never()
    }
}

/// 640 bytes, like Transak's.
fn token(number: u64) -> AccessToken {
    AccessToken::new(format!("{number:0>640}"))
}

fn identity(number: u64) -> UserIdentity {
    UserIdentity::parse(&format!("user{number}@example.com"), "203.0.113.7").unwrap()
}

fn transak(clock: impl Clock, store: Arc<dyn SessionStore>) -> Transak {
    let builder = Transak::builder().api_key("key").clock(clock).shared_store(store);
    builder
        .issuer(Arc::new(Mint))
        .max_sessions_at_hand(2_000_000)
        .build()
        .unwrap()
}

/// The time that `threads` threads need for `gets` gets each, of which `one` makes some and says how long they took.
fn race(threads: usize, gets: u64, one: impl Fn(usize, u64) -> Duration + Sync) -> Duration {
    let start = Barrier::new(threads);
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..threads)
            .map(|thread| {
                let (start, one) = (&start, &one);
                scope.spawn(move || {
                    start.wait();
                    one(thread, gets)
                })
            })
            .collect();
        runs.into_iter()
            .map(|run| run.join().unwrap())
            .max()
            .unwrap_or_default()
    })
}

fn partner(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut group = c.benchmark_group("partner token");
    let clocks = [
        ("machine's clock", transak(SystemClock, Arc::new(MemoryStore::new(1)))),
        (
            "coarse clock",
            transak(CoarseClock::start().unwrap(), Arc::new(MemoryStore::new(1))),
        ),
    ];
    for (clock, transak) in &clocks {
        runtime.block_on(transak.partner().ready()).unwrap();
        for threads in [1, 2] {
            group.bench_function(format!("{clock}, {threads} thread(s)"), |b| {
                b.iter_custom(|gets| {
                    race(threads, gets, |_, gets| {
                        let begun = Instant::now();
                        for _ in 0..gets {
                            black_box(transak.partner().current().expect("a token is at hand"));
                        }
                        begun.elapsed()
                    })
                });
            });
        }
    }
    group.bench_function("the machine's clock alone", |b| b.iter(|| SystemClock.elapsed()));
    group.finish();
}

fn users(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let store = Arc::new(MemoryStore::new(2_000_000));
    let transak = transak(SystemClock, Arc::clone(&store) as Arc<dyn SessionStore>);
    let now = SystemClock.now();
    let day = Duration::from_secs(86_400);
    runtime.block_on(async {
        for number in 0..USERS {
            let user = transak.user(identity(number));
            let issued = Issued::restore(token(number), now, now + day * 30, now + day * 20);
            let record = Record::user(&issued, UserIp::parse("203.0.113.7").ok(), now);
            let _ = store.swap(&user.key().record(), None, record, None).await.unwrap();
            user.token().await.unwrap();
        }
    });
    assert!(now < Timestamp::MAX);

    let mut group = c.benchmark_group("one of a million users");
    for threads in [1, 2] {
        group.bench_function(format!("{threads} thread(s)"), |b| {
            b.iter_custom(|gets| {
                race(threads, gets, |thread, gets| {
                    let mut left = gets;
                    let mut random = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(thread as u64 + 1);
                    let mut spent = Duration::ZERO;
                    while left > 0 {
                        // Who it is has just come with a request, so reading that is not part of the get.
                        let some = left.min(512);
                        let identities: Vec<_> = (0..some)
                            .map(|_| {
                                random ^= random << 13;
                                random ^= random >> 7;
                                random ^= random << 17;
                                identity(random % USERS)
                            })
                            .collect();
                        let begun = Instant::now();
                        for identity in identities {
                            black_box(transak.user(identity).current().expect("every user has a token"));
                        }
                        spent += begun.elapsed();
                        left -= some;
                    }
                    spent
                })
            });
        });
    }
    group.finish();
}

criterion_group!(benches, partner, users);
criterion_main!(benches);
