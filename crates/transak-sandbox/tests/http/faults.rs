//! Faults of every kind, seen from the caller's side.

use std::time::{Duration, Instant};

use crate::common::{Answer, EMAIL, client, frozen, http, key, login};
use serde_json::json;
use transak_client::operations::Credential;
use transak_sandbox::fault::{Effect, Fault};

#[tokio::test]
async fn answers_and_pages_take_the_place_of_the_first_calls() {
    let sandbox = frozen().await;
    let (control, client) = (sandbox.control(), client(&sandbox));
    let busy = json!({"error": {"message": "Slow down"}});
    control
        .inject(Fault::new(Effect::answer(429, busy)).on("getCountries").times(2))
        .unwrap();
    control
        .inject(Fault::new(Effect::html(502)).on("getCountries"))
        .unwrap();
    for _ in 0..2 {
        assert!(client.get_countries().send().await.unwrap_err().is_rate_limited());
    }
    // Another operation is not concerned.
    client.get_fiat_currencies().send().await.unwrap();
    let error = client.get_countries().send().await.unwrap_err();
    assert_eq!(error.status().map(|s| s.as_u16()), Some(502));
    client.get_countries().send().await.unwrap();
    assert_eq!(control.counts().faults["getCountries"], 3);
    assert!(control.faults().is_empty());

    let fault = json!({"effect": {"kind": "answer", "status": 503, "headers": {"retry-after": "7"}}});
    control.inject(serde_json::from_value(fault).unwrap()).unwrap();
    let error = client.get_countries().send().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn a_connection_dropped_before_the_effect_changes_nothing_and_after_it_everything() {
    let sandbox = frozen().await;
    let control = sandbox.control();
    let token = login(&sandbox, EMAIL).await;
    let user = client(&sandbox).with_credential(Credential::UserToken, token.as_str());

    control
        .inject(Fault::new(Effect::DropBefore).on("refreshUserAccessToken"))
        .unwrap();
    let error = user.refresh_user_access_token().send().await.unwrap_err();
    assert!(error.is_transport(), "{error:?}");
    assert_eq!(control.counts().world.refreshes, 0);
    user.get_user_details()
        .api_key(key(&sandbox))
        .send()
        .await
        .expect("the old token lives");

    control
        .inject(Fault::new(Effect::DropAfter).on("refreshUserAccessToken"))
        .unwrap();
    let error = user.refresh_user_access_token().send().await.unwrap_err();
    assert!(error.is_transport(), "{error:?}");
    assert_eq!(control.counts().world.refreshes, 1);
    assert!(
        user.get_user_details()
            .api_key(key(&sandbox))
            .send()
            .await
            .unwrap_err()
            .is_unauthorized()
    );
}

#[tokio::test]
async fn an_answer_can_be_lost_behind_a_gateways_page() {
    let sandbox = frozen().await;
    let control = sandbox.control();
    let token = login(&sandbox, EMAIL).await;
    let user = client(&sandbox).with_credential(Credential::UserToken, token.as_str());
    control
        .inject(Fault::new(Effect::html(504).after()).on("logoutUser"))
        .unwrap();
    let error = user.logout_user().send().await.unwrap_err();
    assert_eq!(error.status().map(|s| s.as_u16()), Some(504));
    assert_eq!(control.counts().world.logouts, 1);
}

#[tokio::test]
async fn delays_and_trickling_bodies_take_their_time() {
    let sandbox = frozen().await;
    let control = sandbox.control();
    let patient = client(&sandbox);
    control.inject(Fault::new(Effect::Delay { millis: 150 })).unwrap();
    let begun = Instant::now();
    patient.get_countries().send().await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(150));

    control
        .inject(
            Fault::new(Effect::SlowBody {
                pieces: 5,
                pause_millis: 40,
            })
            .times(2),
        )
        .unwrap();
    let begun = Instant::now();
    patient.get_countries().send().await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(200));
    let hasty = transak_client::Client::builder()
        .environment(sandbox.environment())
        .credentials(sandbox.credentials())
        .timeout(Duration::from_millis(60))
        .build()
        .unwrap();
    let error = hasty.get_countries().send().await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
}

#[tokio::test]
async fn the_oldest_fault_that_matches_hits_and_faults_can_be_taken_back() {
    let sandbox = frozen().await;
    let control = sandbox.control();
    let url = format!("{}/api/v2/countries", sandbox.api_url());
    let status = async || {
        Answer::of(
            http()
                .get(&url)
                .header("x-api-key", key(&sandbox))
                .send()
                .await
                .unwrap(),
        )
        .await
        .status
    };
    let first = control.inject(Fault::new(Effect::html(500))).unwrap();
    control
        .inject(Fault::new(Effect::html(503)).on("getCountries"))
        .unwrap();
    control
        .inject(Fault::new(Effect::html(504)).on("getCountries"))
        .unwrap();
    assert!(control.remove_fault(first));
    assert!(!control.remove_fault(first));
    assert_eq!(status().await, 503);
    assert_eq!(control.clear_faults(), 1);
    assert_eq!(status().await, 200);
    assert!(
        control
            .inject(Fault::new(Effect::DropBefore).on("noSuchThing"))
            .is_err()
    );
}
