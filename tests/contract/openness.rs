//! Lenient decoding: what the vendor may add, or has been seen to vary, does not fail an answer.

use contract_tests::generated::exercise::{call, recode};
use contract_tests::json::canonical;
use contract_tests::spec::document;
use serde_json::Value;
use transak_client::types;
use transak_mock::examples::{MESSAGES, RESPONSES};
use transak_mock::httpmock::MockServer;

use crate::{client, recorder};

/// Adds an unknown member to every object whose schema names its members, and gives every open enum a value
/// nobody knows.
fn from_the_future(document: &Value, schema: &Value, value: &mut Value) {
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        return from_the_future(document, &document["components"]["schemas"][name], value);
    }
    if schema["enum"].is_array() && schema["type"] == "string" && value.is_string() {
        *value = Value::from("A_VALUE_OF_TOMORROW");
        return;
    }
    for variant in schema["oneOf"].as_array().into_iter().flatten() {
        from_the_future(document, variant, value);
    }
    match value {
        Value::Object(members) if schema["properties"].is_object() => {
            for (name, member) in members.iter_mut() {
                from_the_future(document, &schema["properties"][name], member);
            }
            members.insert(
                "aMemberOfTomorrow".to_owned(),
                serde_json::json!({ "deep": [1, null, "x"] }),
            );
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| from_the_future(document, &schema["items"], item)),
        _ => {}
    }
}

#[test]
fn unknown_members_and_values_decode_in_every_answer() {
    let document = document();
    let mut unknown_kept = 0;
    let responses = RESPONSES.iter().map(|e| (e.name(), e.schema(), e.json()));
    let messages = MESSAGES.iter().map(|e| (e.name(), e.schema(), e.json()));
    for (name, schema, json) in responses.chain(messages) {
        let mut value: Value = serde_json::from_str(json).unwrap();
        from_the_future(&document, &document["components"]["schemas"][schema], &mut value);
        let text = value.to_string();
        let again = recode(schema, &text).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(!again.contains("aMemberOfTomorrow"), "unknown members are ignored");
        unknown_kept += again.matches("A_VALUE_OF_TOMORROW").count();
        assert_eq!(
            again.matches("A_VALUE_OF_TOMORROW").count(),
            text.matches("A_VALUE_OF_TOMORROW").count(),
            "{name}: unknown values survive a round trip"
        );
    }
    assert!(unknown_kept > 50, "{unknown_kept}");
}

#[test]
fn an_absent_member_and_a_null_one_both_decode_where_the_facts_leave_it_open() {
    for text in [
        r#"{"data":{"email":"user@example.com","status":"ACTIVE","kyc":{"status":"NOT_SUBMITTED","type":null}}}"#,
        r#"{"data":{"email":"user@example.com","status":"ACTIVE","kyc":{"status":"NOT_SUBMITTED"},"firstName":null,"address":null}}"#,
    ] {
        let details: types::GetUserDetailsResponse = serde_json::from_str(text).unwrap();
        assert!(details.data.address.is_none() && details.data.kyc.type_.is_none());
    }
}

#[test]
fn amounts_keep_every_digit_however_they_are_nested() {
    for number in ["123456789012345.123456789", "3.26e-7", "1.10", "0", "-5.00", "1E+2"] {
        let text = format!(
            r#"{{"data":{{"limits":{{"1":{number},"30":{number},"365":{number}}},"spent":{{"1":{number},"30":{number},"365":{number}}},
               "remaining":{{"1":{number},"30":{number},"365":{number}}},"exceeded":{{"1":false,"30":false,"365":true}},
               "shortage":{{"30":{number}}}}}}}"#
        );
        let again = recode("GetUserLimitsResponse", &text).unwrap();
        assert_eq!(canonical(&again).unwrap(), canonical(&text).unwrap(), "{number}");
        let quoted = format!(
            r#"{{"data":{{"limits":{{"1":"{number}","30":1,"365":2}},"spent":{{"1":0,"30":0,"365":0}},
            "remaining":{{"1":0,"30":0,"365":0}},"exceeded":{{"1":false,"30":false,"365":true}}}}}}"#
        );
        let again = recode("GetUserLimitsResponse", &quoted).unwrap();
        assert_eq!(
            canonical(&again).unwrap(),
            canonical(&quoted).unwrap(),
            "quoted {number}"
        );
    }
}

#[tokio::test]
async fn another_success_status_is_a_success() {
    let server = MockServer::start_async().await;
    let body = r#"{"data":{"accessToken":"t"}}"#;
    let (_mock, _) = recorder(&server, 201, "application/json; charset=utf-8", body);
    let response = client(&server, crate::everything())
        .refresh_user_access_token()
        .send()
        .await
        .unwrap();
    assert_eq!(response.status().as_u16(), 201);
}

#[tokio::test]
async fn both_readings_of_logout_are_taken() {
    for body in [r#"{"data":"success"}"#, r#"{"data":{"message":"bye"}}"#] {
        let server = MockServer::start_async().await;
        let (_mock, _) = recorder(&server, 200, "application/json", body);
        let outcome = call(&client(&server, crate::everything()), "logoutUser").await;
        assert!(
            matches!(outcome, contract_tests::exercise::Outcome::Answer { .. }),
            "{outcome:?}"
        );
    }
}
