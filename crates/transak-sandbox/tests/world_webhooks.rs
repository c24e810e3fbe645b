//! Webhooks: how they are signed, what is told about them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod world_support;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use transak_sandbox::world::{CancelledEvent, DeliveryOutcome, OrderStory, Settings, WebhookEnvelope};
use world_support::{Driver, claims, order};

fn opened(body: &str, key: &str) -> Value {
    let body: Value = serde_json::from_str(body).unwrap();
    let jwt = body["data"].as_str().unwrap();
    let (signed, signature) = jwt.rsplit_once('.').unwrap();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    use base64::Engine as _;
    let signature = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(signature)
        .unwrap();
    mac.verify_slice(&signature).expect("signed with this token");
    claims(jwt)
}

#[test]
fn webhooks_are_signed_with_the_current_token() {
    let url = "http://127.0.0.1:9/hook";
    let mut driver = Driver::new(Settings {
        webhook_url: Some(url.to_owned()),
        ..Settings::default()
    });
    let id = driver.world.seed_order(order(OrderStory::BankBuy), driver.now).unwrap();
    assert!(driver.world.take_deliveries().is_empty(), "nothing to sign with yet");
    let first = driver.partner_token();
    let deliveries = driver.world.take_deliveries();
    assert_eq!(
        (deliveries.len(), deliveries[0].url.as_str(), deliveries[0].id.len()),
        (1, url, 24)
    );
    let claims = opened(&deliveries[0].body, &first);
    assert_eq!(
        (&claims["eventID"], &claims["webhookData"]["id"]),
        (&json!("ORDER_CREATED"), &json!(id))
    );
    assert_eq!(claims["webhookData"]["status"], "AWAITING_PAYMENT_FROM_USER");
    assert!(driver.world.take_deliveries().is_empty());
    let second = driver.partner_token();
    driver.pass(180);
    let rest = driver.world.take_deliveries();
    let events: Vec<Value> = rest
        .iter()
        .map(|delivery| opened(&delivery.body, &second)["eventID"].clone())
        .collect();
    assert_eq!(
        events,
        ["ORDER_PAYMENT_VERIFYING", "ORDER_PROCESSING", "ORDER_COMPLETED"]
    );

    let answered = |status| DeliveryOutcome::Answered {
        status,
        message: "OK".into(),
        body: json!({"ok": true}),
    };
    driver.world.delivered(&deliveries[0].id, answered(200), driver.now);
    driver.world.delivered(&rest[0].id, answered(500), driver.now);
    driver.world.delivered(
        &rest[1].id,
        DeliveryOutcome::Unreachable {
            reason: "refused".into(),
        },
        driver.now,
    );
    driver.world.delivered("unknown", answered(200), driver.now);
    let list = |driver: &mut Driver, query: &[(&str, &str)]| {
        driver.as_partner("getWebhooks", &second, query).is(200).body.clone()
    };
    // Newest first; the one without an outcome is not there yet.
    let all = list(&mut driver, &[])["data"].as_array().unwrap().clone();
    let seen: Vec<&Value> = all.iter().map(|webhook| &webhook["eventID"]).collect();
    assert_eq!(seen, ["ORDER_PROCESSING", "ORDER_PAYMENT_VERIFYING", "ORDER_CREATED"]);
    assert_eq!(all[2]["webhookResponse"]["statusCode"], 200);
    assert_eq!(
        list(&mut driver, &[("status", "success")])["data"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        list(&mut driver, &[("status", "failed")])["data"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        list(&mut driver, &[("limit", "1"), ("skip", "2")])["data"][0]["eventID"],
        "ORDER_CREATED"
    );
    let one = list(&mut driver, &[("orderID", &id), ("eventID", "ORDER_CREATED")]);
    assert_eq!(
        (one["data"].as_array().unwrap().len(), &one["meta"]),
        (1, &json!({"orderID": id, "eventID": "ORDER_CREATED"}))
    );
    assert!(
        list(&mut driver, &[("startDate", "2030-01-01")])["data"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        list(&mut driver, &[("endDate", "2026-09-21")])["data"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

#[test]
fn webhooks_have_switches() {
    for (envelope, place) in [
        (WebhookEnvelope::Documented, "/webhookData/id"),
        (WebhookEnvelope::Data, "/data/id"),
        (WebhookEnvelope::Bare, "/id"),
    ] {
        let mut driver = Driver::new(Settings {
            webhook_url: Some("http://127.0.0.1:9/".to_owned()),
            webhook_envelope: envelope,
            cancelled_event: CancelledEvent::OrderCancelled,
            ..Settings::default()
        });
        let token = driver.partner_token();
        let id = driver
            .world
            .seed_order(order(OrderStory::Cancelled), driver.now)
            .unwrap();
        driver.pass(60);
        let deliveries = driver.world.take_deliveries();
        assert_eq!(opened(&deliveries[1].body, &token).pointer(place), Some(&json!(id)));
        for delivery in &deliveries {
            let outcome = DeliveryOutcome::Answered {
                status: 200,
                message: String::new(),
                body: Value::Null,
            };
            driver.world.delivered(&delivery.id, outcome, driver.now);
        }
        let events = driver.as_partner("getWebhooks", &token, &[("eventID", "ORDER_CANCELLED")]);
        assert_eq!(events.body["data"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn an_order_that_moves_on_does_not_change_what_comes_after_it() {
    let story = |walked: bool| {
        let mut driver = Driver::new(Settings {
            webhook_url: Some("http://127.0.0.1:1/".to_owned()),
            ..Settings::default()
        });
        let order = serde_json::from_value(serde_json::json!({ "email": "ada@example.com" })).unwrap();
        driver.world.seed_order(order, driver.now).unwrap();
        if walked {
            driver.pass(200);
        }
        driver.login("bob@example.com").is(200);
        driver.world.mailbox()[0].code.clone()
    };
    assert_eq!(story(false), story(true));
}

#[test]
fn a_page_that_is_none_is_refused() {
    let mut driver = Driver::standard();
    let token = driver.mint().body["data"]["accessToken"].as_str().unwrap().to_owned();
    for query in [("limit", "-1"), ("skip", "-1")] {
        driver.as_partner("getWebhooks", &token, &[query]).is(400);
    }
}
