//! Spec ↔ types: every example fits its schema and its type, and comes back as it was.

use contract_tests::generated::exercise::{EXERCISES, recode};
use contract_tests::json::canonical;
use contract_tests::spec::{Schemas, document};
use serde_json::Value;
use transak_mock::examples::{MESSAGES, REQUESTS, RESPONSES};

fn all() -> impl Iterator<Item = (String, &'static str, &'static str)> {
    let responses = RESPONSES.iter().map(|e| {
        (
            format!("{} {} {}", e.operation().id(), e.status(), e.name()),
            e.schema(),
            e.json(),
        )
    });
    let requests = REQUESTS.iter().map(|e| {
        (
            format!("{} request {}", e.operation().id(), e.name()),
            e.schema(),
            e.json(),
        )
    });
    let messages = MESSAGES
        .iter()
        .map(|e| (format!("{} {}", e.message(), e.name()), e.schema(), e.json()));
    responses.chain(requests).chain(messages)
}

#[test]
fn every_example_decodes_and_encodes_back_to_the_same_json() {
    let mut count = 0;
    for (name, schema, json) in all() {
        let again = recode(schema, json).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(canonical(&again).unwrap(), canonical(json).unwrap(), "{name}");
        count += 1;
    }
    assert!(count >= 60, "{count}");
}

#[test]
fn an_independent_validator_accepts_every_example_and_everything_we_encode() {
    let document = document();
    let schemas = Schemas::of(&document);
    for (name, schema, json) in all() {
        for text in [json.to_owned(), recode(schema, json).unwrap()] {
            let value: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(schemas.complaints(schema, &value), Vec::<String>::new(), "{name}");
        }
    }
}

#[test]
fn the_validator_does_refuse_what_is_wrong() {
    let document = document();
    let schemas = Schemas::of(&document);
    let wrong = serde_json::json!({ "data": { "accessToken": 7 } });
    assert!(!schemas.complaints("RefreshUserAccessTokenResponse", &wrong).is_empty());
    assert!(
        !schemas
            .complaints("RefreshUserAccessTokenResponse", &serde_json::json!({}))
            .is_empty()
    );
}

/// Counts from the document itself, not from what was generated: nothing may get lost on the way.
#[test]
fn every_documented_status_and_request_has_an_example() {
    let document = document();
    let mut statuses = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item
            .as_object()
            .unwrap()
            .iter()
            .filter(|(k, _)| ["get", "post", "put", "patch", "delete"].contains(&k.as_str()))
        {
            let id = operation["operationId"].as_str().unwrap();
            for status in operation["responses"].as_object().unwrap().keys() {
                let status: u16 = status.parse().unwrap();
                let found = RESPONSES
                    .iter()
                    .any(|e| e.operation().id() == id && e.status() == status);
                assert!(found, "{method} {path}: no example for {status}");
                statuses += 1;
            }
            // A form has no type; its example is exercised on the wire.
            let is_form = !operation["requestBody"]["content"]["multipart/form-data"].is_null();
            if !operation["requestBody"].is_null() && !is_form {
                assert!(
                    REQUESTS.iter().any(|e| e.operation().id() == id),
                    "{id}: no example of a request"
                );
            }
            assert!(EXERCISES.iter().any(|e| e.operation.id() == id), "{id}: not exercised");
        }
    }
    assert!(statuses >= 50, "{statuses}");
}

/// The money the vendor's samples are known to hold survives as text.
#[test]
fn exact_numbers_stand_in_the_examples() {
    let everything: String = all().map(|(_, schema, json)| recode(schema, json).unwrap()).collect();
    for number in [":1.10", ":3.26e-7", ":0.00041224987113280361"] {
        assert!(everything.contains(number), "{number}");
    }
}
