//! The partner token, in virtual time, against a Transak that keeps state.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::time::Duration;

use support::{DAY, MINUTE, Scene, Trouble};
use transak_session::clock::Clock;
use transak_session::issuer::IssuerErrorKind;
use transak_session::{PartnerLabel, RefusedHint, TokenError};

/// A lease that was left behind tells when it was taken; the call under it was sent at most this much later.
const LATEST_CALL: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_thousand_callers_mint_once() {
    let scene = Scene::new();
    scene.issuer.gates.close("mint");
    let callers: Vec<_> = (0..1_000)
        .map(|_| {
            let partner = scene.transak.partner().clone();
            tokio::spawn(async move { partner.ready().await })
        })
        .collect();
    scene.issuer.gates.reached("mint", 1).await;
    scene.rest().await;
    scene.issuer.gates.open("mint");
    let mut fingerprints = Vec::new();
    for caller in callers {
        fingerprints.push(caller.await.unwrap().unwrap().fingerprint());
    }
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), 1);
    assert_eq!(scene.issuer.count("mint"), 1);
}

#[tokio::test]
async fn a_token_is_replaced_about_ten_minutes_before_its_end_while_it_is_served() {
    let scene = Scene::new();
    let partner = scene.transak.partner();
    let first = partner.ready().await.unwrap();
    let status = partner.status();
    let margin = status.expires_at.unwrap().since(status.due_at.unwrap());
    assert!((MINUTE * 5..=MINUTE * 15).contains(&margin), "{margin:?}");
    scene.clock.advance(DAY * 7 - margin - MINUTE);
    assert_eq!(partner.ready().await.unwrap(), first);
    scene.rest().await;
    assert_eq!(scene.issuer.count("mint"), 1);

    scene.clock.advance(MINUTE);
    scene.issuer.gates.close("mint");
    for _ in 0..100 {
        assert_eq!(partner.ready().await.unwrap(), first, "a caller with a token waited");
    }
    scene.issuer.gates.reached("mint", 2).await;
    scene.issuer.gates.open("mint");
    scene.rest().await;
    let second = partner.current().unwrap().clone();
    assert_ne!(second, first);
    assert_eq!(scene.issuer.count("mint"), 2);
}

#[tokio::test]
async fn a_failed_renewal_bothers_nobody_and_is_not_hammered() {
    let scene = Scene::new();
    let partner = scene.transak.partner();
    let first = partner.ready().await.unwrap();
    scene.clock.advance(DAY * 7 - MINUTE * 5);
    for _ in 0..3 {
        scene.issuer.trouble("mint", Trouble::Fail(IssuerErrorKind::Transient));
    }
    for _ in 0..50 {
        assert_eq!(partner.ready().await.unwrap(), first);
        scene.rest().await;
    }
    assert_eq!(scene.issuer.count("mint"), 2);
    assert!(matches!(partner.status().last_failure, Some(TokenError::Issuer(_))));
    assert_eq!(partner.status().label, PartnerLabel::Due);
    // Pauses of 30 and 60 seconds at most, then of 2 minutes: the fourth attempt is in time.
    for _ in 0..4 {
        scene.clock.advance(MINUTE);
        let _ = partner.ready().await.unwrap();
        scene.rest().await;
    }
    assert_ne!(partner.ready().await.unwrap(), first);
    assert!(partner.status().last_failure.is_none());
}

#[tokio::test]
async fn a_failure_is_shared_but_not_kept() {
    let scene = Scene::new();
    scene.issuer.gates.close("mint");
    scene.issuer.trouble("mint", Trouble::Fail(IssuerErrorKind::Transient));
    let callers: Vec<_> = (0..10)
        .map(|_| {
            let partner = scene.transak.partner().clone();
            tokio::spawn(async move { partner.ready().await })
        })
        .collect();
    scene.issuer.gates.reached("mint", 1).await;
    scene.rest().await;
    scene.issuer.gates.open("mint");
    for caller in callers {
        let error = caller.await.unwrap().unwrap_err();
        assert_eq!(error.issuer_kind(), Some(IssuerErrorKind::Transient));
    }
    assert_eq!(scene.issuer.count("mint"), 1);
    assert!(scene.transak.partner().ready().await.is_ok());
}

#[tokio::test]
async fn a_401_mints_once_per_interval_and_is_explained() {
    let scene = Scene::new();
    let partner = scene.transak.partner();
    let first = partner.ready().await.unwrap();
    // Fresh token, 401: minting again would not help.
    for _ in 0..20 {
        match partner.report_rejected(first.fingerprint()).await {
            Err(TokenError::Refused { retry_at, hint }) => {
                assert_eq!(retry_at, scene.clock.now() + MINUTE);
                assert_eq!(hint, RefusedHint::AllowListOrActivation);
                assert!(hint.to_string().contains("allow-list"));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(scene.issuer.count("mint"), 1);
    assert_eq!(partner.ready().await.unwrap(), first, "the old token is still served");
    assert_eq!(partner.status().label, PartnerLabel::Doubted);

    scene.clock.advance(MINUTE);
    let second = partner.report_rejected(first.fingerprint()).await.unwrap();
    assert_ne!(second, first);
    assert_eq!(scene.issuer.count("mint"), 2);
    // Requests that were under way with the first token come back now.
    for _ in 0..20 {
        assert_eq!(partner.report_rejected(first.fingerprint()).await.unwrap(), second);
    }
    assert_eq!(scene.issuer.count("mint"), 2);
}

#[tokio::test]
async fn many_reports_of_one_token_mint_once() {
    let scene = Scene::new();
    let first = scene.transak.partner().ready().await.unwrap();
    scene.clock.advance(DAY);
    let reports: Vec<_> = (0..1_000)
        .map(|_| {
            let (partner, which) = (scene.transak.partner().clone(), first.fingerprint());
            tokio::spawn(async move { partner.report_rejected(which).await })
        })
        .collect();
    for report in reports {
        assert_ne!(report.await.unwrap().unwrap(), first);
    }
    assert_eq!(scene.issuer.count("mint"), 2);
}

#[tokio::test]
async fn what_another_process_minted_is_adopted() {
    let scene = Scene::new();
    let (here, there) = (scene.transak.partner().clone(), scene.other_process());
    let first = here.ready().await.unwrap();
    assert_eq!(there.partner().ready().await.unwrap(), first);
    scene.clock.advance(DAY * 7 - MINUTE * 5);
    let _ = here.current();
    scene.rest().await;
    let second = here.current().unwrap().clone();
    assert_ne!(second, first);
    // The other one holds the killed token; its 401 leads to the store, not to Transak.
    assert_eq!(
        there.partner().report_rejected(first.fingerprint()).await.unwrap(),
        second
    );
    assert_eq!(scene.issuer.count("mint"), 2);
    // And a 401 right after somebody else's mint does not lead to a mint of one's own.
    let refused = there.partner().report_rejected(second.fingerprint()).await;
    assert!(matches!(refused, Err(TokenError::Refused { .. })));
    assert_eq!(scene.issuer.count("mint"), 2);
}

#[tokio::test]
async fn dropped_callers_lose_no_token() {
    for place in ["load", "mint", "save"] {
        let scene = Scene::new();
        let gates = match place {
            "mint" => &scene.issuer.gates,
            _ => &scene.store.gates,
        };
        gates.close(place);
        let callers: Vec<_> = (0..10)
            .map(|_| {
                let partner = scene.transak.partner().clone();
                tokio::spawn(async move { partner.ready().await })
            })
            .collect();
        gates.reached(place, 1).await;
        scene.rest().await;
        callers.iter().for_each(tokio::task::JoinHandle::abort);
        scene.rest().await;
        gates.open(place);
        scene.transak.shutdown().await;
        let token = scene.transak.partner().current().unwrap().clone();
        assert!(scene.issuer.is_live(&token));
        assert_eq!(scene.other_process().partner().ready().await.unwrap(), token);
        assert_eq!(scene.issuer.count("mint"), 1, "dropped at {place}");
    }
}

#[tokio::test]
async fn a_panic_is_an_error_and_not_the_end() {
    let scene = Scene::new();
    scene.issuer.trouble("mint", Trouble::Panic);
    let partner = scene.transak.partner();
    assert!(matches!(partner.ready().await, Err(TokenError::Panicked)));
    // It is not known whether Transak minted, so the distance is kept.
    assert!(matches!(partner.ready().await, Err(TokenError::MintHeld { .. })));
    scene.clock.advance(MINUTE + LATEST_CALL);
    assert!(partner.ready().await.is_ok());
}

#[tokio::test]
async fn a_lost_answer_keeps_the_distance() {
    let scene = Scene::new();
    scene.issuer.trouble("mint", Trouble::LoseAnswer);
    let partner = scene.transak.partner();
    assert!(matches!(partner.ready().await, Err(TokenError::Issuer(_))));
    for _ in 0..10 {
        match partner.ready().await {
            Err(error @ TokenError::MintHeld { .. }) => assert_eq!(error.issuer_kind(), Some(IssuerErrorKind::Unknown)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(scene.issuer.count("mint"), 1);
    scene.clock.advance(MINUTE);
    assert!(partner.ready().await.is_ok());
}

#[tokio::test]
async fn a_call_that_never_ends_is_given_up() {
    let scene = Scene::new();
    scene.issuer.gates.close("mint");
    let partner = scene.transak.partner().clone();
    let caller = tokio::spawn(async move { partner.ready().await });
    scene.issuer.gates.reached("mint", 1).await;
    scene.rest().await;
    scene.clock.advance(MINUTE);
    let error = caller.await.unwrap().unwrap_err();
    assert_eq!(error.issuer_kind(), Some(IssuerErrorKind::Unknown));
}

#[tokio::test]
async fn a_failing_store_neither_blocks_nor_endangers_the_token() {
    let scene = Scene::new();
    let partner = scene.transak.partner();
    let first = partner.ready().await.unwrap();
    scene.store.set_down(true);
    assert_eq!(partner.ready().await.unwrap(), first);
    assert_eq!(scene.issuer.count("mint"), 1);
    // Near the end: a mint that nobody hears of would cost the others their token, as long as this one is good.
    scene.clock.advance(DAY * 7 - MINUTE * 5);
    assert_eq!(partner.ready().await.unwrap(), first);
    scene.rest().await;
    assert_eq!(scene.issuer.count("mint"), 1);
    scene.store.set_down(false);
    scene.clock.advance(MINUTE);
    let _ = partner.ready().await.unwrap();
    scene.rest().await;
    let second = partner.current().unwrap().clone();
    assert_ne!(second, first);
    assert_eq!(scene.other_process().partner().ready().await.unwrap(), second);
}

#[tokio::test]
async fn a_token_that_could_not_be_stored_is_stored_later() {
    let scene = Scene::new();
    scene.issuer.gates.close("mint");
    let partner = scene.transak.partner().clone();
    let caller = tokio::spawn(async move { partner.ready().await });
    scene.issuer.gates.reached("mint", 1).await;
    scene.store.set_down(true);
    scene.issuer.gates.open("mint");
    let token = caller.await.unwrap().unwrap();
    scene.rest().await;
    scene.store.set_down(false);
    scene.clock.advance(Duration::from_secs(31));
    let _ = scene.transak.partner().current();
    scene.rest().await;
    assert_eq!(scene.other_process().partner().ready().await.unwrap(), token);
}

#[tokio::test]
async fn waiting_callers_are_bounded() {
    let scene = Scene::with(false, |builder| builder.max_waiting_callers(2));
    scene.issuer.gates.close("mint");
    let callers: Vec<_> = (0..3)
        .map(|_| {
            let partner = scene.transak.partner().clone();
            tokio::spawn(async move { partner.ready().await })
        })
        .collect();
    scene.issuer.gates.reached("mint", 1).await;
    scene.rest().await;
    scene.issuer.gates.open("mint");
    let mut overloaded = 0;
    for caller in callers {
        overloaded += usize::from(matches!(caller.await.unwrap(), Err(TokenError::Overloaded)));
    }
    assert_eq!(overloaded, 1);
}

#[test]
fn a_token_outlives_the_runtime_it_was_minted_in() {
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let scene = Scene::new();
    let token = runtime().block_on(scene.transak.partner().ready()).unwrap();
    assert_eq!(scene.transak.partner().current().map(|t| t.clone()), Some(token));
    // A flight that dies with its runtime leaves the key usable.
    scene.clock.advance(DAY * 8);
    let dying = runtime();
    dying.block_on(async {
        scene.issuer.gates.close("mint");
        let partner = scene.transak.partner().clone();
        tokio::spawn(async move { partner.ready().await });
        scene.issuer.gates.reached("mint", 2).await;
    });
    drop(dying);
    scene.issuer.gates.open("mint");
    scene.clock.advance(MINUTE + LATEST_CALL);
    assert!(runtime().block_on(scene.transak.partner().ready()).is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn real_threads_change_nothing() {
    for _ in 0..20 {
        let scene = Scene::new();
        let callers: Vec<_> = (0..1_000)
            .map(|_| {
                let partner = scene.transak.partner().clone();
                tokio::spawn(async move { partner.ready().await.unwrap() })
            })
            .collect();
        for (i, caller) in callers.into_iter().enumerate() {
            if i % 7 == 0 {
                caller.abort();
            } else {
                caller.await.unwrap();
            }
        }
        assert_eq!(scene.issuer.count("mint"), 1);
    }
}

#[test]
fn a_runtime_that_is_going_down_harms_nobody() {
    let scene = Scene::new();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let (handle, partner) = (runtime.handle().clone(), scene.transak.partner().clone());
    runtime.shutdown_background();
    let _inside = handle.enter();
    assert!(partner.current().is_none());
    assert!(partner.current().is_none());
}
