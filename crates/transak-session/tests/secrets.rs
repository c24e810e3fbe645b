//! Nothing that is printed shows a secret or a person.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::fmt::Debug;

use support::{DAY, EMAIL, IP, OTP, Scene, Trouble, assert_clean, leaks};
use transak_session::clock::Clock;
use transak_session::issuer::{IssuerErrorKind, OtpSent, StateToken};
use transak_session::store::{Record, SessionStore, Versioned};
use transak_session::{AccessToken, Email, Grant, Issued, Otp, StoredChallenge, Transak, UserIdentity, UserIp};

fn check(of: &str, value: &dyn Debug) {
    assert_clean(&format!("{value:?} {value:#?}"), of);
}

fn check_error(of: &str, error: &dyn std::error::Error) {
    let mut next = Some(error);
    while let Some(error) = next {
        assert_clean(&format!("{error} {error:?} {error:#?}"), of);
        next = error.source();
    }
}

#[tokio::test]
async fn no_public_type_shows_what_it_holds() {
    let scene = Scene::new();
    let (user, token) = scene.logged_in().await;
    scene.transak.partner().ready().await.unwrap();
    let now = scene.clock.now();
    let issued = Issued::restore(token.clone(), now, now + DAY, now + DAY);
    let ip = UserIp::parse(IP).unwrap();
    let record = Record::user(&issued, Some(ip), issued.issued_at());
    let stored = scene.store.inner.load(&user.key().record()).await.unwrap().unwrap();
    let challenge = user.begin_login().await.unwrap();

    check("Transak", &scene.transak);
    check(
        "TransakBuilder",
        &Transak::builder().api_key("planted").api_secret("planted"),
    );
    check("PartnerHandle", scene.transak.partner());
    check("VerificationKeys", &scene.transak.partner().verification_keys());
    check(
        "VouchedUser",
        &scene.transak.vouch_for(UserIdentity::parse(EMAIL, IP).unwrap()),
    );
    check("PartnerStatus", &scene.transak.partner().status());
    check("UserSession", &user);
    check("SessionStatus", &user.status());
    check("UserIdentity", &UserIdentity::parse(EMAIL, IP).unwrap());
    check("Email", &Email::parse(EMAIL).unwrap());
    check("UserIp", &ip);
    check("Otp", &Otp::parse(OTP).unwrap());
    check("AccessToken", &token);
    check("TokenFingerprint", &token.fingerprint());
    check("Grant", &Grant::new(AccessToken::new("planted")));
    check("Issued", &issued);
    check("Record", &record);
    check("Versioned", &stored as &Versioned);
    check("MemoryStore", &scene.store.inner);
    check("StateToken", &StateToken::new("planted"));
    check(
        "OtpSent",
        &OtpSent {
            state: StateToken::new("planted"),
            expires_in: None,
        },
    );
    check("StoredChallenge", &challenge.to_stored());
    check("StoredChallenge", &StoredChallenge::from_text("planted"));
    check("OtpChallenge", &challenge);
    let error = challenge.verify(Otp::parse("0918273").unwrap()).await.unwrap_err();
    check("VerifyError", &error);
    check_error("VerifyError", &error);
    check_error("IdentityError", &Email::parse("planted").unwrap_err());
    scene.store.set_down(true);
    scene.issuer.trouble("refresh", Trouble::Fail(IssuerErrorKind::Unknown));
    check_error("SessionError", &user.refresh_now().await.unwrap_err());
    assert_clean(&user.key().to_string(), "UserKey");
}

#[tokio::test]
async fn the_watch_over_all_events_is_on_and_knows_a_leak() {
    let scene = Scene::new();
    let before = leaks::lines();
    scene.logged_in().await;
    assert!(leaks::lines() > before);
    assert_eq!(leaks::leaked("mailed to jane.planted@example.com"), Some("planted"));
    assert_eq!(leaks::leaked("[203, 0, 113, 77]"), Some("203, 0, 113"));
    assert_eq!(leaks::leaked("otp=918273,"), Some("918273"));
    assert_eq!(leaks::leaked("user 4f2a logged in, 1918273 ms"), None);
}
