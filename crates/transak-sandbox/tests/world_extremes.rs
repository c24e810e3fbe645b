//! Settings and moments at the ends of their range, and what `{:?}` gives away.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod world_support;

use std::collections::BTreeMap;

use transak_sandbox::world::{Body, Moment, Reply, Request, SeedOrder, Settings};
use world_support::{Driver, START, With};

const EMAIL: &str = "ada@example.com";
const ENDS: [i64; 8] = [i64::MIN, i64::MIN + 1, -1, 0, 1, 998, START * 1000, i64::MAX];

fn order() -> SeedOrder {
    serde_json::from_value(serde_json::json!({ "email": EMAIL })).unwrap()
}

#[test]
fn no_moment_and_no_lifetime_overflows() {
    for seconds in [i64::MIN, -1, 0, 1, i64::MAX] {
        for from in ENDS {
            for to in ENDS {
                let mut driver = Driver::new(Settings {
                    user_ttl_seconds: seconds,
                    otp_ttl_seconds: seconds,
                    otp_resend_seconds: seconds,
                    partner_ttl_seconds: seconds,
                    mint_window_seconds: seconds,
                    mint_limit: 1,
                    widget_session_seconds: seconds,
                    order_step_seconds: seconds,
                    order_expiry_seconds: seconds,
                    webhook_url: Some("http://127.0.0.1:1/".to_owned()),
                    ..Settings::default()
                });
                driver.check = false;
                driver.now = Moment::from_millis(from);
                driver.login(EMAIL).is(200);
                driver.login(EMAIL);
                driver.mint();
                driver.mint();
                driver.world.seed_order(order(), driver.now).unwrap();
                driver.now = Moment::from_millis(to);
                driver.world.tick(driver.now);
                driver.login(EMAIL);
                driver.mint();
                driver.call("getOrders", With::default());
            }
        }
    }
}

#[test]
fn a_wait_is_told_in_whole_seconds_rounded_up() {
    let mut driver = Driver::standard();
    driver.login(EMAIL).is(200);
    for (passed, told) in [(0, 60), (1, 60), (999, 60), (1000, 59), (59_999, 1)] {
        let mut later = Driver::standard();
        later.login(EMAIL).is(200);
        later.now = later.now.plus_millis(passed);
        let answer = later.login(EMAIL);
        answer.refused(400, 1019);
        let detail = answer.body["error"]["additionalMessage"].as_str().unwrap();
        assert!(detail.contains(&format!(" {told} seconds")), "{passed}: {detail}");
    }
}

#[test]
fn debug_text_shows_no_address_and_no_secret() {
    let mut driver = Driver::standard();
    let token = driver.token(EMAIL);
    let minted = driver.mint().body["data"]["accessToken"].as_str().unwrap().to_owned();
    driver.world.seed_order(order(), driver.now).unwrap();
    let mut headers = http::HeaderMap::new();
    headers.insert("authorization", token.parse().unwrap());
    let body = serde_json::json!({ "email": EMAIL });
    let request = Request {
        path: &BTreeMap::new(),
        query: &[("email".to_owned(), EMAIL.to_owned())],
        headers: &headers,
        body: Some(&body),
        peer: driver.peer,
    };
    let reply = Reply {
        status: 200,
        headers: Vec::new(),
        body: Body::Json(format!("{token}{EMAIL}")),
    };
    let shown = format!(
        "{:?} {:?} {request:?} {reply:?} {:?} {:?}",
        driver.world,
        driver.world.settings(),
        driver.world.mailbox(),
        order(),
    );
    let code = driver.world.mailbox()[0].code.clone();
    let secret = driver.world.settings().api_secret.clone();
    for hidden in [EMAIL, &token, &minted, &code, &secret] {
        assert!(!shown.contains(hidden), "{hidden} is in {shown}");
    }
}

#[test]
fn an_empty_authorization_header_is_no_second_method() {
    let mut driver = Driver::standard();
    let minted = driver.mint().body["data"]["accessToken"].as_str().unwrap().to_owned();
    let headers = [
        ("authorization", ""),
        ("x-access-token", minted.as_str()),
        ("x-user-identifier", EMAIL),
    ];
    driver
        .call(
            "onboardUser",
            With {
                headers: &headers,
                ..With::default()
            },
        )
        .is(200);
    let key = driver.key();
    let query = [("apiKey", key.as_str())];
    let details = With {
        headers: &headers,
        query: &query,
        ..With::default()
    };
    driver.call("getUserDetails", details).is(200);
}
