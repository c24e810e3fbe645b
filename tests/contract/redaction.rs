//! Types ↔ secrets: nothing that holds a secret or personal data shows it when it is printed.

use contract_tests::exercise::{Outcome, credential_value};
use contract_tests::generated::exercise::{EXERCISES, call, debug};
use contract_tests::spec::{document, for_each_sensitive};
use serde_json::Value;
use transak_client::operations::Credential;
use transak_client::{Client, Credentials};
use transak_mock::examples::{MESSAGES, REQUESTS, RESPONSES};
use transak_mock::httpmock::MockServer;

use crate::{client, recorder};

/// The example with every sensitive string made unmistakable, and what was planted.
fn planted(document: &Value, schema: &str, json: &str) -> (String, usize) {
    let mut value: Value = serde_json::from_str(json).unwrap();
    let mut count = 0;
    for_each_sensitive(
        document,
        &document["components"]["schemas"][schema],
        &mut value,
        &mut |text| {
            *text = format!("{MARKER}{count}");
            count += 1;
        },
    );
    (value.to_string(), count)
}

const MARKER: &str = "planted-secret-";

#[test]
fn no_type_shows_what_the_spec_marks_as_secret_or_personal() {
    let document = document();
    let mut checked = 0;
    let requests = REQUESTS.iter().map(|e| (e.schema(), e.json()));
    let messages = MESSAGES.iter().map(|e| (e.schema(), e.json()));
    let responses = RESPONSES.iter().map(|e| (e.schema(), e.json()));
    for (schema, json) in responses.chain(requests).chain(messages) {
        let (text, planted) = planted(&document, schema, json);
        let printed = debug(schema, &text).unwrap_or_else(|e| panic!("{schema}: {e}"));
        assert_eq!(text.matches(MARKER).count(), planted, "{schema}");
        assert!(!printed.contains(MARKER), "{schema}: {printed}");
        checked += planted;
    }
    assert!(checked > 80, "{checked}");
}

/// The names alone say that these hold secrets or personal data: the spec must mark them.
#[test]
fn the_spec_marks_what_its_names_give_away() {
    let document = document();
    let telling = [
        "accessToken",
        "stateToken",
        "otp",
        "email",
        "ipAddress",
        "firstName",
        "lastName",
        "mobileNumber",
        "dob",
        "addressLine1",
        "postCode",
        "widgetUrl",
        "kycShareToken",
        "accountNumber",
    ];
    let mut found = 0;
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for (property, part) in schema["properties"].as_object().into_iter().flatten() {
            if telling.contains(&property.as_str()) && part["type"] == "string" {
                let marked = part["format"] == "password" || part["x-transak-personal"] == true;
                assert!(marked, "{name}.{property} is not marked");
                found += 1;
            }
        }
    }
    assert!(found > 15, "{found}");
}

#[tokio::test]
async fn clients_builders_requests_and_errors_show_no_credential() {
    let server = MockServer::start_async().await;
    let secrets: Vec<String> = Credential::ALL.iter().map(|c| credential_value(*c)).collect();
    let clean = |what: &str, printed: String| {
        for secret in &secrets {
            assert!(!printed.contains(secret.as_str()), "{what} shows {secret}: {printed}");
        }
    };
    let all: Credentials = contract_tests::exercise::credentials(crate::everything());
    clean("credentials", format!("{all:?} {all:#?}"));
    let builder = Client::builder().credentials(all);
    clean("builder", format!("{builder:?} {builder:#?}"));
    let client = client(&server, crate::everything());
    clean("client", format!("{client:?} {client:#?}"));
    clean("request", format!("{:?}", client.get_user_details().api_key("k")));
    let login = client.verify_user_otp().body_map(|b| {
        b.api_key("k")
            .email("planted-userIdentifier")
            .otp("planted-userToken")
            .state_token("planted-partnerToken")
    });
    clean("request body", format!("{login:?} {login:#?}"));
    // The API wants this one in the URL.
    let quote = client.get_quote().kyc_share_token("planted-apiSecret");
    clean("query", format!("{quote:?} {quote:#?}"));

    // Errors of every kind, with the secrets echoed by the server in body and headers.
    let echo = format!("<html>{}</html>", secrets.join(" "));
    let wrong = format!(
        r#"{{"data":"{}","response":"{}"}}"#,
        secrets.join(" "),
        secrets.join(" ")
    );
    let error = format!(
        r#"{{"error":{{"message":"{}","statusCode":401,"errorCode":1002}}}}"#,
        "user@example.com eyJhbGciOiJIUzI1NiJ9.e30.abcdefgh 203.0.113.9 123456"
    );
    for (status, kind, body) in [
        (401, "text/html", &echo),
        (200, "application/json", &wrong),
        (200, "text/html", &echo),
        (401, "application/json", &error),
    ] {
        let server = MockServer::start_async().await;
        let (_mock, _) = recorder(&server, status, kind, body);
        let client = crate::client(&server, crate::everything());
        for exercise in EXERCISES {
            let Outcome::Failed(error) = call(&client, exercise.operation.id()).await else {
                continue;
            };
            let mut printed = format!("{error:?} {error:#?} {error}");
            let mut source = std::error::Error::source(&*error);
            while let Some(cause) = source {
                printed.push_str(&format!(" {cause:?} {cause}"));
                source = cause.source();
            }
            clean("error", printed.clone());
            for personal in ["user@example.com", "eyJhbGci", "203.0.113.9", "123456"] {
                assert!(!printed.contains(personal), "{printed}");
            }
        }
    }
}
