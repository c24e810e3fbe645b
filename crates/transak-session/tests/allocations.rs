//! What taking a token allocates: nothing.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use allocation_counter::measure;
use support::Scene;

#[tokio::test]
async fn a_token_at_hand_is_taken_without_an_allocation() {
    let scene = Scene::new();
    let partner = scene.transak.partner().clone();
    partner.ready().await.unwrap();
    let (user, _) = scene.logged_in().await;
    // The first borrow of a thread sets up what the following ones use.
    drop((partner.current(), user.current()));
    let counted = measure(|| {
        for _ in 0..1_000 {
            assert!(partner.current().is_some());
            assert!(user.current().is_some());
        }
    });
    assert_eq!(counted.count_total, 0);
    assert!(measure(|| drop(Box::new(7))).count_total > 0, "nothing is counted");
}
