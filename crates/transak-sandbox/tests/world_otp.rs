//! One-time passwords.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod world_support;

use serde_json::json;
use transak_sandbox::world::{LockedStatus, Settings, WrongOtpStatus};
use world_support::{Driver, With};

const EMAIL: &str = "ada@example.com";

#[test]
fn a_login_mails_a_code_and_a_state_token() {
    let mut driver = Driver::standard();
    let answer = driver.login(EMAIL);
    let data = &answer.is(200).body["data"];
    let (code, state) = driver.mail();
    assert!(code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()));
    assert!(state.len() == 32 && state.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
    assert_eq!(
        *data,
        json!({"isTncAccepted": false, "stateToken": state, "email": EMAIL, "expiresIn": 600})
    );
    assert!(
        answer
            .headers
            .iter()
            .any(|(name, value)| *name == "trace-id" && value.len() == 32)
    );
    assert_eq!(driver.world.counters().otps_sent, 1);
}

#[test]
fn another_code_within_a_minute_is_refused() {
    let mut driver = Driver::standard();
    driver.login(EMAIL).is(200);
    driver.pass(59);
    let again = driver.login(" Ada@Example.com ");
    again.refused(400, 1019);
    assert!(
        again.body["error"]["additionalMessage"]
            .as_str()
            .unwrap()
            .contains("1 second")
    );
    driver.login("other@example.com").is(200);
    driver.pass(1);
    driver.login(EMAIL).is(200);
    assert_eq!(driver.world.mailbox().len(), 3);
}

#[test]
fn every_otp_mistake_has_its_own_message() {
    let mut driver = Driver::standard();
    driver.login(EMAIL).is(200);
    let (code, state) = driver.mail();
    let mut messages = Vec::new();
    let mut note = |driver: &mut Driver, code: &str, state: &str| {
        messages.push(driver.verify(EMAIL, code, state).refused(401, 1002).to_owned());
    };
    note(&mut driver, "x", &state);
    note(&mut driver, &code, "0123456789abcdef0123456789abcdef");
    driver.verify(EMAIL, &code, &state).is(200);
    note(&mut driver, &code, &state);
    driver.pass(60);
    driver.login(EMAIL).is(200);
    let (old_code, old_state) = driver.mail();
    driver.pass(60);
    driver.login(EMAIL).is(200);
    note(&mut driver, &old_code, &old_state);
    let (code, state) = driver.mail();
    driver.pass(600);
    note(&mut driver, &code, &state);
    let count = messages.len();
    messages.sort();
    messages.dedup();
    assert_eq!(messages.len(), count, "{messages:?}");
}

#[test]
fn the_last_second_of_a_pair_still_counts() {
    let mut driver = Driver::standard();
    driver.login(EMAIL).is(200);
    let (code, state) = driver.mail();
    driver.now = driver.now.plus_millis(599_999);
    driver.verify(EMAIL, &code, &state).is(200);
}

#[test]
fn a_pair_belongs_to_its_address() {
    let mut driver = Driver::standard();
    driver.login(EMAIL).is(200);
    let (code, state) = driver.mail();
    driver.verify("eve@example.com", &code, &state).refused(401, 1002);
    driver.verify(EMAIL, &code, &state).is(200);
}

#[test]
fn too_many_attempts_lock_a_challenge() {
    for (locked, status) in [(LockedStatus::TooManyRequests, 429), (LockedStatus::LikeWrongOtp, 401)] {
        let mut driver = Driver::new(Settings {
            locked_otp_status: locked,
            ..Settings::default()
        });
        driver.login(EMAIL).is(200);
        let (code, state) = driver.mail();
        for _ in 0..5 {
            driver.verify(EMAIL, "no", &state).refused(401, 1002);
        }
        driver.verify(EMAIL, &code, &state).is(status);
        driver.pass(60);
        driver.token(EMAIL);
    }
}

#[test]
fn switches_of_the_otp_have_both_readings() {
    let mut driver = Driver::new(Settings {
        wrong_otp_status: WrongOtpStatus::BadRequest,
        otp_resend_invalidates: false,
        otp_digits: 4,
        email_case_sensitive: true,
        ..Settings::default()
    });
    driver.login(EMAIL).is(200);
    driver.login("ADA@example.com").is(200);
    driver.pass(60);
    driver.login(EMAIL).is(200);
    let first = driver.world.mailbox().first().unwrap().clone();
    assert_eq!(first.code.len(), 4);
    driver
        .verify(EMAIL, "no", first.state_token.as_deref().unwrap())
        .refused(400, 1002);
    driver
        .verify(EMAIL, &first.code, first.state_token.as_deref().unwrap())
        .is(200);
}

#[test]
fn addresses_and_keys_are_checked() {
    let mut driver = Driver::standard();
    for address in [
        "",
        "ada",
        "@example.com",
        "ada@",
        "a b@example.com",
        "ada@exa\nmple.com",
        "a@b@c",
    ] {
        driver.login(address).refused(400, 9001);
    }
    driver
        .login(&format!("{}@example.com", "x".repeat(300)))
        .refused(400, 9001);
    let body = json!({"apiKey": "other", "email": EMAIL});
    driver
        .call(
            "sendUserOtp",
            With {
                body: Some(body),
                ..With::default()
            },
        )
        .refused(400, 9001);
    let headers = &[("x-api-key", "other")];
    driver
        .call(
            "sendUserOtp",
            With {
                headers,
                ..With::default()
            },
        )
        .refused(401, 1002);
    let headers = &[("x-user-ip", "not-an-address")];
    driver
        .call(
            "sendUserOtp",
            With {
                headers,
                ..With::default()
            },
        )
        .refused(400, 9001);
    assert!(driver.world.mailbox().is_empty());
}
