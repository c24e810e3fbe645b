//! Client ↔ gateway: what a gateway, a CDN or a broken network answers still becomes a typed error.

use std::time::Duration;

use transak_client::{Client, Error, types::ErrorCode};
use transak_mock::examples::send_user_otp;
use transak_mock::httpmock::MockServer;
use transak_mock::{Stub, examples};

use crate::{client, recorder};

#[tokio::test]
async fn a_known_error_code_is_named_and_the_wait_is_told() {
    let server = MockServer::start_async().await;
    let example = send_user_otp_too_early();
    Stub::of(example)
        .header("retry-after", "42")
        .header("trace-id", "abc-123")
        .on(&server);
    let error = client(&server, crate::everything())
        .send_user_otp()
        .body_map(|b| b.api_key("k").email("user@example.com"))
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.error_code(), Some(&ErrorCode::OtpRequestedTooEarly));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(42)));
    assert_eq!(error.trace_id(), Some("abc-123"));
    assert_eq!(error.operation(), Some("sendUserOtp"));
    assert!(error.to_string().contains("1019"), "{error}");
}

fn send_user_otp_too_early() -> &'static transak_mock::example::ResponseExample {
    let _ = &send_user_otp::OK_NEW_USER;
    let found = examples::RESPONSES
        .iter()
        .find(|e| e.operation().id() == "sendUserOtp" && e.status() == 400 && e.json().contains("1019"));
    found
        .copied()
        .expect("the spec shows the error for an OTP asked for too early")
}

#[tokio::test]
async fn html_and_empty_error_bodies_keep_their_status() {
    for (status, kind, body) in [
        (401, "text/html", "<html>denied</html>"),
        (429, "text/html", "<html/>"),
        (500, "", ""),
    ] {
        let server = MockServer::start_async().await;
        let (_mock, seen) = recorder(&server, status, kind, body);
        let error = client(&server, crate::everything())
            .get_user_details()
            .api_key("k")
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.status().map(|s| s.as_u16()), Some(status), "{error:?}");
        assert_eq!(error.is_unauthorized(), status == 401);
        assert_eq!(error.is_rate_limited(), status == 429);
        assert_eq!(error.is_retryable(), status != 401);
        let sent = seen.lock().unwrap()[0].header("x-trace-id").unwrap().to_owned();
        assert_eq!(
            error.trace_id(),
            Some(sent.as_str()),
            "our own trace id, as the server gave none"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_credentials_in_hand() {
    let elsewhere = MockServer::start_async().await;
    let (stolen, _) = recorder(&elsewhere, 200, "application/json", r#"{"response":[]}"#);
    let server = MockServer::start_async().await;
    let _redirect = server.mock(|when, then| {
        let _ = when.is_true(|_| true);
        then.status(302).header("location", elsewhere.base_url());
    });
    let error = client(&server, crate::everything())
        .get_countries()
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.status().map(|s| s.as_u16()), Some(302));
    assert_eq!(stolen.calls(), 0);
}

#[tokio::test]
async fn a_success_that_is_no_json_is_a_decode_error_with_a_path() {
    let server = MockServer::start_async().await;
    let (_mock, _) = recorder(
        &server,
        200,
        "application/json",
        r#"{"data":{"accessToken":{"not":"text"}}}"#,
    );
    let error = client(&server, crate::everything())
        .refresh_user_access_token()
        .send()
        .await
        .unwrap_err();
    assert!(error.is_decode(), "{error:?}");
    assert!(error.to_string().contains("data.accessToken"), "{error}");
    assert_eq!(error.status().map(|s| s.as_u16()), Some(200));
}

#[tokio::test]
async fn nobody_listening_is_a_transport_error() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let environment = transak_client::Environment::single(&format!("http://127.0.0.1:{port}")).unwrap();
    let client = Client::builder()
        .environment(environment)
        .credentials(contract_tests::exercise::credentials(crate::everything()))
        .build()
        .unwrap();
    let error = client.get_countries().send().await.unwrap_err();
    assert!(error.is_transport() && error.is_retryable(), "{error:?}");
    assert!(!format!("{error:?}{error}").contains("/api/v2"), "no URL in {error:?}");
}

#[tokio::test]
async fn a_slow_answer_is_a_timeout() {
    // Accepts connections and never answers.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let client = Client::builder()
        .environment(transak_client::Environment::single(&url).unwrap())
        .credentials(contract_tests::exercise::credentials(crate::everything()))
        .timeout(Duration::from_millis(100))
        .build()
        .unwrap();
    let error = client.get_countries().send().await.unwrap_err();
    assert!(error.is_timeout() && error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn a_forgotten_parameter_is_named_and_nothing_is_sent() {
    let server = MockServer::start_async().await;
    let (mock, _) = recorder(&server, 200, "application/json", "{}");
    let error = client(&server, crate::everything())
        .get_user_details()
        .send()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::InvalidRequest(_)), "{error:?}");
    assert!(error.to_string().contains("api_key"), "{error}");
    assert_eq!(mock.calls(), 0);
}

#[test]
fn base_urls_that_would_leak_credentials_are_refused() {
    use transak_client::Environment;
    for url in [
        "http://api.example.com",
        "https://user:pw@api.example.com",
        "https://api.example.com/?x=1",
        "ftp://x",
        "api.example.com",
    ] {
        let error = Environment::single(url).unwrap_err();
        assert!(!error.to_string().contains("pw@"), "{error}");
    }
    for url in [
        "https://proxy.example.com/transak/",
        "http://localhost:1",
        "http://127.0.0.1:1",
        "http://[::1]:1",
    ] {
        assert!(Environment::single(url).is_ok(), "{url}");
    }
}

#[tokio::test]
async fn a_credential_no_header_can_carry_is_refused_by_name() {
    let server = MockServer::start_async().await;
    let client = client(&server, []).with_credential(transak_client::operations::Credential::ApiKey, "line\nbreak");
    let error = client.get_countries().send().await.unwrap_err();
    assert!(
        matches!(error, Error::Config(_)) && error.to_string().contains("apiKey"),
        "{error:?}"
    );
    assert!(!error.to_string().contains("break\n") && !format!("{error:?}").contains("line\\nbreak"));
}
