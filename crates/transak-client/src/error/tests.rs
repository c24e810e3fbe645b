//! Errors against real HTTP, and the promise that they leak nothing.
#![allow(clippy::unwrap_used, clippy::panic)]

mod leaks;

use std::error::Error as StdError;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use progenitor_client::Error as Raw;

use super::*;

const SENT: &str = "sent-by-us";

fn context() -> CallContext<'static> {
    CallContext {
        operation: "get_order",
        trace_id: SENT,
        response: None,
    }
}

/// Everything of an error that may end up in a log.
fn printed(error: &(dyn StdError + 'static)) -> String {
    let mut out = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        out += &format!("{error} {error:#} {error:?} {error:#?}\n");
        next = error.source();
    }
    out
}

/// A server that answers one request with these bytes, then waits and closes the connection.
fn serve(answer: impl Into<Vec<u8>>, wait: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/path-s3cret?q=s3cret", listener.local_addr().unwrap());
    let answer = answer.into();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(&answer);
        std::thread::sleep(wait);
    });
    url
}

async fn call(url: &str) -> Result<reqwest::Response, reqwest::Error> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_millis(1500))
        .build()?;
    client.get(url).send().await
}

/// What becomes of an answer that is not a success.
async fn refused(answer: impl Into<Vec<u8>>) -> (Error, ApiError) {
    let url = serve(answer, Duration::ZERO);
    let response = call(&url).await.unwrap();
    let error = from_progenitor::<()>(context(), Raw::UnexpectedResponse(response)).await;
    let Error::Api(api) = &error else { panic!("{error:?}") };
    let api = (**api).clone();
    (error, api)
}

fn http(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}")
}

#[tokio::test]
async fn the_current_shape() {
    let body = r#"{"error":{"statusCode":401,"name":"Unauthorized","message":"Token of jo@example.org expired, otp 123456",
        "errorCode":1002,"additionalMessage":"from 10.1.2.3"}}"#;
    let (error, api) = refused(http("401 Unauthorized", "x-trace-id: abc-1\r\n", body)).await;
    assert!(error.is_unauthorized() && !error.is_retryable() && !error.is_forbidden());
    assert_eq!(error.error_code(), Some(&ErrorCode::from(1002)));
    assert_eq!(api.message(), Some("Token of jo@example.org expired, otp 123456"));
    assert_eq!(api.additional_message(), Some("from 10.1.2.3"));
    assert_eq!(api.name(), Some("Unauthorized"));
    assert_eq!(api.body_kind(), ErrorBodyKind::Json);
    assert_eq!(
        (error.operation(), error.trace_id()),
        (Some("get_order"), Some("abc-1"))
    );
    let name = ErrorCode::from(1002).name().unwrap();
    assert_eq!(
        error.to_string(),
        format!(
            "get_order failed with status 401 Unauthorized, code 1002 ({name}): Token of [redacted] expired, \
             otp [redacted] (trace id abc-1)"
        )
    );
    for private in ["example", "123456", "10.1"] {
        assert!(!printed(&error).contains(private));
    }
}

#[tokio::test]
async fn an_html_page() {
    let page = "<html><body>s3cret</body></html>";
    let (error, api) = refused(http("401 Unauthorized", "content-type: text/html\r\n", page)).await;
    assert!(error.is_unauthorized());
    assert_eq!((api.body_kind(), api.message()), (ErrorBodyKind::Html, None));
    assert_eq!(api.trace_id(), SENT);
    assert!(!printed(&error).contains("s3cret"));
}

#[tokio::test]
async fn an_empty_body() {
    let (error, api) = refused(http("500 Internal Server Error", "", "")).await;
    assert!(error.is_retryable() && !error.is_transport());
    assert_eq!(api.body_kind(), ErrorBodyKind::Empty);
    assert_eq!(
        error.to_string(),
        "get_order failed with status 500 Internal Server Error, an empty body (trace id sent-by-us)"
    );
}

#[tokio::test]
async fn a_body_that_is_too_long() {
    let fits = format!(r#"{{"message":"{}"}}"#, "x".repeat(body::MAX_BODY - 14));
    let (_, api) = refused(http("400 Bad Request", "", &fits)).await;
    assert_eq!(api.body_kind(), ErrorBodyKind::Json);
    let (error, api) = refused(http("400 Bad Request", "", &format!("{fits} "))).await;
    assert_eq!((api.body_kind(), api.message()), (ErrorBodyKind::TooLong, None));
    assert_eq!(error.status(), Some(StatusCode::BAD_REQUEST));
}

#[tokio::test]
async fn a_connection_dropped_within_an_error() {
    let cut = "HTTP/1.1 403 Forbidden\r\ncontent-length: 999\r\nretry-after: 3\r\n\r\n{\"error\":";
    let (error, api) = refused(cut).await;
    assert!(error.is_forbidden());
    assert_eq!(api.body_kind(), ErrorBodyKind::Unreadable);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3)));
}

#[tokio::test]
async fn too_many_requests() {
    let (error, _) = refused(http("429 Too Many Requests", "retry-after: 17\r\n", "slow down")).await;
    assert!(error.is_rate_limited() && error.is_retryable());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(17)));
    let dates = "date: Fri, 31 May 2024 12:00:00 GMT\r\nretry-after: Fri, 31 May 2024 12:01:00 GMT\r\n";
    let (error, api) = refused(http("503 Service Unavailable", dates, "{}")).await;
    assert_eq!(error.retry_after(), Some(Duration::from_secs(60)));
    assert_eq!((api.body_kind(), api.message()), (ErrorBodyKind::Json, None));
}

#[tokio::test]
async fn a_redirect_and_an_odd_trace_id() {
    let headers = "location: /s3cret\r\ntrace-id: <script>s3cret\r\n";
    let (error, _) = refused(http("302 Found", headers, "")).await;
    assert_eq!(error.status(), Some(StatusCode::FOUND));
    assert_eq!(error.trace_id(), Some(SENT));
    assert!(!error.is_retryable() && !printed(&error).contains("s3cret"));
}

#[tokio::test]
async fn a_connection_dropped_within_a_success() {
    let url = serve(
        "HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n{\"s3cret\":",
        Duration::ZERO,
    );
    let cause = call(&url).await.unwrap().bytes().await.unwrap_err();
    let error = from_progenitor::<()>(context(), Raw::ResponseBodyError(cause)).await;
    let Error::Transport(transport) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(transport.phase(), TransportPhase::Body);
    assert!(error.is_transport() && error.is_retryable());
    // The chain leads to the cause, and the URL is not in it.
    assert!(error.source().is_some_and(|e| e.is::<reqwest::Error>()));
    assert!(!printed(&error).contains("s3cret"));
}

#[tokio::test]
async fn no_answer() {
    for (answer, wait) in [("", 3000), ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1", 3000)] {
        let url = serve(answer, Duration::from_millis(wait));
        let raw: Raw<()> = match call(&url).await {
            Err(cause) => Raw::CommunicationError(cause),
            Ok(response) => Raw::ResponseBodyError(response.bytes().await.unwrap_err()),
        };
        let error = from_progenitor::<()>(context(), raw).await;
        assert!(error.is_timeout() && error.is_retryable() && !error.is_transport());
        assert!(!printed(&error).contains("s3cret"));
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/s3cret", listener.local_addr().unwrap());
    drop(listener);
    let cause = call(&url).await.unwrap_err();
    let error = from_progenitor::<()>(context(), Raw::CommunicationError(cause)).await;
    let Error::Transport(transport) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(transport.phase(), TransportPhase::Connect);
    assert!(!printed(&error).contains("s3cret"));
}

#[tokio::test]
async fn a_request_that_cannot_be_built() {
    let cause = call("http://s3cret:s3cret@[/").await.unwrap_err();
    for raw in [
        Raw::CommunicationError(cause),
        Raw::InvalidRequest("conversion to `X` for body failed: s3cret".to_owned()),
    ] {
        let error = from_progenitor::<()>(context(), raw).await;
        assert!(matches!(error, Error::InvalidRequest(_)), "{error:?}");
        assert!(!printed(&error).contains("s3cret"));
    }
    let raw = Raw::Custom("hook failed for jo@example.org".to_owned());
    let error = from_progenitor::<()>(context(), raw).await;
    assert!(error.is_transport() && !error.is_retryable());
    assert!(!printed(&error).contains("example"));
}

#[test]
fn shapes_of_bodies() {
    let parse = |json: &str| {
        let body = body::ErrorBody::parse("application/json", json.as_bytes());
        let code = body.code.map(|code| code.as_i64());
        (body.name.map(String::from), body.message.map(String::from), code)
    };
    let some = |text: &str| Some(text.to_owned());
    for (json, expected) in [
        (
            r#"{"error":{"statusCode":400,"name":"Bad","message":"m"}}"#,
            (some("Bad"), some("m"), None),
        ),
        (
            r#"{"error":{"code":"1019","message":"m"}}"#,
            (None, some("m"), Some(1019)),
        ),
        (
            r#"{"error":{"code":"NO_WAY","message":"m"}}"#,
            (some("NO_WAY"), some("m"), None),
        ),
        (r#"{"error":"m"}"#, (None, some("m"), None)),
        (
            r#"{"statusCode":400,"error":"Bad Request","message":["a","b"]}"#,
            (some("Bad Request"), some("a; b"), None),
        ),
        (
            r#"{"error":{"statusCode":"x","message":{},"errorCode":"9001"}}"#,
            (None, None, Some(9001)),
        ),
        (
            r#"{"error":{"errorCode":1e3,"name":7,"message":"m"}}"#,
            (None, some("m"), None),
        ),
        (
            r#"{"error":null,"message":"m","errorCode":5}"#,
            (None, some("m"), Some(5)),
        ),
        (r#""m""#, (None, some("m"), None)),
        ("[]", (None, None, None)),
        ("not JSON", (None, some("not JSON"), None)),
    ] {
        assert_eq!(parse(json), expected, "{json}");
    }
    assert_eq!(
        body::ErrorBody::parse("", b" <!doctype html>").kind,
        ErrorBodyKind::Html
    );
    assert_eq!(body::ErrorBody::parse("", b"\xff\x00").kind, ErrorBodyKind::Other);
}

#[test]
fn missing_credentials() {
    let error = MissingCredentialError::new("get_order", vec![vec!["api_key", "access_token"], vec!["api_secret"]]);
    assert_eq!(
        error.to_string(),
        "get_order needs credentials that are not set: set api_key and access_token; or set api_secret"
    );
}

#[test]
fn errors_are_small_and_cross_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Error>();
    assert!(size_of::<Error>() <= 16);
}
