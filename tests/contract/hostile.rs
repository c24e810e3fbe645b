//! Client ↔ a hostile or careless world: ids from outside, empty settings, endless answers, proxies, dropped calls.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use contract_tests::exercise::credentials;
use contract_tests::generated::exercise::call;
use transak_client::error::JsonErrorKind;
use transak_client::operations::Credential;
use transak_client::{Client, ClientBuilder, Environment, Error};
use transak_mock::httpmock::MockServer;

use crate::{client, everything, recorder};

#[tokio::test]
async fn an_id_that_would_lead_to_another_operation_is_refused_and_nothing_is_sent() {
    let server = MockServer::start_async().await;
    let (mock, _) = recorder(&server, 200, "application/json", "{}");
    for base in [server.base_url(), format!("{}/behind/a/proxy", server.base_url())] {
        let client = Client::builder()
            .environment(Environment::single(&base).unwrap())
            .credentials(credentials(everything()))
            .build()
            .unwrap();
        for id in ["", ".", "..", "..\\webhooks", "x\\..\\..\\webhooks"] {
            let error = client.get_order_by_id().order_id(id).send().await.unwrap_err();
            let Error::InvalidRequest(refused) = &error else {
                panic!("{id}: {error:?}")
            };
            assert_eq!(refused.parameter(), Some("order_id"), "{id}");
            assert!(error.to_string().contains("another path"), "{error}");
            assert!(id.len() < 3 || !format!("{error} {error:?}").contains(id), "{error:?}");
        }
    }
    assert_eq!(mock.calls(), 0);
}

#[tokio::test]
async fn odd_ids_stay_one_segment_of_the_path() {
    let server = MockServer::start_async().await;
    let (_mock, seen) = recorder(&server, 404, "application/json", "{}");
    let client = client(&server, everything());
    for id in ["a/b", "%2e%2e", "a?b#c", "...", "ü"] {
        let error = client.get_order_by_id().order_id(id).send().await.unwrap_err();
        assert!(error.is_not_found(), "{id}: {error:?}");
    }
    for request in seen.lock().unwrap().iter() {
        assert_eq!(request.path.matches('/').count(), 5, "{}", request.path);
        assert!(
            request.path.starts_with("/partners/api/v2/order/") && request.query.is_empty(),
            "{request:?}"
        );
    }
}

#[tokio::test]
async fn an_empty_credential_counts_as_missing() {
    let server = MockServer::start_async().await;
    let (mock, seen) = recorder(&server, 500, "", "");
    for empty in ["", " ", "\t\n"] {
        let client = client(&server, everything());
        let error = client
            .with_credential(Credential::ApiKey, empty)
            .get_countries()
            .send()
            .await
            .unwrap_err();
        let Error::MissingCredential(missing) = &error else {
            panic!("{error:?}")
        };
        assert_eq!(missing.alternatives(), [["apiKey"]]);
        assert_eq!(mock.calls(), 0);
    }
    // It does not win over an alternative without it either.
    let client = client(&server, everything()).with_credential(Credential::UserToken, "");
    let _ = call(&client, "createWidgetUrl").await;
    assert_eq!(seen.lock().unwrap()[0].header("authorization"), None);
}

/// Answers one call with these bytes and keeps the connection open.
fn raw_server(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = answer.clone();
            std::thread::spawn(move || serve(stream.unwrap(), &answer));
        }
    });
    url
}

fn serve(mut stream: TcpStream, answer: &[u8]) {
    let mut request = [0; 4096];
    let _ = stream.read(&mut request);
    let _ = stream.write_all(answer);
    // Until the client hangs up.
    while stream.read(&mut request).is_ok_and(|count| count > 0) {}
}

fn at(url: &str) -> ClientBuilder {
    Client::builder()
        .environment(Environment::single(url).unwrap())
        .credentials(credentials(everything()))
}

#[tokio::test]
async fn an_answer_without_end_is_not_collected() {
    let filler = "planted-secret ".repeat(2_000);
    let whole = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\ntrace-id: t-1\r\n\r\n{filler}",
        filler.len()
    );
    // One chunk, and no last one.
    let chunked = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrace-id: t-1\r\n\r\n{:x}\r\n{filler}\r\n",
        filler.len()
    );
    for answer in [whole, chunked] {
        let client = at(&raw_server(answer.into_bytes()))
            .max_answer_bytes(20_000)
            .build()
            .unwrap();
        let error = client.get_countries().send().await.unwrap_err();
        let Error::Decode(decode) = &error else {
            panic!("{error:?}")
        };
        assert_eq!(decode.kind(), JsonErrorKind::TooLong);
        assert_eq!(
            (error.status().map(|s| s.as_u16()), error.trace_id()),
            (Some(200), Some("t-1"))
        );
        assert!(!error.is_retryable() && error.to_string().contains("longer"), "{error}");
        assert!(!format!("{error} {error:?}").contains("planted"), "{error:?}");
    }
}

#[tokio::test]
async fn the_longest_answer_allowed_is_read() {
    let body = r#"{"response":[]}"#;
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes();
    let client = at(&raw_server(answer.clone()))
        .max_answer_bytes(body.len())
        .build()
        .unwrap();
    // Copies with other credentials keep the setting.
    client
        .with_credential(Credential::UserIp, "203.0.113.9")
        .get_countries()
        .send()
        .await
        .unwrap();
    let client = at(&raw_server(answer))
        .max_answer_bytes(body.len() - 1)
        .build()
        .unwrap();
    assert!(
        client
            .with_credential(Credential::UserIp, "203.0.113.9")
            .get_countries()
            .send()
            .await
            .unwrap_err()
            .is_decode()
    );
}

#[tokio::test]
async fn an_answer_that_stalls_is_a_timeout_and_one_that_breaks_off_is_not() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"respo".to_vec();
    let client = at(&raw_server(half))
        .timeout(Duration::from_millis(200))
        .build()
        .unwrap();
    let error = client.get_countries().send().await.unwrap_err();
    assert!(error.is_timeout() && error.is_retryable(), "{error:?}");
    assert_eq!(error.status().map(|s| s.as_u16()), Some(200), "{error:?}");
}

#[tokio::test]
async fn dropping_a_call_leaves_the_client_usable() {
    let silent = at(&raw_server(Vec::new())).build().unwrap();
    let cut_off = tokio::time::timeout(Duration::from_millis(100), silent.get_countries().send()).await;
    assert!(cut_off.is_err(), "nobody answers");
    let server = MockServer::start_async().await;
    let (mock, _) = recorder(&server, 200, "application/json", r#"{"response":[]}"#);
    let client = client(&server, everything());
    drop(client.get_countries().send());
    assert_eq!(mock.calls(), 0, "a call that is never awaited is never made");
    client.get_countries().send().await.unwrap();
    assert_eq!(mock.calls(), 1);
}

/// All of them are awaited in `call`.
#[test]
fn calls_can_be_spawned_and_shared() {
    fn send<T: Send>(_: T) {}
    fn shared<T: Send + Sync + Clone + 'static>(_: &T) {}
    let client = Client::builder().build().unwrap();
    shared(&client);
    send(call(&client, "getCountries"));
}

#[test]
fn a_printed_client_shows_no_setting_of_the_http_client() {
    use transak_client::reqwest::{Proxy, header};
    let client = Client::builder()
        .configure_http(|http| {
            let token = (
                header::PROXY_AUTHORIZATION,
                header::HeaderValue::from_static("planted-token"),
            );
            let proxy = Proxy::all("http://user:planted-password@127.0.0.1:9").unwrap();
            http.proxy(proxy).default_headers(header::HeaderMap::from_iter([token]))
        })
        .build()
        .unwrap();
    for printed in [
        format!("{client:?} {client:#?}"),
        format!("{:?}", client.get_countries()),
    ] {
        assert!(!printed.contains("planted"), "{printed}");
    }
}

/// Plain http is for this machine only; the system's proxy would carry the credentials away in the clear.
#[tokio::test]
async fn plain_http_does_not_pass_through_the_proxy_of_the_system() {
    // Variables belong to a process, so this test starts itself again, told where to call.
    if let Ok(url) = std::env::var(CHILD_URL) {
        at(&url).build().unwrap().get_countries().send().await.unwrap();
        return;
    }
    let server = MockServer::start_async().await;
    let proxy = MockServer::start_async().await;
    let (mock, _) = recorder(&server, 200, "application/json", r#"{"response":[]}"#);
    let (stolen, _) = recorder(&proxy, 200, "application/json", r#"{"response":[]}"#);
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args([
            "--exact",
            "hostile::plain_http_does_not_pass_through_the_proxy_of_the_system",
        ])
        .env(CHILD_URL, server.base_url())
        .stdout(std::process::Stdio::null());
    for name in ["NO_PROXY", "no_proxy", "REQUEST_METHOD"] {
        child.env_remove(name);
    }
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        child.env(name, proxy.base_url());
    }
    let status = tokio::task::spawn_blocking(move || child.status().unwrap())
        .await
        .unwrap();
    assert!(status.success());
    assert_eq!((mock.calls(), stolen.calls()), (1, 0));
}

/// Set in the child process of the test above.
const CHILD_URL: &str = "TRANSAK_CONTRACT_TEST_URL";
