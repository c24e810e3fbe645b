//! User tokens: what they say, how they are renewed, how they die.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod world_support;

use serde_json::json;
use transak_sandbox::world::{ApiErrorStatus, ExpiredStatus, LogoutForm, LogoutScope, Settings};
use world_support::{Driver, START, With, claims};

const EMAIL: &str = "ada@example.com";

#[test]
fn a_token_has_the_documented_claims() {
    let mut driver = Driver::standard();
    driver.login(EMAIL).is(200);
    let (code, state) = driver.mail();
    let answer = driver.verify(EMAIL, &code, &state);
    let data = &answer.is(200).body["data"];
    assert_eq!(
        (data["ttl"].as_i64(), data["created"].as_str()),
        (Some(2_592_000), Some("2026-09-21T14:13:20.000Z"))
    );
    let token = data["accessToken"].as_str().unwrap();
    let first = claims(token);
    for (name, value) in [
        ("active", json!(true)),
        ("permissions", json!([])),
        ("roles", json!([])),
        ("token_type", json!("Bearer")),
        ("sub", json!(EMAIL)),
        ("iss", json!("https://transak.com/auth")),
        ("iat", json!(START)),
        ("exp", json!(START + 2_592_000)),
        ("partner_api_key", json!(driver.key())),
    ] {
        assert_eq!(first[name], value, "{name}");
    }
    assert!(first["aud"].is_string() && first["jti"].is_string());
    driver.pass(100);
    let second = claims(&driver.refreshed(token));
    assert_eq!(second["exp"], START + 100 + 2_592_000);
    assert_ne!(second["jti"], first["jti"]);
    assert_eq!(second.get("partner_api_key"), None);
}

#[test]
fn a_refresh_kills_the_old_token_or_leaves_it() {
    let mut driver = Driver::standard();
    let first = driver.token(EMAIL);
    let second = driver.refreshed(&first);
    driver.refresh(&first).refused(401, 1002);
    driver.details(&[("authorization", &first)]).refused(401, 1002);
    driver.details(&[("authorization", &second)]).is(200);
    driver.set(|settings| settings.refresh_revokes = false);
    driver.refresh(&first).refused(401, 1002);
    let third = driver.refreshed(&second);
    let fourth = driver.refreshed(&second);
    driver.details(&[("authorization", &third)]).is(200);
    driver.details(&[("authorization", &fourth)]).is(200);
    driver.set(|settings| settings.refresh_revokes = true);
    driver.refreshed(&third);
    driver.refresh(&fourth).refused(401, 1002);
}

#[test]
fn a_token_dies_at_its_expiry_second() {
    let mut driver = Driver::standard();
    let token = driver.token(EMAIL);
    driver.pass(2_591_999);
    driver.details(&[("authorization", &token)]).is(200);
    driver.now = driver.now.plus_millis(999);
    driver.details(&[("authorization", &token)]).is(200);
    driver.now = driver.now.plus_millis(1);
    driver.details(&[("authorization", &token)]).refused(401, 1002);
    driver.refresh(&token).refused(401, 1002);
    driver.set(|settings| settings.expired_status = ExpiredStatus::SessionExpired);
    assert_eq!(
        driver.details(&[("authorization", &token)]).is(400).message(),
        "Session Expired"
    );
    assert_eq!(driver.refresh(&token).is(400).message(), "Session Expired");
}

#[test]
fn strange_tokens_are_refused() {
    let mut driver = Driver::standard();
    let token = driver.token(EMAIL);
    let mut other_seed = Driver::new(Settings {
        seed: 2,
        ..Settings::default()
    });
    let mut other_key = Driver::new(Settings {
        api_key: "another-key".to_owned(),
        ..Settings::default()
    });
    let forged = format!("{}x", &token[..token.len() - 1]);
    let own_bearer = format!("Bearer {token}");
    let foreign = [other_seed.token(EMAIL), other_key.token(EMAIL)];
    for strange in [foreign[0].as_str(), &foreign[1], &forged, "a.b.c", "", "é", &own_bearer] {
        driver.refresh(strange).refused(401, 1002);
    }
    assert!(driver.refresh(&own_bearer).message().contains("Bearer"));
    driver.refreshed(&token);
}

#[test]
fn logout_ends_one_session_or_all() {
    let mut driver = Driver::standard();
    let first = driver.token(EMAIL);
    driver.pass(60);
    let second = driver.token(EMAIL);
    assert!(driver.logout(&first).is(200).body["data"]["message"].is_string());
    driver.logout(&first).refused(401, 1002);
    driver.refresh(&first).refused(401, 1002);
    let second = driver.refreshed(&second);
    driver.pass(60);
    let third = driver.token(EMAIL);
    driver.set(|settings| {
        settings.logout_scope = LogoutScope::User;
        settings.logout_form = LogoutForm::Text;
    });
    assert!(driver.logout(&third).is(200).body["data"].is_string());
    driver.refresh(&second).refused(401, 1002);
    assert_eq!(driver.world.sizes()["sessions"], 0);
}

#[test]
fn addresses_can_be_pinned_and_listed() {
    let mut driver = Driver::new(Settings {
        pin_user_ip: true,
        ..Settings::default()
    });
    let token = driver.token(EMAIL);
    driver.ip = "203.0.113.10";
    driver.refresh(&token).refused(401, 1002);
    driver.ip = "203.0.113.9";
    driver.refreshed(&token);
    driver.set(|settings| settings.ip_allow_list = Some(Vec::new()));
    driver.login("bob@example.com").refused(401, 1002);
    driver.set(|settings| settings.not_listed_answer = ApiErrorStatus::Forbidden);
    driver.call("createWidgetUrl", With::default()).is(403);
    driver.login("bob@example.com").is(401);
    driver.mint().is(200);
    driver.set(|settings| settings.ip_allow_list = Some(vec![[127, 0, 0, 1].into()]));
    driver.login("bob@example.com").is(200);
}

#[test]
fn an_allow_list_knows_an_ipv4_caller_on_an_ipv6_socket() {
    let mut driver = Driver::standard();
    driver.set(|settings| settings.ip_allow_list = Some(vec![[127, 0, 0, 1].into()]));
    driver.peer = "::ffff:127.0.0.1".parse().unwrap();
    driver.login("bob@example.com").is(200);
    driver.peer = "::ffff:127.0.0.2".parse().unwrap();
    driver.login("eve@example.com").refused(401, 1002);
}
