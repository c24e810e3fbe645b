//! Client ↔ wire: every operation, called with the spec's example values, looks as the spec says.

use contract_tests::exercise::{Outcome, credential_value};
use contract_tests::generated::exercise::{EXERCISES, call};
use contract_tests::json::canonical;
use transak_client::{Operation, operations};
use transak_mock::examples::RESPONSES;
use transak_mock::httpmock::MockServer;

use crate::{client, recorder};

fn success(operation: &'static Operation) -> &'static transak_mock::example::ResponseExample {
    let found = RESPONSES
        .iter()
        .find(|e| e.operation() == operation && (200..300).contains(&e.status()));
    found.copied().expect("every operation has an example of a success")
}

#[test]
fn every_operation_of_the_table_is_exercised() {
    let exercised: Vec<&str> = EXERCISES.iter().map(|e| e.operation.id()).collect();
    let table: Vec<&str> = operations::ALL.iter().map(|o| o.id()).collect();
    assert_eq!(exercised, table);
    assert!(table.len() >= 17, "{table:?}");
}

#[tokio::test]
async fn every_call_is_on_the_wire_what_the_spec_says() {
    for exercise in EXERCISES {
        let operation = exercise.operation;
        for alternative in operation.alternatives() {
            let server = MockServer::start_async().await;
            let example = success(operation);
            let (mock, seen) = recorder(&server, example.status(), "application/json", example.json());
            let client = client(&server, alternative.headers().iter().map(|h| h.credential()));
            let outcome = call(&client, operation.id()).await;
            let Outcome::Answer { status, json } = outcome else {
                panic!("{}: {outcome:?}", operation.id())
            };
            assert_eq!((status, mock.calls()), (example.status(), 1), "{}", operation.id());
            assert_eq!(
                canonical(&json).unwrap(),
                canonical(example.json()).unwrap(),
                "{}",
                operation.id()
            );

            let seen = seen.lock().unwrap();
            let request = &seen[0];
            assert_eq!(request.method, operation.method(), "{}", operation.id());
            assert_eq!(request.path, exercise.path, "{}", operation.id());
            let mut query = request.query.clone();
            query.sort();
            let mut expected: Vec<(String, String)> = exercise
                .query
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect();
            expected.sort();
            assert_eq!(query, expected, "{}", operation.id());
            match exercise.body {
                Some(body) => assert_eq!(canonical(&request.body).unwrap(), canonical(body).unwrap()),
                None if !exercise.form.is_empty() => {
                    let mut sent = form_fields(request);
                    sent.sort();
                    assert_eq!(sent, exercise.form, "{}", operation.id());
                }
                None => assert_eq!(request.body, "", "{}", operation.id()),
            }
        }
    }
}

/// Names and contents of the parts of a form, read as RFC 7578 says; only names and texts without quotes.
fn form_fields(request: &crate::Seen) -> Vec<(&str, &str)> {
    let kind = request.header("content-type").expect("a content type");
    let boundary = kind.strip_prefix("multipart/form-data; boundary=").expect("a form");
    let length: usize = request.header("content-length").expect("a length").parse().unwrap();
    assert_eq!(length, request.body.len(), "the length is told beforehand");
    let (parts, end) = request.body.rsplit_once(&format!("--{boundary}--")).expect("an end");
    assert_eq!(end, "\r\n");
    let separator = format!("--{boundary}\r\n");
    let parts = parts.split(&separator).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (head, content) = part.split_once("\r\n\r\n").expect("a head");
            let (_, name) = head.split_once("form-data; name=\"").expect("a name");
            let name = name.split('"').next().expect("a name");
            (name, content.strip_suffix("\r\n").expect("a line end"))
        })
        .collect()
}

/// The hand-written call knows exactly the fields that the spec has, and they are the only forms.
#[test]
fn the_fields_of_a_form_are_those_of_the_spec() {
    let document = contract_tests::spec::document();
    let mut forms = 0;
    for exercise in EXERCISES {
        let operation = exercise.operation;
        let object = &document["paths"][operation.path()][operation.method().to_lowercase()];
        let schema = &object["requestBody"]["content"]["multipart/form-data"]["schema"]["$ref"];
        let Some(schema) = schema.as_str() else {
            assert!(exercise.form.is_empty(), "{}", operation.id());
            continue;
        };
        let schema = document.pointer(&schema[1..]).expect("a schema");
        let mut names: Vec<&str> = schema["properties"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let mut required: Vec<&str> = schema["required"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|n| n.as_str())
            .collect();
        names.sort_unstable();
        required.sort_unstable();
        let exercised: Vec<&str> = exercise.form.iter().map(|(name, _)| *name).collect();
        assert_eq!((&names, &required), (&exercised, &exercised), "{}", operation.id());
        forms += 1;
    }
    assert_eq!(forms, 1);
}

#[tokio::test]
async fn credential_headers_are_where_the_spec_asks_and_nowhere_else() {
    for exercise in EXERCISES {
        let operation = exercise.operation;
        let server = MockServer::start_async().await;
        let (_mock, seen) = recorder(&server, 200, "application/json", success(operation).json());
        // The client holds everything; the operation gets only its preferred set.
        let client = client(&server, crate::everything());
        let _ = call(&client, operation.id()).await;
        let seen = seen.lock().unwrap();
        let preferred = operation.alternatives()[0].headers();
        for header in operations::ALL
            .iter()
            .flat_map(|o| o.alternatives())
            .flat_map(|a| a.headers())
        {
            let wanted = preferred.iter().find(|h| h.name() == header.name());
            let expected = wanted.map(|h| credential_value(h.credential()));
            assert_eq!(
                seen[0].header(header.name()),
                expected.as_deref(),
                "{} {}",
                operation.id(),
                header.name()
            );
        }
        assert_eq!(seen[0].header("api-version"), None);
        assert!(seen[0].header("user-agent").unwrap().starts_with("transak-client/"));
    }
}

#[tokio::test]
async fn every_request_has_a_trace_id_of_its_own() {
    let server = MockServer::start_async().await;
    let (_mock, seen) = recorder(&server, 200, "application/json", r#"{"response":[]}"#);
    let client = client(&server, crate::everything());
    for _ in 0..3 {
        client.get_countries().send().await.unwrap();
    }
    let ids: std::collections::BTreeSet<String> = seen
        .lock()
        .unwrap()
        .iter()
        .map(|s| s.header("x-trace-id").unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn each_host_receives_its_own_calls_only() {
    let api = MockServer::start_async().await;
    let gateway = MockServer::start_async().await;
    let (api_mock, _) = recorder(&api, 500, "text/plain", "");
    let (gateway_mock, _) = recorder(&gateway, 500, "text/plain", "");
    let environment =
        transak_client::Environment::custom(&api.base_url(), &format!("{}/", gateway.base_url())).unwrap();
    let client = transak_client::Client::builder()
        .environment(environment)
        .credentials(contract_tests::exercise::credentials(crate::everything()))
        .build()
        .unwrap();
    for exercise in EXERCISES {
        let _ = call(&client, exercise.operation.id()).await;
    }
    let on_api = EXERCISES
        .iter()
        .filter(|e| e.operation.host() == operations::Host::Api)
        .count();
    assert_eq!(
        (api_mock.calls(), gateway_mock.calls()),
        (on_api, EXERCISES.len() - on_api)
    );
    assert!(on_api > 0 && on_api < EXERCISES.len());
}
