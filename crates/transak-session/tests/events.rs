//! No tracing event shows a secret or a person. (Alone in its process: subscribers are found by call site, process-wide.)
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};

use support::{DAY, MINUTE, OTP, Person, Scene, Trouble, assert_clean, user_of};
use transak_session::issuer::IssuerErrorKind;
use transak_session::{Delivery, EventStream, UserPolicy};

/// The others need a fleet, a mass refusal, a second minter, or HTTP.
const KINDS: [&str; 12] = [
    "LoggedIn",
    "Renewed",
    "Failed",
    "OtpRequired",
    "LoggedOut",
    "Dormant",
    "Suspect",
    "Minted",
    "Adopted",
    "Refused",
    "NotStored",
    "KeepAliveProgress",
];

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What has been told of, none of which shows anything.
fn kinds_of_events(events: &mut EventStream) -> BTreeSet<String> {
    let mut kinds = BTreeSet::new();
    while let Some(Delivery::Event(event)) = events.try_next() {
        let text = format!("{event:?} {event:#?}");
        assert_clean(&text, "a session event");
        kinds.insert(text.split(' ').next().unwrap().to_owned());
    }
    kinds
}

/// A token that the other process has renewed is taken over, and in the end a person has to log in again.
async fn of_two_processes() -> BTreeSet<String> {
    let policy = UserPolicy::default().absolute_cutoff(Some(DAY * 40)).unwrap();
    let scene = Scene::with(false, |b| b.user_policy(policy));
    let mut events = scene.transak.events();
    let (user, _) = scene.logged_in().await;
    let other = user_of(&scene.other_process());
    scene.clock.advance(DAY * 10);
    other.refresh_now().await.unwrap();
    let _ = user.refresh_now().await;
    let worker = scene.transak.keep_alive().start().unwrap();
    for _ in 0..90 {
        scene.clock.advance(DAY);
        let _ = user.token().await;
        scene.rest().await;
    }
    worker.stop().await;
    kinds_of_events(&mut events)
}

#[tokio::test]
async fn no_event_shows_a_secret() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let scene = Scene::new();
    let mut events = scene.transak.events();
    let user = scene.user();
    let _ = user.login(&Person::typing(&["000000", OTP])).await.unwrap();
    let partner = scene.transak.partner().ready().await.unwrap();
    let _ = scene.transak.partner().report_rejected(partner.fingerprint()).await;
    scene.clock.advance(DAY * 23);
    scene
        .issuer
        .trouble("refresh", Trouble::Fail(IssuerErrorKind::Transient));
    assert!(user.refresh_now().await.is_err());
    scene.store.set_down(true);
    let _ = user.refresh_now().await;
    let _ = scene.transak.partner().ready().await;
    scene.store.set_down(false);
    scene.clock.advance(MINUTE * 60);
    let token = user.refresh_now().await.unwrap();
    let _ = user.report_rejected(token.fingerprint()).await;
    scene
        .issuer
        .trouble("logout", Trouble::Fail(IssuerErrorKind::Transient));
    let _ = user.logout().await;
    let _ = user.begin_login().await.unwrap();
    let mut kinds = kinds_of_events(&mut events);
    kinds.extend(of_two_processes().await);
    for kind in KINDS {
        assert!(kinds.contains(kind), "no {kind} among {kinds:?}");
    }

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for event in [
        "logged in",
        "renewed",
        "mailed",
        "not accepted",
        "minted",
        "refused a token",
        "failed",
        "could not be",
    ] {
        assert!(text.contains(event), "no event about `{event}`: {text}");
    }
    for kind in KINDS {
        let name = kind.chars().enumerate().fold(String::new(), |name, (at, c)| {
            let gap = if at > 0 && c.is_uppercase() { "_" } else { "" };
            name + gap + &c.to_lowercase().to_string()
        });
        assert!(text.contains(&format!("event=\"{name}\"")), "no line of {name}");
    }
    assert!(text.contains("flight{subject=partner}"));
    assert!(text.contains(&token.fingerprint().to_string()));
    for line in text.lines() {
        assert_clean(line, "an event");
    }
}
