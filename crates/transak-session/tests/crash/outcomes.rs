//! What is left of each operation, step by step: the table of `src/guide/crashes.md`.

use crate::scene::Scene;
use crate::steps::Step;
use crate::{DAY, SECOND};

const SERVED: &str = "served";
const NOBODY: &str = "a one-time password is required: there is no session of this user";
const ENDED: &str = "a one-time password is required: Transak ended the session";
const LOGGED_OUT: &str = "a one-time password is required: the user logged out";

/// Who renews the session, and dies of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Renewer {
    /// Somebody who wants a token that is due.
    Caller,
    /// A keep-alive worker.
    Worker,
}

impl Renewer {
    const fn task(self) -> &'static str {
        match self {
            Self::Caller => "renew",
            Self::Worker => "keep",
        }
    }
}

pub(crate) async fn renewal(renewer: Renewer, revokes: bool, step: Step) {
    let name = format!("renewal by a {renewer:?}, revokes: {revokes}, {}", step.name());
    let scene = Scene::new(name, revokes).await;
    let name = &scene.name;
    assert_eq!(scene.ask("login").await, SERVED, "{name}");
    scene.pass(DAY * 23);
    scene.kill_at(renewer.task(), step).await;
    let (issued, stored) = step.issued_and_stored();
    let lost = issued && !stored && revokes;
    assert_eq!(scene.refreshes(), u64::from(issued), "{name}");

    // Until the lease of the dead process ends, the session is served with what there is, and nobody renews.
    scene.pass(SECOND * 20);
    if renewer == Renewer::Caller {
        let expected = if lost { "busy" } else { SERVED };
        assert_eq!(scene.ask("look").await, expected, "{name}");
    }
    scene.pass(SECOND * 9);
    if renewer == Renewer::Worker {
        assert_eq!(scene.ask("keep").await, "done", "{name}");
    }
    let meanwhile = u64::from(issued || !step.leased());
    assert_eq!(scene.refreshes(), meanwhile, "{name}");
    let refused = scene.calls("refreshUserAccessToken") - meanwhile;
    assert_eq!(refused, 0, "{name}: asked while the lease was alive");

    scene.pass(SECOND * 2);
    let _ = scene.ask(renewer.task()).await;
    // If the answer is lost and the old token still lives, that is renewed once more.
    let again = u64::from(issued && !stored && !revokes);
    assert_eq!(scene.refreshes(), 1 + again, "{name}");
    if lost && renewer == Renewer::Worker {
        // One refusal ends no session. The next one does, together with a question about the token.
        scene.pass(SECOND * 601);
        let _ = scene.ask("keep").await;
    }
    let calls = scene.calls("refreshUserAccessToken");
    let found = scene.ask("look").await;
    assert_eq!(found, if lost { ENDED } else { SERVED }, "{name}");
    let later = scene.calls("refreshUserAccessToken") - calls;
    assert_eq!(later, 0, "{name}: a look renewed");
    let refused = calls - scene.refreshes();
    let expected = match renewer {
        _ if !lost => 0,
        // A call has met a 401 before.
        Renewer::Caller => 1,
        Renewer::Worker => 2,
    };
    assert_eq!(refused, expected, "{name}: refused renewals");

    assert_eq!(scene.mails(), 1, "{name}: a password was mailed unasked");
    if lost {
        assert_eq!(scene.ask("login").await, SERVED, "{name}");
    }
    assert_eq!(scene.ask("look").await, SERVED, "{name}");
    scene.check_file().await;
    eprintln!("{name}: {found}, {refused} refused");
}

pub(crate) async fn mint(step: Step) {
    let scene = Scene::new(format!("mint, {}", step.name()), true).await;
    let name = &scene.name;
    scene.kill_at("mint", step).await;
    let (issued, stored) = step.issued_and_stored();
    assert_eq!(scene.mints(), u64::from(issued), "{name}");
    scene.pass(SECOND * 29);
    if step.leased() {
        // Who comes while the lease is alive waits for its end.
        assert_eq!(scene.ask("mint patiently").await, "held", "{name}");
        // The dead process may have called Transak until its lease ended, and from there on another mint keeps its distance
        // of a minute.
        scene.pass(SECOND * 45);
        assert_eq!(scene.ask("mint").await, "held", "{name}");
        assert_eq!(scene.mints(), u64::from(issued), "{name}");
        // Some more: the distance grows by the time that the one who waited took to read its lease, which on a busy machine
        // is seconds.
        scene.pass(SECOND * 26);
    }
    for _ in 0..2 {
        // One process mints, the next one shares the token.
        assert_eq!(scene.ask("mint").await, SERVED, "{name}");
        assert_eq!(scene.mints(), u64::from(issued && !stored) + 1, "{name}");
    }
    assert_eq!(scene.calls("refreshAccessToken"), scene.mints(), "{name}");
    scene.check_file().await;
    eprintln!("{name}: served after {} mint(s)", scene.mints());
}

pub(crate) async fn login(step: Step) {
    let scene = Scene::new(format!("login, {}", step.name()), true).await;
    let name = &scene.name;
    scene.kill_at("login", step).await;
    let (_, stored) = step.issued_and_stored();
    let found = scene.ask("look").await;
    assert_eq!(found, if stored { SERVED } else { NOBODY }, "{name}");
    assert_eq!(scene.mails(), 1, "{name}: a password was mailed unasked");
    if !stored {
        // Transak mails no other password earlier.
        scene.pass(SECOND * 61);
        assert_eq!(scene.ask("login").await, SERVED, "{name}");
    }
    assert_eq!(scene.ask("look").await, SERVED, "{name}");
    scene.check_file().await;
    eprintln!("{name}: {found}");
}

pub(crate) async fn logout(step: Step) {
    let scene = Scene::new(format!("logout, {}", step.name()), true).await;
    let name = &scene.name;
    assert_eq!(scene.ask("login").await, SERVED, "{name}");
    scene.kill_at("logout", step).await;
    let found = scene.ask("look").await;
    let expected = match step.issued_and_stored() {
        (false, _) => SERVED,
        // Transak has ended the session, and the file has not heard of it: one call meets a 401 and finds out.
        (true, false) => ENDED,
        (true, true) => LOGGED_OUT,
    };
    assert_eq!(found, expected, "{name}");
    if found == SERVED {
        // Nothing has happened yet, so the person is still to be logged out.
        assert_eq!(scene.ask("logout").await, LOGGED_OUT, "{name}");
    }
    assert!(
        scene.ask("look").await.contains("required"),
        "{name}: the session came back"
    );
    assert_eq!(scene.mails(), 1, "{name}: a password was mailed unasked");
    scene.pass(SECOND * 61);
    assert_eq!(scene.ask("login").await, SERVED, "{name}");
    scene.check_file().await;
    eprintln!("{name}: {found}");
}
