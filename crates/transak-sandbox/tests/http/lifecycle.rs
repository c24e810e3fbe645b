//! Starting, stopping, and being the same every time.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use transak_client::operations::Host;
use transak_sandbox::{Sandbox, StartError};

use crate::common::{Answer, Call, DAY, START, client, frozen, http, key, login, spec};

fn address(url: &str) -> String {
    url.strip_prefix("http://").unwrap().to_owned()
}

#[tokio::test]
async fn it_starts_in_one_line_and_quickly() {
    for round in ["first", "second"] {
        let begun = Instant::now();
        let sandbox = Sandbox::start().await.unwrap();
        println!("{round} start took {:?}", begun.elapsed());
        let begun = Instant::now();
        client(&sandbox).get_countries().send().await.unwrap();
        println!("{round} answer took {:?}", begun.elapsed());
        let urls = [sandbox.api_url(), sandbox.gateway_url(), sandbox.control_url()];
        assert!(urls.iter().all(|url| url.starts_with("http://127.0.0.1:")), "{urls:?}");
        assert_eq!(sandbox.environment().base_url(Host::Gateway), Some(urls[1].as_str()));
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_a_clear_error() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    for (ports, what) in [
        ((port, 0, 0), "api host"),
        ((0, port, 0), "gateway host"),
        ((0, 0, port), "control API"),
    ] {
        let error = Sandbox::builder()
            .ports(ports.0, ports.1, ports.2)
            .start()
            .await
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains(what) && text.contains(&port.to_string()) && text.contains("taken"),
            "{text}"
        );
    }
    let error = Sandbox::builder()
        .address("192.0.2.1".parse().unwrap())
        .start()
        .await
        .unwrap_err();
    assert!(matches!(error, StartError::Address(_)), "{error}");
}

#[tokio::test]
async fn given_ports_are_used() {
    let free = || {
        std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port()
    };
    let ports = [free(), free(), free()];
    let sandbox = Sandbox::builder()
        .ports(ports[0], ports[1], ports[2])
        .start()
        .await
        .unwrap();
    assert_eq!(sandbox.control_url(), format!("http://127.0.0.1:{}", ports[2]));
}

#[tokio::test]
async fn shutdown_lets_requests_finish_and_dropping_closes_at_once() {
    let sandbox = frozen().await;
    let slow = json!({"effect": {"kind": "delay", "millis": 300}});
    sandbox.control().inject(serde_json::from_value(slow).unwrap()).unwrap();
    let (api, control) = (address(&sandbox.api_url()), sandbox.control().clone());
    let caller = client(&sandbox);
    let call = tokio::spawn(async move { caller.get_countries().send().await.map(|_| ()) });
    while control.counts().faults.is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    sandbox.shutdown().await;
    call.await.unwrap().expect("the request under way was answered");
    assert!(TcpStream::connect(&api).await.is_err(), "the port is closed");

    let sandbox = frozen().await;
    let api = address(&sandbox.api_url());
    drop(sandbox);
    let closed = async {
        while TcpStream::connect(&api).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), closed)
        .await
        .expect("the port is closed");
}

/// Calls everything once and writes down every byte that matters.
async fn diary(sandbox: &Sandbox) -> Vec<String> {
    let (spec, key) = (spec(), key(sandbox));
    let mut diary = Vec::new();
    let mut partner = String::from("none yet");
    for round in 0..3 {
        let user = login(sandbox, &format!("user{round}@example.com")).await;
        diary.push(user.clone());
        // A new user each time; the partner token first, since others need it.
        let mut operations = transak_client::operations::ALL.to_vec();
        operations.sort_by_key(|operation| operation.id() != "refreshAccessToken");
        for operation in operations
            .into_iter()
            .filter(|operation| !operation.id().contains("UserOtp"))
            // From then on webhooks would go out, in their own time.
            .filter(|operation| operation.id() != "updateWebhookUrl")
        {
            let mut call = Call::valid(&spec, operation, &operation.alternatives()[0]);
            for (name, value) in &mut call.headers {
                match name.as_str() {
                    "x-api-key" => value.clone_from(&key),
                    "api-secret" => *value = sandbox.control().settings().api_secret,
                    "access-token" | "x-access-token" => value.clone_from(&partner),
                    "authorization" => value.clone_from(&user),
                    _ => {}
                }
            }
            if let Some(own) = call.body.as_mut().and_then(|body| body.get_mut("apiKey")) {
                *own = json!(key);
            }
            let answer: Answer = call.send(sandbox).await;
            if let Some(token) = answer.json()["data"]["accessToken"].as_str()
                && operation.id() == "refreshAccessToken"
            {
                token.clone_into(&mut partner);
            }
            diary.push(format!(
                "{} {} {:?} {}",
                operation.id(),
                answer.status,
                answer.headers,
                answer.text
            ));
        }
        sandbox.control().advance(DAY);
    }
    diary
}

#[tokio::test]
async fn the_same_seed_and_calls_give_the_same_bytes() {
    let (one, two) = (frozen().await, frozen().await);
    let (first, second) = (diary(&one).await, diary(&two).await);
    assert_eq!(first, second);
    assert!(
        first.iter().any(|line| line.starts_with("refreshAccessToken 200")),
        "{first:#?}"
    );
    assert!(
        first.iter().any(|line| line.starts_with("createWidgetUrl 4")),
        "{first:#?}"
    );
    // A reset is a new beginning.
    one.control().reset();
    assert_eq!(diary(&one).await, second);
    let other = Sandbox::builder()
        .seed(8)
        .clock_start(START)
        .frozen()
        .start()
        .await
        .unwrap();
    assert_ne!(diary(&other).await, second);
}

#[tokio::test]
async fn dates_are_those_of_the_sandboxs_clock() {
    let sandbox = frozen().await;
    for base in [sandbox.api_url(), sandbox.gateway_url(), sandbox.control_url()] {
        let answer = http().get(format!("{base}/nowhere")).send().await.unwrap();
        assert_eq!(answer.headers()["date"], "Fri, 15 Jan 2027 08:00:00 GMT");
    }
}
