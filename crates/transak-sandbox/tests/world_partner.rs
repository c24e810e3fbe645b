//! Partner tokens and widget sessions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod world_support;

use serde_json::{Value, json};
use transak_sandbox::world::{Settings, WidgetRefusal};
use world_support::{Driver, START, With, claims};

#[test]
fn a_partner_token_has_the_documented_claims() {
    let mut driver = Driver::standard();
    let answer = driver.mint();
    let data = &answer.is(200).body["data"];
    assert_eq!(data["expiresAt"], START + 604_800);
    let claims = claims(data["accessToken"].as_str().unwrap());
    assert_eq!(
        (&claims["API_KEY"], &claims["exp"]),
        (&json!(driver.key()), &json!(START + 604_800))
    );
}

#[test]
fn a_mint_kills_the_previous_token_at_once() {
    let mut driver = Driver::standard();
    let first = driver.partner_token();
    driver.as_partner("getOrders", &first, &[]).is(200);
    let second = driver.partner_token();
    for (id, token) in [
        ("getOrders", first.as_str()),
        ("getWebhooks", &first),
        ("getOrders", "x"),
    ] {
        let refused = driver.as_partner(id, token, &[]);
        assert_eq!(
            refused.is(401).body,
            json!({"error": {"statusCode": 401, "name": "Unauthorized", "message": "Authorization Required"}})
        );
    }
    driver.as_partner("getOrders", &format!("Bearer {second}"), &[]).is(401);
    driver.pass(604_799);
    driver.as_partner("getOrders", &second, &[]).is(200);
    driver.pass(1);
    driver.as_partner("getOrders", &second, &[]).is(401);
}

#[test]
fn secret_and_key_are_checked() {
    let mut driver = Driver::standard();
    let mint = |driver: &mut Driver, headers: &[(&'static str, &str)], key: &str| {
        let body = Some(json!({ "apiKey": key }));
        driver.call(
            "refreshAccessToken",
            With {
                headers,
                body,
                ..With::default()
            },
        )
    };
    let key = driver.key();
    let wrong = mint(&mut driver, &[("api-secret", "wrong")], &key);
    assert!(wrong.is(400).message().starts_with("Invalid api-secret"));
    mint(&mut driver, &[("api-secret", "sandbox-api-secret")], "other").is(400);
    mint(
        &mut driver,
        &[("api-secret", "sandbox-api-secret"), ("x-api-key", "other")],
        "other",
    )
    .is(401);
    assert_eq!(driver.world.counters().mints, 0);
}

#[test]
fn too_many_mints_are_refused_until_the_window_has_passed() {
    let mut driver = Driver::new(Settings {
        mint_limit: 2,
        ..Settings::default()
    });
    driver.partner_token();
    driver.pass(10);
    let current = driver.partner_token();
    let refused = driver.mint();
    assert_eq!(refused.is(429).body["error"]["statusCode"], 429);
    assert!(refused.headers.contains(&("retry-after", "50".to_owned())));
    driver.as_partner("getOrders", &current, &[]).is(200);
    driver.set(|settings| settings.html_429 = true);
    assert!(driver.mint().is(429).text.starts_with("<html>"));
    driver.pass(50);
    driver.partner_token();
    driver.mint().is(429);
}

#[test]
fn a_widget_session_opens_once_within_five_minutes() {
    let mut driver = Driver::new(Settings {
        referrer_domains: Some(vec!["app.example.com".to_owned()]),
        ..Settings::default()
    });
    let token = driver.partner_token();
    let create = |driver: &mut Driver, token: &str, key: &str, domain: &str| {
        let params = json!({"apiKey": key, "referrerDomain": domain, "fiatAmount": 30});
        let (headers, body) = (&[("access-token", token)], Some(json!({ "widgetParams": params })));
        driver.call(
            "createWidgetUrl",
            With {
                headers,
                body,
                ..With::default()
            },
        )
    };
    let key = driver.key();
    create(&mut driver, "x", &key, "app.example.com").refused(401, 1002);
    create(&mut driver, &token, "other", "app.example.com").refused(400, 9001);
    create(&mut driver, &token, &key, "evil.example").is(403);
    let session = |driver: &mut Driver| {
        let answer = create(driver, &token, &key, "https://App.example.com/");
        let url = answer.is(200).body["data"]["widgetUrl"].as_str().unwrap().to_owned();
        assert!(url.starts_with("https://global-stg.transak.com/?apiKey="));
        url.rsplit_once("sessionId=").unwrap().1.to_owned()
    };
    let (first, second) = (session(&mut driver), session(&mut driver));
    driver.pass(299);
    let opened = driver.world.consume_widget_session(&first, driver.now).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&opened.params).unwrap()["fiatAmount"], 30);
    assert_eq!(
        driver.world.consume_widget_session(&first, driver.now),
        Err(WidgetRefusal::Used)
    );
    driver.pass(1);
    assert_eq!(
        driver.world.consume_widget_session(&second, driver.now),
        Err(WidgetRefusal::Expired)
    );
    assert_eq!(
        driver.world.consume_widget_session("x", driver.now),
        Err(WidgetRefusal::Unknown)
    );
}
