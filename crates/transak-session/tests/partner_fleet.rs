//! Many processes, one store, one partner token.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::time::Duration;

use support::{DAY, MINUTE, Scene, Trouble};
use tokio::task::JoinHandle;
use transak_session::issuer::IssuerErrorKind;
use transak_session::{AccessToken, Delivery, SessionEvent, TokenError, Transak};

const SECOND: Duration = Duration::from_secs(1);

struct Fleet {
    scene: Scene,
    all: Vec<Transak>,
}

impl Fleet {
    fn of(processes: usize) -> Self {
        let scene = Scene::new();
        let mut all = vec![scene.transak.clone()];
        all.resize_with(processes, || scene.other_process());
        Self { scene, all }
    }

    fn callers(&self, each: usize) -> Vec<JoinHandle<Result<AccessToken, TokenError>>> {
        let all = self
            .all
            .iter()
            .flat_map(|t| std::iter::repeat_n(t.partner().clone(), each));
        all.map(|partner| tokio::spawn(async move { partner.ready().await }))
            .collect()
    }

    /// Lets those who look at the store every now and then do so.
    async fn polls(&self, times: usize) {
        for _ in 0..times {
            self.scene.rest().await;
            self.scene.clock.advance(Duration::from_millis(400));
        }
        self.scene.rest().await;
    }

    fn mints(&self) -> usize {
        self.scene.issuer.count("mint")
    }
}

#[tokio::test]
async fn eight_processes_that_start_cold_mint_once_for_all_their_callers() {
    let fleet = Fleet::of(8);
    fleet.scene.issuer.gates.close("mint");
    let callers = fleet.callers(200);
    fleet.scene.issuer.gates.reached("mint", 1).await;
    fleet.polls(3).await;
    assert_eq!(fleet.mints(), 1, "somebody did not wait for the lease");
    fleet.scene.issuer.gates.open("mint");
    fleet.polls(2).await;
    let mut fingerprints = Vec::new();
    for caller in callers {
        fingerprints.push(caller.await.unwrap().unwrap().fingerprint());
    }
    fingerprints.dedup();
    assert_eq!((fingerprints.len(), fleet.mints()), (1, 1));
}

#[tokio::test]
async fn a_fleet_that_meets_the_due_time_together_mints_once_and_verifies_old_and_new() {
    let fleet = Fleet::of(8);
    let first = fleet.all[0].partner().ready().await.unwrap();
    for transak in &fleet.all {
        assert_eq!(transak.partner().ready().await.unwrap(), first);
    }
    fleet.scene.clock.advance(DAY * 7 - MINUTE * 5);
    for caller in fleet.callers(200) {
        assert_eq!(caller.await.unwrap().unwrap(), first, "a caller with a token waited");
    }
    fleet.polls(3).await;
    assert_eq!(fleet.mints(), 2);
    let second = fleet.all[0].partner().current().unwrap().clone();
    for transak in &fleet.all {
        assert_eq!(*transak.partner().current().unwrap(), second);
        let keys = transak.partner().verification_keys();
        assert_eq!(keys.iter().collect::<Vec<_>>(), [&second, &first]);
        assert_eq!(transak.partner().status().retired, 1);
    }
    // A process that starts now knows both as well, without a mint.
    let late = fleet.scene.other_process();
    assert!(late.partner().verification_keys().is_empty());
    let keys = late.partner().verification_keys_fresh().await.unwrap();
    assert_eq!(keys.iter().collect::<Vec<_>>(), [&second, &first]);
    assert_eq!(fleet.mints(), 2);
    // Each is kept until its own expiry.
    fleet.scene.clock.advance(MINUTE * 6);
    assert_eq!(late.partner().verification_keys().len(), 1);
}

#[tokio::test]
async fn a_fleet_whose_token_has_expired_mints_once() {
    let fleet = Fleet::of(8);
    let first = fleet.all[0].partner().ready().await.unwrap();
    for transak in &fleet.all {
        assert_eq!(transak.partner().ready().await.unwrap(), first);
    }
    fleet.scene.clock.advance(DAY * 8);
    let callers = fleet.callers(200);
    fleet.polls(3).await;
    for caller in callers {
        assert_ne!(caller.await.unwrap().unwrap(), first);
    }
    assert_eq!(fleet.mints(), 2);
}

#[tokio::test]
async fn a_401_in_all_processes_at_once_leads_to_one_mint() {
    let fleet = Fleet::of(4);
    let first = fleet.all[0].partner().ready().await.unwrap();
    for transak in &fleet.all {
        transak.partner().ready().await.unwrap();
    }
    fleet.scene.clock.advance(DAY);
    let reports: Vec<_> = fleet
        .all
        .iter()
        .flat_map(|t| std::iter::repeat_n(t.partner().clone(), 50))
        .map(|partner| {
            let which = first.fingerprint();
            tokio::spawn(async move { partner.report_rejected(which).await })
        })
        .collect();
    fleet.polls(3).await;
    for report in reports {
        assert!(fleet.scene.issuer.is_live(&report.await.unwrap().unwrap()));
    }
    assert_eq!(fleet.mints(), 2);
}

#[tokio::test]
async fn a_process_that_dies_while_it_mints_holds_the_others_up_for_a_minute_and_not_for_ever() {
    let fleet = Fleet::of(2);
    // It panics after the claim: whether Transak minted is not known to anybody, and the lease is left behind.
    fleet.scene.issuer.trouble("mint", Trouble::Panic);
    assert!(fleet.all[0].partner().ready().await.is_err());
    let partner = fleet.all[1].partner().clone();
    let waiting = tokio::spawn(async move { partner.ready().await });
    for _ in 0..100 {
        fleet.scene.rest().await;
        fleet.scene.clock.advance(Duration::from_millis(400));
    }
    let Err(TokenError::MintHeld { retry_at, .. }) = waiting.await.unwrap() else {
        panic!("it did not hold back");
    };
    assert_eq!(fleet.mints(), 1);
    let now = transak_session::clock::Clock::now(&fleet.scene.clock);
    assert!(retry_at.since(now) <= MINUTE, "{:?}", retry_at.since(now));
    // A third one, which has not seen any of this, is held back as well: the record tells it.
    let third = fleet.scene.other_process();
    assert!(matches!(
        third.partner().ready().await,
        Err(TokenError::MintHeld { .. })
    ));
    fleet.scene.clock.advance(retry_at.since(now));
    assert!(third.partner().ready().await.is_ok());
    assert_eq!(fleet.mints(), 2);
}

#[tokio::test]
async fn a_mint_with_an_unknown_end_is_not_repeated_by_another_process() {
    let fleet = Fleet::of(2);
    fleet.scene.issuer.trouble("mint", Trouble::LoseAnswer);
    assert!(fleet.all[0].partner().ready().await.is_err());
    fleet.scene.clock.advance(SECOND * 59);
    let held = fleet.all[1].partner().ready().await;
    assert!(matches!(held, Err(TokenError::MintHeld { .. })), "{held:?}");
    fleet.scene.clock.advance(SECOND);
    assert!(fleet.all[1].partner().ready().await.is_ok());
    assert_eq!(fleet.mints(), 2);
}

#[tokio::test]
async fn forged_signatures_do_not_hammer_the_store() {
    let scene = Scene::new();
    let server = scene.other_process();
    for _ in 0..1_000 {
        server.partner().verification_keys_fresh().await.unwrap();
    }
    assert_eq!(scene.store.gates.count("load"), 1);
    let token = scene.transak.partner().ready().await.unwrap();
    scene.clock.advance(SECOND * 2);
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let partner = server.partner().clone();
            tokio::spawn(async move { partner.verification_keys_fresh().await })
        })
        .collect();
    let loads = scene.store.gates.count("load");
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().iter().next(), Some(&token));
    }
    assert_eq!(scene.store.gates.count("load"), loads + 1);
    assert_eq!(scene.issuer.count("mint"), 1);
    // A store that fails says so, and what is known stays known.
    scene.store.set_down(true);
    scene.clock.advance(SECOND * 2);
    let failed = server.partner().verification_keys_fresh().await;
    assert!(matches!(failed, Err(TokenError::Store(_))));
    assert_eq!(server.partner().verification_keys().len(), 1);
}

#[tokio::test]
async fn a_storm_of_401s_does_not_hammer_the_store_either() {
    let scene = Scene::new();
    let partner = scene.transak.partner();
    let token = partner.ready().await.unwrap();
    for _ in 0..1_000 {
        let refused = partner.report_rejected(token.fingerprint()).await;
        assert!(matches!(refused, Err(TokenError::Refused { .. })), "{refused:?}");
    }
    let places = ["load", "claim", "save"].map(|place| scene.store.gates.count(place));
    assert_eq!(places, [2, 1, 1]);

    // Nor do callers who cannot be given a token for now.
    let scene = Scene::new();
    scene.issuer.trouble("mint", Trouble::LoseAnswer);
    assert!(scene.transak.partner().ready().await.is_err());
    for _ in 0..1_000 {
        let held = scene.transak.partner().ready().await;
        assert!(matches!(held, Err(TokenError::MintHeld { .. })), "{held:?}");
    }
    assert_eq!(scene.store.gates.count("load"), 2);
    scene.clock.advance(MINUTE);
    assert!(scene.transak.partner().ready().await.is_ok());
}

#[tokio::test]
async fn every_transition_is_told_of_once() {
    let scene = Scene::new();
    let other = scene.other_process();
    let (mut here, mut there) = (scene.transak.events(), other.events());
    let first = scene.transak.partner().ready().await.unwrap();
    other.partner().ready().await.unwrap();
    for _ in 0..5 {
        let _ = scene.transak.partner().report_rejected(first.fingerprint()).await;
    }
    scene.clock.advance(MINUTE);
    scene.issuer.trouble("mint", Trouble::Fail(IssuerErrorKind::Unknown));
    let _ = scene.transak.partner().report_rejected(first.fingerprint()).await;
    scene.clock.advance(MINUTE);
    let second = scene
        .transak
        .partner()
        .report_rejected(first.fingerprint())
        .await
        .unwrap();
    assert_eq!(
        other.partner().report_rejected(first.fingerprint()).await.unwrap(),
        second
    );
    scene.rest().await;

    let names = |stream: &mut transak_session::EventStream| {
        let mut names = Vec::new();
        while let Some(Delivery::Event(event)) = stream.try_next() {
            let name = format!("{event:?}");
            names.push(name.split([' ', '{']).next().unwrap_or_default().to_owned());
            if let SessionEvent::Minted { token, .. } | SessionEvent::Adopted { token, .. } = event {
                assert!([first.fingerprint(), second.fingerprint()].contains(&token));
            }
        }
        names
    };
    assert_eq!(names(&mut here), ["Minted", "Refused", "Failed", "Minted"]);
    assert_eq!(names(&mut there), ["Adopted", "Adopted"]);
}

#[tokio::test]
async fn a_token_that_cannot_be_stored_is_told_of_once() {
    let scene = Scene::new();
    let mut events = scene.transak.events();
    scene.issuer.gates.close("mint");
    let partner = scene.transak.partner().clone();
    let caller = tokio::spawn(async move { partner.ready().await });
    scene.issuer.gates.reached("mint", 1).await;
    scene.store.set_down(true);
    scene.issuer.gates.open("mint");
    caller.await.unwrap().unwrap();
    for _ in 0..5 {
        scene.rest().await;
        scene.clock.advance(SECOND * 31);
        let _ = scene.transak.partner().current();
    }
    scene.rest().await;
    assert!(scene.store.gates.count("save") >= 5);
    let mut told = 0;
    while let Some(Delivery::Event(event)) = events.try_next() {
        told += usize::from(matches!(event, SessionEvent::NotStored { .. }));
    }
    assert_eq!(told, 1);
}
