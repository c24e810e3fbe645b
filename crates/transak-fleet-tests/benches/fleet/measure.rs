//! What is measured.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use transak_session::Transak;
use transak_session::store::{DueQuery, Lane, SessionStore, Swap};
use transak_test_servers::records::{TENANT, now};

use crate::ground::{DAY, Ground, identity};

const ROUNDS: usize = 100;

/// Fifty times in a row the next 500, each by p50 and p99. Leases are held meanwhile, as they are in use, then given back.
pub(crate) async fn claims(ground: &Ground) -> Claims {
    let store = ground.store().await;
    let begun = Instant::now();
    let first = store
        .claim_due(&DueQuery {
            tenant: TENANT,
            lane: Lane::Critical,
            limit: 500,
            span: Duration::from_secs(600),
        })
        .await
        .unwrap();
    let took = begun.elapsed();
    give_back(&store, first.into_iter().map(|one| one.lease).collect()).await;
    let mut answers = Vec::new();
    for lane in Lane::ALL {
        let query = DueQuery {
            tenant: TENANT,
            lane,
            limit: 500,
            span: Duration::from_secs(600),
        };
        let (mut spent, mut held) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            let claimed = store.claim_due(&query).await.unwrap();
            let took = begun.elapsed();
            if claimed.len() < 500 {
                give_back(&store, claimed.into_iter().map(|one| one.lease).collect()).await;
                give_back(&store, std::mem::take(&mut held)).await;
                continue;
            }
            spent.push(took);
            held.extend(claimed.into_iter().map(|one| one.lease));
            // As many as a fleet may have under way.
            if held.len() > 2_000 {
                give_back(&store, held.drain(..500).collect()).await;
            }
        }
        give_back(&store, held).await;
        spent.sort();
        assert!(!spent.is_empty(), "too few sessions are due in the {lane:?} lane");
        answers.push((lane, spent[spent.len() / 2], spent[spent.len() * 99 / 100]));
    }
    Claims {
        first: took,
        lanes: answers,
    }
}

pub(crate) struct Claims {
    /// The very first one, which may have to sort what has become due.
    pub(crate) first: Duration,
    /// p50 and p99.
    pub(crate) lanes: Vec<(Lane, Duration, Duration)>,
}

async fn give_back(store: &Arc<dyn SessionStore>, leases: Vec<transak_session::store::Lease>) {
    let mut tasks = JoinSet::new();
    for lease in leases {
        let store = Arc::clone(store);
        tasks.spawn(async move { store.release(&lease).await.unwrap() });
    }
    tasks.join_all().await;
}

/// Lets sessions be due now.
async fn let_be_due(ground: &Ground, users: u64) {
    let store = ground.store().await;
    let transak = ground.replica(DAY * 18, DAY * 20).await;
    let mut tasks = JoinSet::new();
    for writer in 0..64 {
        let (store, transak) = (Arc::clone(&store), transak.clone());
        tasks.spawn(async move {
            for number in (writer..users).step_by(64) {
                let key = transak.user(identity(number)).key().record();
                loop {
                    let there = store.load(&key).await.unwrap().unwrap();
                    let mut record = there.record;
                    record.wake_at = now() - Duration::from_secs(number % 86_400);
                    record.due_at = record.wake_at;
                    let swapped = store.swap(&key, Some(there.version), record, None).await.unwrap();
                    if matches!(swapped, Swap::Stored(_)) {
                        break;
                    }
                }
            }
        });
    }
    tasks.join_all().await;
    transak.shutdown().await;
}

/// Renewals a second by so many workers, each a replica of its own, with enough to do.
pub(crate) async fn renewals(ground: &Ground, users: u64, workers: usize, span: Duration) -> f64 {
    let_be_due(ground, users).await;
    // What was renewed is soon due again, so that there is no end to it.
    let mut replicas: Vec<Transak> = Vec::new();
    for _ in 0..workers {
        replicas.push(ground.replica(Duration::from_secs(1), Duration::from_secs(2)).await);
    }
    let running: Vec<_> = replicas
        .iter()
        .map(|transak| {
            let worker = transak.keep_alive().rate(100_000.0).unwrap().concurrency(64).unwrap();
            worker.start().unwrap()
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let renewed = || ground.sandbox.control().counts().world.refreshes;
    let (before, begun) = (renewed(), Instant::now());
    tokio::time::sleep(span).await;
    let rate = (renewed() - before) as f64 / begun.elapsed().as_secs_f64();
    for worker in running {
        assert_eq!(worker.health().failed, 0);
        worker.stop().await;
    }
    for transak in replicas {
        transak.shutdown().await;
    }
    rate
}

pub(crate) struct Day {
    pub(crate) allowed: f64,
    pub(crate) took: Duration,
    pub(crate) most: f64,
}

/// Four workers meet what a day without Transak has left behind.
pub(crate) async fn after_an_outage(ground: &Ground, users: u64, sessions: u64) -> Day {
    let_be_due(ground, users).await;
    // As 30 a second are to ten million, times a hundred, so that nobody waits for hours.
    let allowed = (sessions as f64 / 10_000_000.0 * 30.0 * 100.0).max(10.0);
    let renewed = || ground.sandbox.control().counts().world.refreshes;
    let before = renewed();
    let mut replicas: Vec<Transak> = Vec::new();
    for _ in 0..4 {
        replicas.push(ground.replica(DAY * 18, DAY * 20).await);
    }
    let begun = Instant::now();
    let running: Vec<_> = replicas
        .iter()
        .map(|transak| transak.keep_alive().rate(allowed).unwrap().start().unwrap())
        .collect();
    let (mut most, mut last) = (0.0_f64, (before, begun));
    while renewed() - before < users {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let (count, at) = (renewed(), Instant::now());
        most = most.max((count - last.0) as f64 / (at - last.1).as_secs_f64());
        last = (count, at);
        assert!(
            begun.elapsed() < Duration::from_secs(1_800),
            "the backlog is not drained"
        );
    }
    let took = begun.elapsed();
    for worker in running {
        assert_eq!(worker.health().failed, 0);
        worker.stop().await;
    }
    let tenant = replicas[0].tenant();
    let forecast = ground.store().await.forecast(tenant, &[DAY]).await.unwrap();
    assert_eq!(
        (forecast.kept_alive, forecast.lapsing[0]),
        (users, 0),
        "somebody lapsed"
    );
    for transak in replicas {
        transak.shutdown().await;
    }
    Day { allowed, took, most }
}
