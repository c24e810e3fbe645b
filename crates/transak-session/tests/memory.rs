//! What the memory store promises beyond the rules for all stores: bounds, and a wall clock that jumps.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../benches/crowd/mod.rs"]
mod crowd;

use std::sync::Arc;
use std::time::Duration;

use transak_session::RecordKey;
use transak_session::clock::{Clock as _, ManualClock, Timestamp};
use transak_session::store::{
    Claim, DueQuery, Lane, Lease, MemoryStore, Record, RecordState, SessionStore, StoreErrorKind, Swap,
};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = crowd::DAY;

fn scene(capacity: usize) -> (ManualClock, Arc<MemoryStore>) {
    let clock = ManualClock::new(Timestamp::from_unix_seconds(1_800_000_000));
    let store = Arc::new(MemoryStore::with_clock(capacity, Arc::new(clock.clone())));
    (clock, store)
}

/// A live record that is due and has this much life left.
fn lasting(number: usize, clock: &ManualClock, left: Duration) -> Record {
    let mut record = crowd::record(number, clock.now());
    record.expires_at = clock.now() + left;
    record.wake_at = clock.now();
    record
}

async fn claim(store: &MemoryStore, key: &RecordKey, span: Duration) -> Lease {
    match store.claim(key, span).await.unwrap() {
        Claim::Granted { lease, .. } => lease,
        Claim::Busy { .. } => panic!("nobody holds it"),
    }
}

async fn create(store: &MemoryStore, number: usize, record: Record) -> Result<(), StoreErrorKind> {
    let answer = store.swap(&crowd::key(number), None, record, None).await;
    answer
        .map(|swap| assert!(matches!(swap, Swap::Stored(_))))
        .map_err(|e| e.kind())
}

fn due(lane: Lane, limit: usize) -> DueQuery {
    DueQuery {
        tenant: crowd::TENANT,
        lane,
        limit,
        span: HOUR,
    }
}

#[tokio::test]
async fn a_full_store_drops_what_has_expired_and_nothing_else() {
    const NUMBER: usize = 1_000;
    let (clock, store) = scene(NUMBER);
    for n in 0..NUMBER {
        // Of four, one is not kept alive any more.
        let record = lasting(n, &clock, if n < 500 { DAY } else { 9 * DAY });
        let state = if n % 4 == 0 {
            RecordState::Lapsed
        } else {
            RecordState::Live
        };
        create(&store, n, record.in_state(state)).await.unwrap();
    }
    let new = || lasting(9, &clock, 30 * DAY);
    assert_eq!(create(&store, NUMBER, new()).await, Err(StoreErrorKind::Full));
    // A record that is there can be written over.
    let there = store.load(&crowd::key(7)).await.unwrap().unwrap();
    let swap = store
        .swap(&crowd::key(7), Some(there.version), there.record, None)
        .await
        .unwrap();
    assert!(matches!(swap, Swap::Stored(_)));

    clock.advance(DAY);
    let leased = [crowd::key(11), crowd::key(12)];
    for key in &leased {
        claim(&store, key, HOUR).await;
    }
    for n in 0..498 {
        create(&store, NUMBER + n, new()).await.unwrap();
    }
    assert_eq!(create(&store, 3 * NUMBER, new()).await, Err(StoreErrorKind::Full));
    for n in 500..NUMBER + 498 {
        assert!(
            store.load(&crowd::key(n)).await.unwrap().is_some(),
            "a live session was dropped"
        );
    }
    for key in &leased {
        assert!(store.load(key).await.unwrap().is_some(), "a leased session was dropped");
    }
    store.delete(&crowd::key(600)).await.unwrap();
    create(&store, 3 * NUMBER, new()).await.unwrap();
    clock.advance(HOUR);
    for n in 1..=2 {
        create(&store, 3 * NUMBER + n, new()).await.unwrap();
    }
    assert_eq!(create(&store, 4 * NUMBER, new()).await, Err(StoreErrorKind::Full));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_writers_never_overfill_it() {
    const CAPACITY: usize = 300;
    let (clock, store) = scene(CAPACITY);
    for round in 0..5_usize {
        let mut tasks = tokio::task::JoinSet::new();
        for caller in 0..8_usize {
            let (store, clock) = (Arc::clone(&store), clock.clone());
            tasks.spawn(async move {
                let mut stored = 0;
                for n in 0..100 {
                    let number = round * 10_000 + caller * 1_000 + n;
                    stored += usize::from(create(&store, number, lasting(n, &clock, HOUR)).await.is_ok());
                }
                stored
            });
        }
        let mut stored = 0;
        while let Some(result) = tasks.join_next().await {
            stored += result.unwrap();
        }
        assert_eq!(stored, CAPACITY, "round {round}");
        clock.advance(HOUR);
    }
}

#[tokio::test]
async fn leases_without_records_are_bounded() {
    let (clock, store) = scene(10);
    let mut last = Ok(());
    let mut taken = 0;
    for n in 0..200_000 {
        match store.claim(&crowd::key(n), HOUR).await {
            Ok(_) => taken += 1,
            Err(error) => last = Err(error.kind()),
        }
        if last.is_err() {
            break;
        }
    }
    assert_eq!(last, Err(StoreErrorKind::Full));
    assert!(taken > 10_000, "only {taken} leases fit");
    // Lapsed ones make room; the oldest are forgotten.
    clock.advance(HOUR);
    for n in 0..2_000 {
        claim(&store, &crowd::key(1_000_000 + n), HOUR).await;
    }
}

#[tokio::test]
async fn one_call_claims_a_bounded_number() {
    const NUMBER: usize = 2_500;
    let (clock, store) = scene(NUMBER);
    for n in 0..NUMBER {
        create(&store, n, lasting(n, &clock, 2 * DAY)).await.unwrap();
    }
    let mut sizes = Vec::new();
    for _ in 0..4 {
        sizes.push(store.claim_due(&due(Lane::Urgent, usize::MAX)).await.unwrap().len());
    }
    assert_eq!(sizes, [1_024, 1_024, 452, 0]);
}

#[tokio::test]
async fn a_wall_clock_that_jumps_moves_no_lease() {
    let (clock, store) = scene(10);
    let start = clock.now();
    create(&store, 1, lasting(1, &clock, 10 * DAY)).await.unwrap();
    let lease = claim(&store, &crowd::key(1), HOUR).await;
    for jump in [start + 5 * DAY, start - 5 * DAY, start] {
        clock.jump_to(jump);
        assert!(store.extend(&lease, HOUR).await.unwrap(), "a jump ended the lease");
        for lane in Lane::ALL {
            assert!(store.claim_due(&due(lane, 9)).await.unwrap().is_empty());
        }
    }
    clock.advance(HOUR);
    // Due times and lanes are the wall clock's: a record is claimed by what it says now, whatever it said before.
    for (jump, lane) in [
        (-1, None),
        (8, Some(Lane::Urgent)),
        (0, Some(Lane::Normal)),
        (9, Some(Lane::Urgent)),
        (20, Some(Lane::Critical)),
        (-9, None),
        (0, Some(Lane::Normal)),
    ] {
        let days = DAY * i32::unsigned_abs(jump);
        clock.jump_to(if jump < 0 { start - days } else { start + days });
        let mut found = None;
        for lane in Lane::ALL {
            for claimed in store.claim_due(&due(lane, 9)).await.unwrap() {
                store.release(&claimed.lease).await.unwrap();
                found = Some(lane);
            }
        }
        assert_eq!(found, lane, "{jump} days from the start");
    }
}
