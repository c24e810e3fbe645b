//! A user's session, in virtual time, against a Transak that keeps state.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::time::Duration;

use support::{DAY, IP, MINUTE, Scene, Trouble, user_of};
use transak_session::clock::Clock;
use transak_session::issuer::IssuerErrorKind;
use transak_session::{GetOptions, LapseCause, SessionError, SessionLabel, TokenError, UserIp};

fn cause(error: &SessionError) -> LapseCause {
    match error {
        SessionError::OtpRequired { cause } => *cause,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_stranger_has_to_log_in_and_no_mail_is_sent() {
    let scene = Scene::new();
    let user = scene.user();
    assert_eq!(cause(&user.token().await.unwrap_err()), LapseCause::NeverLoggedIn);
    assert_eq!(cause(&user.refresh_now().await.unwrap_err()), LapseCause::NeverLoggedIn);
    assert_eq!(scene.issuer.count("send_otp"), 0);
    let (user, token) = scene.logged_in().await;
    assert_eq!(user.token().await.unwrap(), token);
    assert_eq!(user.status().label, SessionLabel::Fresh);
}

#[tokio::test]
async fn the_whole_life() {
    let scene = Scene::new();
    let (user, first) = scene.logged_in().await;
    let status = user.status();
    let (born, due) = (status.issued_at.unwrap(), status.due_at.unwrap());
    assert!(due >= born + DAY * 18 && due <= born + DAY * 22 + DAY / 2);
    assert_eq!(status.expires_at.unwrap(), born + DAY * 30);

    scene
        .clock
        .advance(due.since(scene.clock.now()) - Duration::from_secs(1));
    assert_eq!(user.token().await.unwrap(), first);
    scene.rest().await;
    assert_eq!(scene.issuer.count("refresh"), 0);

    scene.clock.advance(Duration::from_secs(1));
    assert_eq!(
        user.token().await.unwrap(),
        first,
        "the old token is served while the new one is fetched"
    );
    scene.rest().await;
    let second = user.token().await.unwrap();
    assert_ne!(second, first);
    assert_eq!(scene.issuer.count("refresh"), 1);
    assert_eq!(scene.issuer.ips("refresh"), [UserIp::parse(IP).unwrap()]);

    scene.clock.advance(DAY * 31);
    for _ in 0..10 {
        assert_eq!(cause(&user.token().await.unwrap_err()), LapseCause::Expired);
    }
    assert_eq!(
        scene.issuer.count("refresh"),
        2,
        "one last attempt, not one for each caller"
    );
    assert_eq!(scene.issuer.count("send_otp"), 1, "no mail without a person's wish");

    let (user, third) = scene.logged_in().await;
    user.logout().await.unwrap();
    assert!(!scene.issuer.is_live(&third));
    assert_eq!(cause(&user.token().await.unwrap_err()), LapseCause::LoggedOut);
    let elsewhere = user_of(&scene.other_process());
    assert_eq!(cause(&elsewhere.token().await.unwrap_err()), LapseCause::LoggedOut);
    // At the same moment, because the clock stands still.
    let (_, fourth) = scene.logged_in().await;
    assert_eq!(user_of(&scene.other_process()).token().await.unwrap(), fourth);
}

#[tokio::test]
async fn a_thousand_callers_renew_once_and_none_waits() {
    let scene = Scene::with(true, |b| b);
    let (user, first) = scene.logged_in().await;
    scene.clock.advance(DAY * 23);
    scene.issuer.gates.close("refresh");
    let mut callers = Vec::new();
    for _ in 0..1_000 {
        let user = user.clone();
        callers.push(tokio::spawn(async move { user.token().await }));
    }
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap(), first);
    }
    scene.issuer.gates.reached("refresh", 1).await;
    scene.issuer.gates.open("refresh");
    scene.rest().await;
    let second = user.token().await.unwrap();
    assert!(second != first && scene.issuer.is_live(&second));
    assert_eq!(scene.issuer.count("refresh"), 1);
}

#[tokio::test]
async fn callers_of_a_restarted_process_read_the_store_once_and_draw_nothing_anew() {
    let scene = Scene::new();
    let (user, token) = scene.logged_in().await;
    let due = user.status().due_at;
    let loads = scene.store.gates.count("load");
    let other = user_of(&scene.other_process());
    let callers: Vec<_> = (0..1_000)
        .map(|_| {
            let other = other.clone();
            tokio::spawn(async move { other.token().await })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap(), token);
    }
    assert_eq!(scene.store.gates.count("load"), loads + 1);
    assert_eq!(other.status().due_at, due);
}

#[tokio::test]
async fn a_renewal_that_fails_bothers_nobody_and_backs_off() {
    let scene = Scene::new();
    let (user, first) = scene.logged_in().await;
    scene.clock.advance(DAY * 23);
    for kind in [
        IssuerErrorKind::Transient,
        IssuerErrorKind::Unknown,
        IssuerErrorKind::RateLimited {
            retry_after: Some(MINUTE * 5),
        },
    ] {
        scene.issuer.trouble("refresh", Trouble::Fail(kind));
    }
    for _ in 0..100 {
        assert_eq!(user.token().await.unwrap(), first);
        scene.rest().await;
    }
    assert_eq!(scene.issuer.count("refresh"), 1);
    assert_eq!(user.status().label, SessionLabel::Backoff);
    for (wait, calls) in [(MINUTE, 2), (MINUTE, 3), (MINUTE * 4, 3), (MINUTE, 4)] {
        scene.clock.advance(wait);
        let _ = user.token().await.unwrap();
        scene.rest().await;
        assert_eq!(scene.issuer.count("refresh"), calls, "{:?}", user.status());
    }
    assert_ne!(user.token().await.unwrap(), first);
    assert!(user.status().last_failure.is_none());
}

#[tokio::test]
async fn a_401_renews_at_most_once_a_minute() {
    let scene = Scene::new();
    let (user, first) = scene.logged_in().await;
    let reports: Vec<_> = (0..100)
        .map(|_| {
            let (user, which) = (user.clone(), first.fingerprint());
            tokio::spawn(async move { user.report_rejected(which).await })
        })
        .collect();
    let mut second = None;
    for report in reports {
        second = Some(report.await.unwrap().unwrap());
    }
    let second = second.unwrap();
    assert_eq!(scene.issuer.count("refresh"), 1);
    for _ in 0..20 {
        let refused = user.report_rejected(second.fingerprint()).await;
        assert!(
            matches!(refused, Err(SessionError::Token(TokenError::Refused { .. }))),
            "{refused:?}"
        );
    }
    assert_eq!(scene.issuer.count("refresh"), 1);
    assert_eq!(user.token().await.unwrap(), second);
}

#[tokio::test]
async fn dropped_callers_lose_no_token() {
    for place in ["claim", "refresh", "save"] {
        let scene = Scene::with(true, |b| b);
        let (user, first) = scene.logged_in().await;
        scene.clock.advance(DAY * 23);
        let gates = match place {
            "refresh" => &scene.issuer.gates,
            _ => &scene.store.gates,
        };
        let before = gates.count(place);
        gates.close(place);
        let callers: Vec<_> = (0..10)
            .map(|_| {
                let user = user.clone();
                tokio::spawn(async move { user.refresh_now().await })
            })
            .collect();
        gates.reached(place, before + 1).await;
        scene.rest().await;
        callers.iter().for_each(tokio::task::JoinHandle::abort);
        scene.rest().await;
        drop(user);
        gates.open(place);
        scene.transak.shutdown().await;
        let token = user_of(&scene.other_process()).token().await.unwrap();
        assert!(token != first && scene.issuer.is_live(&token), "lost at {place}");
        assert_eq!(scene.issuer.count("refresh"), 1);
    }
}

#[tokio::test]
async fn a_panic_in_a_renewal_hurts_nobody() {
    let scene = Scene::new();
    let (user, first) = scene.logged_in().await;
    scene.issuer.trouble("refresh", Trouble::Panic);
    let error = user.refresh_now().await.unwrap_err();
    assert!(matches!(error, SessionError::Token(TokenError::Panicked)), "{error:?}");
    assert_eq!(user.token().await.unwrap(), first);
    // The lease went down with the flight and ends by itself.
    scene.clock.advance(Duration::from_secs(30));
    assert_ne!(user.refresh_now().await.unwrap(), first);
}

#[tokio::test]
async fn a_lost_answer_is_survived_if_transak_keeps_the_old_token() {
    let scene = Scene::with(false, |b| b);
    let (user, first) = scene.logged_in().await;
    scene.issuer.trouble("refresh", Trouble::LoseAnswer);
    assert!(user.refresh_now().await.is_err());
    assert_eq!(user.token().await.unwrap(), first);
    assert_ne!(user.refresh_now().await.unwrap(), first);
}

#[tokio::test]
async fn of_two_processes_one_renews_and_the_other_takes_it_over() {
    for rotates in [false, true] {
        let scene = Scene::with(rotates, |b| b);
        let (user, first) = scene.logged_in().await;
        let other = user_of(&scene.other_process());
        assert_eq!(other.token().await.unwrap(), first);
        scene.clock.advance(DAY * 23);
        scene.issuer.gates.close("refresh");
        let (a, b) = (user.clone(), other.clone());
        let a = tokio::spawn(async move { a.refresh_now().await });
        scene.issuer.gates.reached("refresh", 1).await;
        let b = tokio::spawn(async move { b.refresh_now().await });
        scene.rest().await;
        // Whoever does not need a newer one goes on with the old one meanwhile.
        assert_eq!(other.token().await.unwrap(), first);
        scene.issuer.gates.open("refresh");
        let second = a.await.unwrap().unwrap();
        scene.clock.advance(Duration::from_millis(400));
        assert_eq!(b.await.unwrap().unwrap(), second);
        assert!(second != first && scene.issuer.is_live(&second));
        assert_eq!(scene.issuer.count("refresh"), 1, "rotates: {rotates}");
    }
}

#[tokio::test]
async fn a_failing_store_is_not_a_lapse() {
    let scene = Scene::new();
    let (user, token) = scene.logged_in().await;
    scene.store.set_down(true);
    assert_eq!(user.token().await.unwrap(), token);
    let stranger = user_of(&scene.other_process());
    let error = stranger.token().await.unwrap_err();
    assert!(matches!(error, SessionError::Token(TokenError::Store(_))), "{error:?}");
    // There is time, so the renewal waits for the store; in the last days it does not.
    scene.clock.advance(DAY * 23);
    let _ = user.token().await.unwrap();
    scene.rest().await;
    assert_eq!(scene.issuer.count("refresh"), 0);
    scene.clock.advance(DAY * 5);
    let _ = user.token().await.unwrap();
    scene.rest().await;
    let renewed = user.token().await.unwrap();
    assert_ne!(renewed, token);
    scene.store.set_down(false);
    scene.clock.advance(MINUTE);
    let _ = user.token().await.unwrap();
    scene.rest().await;
    assert_eq!(stranger.token().await.unwrap(), renewed);
}

#[tokio::test]
async fn who_needs_more_time_gets_it_or_what_there_is() {
    let scene = Scene::new();
    let (user, first) = scene.logged_in().await;
    let long = GetOptions::default().min_remaining(DAY * 20);
    assert_eq!(user.token_with(long).await.unwrap(), first);
    scene.clock.advance(DAY * 11);
    let second = user.token_with(long).await.unwrap();
    assert_ne!(second, first);
    // A renewal that takes too long is not waited for.
    scene.clock.advance(DAY * 11);
    scene.issuer.gates.close("refresh");
    let (caller, sleepers) = (user.clone(), scene.clock.sleepers());
    let caller = tokio::spawn(async move { caller.token_with(long).await });
    scene.rest().await;
    assert!(scene.clock.sleepers() > sleepers);
    scene.clock.advance(Duration::from_secs(2));
    assert_eq!(caller.await.unwrap().unwrap(), second);
    // And a wish that cannot be fulfilled does not renew again and again.
    scene.issuer.gates.open("refresh");
    scene.rest().await;
    let calls = scene.issuer.count("refresh");
    for _ in 0..10 {
        let _ = user
            .token_with(GetOptions::default().min_remaining(DAY * 60))
            .await
            .unwrap();
    }
    assert_eq!(scene.issuer.count("refresh"), calls);
}

#[tokio::test]
async fn sessions_not_at_hand_are_read_again() {
    let scene = Scene::with(false, |b| b.max_sessions_at_hand(4));
    let (user, token) = scene.logged_in().await;
    drop(user);
    for i in 0..100 {
        let identity = transak_session::UserIdentity::parse(&format!("user{i}@example.com"), IP).unwrap();
        assert!(scene.transak.user(identity).token().await.is_err());
    }
    assert_eq!(scene.user().status().label, SessionLabel::Unknown);
    assert_eq!(scene.user().token().await.unwrap(), token);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn real_threads_change_nothing() {
    for _ in 0..10 {
        let scene = Scene::with(true, |b| b);
        let (user, first) = scene.logged_in().await;
        scene.clock.advance(DAY * 23);
        let callers: Vec<_> = (0..1_000)
            .map(|i| {
                let user = user.clone();
                tokio::spawn(async move {
                    match i % 3 {
                        0 => user.refresh_now().await,
                        _ => user.token().await,
                    }
                })
            })
            .collect();
        for (i, caller) in callers.into_iter().enumerate() {
            match i % 5 {
                0 => caller.abort(),
                _ => drop(caller.await.unwrap().unwrap()),
            }
        }
        scene.transak.shutdown().await;
        let last = user.token().await.unwrap();
        assert!(last != first && scene.issuer.is_live(&last));
        assert_eq!(user_of(&scene.other_process()).token().await.unwrap(), last);
    }
}

#[tokio::test]
async fn a_report_to_a_restarted_process_reads_the_store() {
    let scene = Scene::new();
    let (_, token) = scene.logged_in().await;
    let other = user_of(&scene.other_process());
    let stale = transak_session::AccessToken::new("from before the restart").fingerprint();
    assert_eq!(other.report_rejected(stale).await.unwrap(), token);
}
