//! The control API: over HTTP it is the typed handle.

use std::time::Duration;

use serde_json::{Value, json};
use transak_client::operations::Credential;
use transak_sandbox::fault::{Effect, Fault};
use transak_sandbox::world::Moment;
use transak_sandbox::{CONTROL_OPENAPI, ClockMode, Sandbox};

use crate::common::{Answer, DAY, EMAIL, START, client, frozen, http, key, login};

async fn send(sandbox: &Sandbox, method: &str, path: &str, body: Option<Value>) -> Answer {
    let url = format!("{}{path}", sandbox.control_url());
    let mut request = http().request(method.parse().unwrap(), url);
    if let Some(body) = &body {
        request = request.json(body);
    }
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn the_clock_over_http_is_the_clock_of_the_handle() {
    let sandbox = frozen().await;
    let control = sandbox.control();
    let clock = async || send(&sandbox, "GET", "/clock", None).await.json();
    assert_eq!(
        clock().await,
        json!({"unixMillis": START.unix_millis, "mode": "frozen"})
    );
    let moved = send(
        &sandbox,
        "POST",
        "/clock",
        Some(json!({"action": "advance", "millis": 2_592_000_000_u64})),
    )
    .await;
    assert_eq!(moved.json(), serde_json::to_value(control.clock()).unwrap());
    assert_eq!(control.clock().unix_millis, START.plus_seconds(2_592_000).unix_millis);
    control.advance(Duration::from_millis(5));
    assert_eq!(
        clock().await["unixMillis"],
        START.plus_seconds(2_592_000).unix_millis + 5
    );
    let back = send(
        &sandbox,
        "POST",
        "/clock",
        Some(json!({"action": "set", "unixMillis": 1000})),
    )
    .await;
    assert_eq!((back.status, control.clock().unix_millis), (200, 1000));
    send(&sandbox, "POST", "/clock", Some(json!({"action": "run"}))).await;
    assert_eq!(control.clock().mode, ClockMode::Running);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(control.clock().unix_millis > 1000);
    send(&sandbox, "POST", "/clock", Some(json!({"action": "freeze"}))).await;
    assert_eq!(control.clock().mode, ClockMode::Frozen);
    for bad in [
        json!({"action": "set", "unixMillis": -1}),
        json!({"action": "set", "unixMillis": i64::MAX}),
        json!({"action": "advance", "millis": -5}),
        json!({"action": "fly"}),
        json!({"action": "advance", "millis": 1, "more": 1}),
        json!([]),
    ] {
        assert_eq!(
            send(&sandbox, "POST", "/clock", Some(bad.clone())).await.status,
            400,
            "{bad}"
        );
    }
    assert!(control.set_clock(Moment::from_millis(-1)).is_err());
}

#[tokio::test]
async fn mails_faults_and_counters_are_the_same_on_both_ways() {
    let sandbox = frozen().await;
    let control = sandbox.control();
    login(&sandbox, EMAIL).await;
    login(&sandbox, "grace+x@example.com").await;
    let mails = send(&sandbox, "GET", "/mailbox", None).await.json();
    assert_eq!(mails["mails"].as_array().unwrap().len(), 2);
    let url = "/mailbox?email=GRACE%2Bx@example.com";
    let one = send(&sandbox, "GET", url, None).await.json();
    assert_eq!(one["mails"].as_array().unwrap().len(), 1);
    let expected = control.mailbox_of("grace+x@example.com");
    assert_eq!(one["mails"][0]["code"], expected[0].code.as_str());
    assert_eq!(
        one["mails"][0]["stateToken"],
        expected[0].state_token.as_deref().unwrap()
    );
    assert_eq!(one["mails"][0]["sentAtUnixMillis"], START.unix_millis);

    let fault = json!({"operation": "getPrice", "times": 2, "effect": {"kind": "slowBody", "pauseMillis": 1}});
    let added = send(&sandbox, "POST", "/faults", Some(fault)).await;
    assert_eq!(added.status, 201);
    let id = control
        .inject(Fault::new(Effect::answer(500, json!({}))).on("getOrders"))
        .unwrap();
    let listed = send(&sandbox, "GET", "/faults", None).await.json();
    assert_eq!(listed, json!({ "faults": control.faults() }));
    assert_eq!(listed["faults"][0]["id"], added.json()["id"]);
    assert_eq!(listed["faults"][0]["effect"]["pieces"], 4);
    assert_eq!(
        send(&sandbox, "DELETE", &format!("/faults/{id}"), None).await.status,
        204
    );
    assert_eq!(
        send(&sandbox, "DELETE", &format!("/faults/{id}"), None).await.status,
        404
    );
    assert_eq!(
        send(&sandbox, "DELETE", "/faults", None).await.json(),
        json!({"removed": 1})
    );
    for bad in [
        json!({"effect": {"kind": "explode"}}),
        json!({"effect": {"kind": "html", "status": 99}}),
        json!({"effect": {"kind": "dropBefore"}, "operation": "nope"}),
        json!({"effect": {"kind": "answer", "status": 500, "headers": {"content-length": "5"}}}),
        json!({"effect": {"kind": "answer", "status": 500, "headers": {"a b": "c"}}}),
    ] {
        assert_eq!(
            send(&sandbox, "POST", "/faults", Some(bad.clone())).await.status,
            400,
            "{bad}"
        );
    }

    let counts = send(&sandbox, "GET", "/counters", None).await.json();
    assert_eq!(counts, serde_json::to_value(control.counts()).unwrap());
    assert_eq!(counts["http"]["answered"], 4);
}

#[tokio::test]
async fn settings_users_orders_and_reset() {
    let sandbox = frozen().await;
    let control = sandbox.control();
    let settings = send(&sandbox, "GET", "/settings", None).await.json();
    assert_eq!(settings, serde_json::to_value(control.settings()).unwrap());
    let put = send(
        &sandbox,
        "PUT",
        "/settings",
        Some(json!({"seed": 7, "refreshRevokes": false})),
    )
    .await;
    assert_eq!(put.status, 200);
    assert!(!control.settings().refresh_revokes);
    assert_eq!(
        send(&sandbox, "PUT", "/settings", Some(json!({"refreshRevoke": 1})))
            .await
            .status,
        400
    );
    control.update_settings(|settings| settings.refresh_revokes = true);
    assert_eq!(
        send(&sandbox, "GET", "/settings", None).await.json()["refreshRevokes"],
        true
    );

    let user = send(
        &sandbox,
        "POST",
        "/users",
        Some(json!({"email": EMAIL, "kyc": "standard"})),
    )
    .await;
    assert_eq!(user.status, 201, "{user:?}");
    assert!(user.json()["userId"].is_string());
    assert_eq!(
        send(&sandbox, "POST", "/users", Some(json!({"email": "nobody"})))
            .await
            .status,
        400
    );
    let order = send(
        &sandbox,
        "POST",
        "/orders",
        Some(json!({"email": EMAIL, "fiatAmount": "49.95"})),
    )
    .await;
    assert_eq!(order.status, 201, "{order:?}");
    assert_eq!(control.counts().sizes["orders"], 1);
    assert_eq!(
        send(&sandbox, "POST", "/widget-sessions/unknown/open", None)
            .await
            .status,
        404
    );

    control.advance(DAY);
    assert_eq!(send(&sandbox, "POST", "/reset", None).await.status, 204);
    assert_eq!(control.clock().unix_millis, START.unix_millis);
    let counts = control.counts();
    assert_eq!(
        (counts.sizes["orders"], counts.sizes["users"], counts.http.answered),
        (0, 0, 0)
    );
    assert_eq!(control.settings().seed, 7, "settings stay");
}

#[tokio::test]
async fn a_widget_session_opens_once_over_http() {
    let sandbox = frozen().await;
    let (control, key) = (sandbox.control(), key(&sandbox));
    let client = client(&sandbox);
    let minted = client
        .refresh_access_token()
        .body_map(|b| b.api_key(&key))
        .send()
        .await
        .unwrap();
    let partner = client.with_credential(Credential::PartnerToken, minted.data.access_token.expose());
    let open = async |expected: u16, wait: Duration| {
        let params = json!({"widgetParams": {"apiKey": key, "referrerDomain": "app.example.com"}});
        let body: transak_client::types::CreateWidgetUrlRequest = serde_json::from_value(params).unwrap();
        let session = partner.create_widget_url().body(body).send().await.unwrap();
        let url = url::Url::parse(session.data.widget_url.expose()).unwrap();
        let id = url
            .query_pairs()
            .find(|(name, _)| name == "sessionId")
            .unwrap()
            .1
            .into_owned();
        control.advance(wait);
        let path = format!("/widget-sessions/{id}/open");
        let opened = send(&sandbox, "POST", &path, None).await;
        assert_eq!(opened.status, expected, "{opened:?}");
        assert_eq!(send(&sandbox, "POST", &path, None).await.status, 410);
        opened.json()
    };
    assert_eq!(
        open(200, Duration::ZERO).await["params"]["referrerDomain"],
        "app.example.com"
    );
    open(410, Duration::from_secs(301)).await;
}

#[tokio::test]
async fn paths_methods_and_types_are_told_apart() {
    let sandbox = frozen().await;
    assert_eq!(send(&sandbox, "GET", "/nowhere", None).await.status, 404);
    assert_eq!(send(&sandbox, "GET", "/clock/", None).await.status, 404);
    assert_eq!(
        send(&sandbox, "GET", "/api/v2/countries", None).await.status,
        404,
        "never the API's paths"
    );
    let other = send(&sandbox, "PATCH", "/faults", None).await;
    assert_eq!(
        (other.status, other.headers["allow"].to_str().unwrap()),
        (405, "GET, POST, DELETE")
    );
    let url = format!("{}/clock", sandbox.control_url());
    let text = http().post(url).body(r#"{"action":"freeze"}"#).send().await.unwrap();
    assert_eq!(
        text.status(),
        415,
        "a web page must not be able to do this without asking"
    );
    let health = send(&sandbox, "GET", "/health", None).await.json();
    assert_eq!(
        (health["apiUrl"].as_str(), health["status"].as_str()),
        (Some(sandbox.api_url().as_str()), Some("ok"))
    );
    let document = send(&sandbox, "GET", "/openapi.yaml", None).await;
    assert_eq!(document.text, CONTROL_OPENAPI);
    for path in [
        "/clock",
        "/mailbox",
        "/faults/{id}",
        "/widget-sessions/{id}/open",
        "/counters",
        "/settings",
        "/reset",
    ] {
        assert!(document.text.contains(&format!("\n  {path}:\n")), "{path}");
    }
}
