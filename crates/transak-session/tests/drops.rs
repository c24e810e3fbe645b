//! Every public async method is dropped at each of its await points, and the issuer panics under each of them.
//!
//! Time is virtual and the scheduler has one thread, so poll number n of a run is always the same moment. A future is polled
//! without being woken, with one turn of the scheduler between two polls: that way it is dropped in every state of the
//! attempt it waits for, and not only where it would wake up.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

#[path = "drops/plans.rs"]
mod plans;
mod support;

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use plans::{CALLS, Done, Op, Plan};
use support::{MINUTE, Scene, Trouble, assert_clean};
use transak_session::store::SessionStore;

/// No method takes longer than this many polls, as long as nothing is stuck.
const ENOUGH: usize = 600;

#[derive(Debug)]
enum End {
    Dropped,
    Panicked,
    Done(Result<String, String>),
}

/// Polls a future so many times, with a turn of the scheduler and a tick of the clock after each, and drops it.
async fn polled(mut future: Done, polls: usize, scene: &Scene, tick: Duration) -> End {
    for _ in 0..polls {
        let polled = std::future::poll_fn(|cx| {
            let poll = std::panic::catch_unwind(AssertUnwindSafe(|| Pin::as_mut(&mut future).poll(cx)));
            Poll::Ready(poll)
        });
        match polled.await {
            Ok(Poll::Ready(result)) => return End::Done(result),
            Err(_) => return End::Panicked,
            Ok(Poll::Pending) => {}
        }
        tokio::task::yield_now().await;
        if !tick.is_zero() {
            scene.clock.advance(tick);
        }
    }
    End::Dropped
}

type Counts = [usize; CALLS.len()];

struct Run<'a> {
    plan: &'a Plan,
    scene: Rc<Scene>,
    op: Op,
    before: Counts,
    panics: bool,
    /// Whether the call must have had its effect.
    begun: bool,
    /// Says which run it is.
    at: String,
}

impl<'a> Run<'a> {
    async fn new(plan: &'a Plan, linger: usize, trouble: Option<&'static str>, polls: usize) -> Self {
        let scene = Rc::new(Scene::with(true, |b| b));
        let op = (plan.prepare)(Rc::clone(&scene)).await;
        for gates in [&scene.issuer.gates, &scene.store.gates] {
            gates.linger(linger);
        }
        if let Some(call) = trouble {
            scene.issuer.trouble(call, Trouble::Panic);
        }
        let before = CALLS.map(|call| scene.issuer.count(call));
        let at = format!(
            "{} dropped after {polls} polls ({linger} turns, panic in {trouble:?})",
            plan.name
        );
        Self {
            plan,
            scene,
            op,
            before,
            panics: trouble.is_some(),
            // One that panicked may have to be made again.
            begun: polls > 0 && trouble.is_none(),
            at,
        }
    }

    fn counts(&self) -> Counts {
        let mut counts = CALLS.map(|call| self.scene.issuer.count(call));
        for (now, before) in counts.iter_mut().zip(self.before) {
            *now -= before;
        }
        counts
    }

    async fn polled(&mut self, polls: usize) -> End {
        polled((self.op)(), polls, &self.scene, self.plan.tick).await
    }

    async fn rest(&self) {
        self.scene.rest().await;
        if !self.plan.tick.is_zero() {
            for _ in 0..40 {
                self.scene.clock.advance(self.plan.tick);
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    /// Makes the call once more: it must come to its end, whatever the end is.
    async fn again(&mut self) -> Result<String, String> {
        // A panic leaves the lease behind, which is waited for.
        let tick = if self.panics {
            Duration::from_millis(100)
        } else {
            self.plan.tick
        };
        match polled((self.op)(), ENOUGH, &self.scene, tick).await {
            End::Done(result) => {
                assert_clean(&format!("{result:?}"), &self.at);
                self.begun = true;
                result
            }
            stuck => panic!("{}: the same call, made again: {stuck:?}", self.at),
        }
    }

    /// What the plan says a call needs, at most, times the calls that were made.
    fn within_need(&self, times: usize) {
        for ((call, made), need) in CALLS.iter().zip(self.counts()).zip(self.plan.need) {
            assert!(
                made <= need * times,
                "{}: {made} calls of {call} for {times} needs",
                self.at
            );
        }
    }

    /// Each token that Transak accepts is in the store (of one who logs in twice, the newest), and what is served is stored.
    async fn nothing_lost(&self) {
        let (live, partner) = self.scene.issuer.live();
        let mut stored = Vec::new();
        for key in &self.plan.users {
            let record = self.scene.store.inner.load(&key.record(&self.scene)).await.unwrap();
            stored.extend(record.and_then(|there| there.record.token));
        }
        if self.plan.forgets && self.begun {
            assert!(
                stored.is_empty(),
                "{}: a session that was logged out is stored",
                self.at
            );
        }
        let superseded = if self.plan.logs_in {
            live.len().saturating_sub(1)
        } else {
            0
        };
        for token in live.iter().skip(superseded).filter(|_| !self.plan.forgets) {
            assert!(
                stored.iter().any(|t| t.expose() == token),
                "{}: a user token was lost",
                self.at
            );
        }
        if let Some(served) = self.scene.user().status().fingerprint {
            let stored = stored.iter().any(|token| token.fingerprint() == served);
            assert!(stored, "{}: a token is served that is not stored", self.at);
        }
        let other = self.scene.other_process();
        if let Some(issued) = partner {
            let before = self.scene.issuer.count("mint");
            let End::Done(found) = polled(plans::ready(other.partner()), ENOUGH, &self.scene, Duration::ZERO).await
            else {
                panic!("{}: another process gets no partner token", self.at)
            };
            found.unwrap();
            let found = other.partner().current().unwrap().clone();
            assert_eq!(found.expose(), issued, "{}: a partner token was lost", self.at);
            assert_eq!(self.scene.issuer.count("mint"), before, "{}", self.at);
        }
    }

    async fn ends(&self) {
        let transak = self.scene.transak.clone();
        let shutdown = plans::done(async move { plans::no_error(transak.shutdown()).await });
        let end = polled(shutdown, ENOUGH, &self.scene, Duration::ZERO).await;
        assert!(matches!(end, End::Done(Ok(_))), "{}: the shutdown: {end:?}", self.at);
        let status = format!("{:?} {:?}", self.scene.user().status(), self.scene.transak);
        assert_clean(&status, &self.at);
    }
}

/// Tries all drop points of one method and returns how many there were.
async fn try_all(plan: &Plan, linger: usize, trouble: Option<&'static str>) -> (usize, Counts) {
    let mut undisturbed = Run::new(plan, linger, trouble, ENOUGH).await;
    let end = undisturbed.polled(ENOUGH).await;
    assert!(!matches!(end, End::Dropped), "{}: stuck", undisturbed.at);
    undisturbed.rest().await;
    let whole = undisturbed.counts();
    for polls in 0..ENOUGH {
        let mut run = Run::new(plan, linger, trouble, polls).await;
        let end = run.polled(polls).await;
        assert_clean(&format!("{end:?}"), &run.at);
        run.rest().await;
        run.within_need(1);
        if polls == 0 && !plan.background {
            assert_eq!(run.counts(), [0; CALLS.len()], "{}: began before it was polled", run.at);
        }
        if polls > 0 && plan.detached {
            assert_eq!(run.counts(), whole, "{}: a dropped caller changed something", run.at);
        }
        run.nothing_lost().await;
        run.scene.issuer.calm();
        let _ = run.again().await;
        run.rest().await;
        run.within_need(2);
        run.nothing_lost().await;
        if plan.heals {
            run.scene.clock.advance(MINUTE * 60);
            run.rest().await;
            let healed = run.again().await;
            assert!(healed.is_ok(), "{}: {healed:?} an hour later", run.at);
            run.rest().await;
            run.within_need(3);
            run.nothing_lost().await;
        }
        run.ends().await;
        if !matches!(end, End::Dropped) {
            return (polls + 1, whole);
        }
    }
    panic!("{}: no end", plan.name)
}

async fn try_plans(plans: Vec<Plan>) {
    let (mut points, mut panics) = (0, 0);
    for plan in &plans {
        for linger in [0, 1, 3] {
            let (tried, whole) = try_all(plan, linger, None).await;
            points += tried;
            for (call, made) in CALLS.into_iter().zip(whole) {
                if made > 0 {
                    panics += try_all(plan, linger, Some(call)).await.0;
                }
            }
        }
    }
    println!(
        "{} methods, {points} drop points, {panics} more with a panic",
        plans.len()
    );
    assert!(points > plans.len() * 10, "the fakes have few await points: {points}");
}

#[tokio::test]
async fn a_user_session_survives_drops_and_panics_everywhere() {
    try_plans(plans::sessions().await).await;
}

#[tokio::test]
async fn a_login_survives_drops_and_panics_everywhere() {
    try_plans(plans::logins()).await;
}

#[tokio::test]
async fn the_partner_token_survives_drops_and_panics_everywhere() {
    try_plans(plans::partner().await).await;
}

#[tokio::test]
async fn shutdown_forecast_and_keep_alive_survive_drops_and_panics_everywhere() {
    try_plans(plans::whole()).await;
}

#[tokio::test]
async fn onboarding_over_http_mints_once_wherever_it_is_dropped() {
    let points = plans::onboard().await;
    assert!(points > 3, "{points}");
}
