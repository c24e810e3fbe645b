//! What hints bring, and what gets in their way.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use support::{Scene, user_of};

/// A read that is under way has the record of before the write, so it may not swallow the hint of it.
#[tokio::test]
async fn a_hint_that_meets_a_read_under_way_is_heeded_after_it() {
    let scene = Scene::with(true, |builder| builder);
    let (user, first) = scene.logged_in().await;
    let other = scene.other_process();
    let theirs = user_of(&other);
    assert_eq!(theirs.token().await.unwrap(), first);
    let follower = other.follow_hints().unwrap();
    scene.rest().await;

    scene.store.gates.close("load, the answer");
    let second = user.refresh_now().await.unwrap();
    scene.rest().await;
    // Their read has begun and is held; the hint of this write comes meanwhile.
    let reads = scene.store.gates.count("load");
    let third = user.refresh_now().await.unwrap();
    scene.rest().await;
    assert_eq!(scene.store.gates.count("load"), reads, "a second read beside the first");
    assert_eq!(theirs.status().fingerprint, Some(first.fingerprint()));

    scene.store.gates.open("load, the answer");
    scene.rest().await;
    assert_ne!(second, third);
    assert_eq!(theirs.status().fingerprint, Some(third.fingerprint()));
    assert_eq!(scene.store.gates.count("load"), reads + 1);
    follower.stop().await;
}

/// A store that fails is not asked twice for one hint.
#[tokio::test]
async fn a_hint_is_one_read() {
    let scene = Scene::with(true, |builder| builder);
    let (user, _) = scene.logged_in().await;
    let other = scene.other_process();
    let theirs = user_of(&other);
    theirs.token().await.unwrap();
    let follower = other.follow_hints().unwrap();
    scene.rest().await;
    let reads = scene.store.gates.count("load");
    scene.store.gates.close("load");
    user.refresh_now().await.unwrap();
    scene.rest().await;
    scene.store.set_down(true);
    scene.store.gates.open("load");
    scene.rest().await;
    assert_eq!(scene.store.gates.count("load"), reads + 1);
    // And the token at hand is served on.
    assert!(theirs.current().is_some());
    follower.stop().await;
}
