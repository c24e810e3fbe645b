//! The keep-alive worker, over days and months of a moved clock.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::collections::HashSet;
use std::time::Duration;

use support::{DAY, MINUTE, Scene, Trouble};
use transak_session::clock::Clock;
use transak_session::issuer::IssuerErrorKind;
use transak_session::store::{Record, RecordState, SessionStore};
use transak_session::{Delivery, EventStream, SessionEvent, Transak, UserIdentity, UserKey, UserSession};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

fn user(transak: &Transak, number: usize) -> UserSession {
    transak.user(UserIdentity::parse(&format!("planted{number}@example.com"), "203.0.113.77").unwrap())
}

/// Puts sessions into the store that were issued `age(number)` ago, as if another process had logged them in.
async fn people(scene: &Scene, count: usize, age: impl Fn(usize) -> Duration) -> Vec<UserKey> {
    let mut keys = Vec::new();
    for number in 0..count {
        let key = user(&scene.transak, number).key();
        let issued = scene.issuer.issue_aged(age(number), DAY * 30);
        let at = issued.issued_at();
        let record = Record::user(
            &issued,
            Some(transak_session::UserIp::parse("203.0.113.77").unwrap()),
            at,
        );
        let _ = scene.store.inner.swap(&key.record(), None, record, None).await.unwrap();
        keys.push(key);
    }
    keys
}

/// Lets time go by in steps small enough that everything that becomes due in a step gets its turn.
async fn pass(scene: &Scene, span: Duration, step: Duration) {
    let mut left = span;
    while !left.is_zero() {
        let some = left.min(step);
        scene.clock.advance(some);
        scene.rest().await;
        left -= some;
    }
}

fn heard(events: &mut EventStream) -> Vec<SessionEvent> {
    let mut all = Vec::new();
    while let Some(delivery) = events.try_next() {
        match delivery {
            Delivery::Event(event) => all.push(event),
            Delivery::Missed(missed) => panic!("{missed} events were missed"),
        }
    }
    all
}

fn renewed(events: &[SessionEvent]) -> Vec<UserKey> {
    let users = events.iter().filter_map(|event| match event {
        SessionEvent::Renewed { user, .. } => Some(*user),
        _ => None,
    });
    users.collect()
}

async fn state(scene: &Scene, key: &UserKey) -> Record {
    scene.store.inner.load(&key.record()).await.unwrap().unwrap().record
}

#[tokio::test]
async fn nobody_who_stays_away_for_two_months_is_logged_out() {
    let scene = Scene::with(true, |b| b.event_capacity(100_000));
    let keys = people(&scene, 60, |n| HOUR * (n as u32 * 12)).await;
    let worker = scene.transak.keep_alive().start().unwrap();
    pass(&scene, DAY * 60, HOUR).await;
    for key in &keys {
        let record = state(&scene, key).await;
        assert_eq!(record.state, RecordState::Live);
        assert!(record.expires_at > scene.clock.now() + DAY * 7);
        assert!(scene.issuer.is_live(record.token.as_ref().unwrap()));
    }
    // 60 days are between 2 and 4 lives to the middle of the window.
    let count = scene.issuer.count("refresh");
    assert!((60 * 2..=60 * 4).contains(&count), "{count}");
    assert_eq!(worker.health().renewed, count as u64);
    worker.stop().await;
}

#[tokio::test]
async fn after_ten_days_of_sleep_it_catches_up_most_urgent_first_and_without_a_storm() {
    let scene = Scene::with(false, |b| b.event_capacity(100_000));
    // At the wake all are past their due time, with 1 to 72 hours left.
    people(&scene, 240, |n| {
        DAY * 30 - HOUR * 72 + (HOUR * 71).mul_f64(n as f64 / 240.0)
    })
    .await;
    let mut events = scene.transak.events();
    let worker = scene.transak.keep_alive().rate(10.0).unwrap().start().unwrap();
    scene.rest().await;
    let first = heard(&mut events);
    assert!(renewed(&first).len() <= 10, "a second's worth at most");
    let mut order = renewed(&first);
    for second in 1..=40_usize {
        pass(&scene, SECOND, SECOND).await;
        order.extend(renewed(&heard(&mut events)));
        assert!(order.len() <= 10 + 10 * second, "{} after {second} s", order.len());
    }
    assert_eq!(order.len(), 240);
    assert_eq!(order.iter().collect::<HashSet<_>>().len(), 240);
    // The most urgent third is served before the least urgent one is through.
    let rank = |number: usize| {
        let key = user(&scene.transak, number).key();
        order.iter().position(|k| *k == key).unwrap()
    };
    let mean = |numbers: std::ops::Range<usize>| numbers.clone().map(rank).sum::<usize>() / numbers.len();
    assert!(mean(160..240) < mean(80..160) && mean(80..160) < mean(0..80));
    worker.stop().await;
}

#[tokio::test]
async fn what_urgent_lanes_do_not_use_is_claimed_with_the_next_ones_part() {
    let scene = Scene::with(true, |b| b);
    people(&scene, 30, |_| DAY * 25).await;
    scene.issuer.gates.close("refresh");
    let worker = scene.transak.keep_alive().rate(1_000.0).unwrap();
    let worker = worker.concurrency(20).unwrap().start().unwrap();
    scene.rest().await;
    assert_eq!(scene.issuer.count("refresh"), 20);
    assert_eq!(scene.store.gates.count("claim_due"), 3, "one for each lane");
    scene.issuer.gates.open("refresh");
    scene.rest().await;
    worker.stop().await;
}

#[tokio::test]
async fn one_place_is_enough_for_the_least_urgent_too() {
    let scene = Scene::with(true, |b| b);
    people(&scene, 3, |_| DAY * 25).await;
    let worker = scene.transak.keep_alive().concurrency(1).unwrap().start().unwrap();
    pass(&scene, MINUTE, SECOND).await;
    assert_eq!(scene.issuer.count("refresh"), 3);
    worker.stop().await;
}

#[tokio::test]
async fn workers_of_two_processes_renew_each_session_once() {
    let scene = Scene::with(true, |b| b);
    people(&scene, 200, |_| DAY * 25).await;
    let other = scene.other_process();
    let workers = [&scene.transak, &other].map(|t| t.keep_alive().start().unwrap());
    pass(&scene, MINUTE, SECOND).await;
    assert_eq!(scene.issuer.count("refresh"), 200);
    let health = workers.map(|w| w.health().renewed);
    assert!(health.iter().all(|renewed| *renewed > 0), "{health:?}");
}

#[tokio::test]
async fn workers_of_several_processes_keep_one_pace() {
    let scene = Scene::with(true, |b| b);
    people(&scene, 300, |_| DAY * 25).await;
    let others = [scene.other_process(), scene.other_process(), scene.other_process()];
    let all = others.iter().chain([&scene.transak]);
    let workers: Vec<_> = all
        .map(|transak| transak.keep_alive().rate(10.0).unwrap().start().unwrap())
        .collect();
    scene.rest().await;
    for second in 0..60 {
        let renewed = scene.issuer.count("refresh");
        assert!(renewed <= 10 + 10 * second, "{renewed} after {second} s");
        pass(&scene, SECOND, SECOND / 10).await;
    }
    assert_eq!(scene.issuer.count("refresh"), 300, "the pace of one is not kept");
    drop(workers);
}

#[tokio::test]
async fn an_outage_of_days_costs_nobody_a_login() {
    let scene = Scene::with(true, |b| b.event_capacity(100_000));
    let keys = people(&scene, 50, |_| DAY * 23).await;
    let worker = scene.transak.keep_alive().start().unwrap();
    scene
        .issuer
        .always("refresh", Some(Trouble::Fail(IssuerErrorKind::Transient)));
    pass(&scene, DAY * 3, MINUTE * 10).await;
    let calls = scene.issuer.count("refresh");
    assert!(calls < 50 * 200, "{calls} calls in an outage of three days");
    assert!(worker.health().failed > 0 && worker.health().rate < 30.0);
    scene.issuer.always("refresh", None);
    pass(&scene, HOUR * 2, MINUTE).await;
    for key in &keys {
        let record = state(&scene, key).await;
        assert_eq!((record.state, record.failures), (RecordState::Live, 0));
        assert!(record.expires_at > scene.clock.now() + DAY * 29);
    }
    worker.stop().await;
}

#[tokio::test]
async fn a_401_to_everybody_ends_no_session_and_pauses_the_worker() {
    let scene = Scene::with(true, |b| b.event_capacity(100_000));
    let keys = people(&scene, 300, |_| DAY * 23).await;
    let mut events = scene.transak.events();
    let worker = scene.transak.keep_alive().start().unwrap();
    for call in ["refresh", "probe"] {
        scene
            .issuer
            .always(call, Some(Trouble::Fail(IssuerErrorKind::Rejected)));
    }
    pass(&scene, HOUR * 6, SECOND * 20).await;
    let trips = heard(&mut events)
        .into_iter()
        .filter(|e| matches!(e, SessionEvent::MassLapseGuard { .. }))
        .count();
    assert!(trips >= 1);
    let calls = scene.issuer.count("refresh");
    assert!(calls < 3_000, "{calls} calls while everything is refused");
    for key in &keys {
        assert_ne!(state(&scene, key).await.state, RecordState::Lapsed);
    }
    for call in ["refresh", "probe"] {
        scene.issuer.always(call, None);
    }
    pass(&scene, HOUR * 12, MINUTE).await;
    for key in &keys {
        let record = state(&scene, key).await;
        assert_eq!(record.state, RecordState::Live);
        assert!(record.expires_at > scene.clock.now() + DAY * 28);
    }
    worker.stop().await;
}

#[tokio::test]
async fn a_store_that_is_down_for_an_hour_only_makes_it_wait() {
    let scene = Scene::with(true, |b| b);
    people(&scene, 20, |_| DAY * 25).await;
    scene.store.set_down(true);
    let worker = scene.transak.keep_alive().start().unwrap();
    pass(&scene, HOUR, SECOND * 20).await;
    assert!(worker.health().running && worker.health().store_failures > 10);
    scene.store.set_down(false);
    pass(&scene, MINUTE * 3, SECOND).await;
    assert_eq!((scene.issuer.count("refresh"), worker.health().store_failures), (20, 0));
}

#[tokio::test]
async fn a_stop_waits_for_what_is_under_way_and_claims_nothing_more() {
    let scene = Scene::with(true, |b| b);
    let keys = people(&scene, 100, |_| DAY * 25).await;
    scene.issuer.gates.close("refresh");
    let worker = scene.transak.keep_alive().concurrency(10).unwrap().start().unwrap();
    scene.issuer.gates.reached("refresh", 10).await;
    let stopping = tokio::spawn(worker.stop());
    scene.rest().await;
    assert!(!stopping.is_finished());
    scene.issuer.gates.open("refresh");
    stopping.await.unwrap();
    assert_eq!(scene.issuer.count("refresh"), 10);
    let mut renewed = 0;
    for key in &keys {
        renewed += usize::from(state(&scene, key).await.expires_at > scene.clock.now() + DAY * 29);
    }
    assert_eq!(renewed, 10, "what Transak has issued is in the store");
}

#[tokio::test]
async fn a_shutdown_ends_the_worker_too() {
    let scene = Scene::new();
    people(&scene, 5, |_| DAY * 25).await;
    let worker = scene.transak.keep_alive().start().unwrap();
    scene.rest().await;
    scene.transak.shutdown().await;
    assert!(!worker.health().running);
    assert!(scene.transak.keep_alive().start().is_err());
}
