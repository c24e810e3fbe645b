//! Messages ↔ events: every envelope the spec knows is told apart, and what is none says why.

use transak_client::error::JsonErrorKind;
use transak_client::webhooks::{Event, EventError, OrderEnvelope, UserKycStatus, WebhookEventId};
use transak_mock::examples::{MESSAGES, kyc_event, order_event, order_event_in_data, webhook_delivery};

#[test]
fn every_example_of_an_event_is_told_by_its_envelope() {
    let mut told = [0; 4];
    for example in MESSAGES {
        let expected = match example.message() {
            "orderEvent" => Some(OrderEnvelope::WebhookData),
            "orderEventInData" => Some(OrderEnvelope::Data),
            "orderEventBare" => Some(OrderEnvelope::Bare),
            "kycEvent" => None,
            _ => continue,
        };
        let event = Event::decode(example.json()).unwrap_or_else(|e| panic!("{}: {e}", example.name()));
        match (event, expected) {
            (Event::Order(event), Some(envelope)) => {
                assert_eq!(event.envelope, envelope, "{}", example.name());
                let id = serde_json::to_value(&event.order).unwrap()["id"].clone();
                assert!(example.json().contains(id.as_str().unwrap()), "{}", example.name());
                told[envelope as usize] += 1;
            }
            (Event::Kyc(_), None) => told[3] += 1,
            (event, _) => panic!("{}: {event:?}", example.name()),
        }
    }
    assert!(told.iter().all(|count| *count > 0), "{told:?}");
}

#[test]
fn what_the_envelope_says_is_handed_over() {
    let Ok(Event::Order(event)) = Event::decode(order_event::WITHOUT_LIFETIME.json()) else {
        panic!()
    };
    assert_eq!(event.event_id, Some(WebhookEventId::OrderCreated));
    assert!(event.created_at.is_some() && event.expires_at.is_none());
    let Ok(Event::Order(event)) = Event::decode(order_event_in_data::WITH_LIFETIME.json()) else {
        panic!()
    };
    assert_eq!(event.event_id, Some(WebhookEventId::OrderFailed));
    assert_eq!(event.expires_at, Some(1_794_051_604));
    let Ok(Event::Kyc(event)) = Event::decode(kyc_event::APPROVED.json()) else {
        panic!()
    };
    assert_eq!(event.kyc_status, UserKycStatus::Approved);
    assert_eq!(event.partner_customer_id.as_deref(), Some("customer-8841"));
}

/// The decision looks at the claims without taking numbers apart.
#[test]
fn money_keeps_every_digit_in_every_envelope() {
    let order = r#"{"id":"a","fiatAmount":123456789012345.123456789,"conversionPrice":3.26e-7,"totalFeeInFiat":1.10}"#;
    for claims in [
        format!(r#"{{"webhookData":{order},"eventID":"ORDER_CREATED"}}"#),
        format!(r#"{{"iat":1,"data":{order}}}"#),
        order.to_owned(),
    ] {
        let Ok(Event::Order(event)) = Event::decode(&claims) else {
            panic!("{claims}")
        };
        let again = serde_json::to_string(&event.order).unwrap();
        for number in [":123456789012345.123456789", ":3.26e-7", ":1.10"] {
            assert!(again.contains(number), "{again}");
        }
    }
}

#[test]
fn unknown_events_and_members_are_events_still() {
    let claims = r#"{"webhookData":{"id":"a","status":"TOMORROW","new":[1]},"eventID":"ORDER_TOMORROW","new":{}}"#;
    let Ok(Event::Order(event)) = Event::decode(claims) else {
        panic!()
    };
    assert_eq!(event.event_id.unwrap().as_str(), "ORDER_TOMORROW");
    assert!(Event::decode(r#"{"data":{"kycStatus":"TOMORROW"}}"#).is_ok());
}

#[test]
fn what_is_no_event_says_why_and_repeats_nothing() {
    assert_eq!(
        Event::decode(webhook_delivery::JWT.json()).unwrap_err(),
        EventError::StillSigned
    );
    for claims in [
        "{}",
        r#"{"eventID":"ORDER_CREATED","iat":1}"#,
        r#"{"webhookData":null}"#,
    ] {
        assert_eq!(
            Event::decode(claims).unwrap_err(),
            EventError::UnknownEnvelope,
            "{claims}"
        );
    }
    for (claims, kind) in [
        ("", JsonErrorKind::Eof),
        ("sesame", JsonErrorKind::Syntax),
        ("[\"sesame\"]", JsonErrorKind::Data),
        (r#"{"webhookData":"sesame"}"#, JsonErrorKind::Data),
        (
            r#"{"webhookData":{"id":"sesame","fiatAmount":"sesame"}}"#,
            JsonErrorKind::Data,
        ),
        (r#"{"data":7}"#, JsonErrorKind::Data),
        (r#"{"data":{"status":"sesame"}}"#, JsonErrorKind::Data),
        (r#"{"data":{"kycStatus":7}}"#, JsonErrorKind::Data),
        (r#"{"id":7}"#, JsonErrorKind::Data),
    ] {
        let error = Event::decode(claims).unwrap_err();
        let EventError::Json(json) = &error else {
            panic!("{claims}: {error:?}")
        };
        assert_eq!(json.kind(), kind, "{claims}: {error}");
        assert!(!format!("{error:?} {error}").contains("sesame"), "{error:?} {error}");
    }
}
