//! Logging in by one-time password.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::time::Duration;

use support::{IP, MINUTE, OTP, Person, Scene, Trouble, user_of};
use transak_session::clock::Clock;
use transak_session::issuer::IssuerErrorKind;
use transak_session::{ChallengeError, LoginError, Otp, StoredChallenge, TokenError, UserIdentity};

fn otp(text: &str) -> Otp {
    Otp::parse(text).unwrap()
}

fn kind(error: &LoginError) -> IssuerErrorKind {
    match error {
        LoginError::Issuer(error) => error.kind(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_wrong_password_may_be_corrected() {
    let scene = Scene::new();
    let challenge = scene.user().begin_login().await.unwrap();
    assert_eq!(challenge.expires_at(), scene.clock.now() + MINUTE * 10);
    let error = challenge.verify(otp("000000")).await.unwrap_err();
    assert_eq!(kind(&error.reason), IssuerErrorKind::InvalidOtp);
    let challenge = error.challenge.unwrap();
    assert!(challenge.verify(otp(OTP)).await.is_ok());
    assert_eq!(
        (scene.issuer.count("send_otp"), scene.issuer.count("verify_otp")),
        (1, 2)
    );
}

#[tokio::test]
async fn a_provider_is_asked_three_times_at_most() {
    let scene = Scene::new();
    let user = scene.user();
    assert!(user.login(&Person::typing(&["111111", OTP])).await.is_ok());
    let wrong = Person::typing(&["111111", "222222", "333333", OTP]);
    assert_eq!(
        kind(&user.login(&wrong).await.unwrap_err()),
        IssuerErrorKind::InvalidOtp
    );
    assert_eq!(scene.issuer.count("verify_otp"), 5);
    assert!(matches!(
        user.login(&Person::typing(&[])).await,
        Err(LoginError::Declined(_))
    ));
    assert_eq!(scene.issuer.count("verify_otp"), 5);
}

#[tokio::test]
async fn nothing_is_retried_unasked() {
    let scene = Scene::new();
    let user = scene.user();
    for (kind_, left) in [
        (IssuerErrorKind::Transient, true),
        (IssuerErrorKind::Unknown, true),
        (IssuerErrorKind::RateLimited { retry_after: None }, true),
        (IssuerErrorKind::Rejected, false),
        (IssuerErrorKind::Invalid, false),
    ] {
        scene.issuer.trouble("verify_otp", Trouble::Fail(kind_));
        let before = scene.issuer.count("verify_otp");
        let error = user.begin_login().await.unwrap().verify(otp(OTP)).await.unwrap_err();
        assert_eq!((kind(&error.reason), error.challenge.is_some()), (kind_, left));
        assert_eq!(scene.issuer.count("verify_otp"), before + 1);
        scene.issuer.trouble("verify_otp", Trouble::Fail(kind_));
        assert!(user.login(&Person::typing(&[OTP, OTP])).await.is_err());
        assert_eq!(scene.issuer.count("verify_otp"), before + 2);
    }
}

#[tokio::test]
async fn resending_waits_for_a_minute() {
    let scene = Scene::new();
    let mut challenge = scene.user().begin_login().await.unwrap();
    match challenge.resend().await {
        Err(LoginError::TooEarly { retry_at }) => assert_eq!(retry_at, scene.clock.now() + MINUTE),
        other => panic!("{other:?}"),
    }
    assert_eq!(scene.issuer.count("send_otp"), 1);
    scene.clock.advance(MINUTE);
    challenge.resend().await.unwrap();
    assert_eq!(scene.issuer.count("send_otp"), 2);
    assert_eq!(challenge.resend_at(), scene.clock.now() + MINUTE);
    assert!(challenge.verify(otp(OTP)).await.is_ok());

    scene
        .issuer
        .trouble("send_otp", Trouble::Fail(IssuerErrorKind::OtpTooEarly));
    assert!(matches!(
        scene.user().begin_login().await,
        Err(LoginError::TooEarly { .. })
    ));
}

#[tokio::test]
async fn an_old_challenge_is_not_even_tried() {
    let scene = Scene::new();
    let challenge = scene.user().begin_login().await.unwrap();
    scene.clock.advance(MINUTE * 10);
    let error = challenge.verify(otp(OTP)).await.unwrap_err();
    assert!(matches!(error.reason, LoginError::ChallengeExpired));
    assert!(error.challenge.is_none());
    assert_eq!(scene.issuer.count("verify_otp"), 0);
}

#[tokio::test]
async fn a_challenge_survives_as_text_for_its_own_user_only() {
    let scene = Scene::new();
    let challenge = scene.user().begin_login().await.unwrap();
    let text = challenge.to_stored().expose().to_owned();
    let (expires, resend) = (challenge.expires_at(), challenge.resend_at());
    drop(challenge);
    let stored = StoredChallenge::from_text(text);

    let stranger = UserIdentity::parse("joe@example.com", IP).unwrap();
    let refused = scene.transak.user(stranger).resume_login(&stored);
    assert!(matches!(refused, Err(ChallengeError::OtherUser)));
    for odd in ["", "{}", "[]", &stored.expose().replace("\"schema\":1", "\"schema\":9")] {
        let odd = StoredChallenge::from_text(odd);
        assert!(matches!(
            scene.user().resume_login(&odd),
            Err(ChallengeError::Unreadable)
        ));
    }

    let challenge = user_of(&scene.other_process()).resume_login(&stored).unwrap();
    assert_eq!((challenge.expires_at(), challenge.resend_at()), (expires, resend));
    assert!(challenge.verify(otp(OTP)).await.is_ok());
}

#[tokio::test]
async fn a_dropped_login_keeps_its_token() {
    let scene = Scene::new();
    let user = scene.user();
    let challenge = user.begin_login().await.unwrap();
    scene.issuer.gates.close("verify_otp");
    let caller = tokio::spawn(challenge.verify(otp(OTP)));
    scene.issuer.gates.reached("verify_otp", 1).await;
    caller.abort();
    // Even if everything is being shut down.
    let transak = scene.transak.clone();
    let shutdown = tokio::spawn(async move { transak.shutdown().await });
    scene.rest().await;
    assert!(!shutdown.is_finished());
    scene.issuer.gates.open("verify_otp");
    shutdown.await.unwrap();
    let token = user.token().await.unwrap();
    assert!(scene.issuer.is_live(&token));
    assert_eq!(user_of(&scene.other_process()).token().await.unwrap(), token);
}

#[tokio::test]
async fn a_panicking_login_gives_the_challenge_back() {
    let scene = Scene::new();
    let challenge = scene.user().begin_login().await.unwrap();
    scene.issuer.trouble("verify_otp", Trouble::Panic);
    let error = challenge.verify(otp(OTP)).await.unwrap_err();
    assert!(matches!(error.reason, LoginError::NotRun(TokenError::Panicked)));
    assert!(error.challenge.unwrap().verify(otp(OTP)).await.is_ok());
}

#[tokio::test]
async fn a_login_during_a_renewal_wins() {
    let scene = Scene::new();
    let (user, _) = scene.logged_in().await;
    scene.issuer.gates.close("refresh");
    scene.clock.advance(MINUTE);
    let renewing = user.clone();
    let renewing = tokio::spawn(async move { renewing.refresh_now().await });
    scene.issuer.gates.reached("refresh", 1).await;
    let challenge = user.begin_login().await.unwrap();
    let login = tokio::spawn(challenge.verify(otp(OTP)));
    scene.rest().await;
    let logged_in = user.token().await.unwrap();
    scene.issuer.trouble("refresh", Trouble::Fail(IssuerErrorKind::Unknown));
    scene.clock.advance(Duration::from_secs(1));
    scene.issuer.gates.open("refresh");
    let _ = (login.await.unwrap().unwrap(), renewing.await.unwrap());
    assert_eq!(user.token().await.unwrap(), logged_in);
    assert_eq!(user_of(&scene.other_process()).token().await.unwrap(), logged_in);
}
