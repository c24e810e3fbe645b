//! No tracing event shows a secret or a person. (Alone in its process: subscribers are found by call site, process-wide.)
#![allow(clippy::unwrap_used)]

mod support;

use std::io;
use std::sync::{Arc, Mutex};

use support::{DAY, MINUTE, OTP, Person, Scene, Trouble, assert_clean};
use transak_session::issuer::IssuerErrorKind;

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

#[tokio::test]
async fn no_event_shows_a_secret() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let scene = Scene::new();
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

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for event in [
        "logged in",
        "renewed",
        "mailed",
        "not accepted",
        "minted",
        "rejected",
        "failed",
        "could not be",
    ] {
        assert!(text.contains(event), "no event about `{event}`: {text}");
    }
    assert!(text.contains(&token.fingerprint().to_string()));
    for line in text.lines() {
        assert_clean(line, "an event");
    }
}
