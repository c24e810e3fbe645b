//! How a user's session ends, and how it does not, in virtual time, against a Transak that keeps state.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use support::{DAY, MINUTE, OTP, Person, Scene, Trouble, user_of};
use transak_session::clock::Clock;
use transak_session::issuer::IssuerErrorKind;
use transak_session::{LapseCause, SessionError, SessionLabel, TokenError};

fn cause(error: &SessionError) -> LapseCause {
    match error {
        SessionError::OtpRequired { cause } => *cause,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_refused_renewal_does_not_end_a_session_whose_token_is_good() {
    let scene = Scene::new();
    let (user, token) = scene.logged_in().await;
    scene.clock.advance(DAY * 23);
    for _ in 0..1_000 {
        scene
            .issuer
            .trouble("refresh", Trouble::Fail(IssuerErrorKind::Rejected));
    }
    for _ in 0..6 * 24 {
        scene.clock.advance(MINUTE * 60);
        assert_eq!(user.token().await.unwrap(), token);
        scene.rest().await;
    }
    // Each second refusal is followed by a probe, which finds the token good.
    let label = user.status().label;
    assert!(
        matches!(label, SessionLabel::Suspect | SessionLabel::Backoff),
        "{label:?}"
    );
    assert!(scene.issuer.count("refresh") < 40, "{}", scene.issuer.count("refresh"));
    scene.clock.advance(DAY);
    assert_eq!(cause(&user.token().await.unwrap_err()), LapseCause::Expired);
}

#[tokio::test]
async fn a_token_that_transak_ended_needs_a_login() {
    let scene = Scene::new();
    let (user, token) = scene.logged_in().await;
    scene.issuer.revoke(&token);
    let error = user.report_rejected(token.fingerprint()).await.unwrap_err();
    assert_eq!(cause(&error), LapseCause::Rejected);
    assert_eq!(cause(&user.token().await.unwrap_err()), LapseCause::Rejected);
    let elsewhere = user_of(&scene.other_process());
    assert_eq!(cause(&elsewhere.token().await.unwrap_err()), LapseCause::Rejected);
    assert_eq!((scene.issuer.count("refresh"), scene.issuer.count("send_otp")), (1, 1));
    let (_, again) = scene.logged_in().await;
    assert_eq!(user.token().await.unwrap(), again);
    assert_eq!(elsewhere.token().await.unwrap(), again);
}

#[tokio::test]
async fn a_lost_answer_of_a_rotating_transak_ends_in_an_honest_error() {
    let scene = Scene::with(true, |b| b);
    let (user, first) = scene.logged_in().await;
    scene.issuer.trouble("refresh", Trouble::LoseAnswer);
    assert!(user.refresh_now().await.is_err());
    // Nothing ends before both the token and its renewal have been refused.
    assert_eq!(user.token().await.unwrap(), first);
    scene.clock.advance(MINUTE);
    let error = user.report_rejected(first.fingerprint()).await.unwrap_err();
    assert_eq!(cause(&error), LapseCause::Rejected);
}

#[tokio::test]
async fn clocks_that_jump_end_nothing() {
    let scene = Scene::new();
    let (user, token) = scene.logged_in().await;
    let now = scene.clock.now();
    // Time that has passed is measured without the wall clock.
    for wall in [now + DAY * 400, now, now - DAY * 400, now] {
        scene.clock.jump_to(wall);
        assert_eq!(user.token().await.unwrap(), token);
        scene.rest().await;
    }
    assert_eq!(scene.issuer.count("refresh"), 0);
    scene.clock.advance(DAY * 23);
    assert_eq!(user.token().await.unwrap(), token);
    scene.rest().await;
    assert_eq!(scene.issuer.count("refresh"), 1);
}

#[tokio::test]
async fn a_logout_wins_over_a_renewal_under_way() {
    let scene = Scene::new();
    let (user, first) = scene.logged_in().await;
    scene.issuer.gates.close("refresh");
    let renewing = user.clone();
    let renewing = tokio::spawn(async move { renewing.refresh_now().await });
    scene.issuer.gates.reached("refresh", 1).await;
    let leaving = user.clone();
    let leaving = tokio::spawn(async move { leaving.logout().await });
    scene.rest().await;
    assert_eq!(user.status().label, SessionLabel::Lapsed(LapseCause::LoggedOut));
    scene.issuer.gates.open("refresh");
    leaving.await.unwrap().unwrap();
    assert_eq!(cause(&renewing.await.unwrap().unwrap_err()), LapseCause::LoggedOut);
    assert!(!scene.issuer.is_live(&first));
    assert_eq!(
        scene.issuer.count("logout"),
        2,
        "the token that came too late is revoked as well"
    );
}

#[tokio::test]
async fn a_logout_that_could_not_be_told_says_so_and_holds() {
    let scene = Scene::new();
    let (user, _) = scene.logged_in().await;
    scene
        .issuer
        .trouble("logout", Trouble::Fail(IssuerErrorKind::Transient));
    assert!(matches!(user.logout().await, Err(TokenError::Issuer(_))));
    assert_eq!(cause(&user.token().await.unwrap_err()), LapseCause::LoggedOut);

    let (user, _) = scene.logged_in().await;
    scene.store.set_down(true);
    assert!(matches!(user.logout().await, Err(TokenError::Store(_))));
    scene.store.set_down(false);
    scene.clock.advance(MINUTE);
    assert_eq!(cause(&user.token().await.unwrap_err()), LapseCause::LoggedOut);
    let elsewhere = user_of(&scene.other_process());
    assert_eq!(cause(&elsewhere.token().await.unwrap_err()), LapseCause::LoggedOut);
    // Nobody here has ever seen the token: the store has.
    scene.logged_in().await;
    user_of(&scene.other_process()).logout().await.unwrap();
    assert_eq!(scene.issuer.count("logout"), 3);
}

#[tokio::test]
async fn after_a_shutdown_tokens_are_served_and_nothing_begins() {
    let scene = Scene::new();
    let (user, token) = scene.logged_in().await;
    scene.transak.shutdown().await;
    scene.clock.advance(DAY * 23);
    assert_eq!(user.token().await.unwrap(), token);
    assert!(matches!(
        user.refresh_now().await,
        Err(SessionError::Token(TokenError::ShutDown))
    ));
    assert_eq!(scene.issuer.count("refresh"), 0);
    assert!(user.login(&Person::typing(&[OTP])).await.is_err());
}
