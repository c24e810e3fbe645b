//! What is measured while sessions live: every published name, with labels of few values and without anybody's data.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use support::{DAY, Scene, Trouble, assert_clean};
use transak_session::issuer::IssuerErrorKind;
use transak_session::metrics as names;

type Series = BTreeMap<String, DebugValue>;

/// Every series as `name{label=value,…}`.
fn read(snapshots: &Snapshotter) -> Series {
    let snapshot = snapshots.snapshot().into_vec();
    let series = snapshot.into_iter().map(|(key, _, _, value)| {
        let labels: Vec<_> = key
            .key()
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        (format!("{}{{{}}}", key.key().name(), labels.join(",")), value)
    });
    series.collect()
}

fn gauge(series: &Series, name: &str) -> f64 {
    match series.get(name) {
        Some(DebugValue::Gauge(value)) => value.into_inner(),
        other => panic!("{name} is {other:?} in {:?}", series.keys()),
    }
}

fn observations(series: &Series, name: &str) -> usize {
    match series.get(name) {
        Some(DebugValue::Histogram(values)) => {
            assert!(values.iter().all(|value| value.into_inner() >= 0.0));
            values.len()
        }
        other => panic!("{name} is {other:?} in {:?}", series.keys()),
    }
}

#[tokio::test]
async fn every_name_is_measured_and_nobody_is_a_label() {
    let recorder = DebuggingRecorder::new();
    let snapshots = recorder.snapshotter();
    let _guard = metrics::set_default_local_recorder(&recorder);
    names::describe();

    let scene = Scene::new();
    scene.transak.partner().ready().await.unwrap();
    let (user, _) = scene.logged_in().await;
    scene
        .issuer
        .trouble("refresh", Trouble::Fail(IssuerErrorKind::Transient));
    assert!(user.refresh_now().await.is_err());
    let worker = scene.transak.keep_alive().rate(7.0).unwrap().start().unwrap();
    scene.rest().await;

    let series = read(&snapshots);
    assert_eq!(gauge(&series, &format!("{}{{}}", names::SESSIONS)), 1.0);
    assert_eq!(gauge(&series, &format!("{}{{}}", names::DUE)), 0.0);
    for hours in [24, 72, 168] {
        assert_eq!(
            gauge(&series, &format!("{}{{within_hours={hours}}}", names::LAPSING)),
            0.0
        );
    }
    assert_eq!(gauge(&series, &format!("{}{{}}", names::KEEP_ALIVE_RATE)), 7.0);
    assert_eq!(gauge(&series, &format!("{}{{}}", names::KEEP_ALIVE_UNDER_WAY)), 0.0);
    assert_eq!(gauge(&series, &format!("{}{{}}", names::GUARDED)), 0.0);
    for (call, outcome, times) in [
        ("mint", "ok", 1),
        ("send_otp", "ok", 1),
        ("verify_otp", "ok", 1),
        ("refresh", "transient", 1),
    ] {
        let name = format!("{}{{call={call},outcome={outcome}}}", names::ISSUER_SECONDS);
        assert_eq!(observations(&series, &name), times, "{name}");
    }
    for call in ["load", "claim", "swap", "claim_due", "forecast"] {
        let name = format!("{}{{call={call},outcome=ok}}", names::STORE_SECONDS);
        assert!(observations(&series, &name) > 0, "{name}");
    }
    assert!(series.contains_key(&format!("{}{{event=logged_in}}", names::EVENTS)));

    // Left alone for longer than the worker may be, the session shows up among those that lapse.
    worker.stop().await;
    scene.clock.advance(DAY * 28);
    let worker = scene.transak.keep_alive().start().unwrap();
    scene
        .issuer
        .always("refresh", Some(Trouble::Fail(IssuerErrorKind::Transient)));
    scene.rest().await;
    let series = read(&snapshots);
    assert_eq!(gauge(&series, &format!("{}{{within_hours=72}}", names::LAPSING)), 1.0);
    assert_eq!(gauge(&series, &format!("{}{{within_hours=24}}", names::LAPSING)), 0.0);
    scene.clock.advance(DAY + Duration::from_secs(3_600));
    scene.rest().await;
    let series = read(&snapshots);
    assert_eq!(gauge(&series, &format!("{}{{within_hours=24}}", names::LAPSING)), 1.0);
    worker.stop().await;

    let all = read(&snapshots);
    let found: BTreeSet<_> = all.keys().filter_map(|name| name.split('{').next()).collect();
    let published = [
        names::EVENTS,
        names::ISSUER_SECONDS,
        names::STORE_SECONDS,
        names::SESSIONS,
        names::DUE,
        names::LAPSING,
        names::KEEP_ALIVE_RATE,
        names::KEEP_ALIVE_UNDER_WAY,
        names::GUARDED,
    ];
    assert_eq!(found, BTreeSet::from(published));
    assert_clean(&format!("{:?}", all.keys()), "a series");
}
