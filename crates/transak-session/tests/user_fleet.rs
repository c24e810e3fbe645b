//! Several processes that share a store and a user: who renews, who waits, and what all of them learn.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::time::Duration;

use support::{DAY, IP, MINUTE, OTP, Person, Scene, Trouble, user_of};
use tokio::task::JoinHandle;
use transak_session::clock::Clock;
use transak_session::issuer::IssuerErrorKind;
use transak_session::store::{Claim, FailureClass, Lease, Record, RecordState, SessionStore};
use transak_session::{
    AccessToken, Delivery, EventStream, LapseCause, SessionError, SessionEvent, SessionLabel, TokenError, UserIdentity,
    UserPolicy, UserSession,
};

const SECOND: Duration = Duration::from_secs(1);

fn heard(events: &mut EventStream) -> Vec<SessionEvent> {
    let next = || match events.try_next()? {
        Delivery::Event(event) => Some(event),
        Delivery::Missed(_) => panic!("missed events"),
    };
    std::iter::from_fn(next).collect()
}

async fn elsewhere_claims(scene: &Scene, user: &UserSession) -> Lease {
    match scene
        .store
        .inner
        .claim(&user.key().record(), SECOND * 30)
        .await
        .unwrap()
    {
        Claim::Granted { lease, .. } => lease,
        Claim::Busy { .. } => panic!("busy"),
    }
}

async fn stored(scene: &Scene, user: &UserSession) -> Record {
    let there = scene.store.inner.load(&user.key().record()).await.unwrap();
    there.unwrap().record
}

/// Lets a caller who looks at the store every now and then do so for this long.
async fn polls(scene: &Scene, span: Duration) {
    let step = Duration::from_millis(50);
    for _ in 0..span.as_millis() / step.as_millis() {
        scene.rest().await;
        scene.clock.advance(step);
    }
    scene.rest().await;
}

/// Takes what there is and lets what it starts come to an end.
async fn use_it(scene: &Scene, user: &UserSession) -> AccessToken {
    let token = user.token().await.unwrap();
    scene.rest().await;
    token
}

fn waiting(user: &UserSession) -> JoinHandle<Result<AccessToken, SessionError>> {
    let user = user.clone();
    tokio::spawn(async move { user.refresh_now().await })
}

#[tokio::test]
async fn who_has_a_token_does_not_wait_for_another_process() {
    let scene = Scene::new();
    let (user, first) = scene.logged_in().await;
    scene.clock.advance(DAY * 23);
    // That process will never come back: it holds the lease until it ends by itself.
    let _ = elsewhere_claims(&scene, &user).await;
    let claims = scene.store.gates.count("claim");
    for _ in 0..20 {
        assert_eq!(use_it(&scene, &user).await, first);
        scene.clock.advance(SECOND);
    }
    assert_eq!(scene.store.gates.count("claim"), claims + 1);
    assert_eq!(scene.issuer.count("refresh"), 0);
    scene.clock.advance(SECOND * 12);
    use_it(&scene, &user).await;
    assert_ne!(use_it(&scene, &user).await, first);
    assert_eq!(scene.issuer.count("refresh"), 1);
}

#[tokio::test]
async fn who_waits_for_another_process_waits_two_seconds_at_most() {
    let scene = Scene::new();
    let (user, first) = scene.logged_in().await;
    let lease = elsewhere_claims(&scene, &user).await;
    let loads = scene.store.gates.count("load");
    let caller = waiting(&user);
    polls(&scene, SECOND * 3).await;
    assert!(caller.is_finished());
    let error = caller.await.unwrap().unwrap_err();
    assert!(
        matches!(error, SessionError::Token(TokenError::Busy { .. })),
        "{error:?}"
    );
    assert!(scene.store.gates.count("load") - loads <= 40);
    assert_eq!(user.token().await.unwrap(), first);

    // If the other one ends without a token, somebody who waits tries for themselves.
    let caller = waiting(&user);
    polls(&scene, SECOND / 2).await;
    let there = scene.store.inner.load(&user.key().record()).await.unwrap().unwrap();
    let key = user.key().record();
    let write = scene
        .store
        .inner
        .swap(&key, Some(there.version), there.record, Some(&lease));
    let _ = write.await.unwrap();
    polls(&scene, SECOND).await;
    assert_ne!(caller.await.unwrap().unwrap(), first);
}

#[tokio::test]
async fn a_401_that_meets_a_claim_for_nobody_waits_for_the_other_process_too() {
    for other_ends in [false, true] {
        let scene = Scene::new();
        let (user, first) = scene.logged_in().await;
        scene.clock.advance(DAY * 23);
        let lease = elsewhere_claims(&scene, &user).await;
        let claims = scene.store.gates.count("claim");
        scene.store.gates.close("claim");
        assert_eq!(user.token().await.unwrap(), first);
        scene.store.gates.reached("claim", claims + 1).await;
        let (caller, which) = (user.clone(), first.fingerprint());
        let caller = tokio::spawn(async move { caller.report_rejected(which).await });
        scene.rest().await;
        scene.store.gates.open("claim");
        polls(&scene, SECOND).await;
        assert!(!caller.is_finished());
        if other_ends {
            let key = user.key().record();
            let there = scene.store.inner.load(&key).await.unwrap().unwrap();
            let store = &scene.store.inner;
            let write = store.swap(&key, Some(there.version), there.record, Some(&lease));
            let _ = write.await.unwrap();
        }
        polls(&scene, SECOND * 2).await;
        assert!(caller.is_finished());
        match caller.await.unwrap() {
            Ok(token) => assert!(other_ends && token != first),
            Err(error) => {
                assert!(!other_ends, "{error:?}");
                assert!(matches!(error, SessionError::Token(TokenError::Busy { .. })));
            }
        }
        assert_eq!(scene.issuer.count("refresh"), usize::from(other_ends));
    }
}

#[tokio::test]
async fn a_failure_is_known_to_all_processes() {
    let scene = Scene::new();
    let (user, first) = scene.logged_in().await;
    let other = user_of(&scene.other_process());
    scene.clock.advance(DAY * 23);
    let mut events = scene.transak.events();
    scene
        .issuer
        .trouble("refresh", Trouble::Fail(IssuerErrorKind::Transient));
    use_it(&scene, &user).await;
    let record = stored(&scene, &user).await;
    assert_eq!(
        (record.failures, record.last_failure),
        (1, Some(FailureClass::Transient))
    );
    assert!(record.wake_at > scene.clock.now() && record.wake_at <= scene.clock.now() + SECOND * 30);
    assert!(matches!(
        heard(&mut events)[..],
        [SessionEvent::Failed { class: FailureClass::Transient, retry_at, .. }] if retry_at == record.wake_at
    ));
    for _ in 0..5 {
        assert_eq!(use_it(&scene, &other).await, first);
    }
    assert_eq!(scene.issuer.count("refresh"), 1);
    scene.clock.advance(SECOND * 30);
    use_it(&scene, &other).await;
    assert_eq!(scene.issuer.count("refresh"), 2);
    let record = stored(&scene, &user).await;
    assert_eq!((record.failures, record.last_failure), (0, None));
    assert_eq!(record.wake_at, record.due_at);
}

#[tokio::test]
async fn one_refusal_is_a_suspicion_and_two_and_a_question_are_the_end() {
    let scene = Scene::new();
    let (user, first) = scene.logged_in().await;
    let other = user_of(&scene.other_process());
    scene.clock.advance(DAY * 23);
    scene.issuer.revoke(&first);
    let mut events = scene.transak.events();
    use_it(&scene, &user).await;
    assert_eq!(use_it(&scene, &user).await, first);
    assert_eq!(user.status().label, SessionLabel::Suspect);
    assert!(matches!(stored(&scene, &user).await.state, RecordState::Suspect { .. }));
    assert_eq!((scene.issuer.count("refresh"), scene.issuer.count("probe")), (1, 0));
    // The other process knows, and is the one that finds out.
    assert_eq!(use_it(&scene, &other).await, first);
    assert_eq!(other.status().label, SessionLabel::Suspect);
    scene.clock.advance(MINUTE * 10);
    use_it(&scene, &other).await;
    assert_eq!((scene.issuer.count("refresh"), scene.issuer.count("probe")), (2, 1));
    assert_eq!(other.status().label, SessionLabel::Lapsed(LapseCause::Rejected));
    assert_eq!(stored(&scene, &user).await.lapse_cause(), Some(LapseCause::Rejected));
    // Here it is read, not said again.
    use_it_all(&scene, &user).await;
    assert_eq!(user.status().label, SessionLabel::Lapsed(LapseCause::Rejected));
    let said = heard(&mut events);
    assert!(said.iter().any(|e| matches!(e, SessionEvent::Suspect { .. })));
    assert!(!said.iter().any(|e| matches!(e, SessionEvent::OtpRequired { .. })));
    assert_eq!(scene.issuer.count("refresh"), 2);
}

/// For as long as it takes to look again.
async fn use_it_all(scene: &Scene, user: &UserSession) {
    for _ in 0..3 {
        let _ = user.token().await;
        scene.rest().await;
        scene.clock.advance(MINUTE * 10);
    }
}

#[tokio::test]
async fn a_token_that_is_good_is_kept_however_often_its_renewal_is_refused() {
    let scene = Scene::new();
    let (user, first) = scene.logged_in().await;
    scene.clock.advance(DAY * 23);
    for _ in 0..1_000 {
        scene
            .issuer
            .trouble("refresh", Trouble::Fail(IssuerErrorKind::Rejected));
    }
    for _ in 0..24 * 6 {
        scene.clock.advance(MINUTE * 10);
        assert_eq!(use_it(&scene, &user).await, first);
    }
    let (renewals, questions) = (scene.issuer.count("refresh"), scene.issuer.count("probe"));
    assert!((6..=12).contains(&renewals), "{renewals}");
    assert!(questions >= 2 && questions < renewals, "{questions} of {renewals}");
    // A person does not have to wait if a 401 comes as well, and a question that fails decides nothing.
    scene.issuer.trouble("probe", Trouble::Fail(IssuerErrorKind::Transient));
    scene.issuer.revoke(&first);
    let error = user.report_rejected(first.fingerprint()).await.unwrap_err();
    assert!(matches!(error, SessionError::Token(TokenError::Issuer(_))), "{error:?}");
    assert_eq!(user.token().await.unwrap(), first);
    let error = user.report_rejected(first.fingerprint()).await.unwrap_err();
    assert!(error.is_otp_required(), "{error:?}");
    assert_eq!(scene.issuer.count("refresh"), renewals + 1);
}

#[tokio::test]
async fn nobody_is_logged_out_when_transak_refuses_everybody() {
    let scene = Scene::new();
    let mut users = Vec::new();
    for i in 0..40 {
        let identity = UserIdentity::parse(&format!("planted{i}@example.com"), IP).unwrap();
        let user = scene.transak.user(identity);
        let token = user.login(&Person::typing(&[OTP])).await.unwrap();
        users.push((user, token));
    }
    let mut events = scene.transak.events();
    for _ in 0..40 {
        for call in ["refresh", "probe"] {
            scene.issuer.trouble(call, Trouble::Fail(IssuerErrorKind::Rejected));
        }
    }
    let mut ended = 0;
    for (user, token) in &users {
        let error = user.report_rejected(token.fingerprint()).await.unwrap_err();
        ended += usize::from(error.is_otp_required());
    }
    assert_eq!(ended, 19, "the twentieth refusal trips the guard");
    let trips = heard(&mut events)
        .into_iter()
        .filter(|e| matches!(e, SessionEvent::MassLapseGuard { .. }));
    assert_eq!(trips.count(), 1);
    // Half an hour later it was only a bad day.
    scene.clock.advance(MINUTE * 30);
    for (user, token) in users.iter().skip(19) {
        use_it(&scene, user).await;
        assert_ne!(use_it(&scene, user).await, *token);
        assert_eq!(user.status().label, SessionLabel::Fresh);
    }
}

#[tokio::test]
async fn a_process_that_was_paused_beyond_its_lease_loses_nothing() {
    let scene = Scene::new();
    let (user, _) = scene.logged_in().await;
    let transak = scene.other_process();
    let (other, mut events, mut more) = (user_of(&transak), transak.events(), scene.transak.events());
    assert!(other.token().await.is_ok());
    let saves = scene.store.gates.count("save");
    scene.store.gates.close("save");
    let first = waiting(&user);
    scene.store.gates.reached("save", saves + 1).await;
    scene.clock.advance(SECOND * 31);
    let second = waiting(&other);
    scene.store.gates.reached("save", saves + 2).await;
    scene.store.gates.open("save");
    let _ = first.await.unwrap().unwrap();
    let newest = second.await.unwrap().unwrap();
    assert_eq!(scene.issuer.count("refresh"), 2);
    assert_eq!(stored(&scene, &user).await.token, Some(newest.clone()));
    // Whoever comes second to the store finds out.
    let said = [heard(&mut events), heard(&mut more)].concat();
    let twice = said
        .iter()
        .filter(|e| matches!(e, SessionEvent::DuplicateUpstream { .. }));
    assert_eq!(twice.count(), 1);
    // The other one is still good here; where it is not, the 401 leads to the newest.
    let token = user.token().await.unwrap();
    if token != newest {
        assert_eq!(user.report_rejected(token.fingerprint()).await.unwrap(), newest);
    }
    assert_eq!(scene.issuer.count("refresh"), 2);
}

#[tokio::test]
async fn use_is_noted_once_a_day_and_in_the_background() {
    let scene = Scene::new();
    let (user, first) = scene.logged_in().await;
    let born = stored(&scene, &user).await.used_at;
    let saves = scene.store.gates.count("save");
    for _ in 0..23 {
        scene.clock.advance(MINUTE * 60);
        use_it(&scene, &user).await;
    }
    assert_eq!(scene.store.gates.count("save"), saves);
    scene.store.gates.close("save");
    scene.clock.advance(MINUTE * 60);
    assert_eq!(user.token().await.unwrap(), first);
    scene.store.gates.open("save");
    for _ in 0..10 {
        use_it(&scene, &user).await;
    }
    assert_eq!(scene.store.gates.count("save"), saves + 1);
    assert_eq!(stored(&scene, &user).await.used_at, born + DAY);
    assert_eq!(stored(&scene, &user).await.signed_in_at, born);
}

#[tokio::test]
async fn a_person_has_to_log_in_from_time_to_time() {
    let policy = UserPolicy::default().absolute_cutoff(Some(DAY * 30)).unwrap();
    let scene = Scene::with(false, |b| b.user_policy(policy));
    let (user, _) = scene.logged_in().await;
    let born = user.status().signed_in_at;
    let mut events = scene.transak.events();
    let mut last = None;
    for day in 0..60 {
        scene.clock.advance(DAY);
        match user.token().await {
            Ok(token) => last = Some((day, token)),
            Err(error) => {
                assert!(error.is_otp_required());
                break;
            }
        }
        scene.rest().await;
    }
    let said = heard(&mut events);
    let count = |wanted: fn(&SessionEvent) -> bool| said.iter().filter(|e| wanted(e)).count();
    assert_eq!(count(|e| matches!(e, SessionEvent::Renewed { .. })), 1);
    assert_eq!(count(|e| matches!(e, SessionEvent::Dormant { .. })), 1);
    assert_eq!(count(|e| matches!(e, SessionEvent::OtpRequired { .. })), 1);
    assert!(
        last.is_some_and(|(day, _)| day > 45),
        "served for as long as it is valid"
    );
    let (user, _) = scene.logged_in().await;
    assert_eq!(user.status().label, SessionLabel::Fresh);
    assert!(user.status().signed_in_at > born);
}

#[tokio::test]
async fn a_renewal_without_a_store_is_used_and_stored_later() {
    let scene = Scene::new();
    let (user, first) = scene.logged_in().await;
    scene.clock.advance(DAY * 28);
    let mut events = scene.transak.events();
    scene.store.set_down(true);
    use_it(&scene, &user).await;
    let second = use_it(&scene, &user).await;
    assert_ne!(second, first);
    for _ in 0..5 {
        scene.clock.advance(MINUTE);
        use_it(&scene, &user).await;
    }
    let told = heard(&mut events)
        .into_iter()
        .filter(|e| matches!(e, SessionEvent::NotStored { .. }));
    assert_eq!(told.count(), 1);
    scene.store.set_down(false);
    scene.clock.advance(MINUTE);
    use_it(&scene, &user).await;
    assert_eq!(stored(&scene, &user).await.token, Some(second));
}
