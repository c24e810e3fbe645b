//! Client ↔ mocks: the typed helpers of every operation match the client's calls, credentials included.

use contract_tests::exercise::Outcome;
use contract_tests::generated::exercise::{EXERCISES, call, stub};
use transak_client::operations::{self, Credential};
use transak_mock::Stub;
use transak_mock::examples::RESPONSES;
use transak_mock::httpmock::MockServer;

use crate::client;

#[tokio::test]
async fn the_typed_mock_of_every_operation_matches_its_call() {
    for exercise in EXERCISES {
        let operation = exercise.operation;
        let server = MockServer::start_async().await;
        let mock = stub(&server, operation.id()).expect("a stub for every operation");
        let preferred = operation.alternatives()[0].headers().iter().map(|h| h.credential());
        let outcome = call(&client(&server, preferred), operation.id()).await;
        assert!(
            matches!(outcome, Outcome::Answer { .. }),
            "{}: {outcome:?}",
            operation.id()
        );
        assert_eq!(mock.calls(), 1, "{}", operation.id());
    }
}

#[tokio::test]
async fn the_typed_mock_refuses_another_credential() {
    for exercise in EXERCISES {
        let operation = exercise.operation;
        let server = MockServer::start_async().await;
        let mock = stub(&server, operation.id()).expect("a stub for every operation");
        let preferred = operation.alternatives()[0].headers().iter().map(|h| h.credential());
        let wrong = client(&server, preferred).with_credential(Credential::ApiKey, "another key");
        let outcome = call(&wrong, operation.id()).await;
        assert!(matches!(outcome, Outcome::Failed(_)), "{}: {outcome:?}", operation.id());
        assert_eq!(mock.calls(), 0, "{}", operation.id());
    }
}

#[tokio::test]
async fn every_example_can_be_stubbed_in_one_line() {
    for example in RESPONSES {
        let server = MockServer::start_async().await;
        let stub = Stub::of(example).on(&server);
        let outcome = call(&client(&server, crate::everything()), example.operation().id()).await;
        assert_eq!(stub.calls(), 1, "{} {}", example.operation().id(), example.name());
        match outcome {
            Outcome::Answer { status, .. } => assert_eq!(status, example.status()),
            Outcome::Failed(error) => assert_eq!(error.status().map(|s| s.as_u16()), Some(example.status())),
            Outcome::Unknown(id) => panic!("{id}"),
        }
    }
}

#[tokio::test]
async fn a_stub_can_demand_a_credential() {
    let server = MockServer::start_async().await;
    let example = &transak_mock::examples::get_countries::OK_DOCUMENTED;
    let demanding = Stub::of(example)
        .demanding(Credential::ApiKey, "the right key")
        .on(&server);
    let wrong = client(&server, [Credential::ApiKey]);
    assert!(wrong.get_countries().send().await.is_err());
    let right = wrong.with_credential(Credential::ApiKey, "the right key");
    assert!(right.get_countries().send().await.is_ok());
    assert_eq!(demanding.calls(), 1);
    // An operation that never asks for a credential cannot be given one.
    let impossible = Stub::of(example).demanding(Credential::ApiSecret, "x").on(&server);
    let _ = client(&server, crate::everything()).get_countries().send().await;
    assert_eq!(impossible.calls(), 0);
    assert_eq!(operations::GET_COUNTRIES.alternatives().len(), 1);
}
