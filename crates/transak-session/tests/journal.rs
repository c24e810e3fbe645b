//! The journal beside a store.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use support::{DAY, EMAIL, IP, OTP, Person, Scene, user_of};
use transak_session::clock::{Clock, ManualClock, Timestamp};
use transak_session::store::conformance::{Harness, Suite, TestBed, rules};
use transak_session::store::seal::{KeyRing, SealKey};
use transak_session::store::{JournaledStore, MemoryStore, Record, RecordState, SessionStore, StoreErrorKind, Swap};
use transak_session::{AccessToken, Issued, RecordKey, UserIp};

fn ring() -> KeyRing {
    KeyRing::new(SealKey::from_bytes(&std::array::from_fn::<u8, 32, _>(|i| i as u8)).unwrap())
}

struct Home {
    directory: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("journal.db")
    }

    async fn journal(&self, scene: &Scene) -> JournaledStore {
        let store = Arc::clone(&scene.store) as Arc<dyn SessionStore>;
        let clock = Arc::new(scene.clock.clone());
        JournaledStore::with_clock(store, self.path(), ring(), clock)
            .await
            .unwrap()
    }
}

/// The journal is written by threads of its own.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("it never came to this: {what}");
}

/// A session that was renewed while the store could not be written, by a process that is gone now.
async fn spilled(scene: &Scene, home: &Home) -> AccessToken {
    let store = home.journal(scene).await;
    let transak = scene.process_on(Arc::new(store.clone()));
    let user = user_of(&transak);
    let old = user.login(&Person::typing(&[OTP])).await.unwrap();
    scene.clock.advance(DAY * 23);
    scene.issuer.gates.close("refresh");
    assert_eq!(user.token().await.unwrap(), old);
    scene.issuer.gates.reached("refresh", 1).await;
    scene.store.set_down(true);
    scene.issuer.gates.open("refresh");
    until("the token is in the journal", || store.waiting() == 1).await;
    let new = user.token().await.unwrap();
    assert_ne!(new, old);
    new
}

#[tokio::test]
async fn a_token_that_could_not_be_stored_survives_the_process() {
    let (scene, home) = (Scene::with(true, |b| b), Home::new());
    let new = spilled(&scene, &home).await;
    scene.store.set_down(false);
    let store = home.journal(&scene).await;
    assert_eq!(store.waiting(), 0);
    // Also for others, who have no journal.
    let user = user_of(&scene.other_process());
    assert_eq!(user.token().await.unwrap(), new);
    // When the lease of the process that is gone has lapsed.
    scene.clock.advance(Duration::from_secs(60));
    user.refresh_now().await.unwrap();
    assert_eq!(scene.issuer.count("send_otp"), 1);
    assert_eq!(
        store.replay().await.unwrap(),
        transak_session::store::Replayed::default()
    );
}

#[tokio::test]
async fn what_the_store_does_not_take_waits_for_it() {
    let (scene, home) = (Scene::with(true, |b| b), Home::new());
    let new = spilled(&scene, &home).await;
    let store = home.journal(&scene).await;
    assert_eq!(store.waiting(), 1);
    for _ in 0..3 {
        scene.clock.advance(Duration::from_secs(20));
        scene.rest().await;
    }
    assert_eq!(store.replay().await.unwrap().left, 1);
    scene.store.set_down(false);
    until("it is handed over by itself", || {
        scene.clock.advance(Duration::from_secs(20));
        store.waiting() == 0
    })
    .await;
    assert_eq!(user_of(&scene.other_process()).token().await.unwrap(), new);
}

#[tokio::test]
async fn what_is_stored_at_last_does_not_wait_any_more() {
    let (scene, home) = (Scene::with(true, |b| b), Home::new());
    let store = home.journal(&scene).await;
    let transak = scene.process_on(Arc::new(store.clone()));
    scene.store.set_down(true);
    let user = user_of(&transak);
    let token = user.login(&Person::typing(&[OTP])).await.unwrap();
    until("the token is in the journal", || store.waiting() == 1).await;
    scene.store.set_down(false);
    until("it is stored from memory", || {
        scene.clock.advance(Duration::from_secs(60));
        let _ = user.current();
        store.waiting() == 0
    })
    .await;
    assert_eq!(user_of(&scene.other_process()).token().await.unwrap(), token);
}

#[tokio::test]
async fn a_logout_is_not_undone() {
    let (scene, home) = (Scene::with(true, |b| b), Home::new());
    let store = home.journal(&scene).await;
    let transak = scene.process_on(Arc::new(store.clone()));
    scene.store.set_down(true);
    let user = user_of(&transak);
    user.login(&Person::typing(&[OTP])).await.unwrap();
    until("the token is in the journal", || store.waiting() == 1).await;
    // The store hears of neither.
    let _ = user.logout().await;
    until("the logout strikes it out", || store.waiting() == 0).await;
    drop(transak);
    scene.store.set_down(false);
    let replayed = home.journal(&scene).await.replay().await.unwrap();
    assert_eq!((replayed.stored, replayed.left), (0, 0));
    assert!(user_of(&scene.other_process()).token().await.is_err());
}

fn record(text: &str, day: u32) -> Record {
    let at = |day: u32| Timestamp::from_unix_seconds(1_800_000_000) + DAY * day;
    let issued = Issued::restore(AccessToken::new(text), at(day), at(day + 30), at(day + 20));
    Record::user(&issued, Some(UserIp::parse(IP).unwrap()), at(day))
}

/// Fills a journal beside a store that is down, then lets another one meet what is stored meanwhile.
async fn met(meanwhile: Option<Record>) -> (Option<Record>, (usize, usize)) {
    let (scene, home) = (Scene::new(), Home::new());
    let key = RecordKey::from_bytes([3; 40]);
    let store = home.journal(&scene).await;
    scene.store.set_down(true);
    let refused = store.swap(&key, None, record("planted-journal", 10), None).await;
    assert_eq!(refused.unwrap_err().kind(), StoreErrorKind::Unavailable);
    assert_eq!(store.waiting(), 1);
    drop(store);
    if let Some(record) = meanwhile {
        let swapped = scene.store.inner.swap(&key, None, record, None).await.unwrap();
        assert!(matches!(swapped, Swap::Stored(_)));
    }
    // Opened while the store is down, so that what becomes of it can be asked for.
    let store = home.journal(&scene).await;
    scene.store.set_down(false);
    let replayed = store.replay().await.unwrap();
    let there = scene.store.inner.load(&key).await.unwrap();
    (there.map(|there| there.record), (replayed.stored, replayed.outdated))
}

#[tokio::test]
async fn handing_over_sets_nothing_back() {
    let journal = record("planted-journal", 10);
    assert_eq!(met(None).await, (Some(journal.clone()), (1, 0)));
    assert_eq!(
        met(Some(record("planted-older", 5))).await,
        (Some(journal.clone()), (1, 0))
    );
    let newer = record("planted-newer", 11);
    assert_eq!(met(Some(newer.clone())).await, (Some(newer), (0, 1)));
    let ended = Record::logged_out(journal.issued_at + DAY, journal.expires_at);
    assert_eq!(met(Some(ended.clone())).await, (Some(ended), (0, 1)));
    // It lapsed because the token before was refused; this one may be what it was exchanged for.
    let lapsed = record("planted-older", 5).in_state(RecordState::Lapsed);
    assert_eq!(met(Some(lapsed)).await, (Some(journal), (1, 0)));
}

#[tokio::test]
async fn the_file_shows_nobody() {
    let (scene, home) = (Scene::with(true, |b| b), Home::new());
    let new = spilled(&scene, &home).await;
    let mut bytes = 0;
    for entry in std::fs::read_dir(home.directory.path()).unwrap() {
        // The log goes when the process that is gone closes the file.
        let content = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        bytes += content.len();
        for secret in [new.expose(), EMAIL, IP] {
            let found = content.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!found, "{secret} is in the journal");
        }
    }
    assert!(bytes > 10_000, "{bytes} bytes are no journal");
}

struct Memory(tempfile::TempDir);

struct MemoryBed {
    clock: ManualClock,
    store: Arc<JournaledStore>,
}

#[async_trait]
impl Harness for Memory {
    async fn fresh(&self) -> Box<dyn TestBed> {
        let clock = ManualClock::new(Timestamp::from_unix_seconds(1_800_000_000));
        let store = MemoryStore::with_clock(10_000, Arc::new(clock.clone()));
        let journal: &Path = self.0.path();
        let store = JournaledStore::open(store, journal.join("journal.db"), ring())
            .await
            .unwrap();
        Box::new(MemoryBed {
            clock,
            store: Arc::new(store),
        })
    }
}

#[async_trait]
impl TestBed for MemoryBed {
    fn store(&self) -> Arc<dyn SessionStore> {
        self.store.clone()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn advance(&mut self, span: Duration) {
        self.clock.advance(span);
    }
}

#[tokio::test]
async fn a_store_with_a_journal_is_a_store() {
    let report = Suite::new()
        .histories(4, 200)
        .run(&Memory(tempfile::tempdir().unwrap()))
        .await;
    assert_eq!(report.kept().count() + report.untried().count(), rules().len());
    assert_eq!(report.broken().count(), 0, "{report}");
}
