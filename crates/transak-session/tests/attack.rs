//! Places where a hostile reader found, or expected to find, a needless mint, an unwanted mail or a wait without end.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::future::Future;
use std::time::Duration;

use support::{DAY, IP, MINUTE, OTP, Person, Scene, Trouble};
use transak_session::issuer::IssuerErrorKind;
use transak_session::store::SessionStore as _;
use transak_session::{GetOptions, LoginError, Otp, SessionLabel, TokenError, UserIdentity};

fn otp() -> Otp {
    Otp::parse(OTP).unwrap()
}

#[tokio::test]
async fn a_process_that_starts_while_the_store_is_down_kills_nobodys_token() {
    let scene = Scene::new();
    let first = scene.transak.partner().ready().await.unwrap();
    scene.store.set_down(true);
    let started = scene.other_process();
    assert!(matches!(started.partner().ready().await, Err(TokenError::Store(_))));
    assert!(scene.issuer.is_live(&first));
    scene.store.set_down(false);
    assert_eq!(started.partner().ready().await.unwrap(), first);
    assert_eq!(scene.issuer.count("mint"), 1);
}

#[tokio::test]
async fn one_report_does_not_mint_when_a_save_is_made_up_for() {
    let scene = Scene::new();
    scene.issuer.gates.close("mint");
    let partner = scene.transak.partner().clone();
    let caller = tokio::spawn(async move { partner.ready().await });
    scene.issuer.gates.reached("mint", 1).await;
    scene.store.set_down(true);
    scene.issuer.gates.open("mint");
    let first = caller.await.unwrap().unwrap();
    scene.rest().await;
    let partner = scene.transak.partner();
    // The reporter is told why there is no other token, and that is the end of it.
    assert!(partner.report_rejected(first.fingerprint()).await.is_err());
    scene.store.set_down(false);
    scene.clock.advance(MINUTE * 5);
    for _ in 0..5 {
        assert_eq!(partner.ready().await.unwrap(), first);
        scene.rest().await;
    }
    assert_eq!(scene.issuer.count("mint"), 1);
    assert_eq!(scene.other_process().partner().ready().await.unwrap(), first);
}

#[tokio::test]
async fn reports_do_not_repeat_a_mint_that_keeps_failing() {
    let scene = Scene::new();
    let partner = scene.transak.partner();
    let first = partner.ready().await.unwrap();
    scene.clock.advance(DAY);
    for _ in 0..10 {
        scene.issuer.trouble("mint", Trouble::Fail(IssuerErrorKind::Transient));
    }
    for _ in 0..10 {
        let error = partner.report_rejected(first.fingerprint()).await.unwrap_err();
        assert_eq!(error.issuer_kind(), Some(IssuerErrorKind::Transient), "{error:?}");
    }
    assert_eq!(scene.issuer.count("mint"), 2);
    scene.clock.advance(MINUTE);
    assert!(partner.report_rejected(first.fingerprint()).await.is_err());
    assert_eq!(scene.issuer.count("mint"), 3);
}

#[tokio::test]
async fn a_report_of_an_unknown_token_is_not_answered_with_an_old_failure() {
    let scene = Scene::new();
    let partner = scene.transak.partner();
    let which = transak_session::AccessToken::new("from before the restart").fingerprint();
    scene.issuer.trouble("mint", Trouble::Fail(IssuerErrorKind::Transient));
    assert!(partner.ready().await.is_err());
    assert!(partner.report_rejected(which).await.is_ok());

    let (_, token) = scene.logged_in().await;
    let other = support::user_of(&scene.other_process());
    scene.store.set_down(true);
    assert!(other.token().await.is_err());
    scene.store.set_down(false);
    assert_eq!(other.report_rejected(which).await.unwrap(), token);
}

#[tokio::test]
async fn no_password_is_mailed_that_nobody_could_use() {
    let scene = Scene::new();
    let mut challenge = scene.user().begin_login().await.unwrap();
    scene.clock.advance(MINUTE);
    scene.transak.shutdown().await;
    for error in [
        scene.user().begin_login().await.unwrap_err(),
        scene.user().login(&Person::typing(&[OTP])).await.unwrap_err(),
        challenge.resend().await.unwrap_err(),
    ] {
        assert!(matches!(error, LoginError::NotRun(TokenError::ShutDown)), "{error:?}");
    }
    assert_eq!(scene.issuer.count("send_otp"), 1);
}

#[test]
fn without_a_runtime_nothing_is_mailed_and_nothing_panics() {
    let scene = Scene::new();
    let user = scene.user();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let mut login = std::pin::pin!(user.begin_login());
    let std::task::Poll::Ready(end) = login.as_mut().poll(&mut context) else {
        panic!("it waits");
    };
    assert!(matches!(end, Err(LoginError::NotRun(TokenError::NoRuntime))));
    assert_eq!(scene.issuer.count("send_otp"), 0);
    assert!(scene.transak.partner().current().is_none());
}

#[tokio::test]
async fn a_login_that_is_never_answered_holds_no_shutdown_up() {
    let scene = Scene::new();
    let challenge = scene.user().begin_login().await.unwrap();
    scene.issuer.gates.close("verify_otp");
    let caller = tokio::spawn(challenge.verify(otp()));
    scene.issuer.gates.reached("verify_otp", 1).await;
    let transak = scene.transak.clone();
    let shutdown = tokio::spawn(async move { transak.shutdown().await });
    scene.rest().await;
    scene.clock.advance(MINUTE);
    scene.rest().await;
    assert!(shutdown.is_finished());
    let error = caller.await.unwrap().unwrap_err();
    assert!(matches!(error.reason, LoginError::Issuer(e) if e.kind() == IssuerErrorKind::Unknown));
    assert_eq!(scene.issuer.count("verify_otp"), 1);
}

#[tokio::test]
async fn sessions_that_could_not_be_stored_are_let_go_after_their_end() {
    let scene = Scene::with(false, |b| b.max_sessions_at_hand(2));
    scene.store.set_down(true);
    let user = |i: u32| {
        let identity = UserIdentity::parse(&format!("user{i}@example.com"), IP).unwrap();
        scene.transak.user(identity)
    };
    for i in 0..8 {
        user(i).login(&Person::typing(&[OTP])).await.unwrap();
        scene.rest().await;
    }
    for i in 0..8 {
        assert!(user(i).token().await.is_ok(), "a session was lost");
        scene.rest().await;
    }
    scene.clock.advance(DAY * 31);
    for i in 100..130 {
        drop(user(i));
    }
    assert_eq!(user(0).status().label, SessionLabel::Unknown);
}

/// A process whose users are away must not keep a token to itself: another one would renew the token from before.
#[tokio::test]
async fn a_token_that_could_not_be_stored_is_offered_again_though_nobody_asks() {
    let scene = Scene::new();
    scene.store.set_down(true);
    let user = scene.user();
    let token = user.login(&Person::typing(&[OTP])).await.unwrap();
    scene.rest().await;
    drop(user);
    // Three times it fails again, after longer and longer pauses.
    for seconds in [1, 2, 4] {
        scene.clock.advance(Duration::from_secs(seconds));
        scene.rest().await;
    }
    scene.store.set_down(false);
    let stored = || async {
        let there = scene.store.load(&scene.user().key().record()).await.unwrap();
        there.and_then(|there| there.record.token)
    };
    scene.clock.advance(Duration::from_secs(7));
    scene.rest().await;
    assert_eq!(stored().await, None, "it came back too soon");
    scene.clock.advance(Duration::from_secs(1));
    scene.rest().await;
    assert_eq!(stored().await, Some(token));
    scene.transak.shutdown().await;
}

/// Whoever was to come back went with its runtime; the next flight that fails sends another.
#[test]
fn a_token_that_could_not_be_stored_survives_its_runtime() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let scene = Scene::new();
    scene.store.set_down(true);
    let user = scene.user();
    let token = runtime().block_on(async {
        let token = user.login(&Person::typing(&[OTP])).await.unwrap();
        scene.rest().await;
        token
    });
    scene.clock.advance(MINUTE);
    runtime().block_on(async {
        assert!(user.current().is_some());
        scene.rest().await;
        scene.store.set_down(false);
        scene.clock.advance(MINUTE);
        scene.rest().await;
        let there = scene.store.load(&user.key().record()).await.unwrap();
        assert_eq!(there.and_then(|there| there.record.token), Some(token));
    });
}

/// How many times the first of many waiting callers was woken.
#[tokio::test]
async fn callers_who_join_do_not_wake_those_who_wait() {
    let scene = Scene::new();
    scene.issuer.gates.close("mint");
    let partner = scene.transak.partner().clone();
    let polls = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = std::sync::Arc::clone(&polls);
    let first = tokio::spawn(async move {
        let mut wait = std::pin::pin!(partner.ready());
        std::future::poll_fn(|context| {
            counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            wait.as_mut().poll(context)
        })
        .await
    });
    scene.issuer.gates.reached("mint", 1).await;
    for _ in 0..100 {
        let partner = scene.transak.partner().clone();
        tokio::spawn(async move { partner.ready().await });
        scene.rest().await;
    }
    scene.issuer.gates.open("mint");
    first.await.unwrap().unwrap();
    assert!(polls.load(std::sync::atomic::Ordering::Relaxed) < 10, "{polls:?}");
}

#[test]
fn public_futures_can_be_sent_to_other_threads() {
    fn sendable<T: Send>(_: T) {}
    fn shared<T: Send + Sync + 'static>(_: &T) {}
    let scene = Scene::new();
    let (user, partner) = (scene.user(), scene.transak.partner());
    shared(&scene.transak);
    shared(&user);
    shared(partner);
    let which = transak_session::AccessToken::new("any").fingerprint();
    sendable(partner.ready());
    sendable(partner.report_rejected(which));
    sendable(user.token());
    sendable(user.token_with(GetOptions::default().min_remaining(Duration::from_secs(1))));
    sendable(user.refresh_now());
    sendable(user.report_rejected(which));
    sendable(user.logout());
    sendable(user.begin_login());
    sendable(user.login(&Person::typing(&[])));
    sendable(scene.transak.shutdown());
    sendable(user.call(|client| async move { client.get_user_details().api_key("key").send().await }));
}
