//! Runs a state machine: one lock for the state, one cell for readers, one task at a time for effects.

use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use tracing::Instrument;

// `schedules` compiles this file a second time, next to a `sync` of its own.
use super::env::Env;
use super::flight::{Flight, Joiner, Outcome};
use super::sync::{ArcSwap, AtomicBool, Guard, Handle, Mutex, MutexGuard, Ordering, panicking};
use crate::clock::Timestamp;
use crate::error::TokenError;
use crate::machine::Machine;
use crate::reliance::AuthMethod;
use crate::token::{AccessToken, Issued};

/// How soon it is looked at the earliest and at the latest whether something is to be tried again: a clock that is set back
/// would put it off for as long.
const RETURN_AFTER: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));

/// Carries effects out.
#[async_trait]
pub(crate) trait World<M: Machine>: fmt::Debug + Send + Sync + 'static {
    async fn perform(&self, effect: M::Effect) -> M::Event;

    /// The span of a flight: whose it is.
    fn span(&self) -> tracing::Span;

    /// Tells the world of something that happened. Called under the lock of the state: no I/O, no waiting.
    fn tell(&self, note: M::Note);
}

/// What readers see.
#[derive(Debug)]
struct Shown {
    /// Empty if there is none: then it expired in the earliest past.
    token: AccessToken,
    expires_at: Timestamp,
    /// Nothing has to be done while the clock is between these two.
    since: Timestamp,
    quiet_until: Timestamp,
}

/// A token as it is served: borrowed, so that taking it costs neither a lock nor an allocation nor a shared counter.
///
/// Meant to be held for the length of a call, not to be kept: clone the [`AccessToken`] for that.
pub struct TokenRef(Guard<Arc<Shown>>);

impl TokenRef {
    /// When the token expires.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.0.expires_at
    }
}

impl std::ops::Deref for TokenRef {
    type Target = AccessToken;

    fn deref(&self) -> &AccessToken {
        &self.0.token
    }
}

impl PartialEq for TokenRef {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl PartialEq<AccessToken> for TokenRef {
    fn eq(&self, other: &AccessToken) -> bool {
        **self == *other
    }
}

/// The fingerprint only.
impl fmt::Debug for TokenRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0.token, f)
    }
}

#[derive(Debug)]
struct Inner<M> {
    state: M,
    /// Present exactly while a task carries out effects of `state`.
    flight: Option<Flight>,
}

#[derive(Debug)]
pub(crate) struct Engine<M: Machine> {
    env: Arc<Env>,
    policy: M::Policy,
    world: Box<dyn World<M>>,
    shown: ArcSwap<Shown>,
    inner: Mutex<Inner<M>>,
    /// For a user: how it is authenticated, from the first use on.
    method: OnceLock<AuthMethod>,
    /// Somebody comes back to what could not be done.
    returning: AtomicBool,
}

impl<M: Machine> Engine<M> {
    pub(crate) fn new(env: Arc<Env>, policy: M::Policy, world: impl World<M>) -> Arc<Self> {
        Arc::new(Self {
            env,
            policy,
            world: Box::new(world),
            shown: ArcSwap::from_pointee(Shown {
                token: AccessToken::none(),
                expires_at: Timestamp::MIN,
                since: Timestamp::MIN,
                quiet_until: Timestamp::MIN,
            }),
            inner: Mutex::new(Inner {
                state: M::default(),
                flight: None,
            }),
            method: OnceLock::new(),
            returning: AtomicBool::new(false),
        })
    }

    pub(crate) fn env(&self) -> &Arc<Env> {
        &self.env
    }

    pub(crate) fn policy(&self) -> &M::Policy {
        &self.policy
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.env.time.now()
    }

    /// Settles by which method this user is served, unless another one is in use.
    pub(crate) fn serve_by(&self, method: AuthMethod) -> Result<(), TokenError> {
        match *self.method.get_or_init(|| method) {
            in_use if in_use == method => Ok(()),
            in_use => Err(TokenError::OtherMethod { in_use }),
        }
    }

    /// The token, if it is usable and nothing has to be done about it. No lock, no allocation.
    pub(crate) fn quiet(&self, now: Timestamp) -> Option<TokenRef> {
        let shown = self.shown.load();
        // Past its expiry a token is never quiet.
        let quiet = shown.since <= now && now < shown.quiet_until;
        quiet.then(|| TokenRef(shown))
    }

    /// The token, if it is usable. No lock, no allocation.
    pub(crate) fn usable(&self, now: Timestamp) -> Option<TokenRef> {
        let shown = self.shown.load();
        (now < shown.expires_at).then(|| TokenRef(shown))
    }

    /// The token to keep, if it is usable.
    pub(crate) fn usable_token(&self, now: Timestamp) -> Option<AccessToken> {
        self.usable(now).map(|token| token.clone())
    }

    /// Looks at the state. No I/O.
    pub(crate) fn look<R>(&self, look: impl FnOnce(&M) -> R) -> R {
        look(&self.inner().state)
    }

    /// Whether dropping this engine would lose nothing: no flight, and `kept` says so of the state.
    pub(crate) fn is_idle(&self, kept: impl FnOnce(&M) -> bool) -> bool {
        let inner = self.inner();
        inner.flight.is_none() && kept(&inner.state)
    }

    /// Whether something is under way.
    pub(crate) fn is_busy(&self) -> bool {
        self.inner().flight.is_some()
    }

    /// Tells the machine of an event and starts the flight that it may ask for; does not wait.
    pub(crate) fn tell(self: &Arc<Self>, event: M::Event) -> Result<(), TokenError> {
        self.feed(event, |_| ())
    }

    /// Tells the machine of an event and waits until it has come to rest, or until `enough` is true.
    ///
    /// Dropping the future ends the wait, not the flight.
    pub(crate) async fn settle(self: &Arc<Self>, event: M::Event, enough: impl Fn() -> bool) -> Outcome {
        match self.join(event)? {
            Some(flight) => flight.outcome(enough).await,
            // Nothing was begun, so nothing failed: what an earlier attempt failed in is history.
            None => Ok(()),
        }
    }

    /// Tells the machine of an event and watches the flight under way, if there is one.
    pub(crate) fn join(self: &Arc<Self>, event: M::Event) -> Result<Option<Joiner>, TokenError> {
        let limit = self.env.limits.joiners;
        self.feed(event, |flight| flight.map(|f| f.join(limit)).transpose())?
    }

    fn feed<R>(self: &Arc<Self>, event: M::Event, watch: impl FnOnce(Option<&Flight>) -> R) -> Result<R, TokenError> {
        // What a login that is still under way brings is taken even now: it cannot be had twice.
        let (_ticket, closed) = self.env.enter();
        if closed && !M::must_be_heard(&event) {
            return Err(TokenError::ShutDown);
        }
        let now = self.env.time.now_checked();
        let mut inner = self.inner();
        let (next, effect) = inner.state.clone().step(event, now, &self.policy);
        // The machine names no effect while another is under way. If that ever broke, ignoring the event would be the
        // lesser evil: a second call to the issuer can cost a token.
        debug_assert!(effect.is_none() || inner.flight.is_none(), "two effects under way");
        if effect.is_some() && inner.flight.is_some() {
            return Ok(watch(inner.flight.as_ref()));
        }
        let launch = match effect {
            Some(effect) => {
                let runtime = Handle::try_current().map_err(|_| TokenError::NoRuntime)?;
                inner.flight = Some(Flight::new());
                Some((runtime, effect))
            }
            None => None,
        };
        self.commit(&mut inner, next, now);
        let watched = watch(inner.flight.as_ref());
        drop(inner);
        // Not under the lock: a runtime that is shutting down drops the task at once, and its landing takes the lock.
        if let Some((runtime, effect)) = launch {
            // The flight outlives whoever began it, so it is no child of theirs.
            let span = self.world.span();
            span.follows_from(tracing::Span::current());
            let flight = fly(Landing(Some(Arc::clone(self))), effect).instrument(span);
            self.env.tasks.spawn_on(flight, &runtime);
        }
        Ok(watched)
    }

    /// Takes the result of an effect in. `Err` carries the flight out of the state when nothing is left to do.
    fn proceed(&self, event: M::Event) -> Result<M::Effect, Option<(Flight, Outcome)>> {
        let now = self.env.time.now_checked();
        let mut inner = self.inner();
        let (next, effect) = inner.state.clone().step(event, now, &self.policy);
        self.commit(&mut inner, next, now);
        effect.ok_or_else(|| {
            let outcome = inner.state.failure().map_or(Ok(()), Err);
            inner.flight.take().map(|flight| (flight, outcome))
        })
    }

    /// Sees to it that what could not be done is tried again, though nobody may ask.
    fn come_back(self: &Arc<Self>) {
        if self.look(M::retry_at).is_some()
            && let Ok(runtime) = Handle::try_current()
            && !self.returning.swap(true, Ordering::SeqCst)
        {
            let (returning, env) = (Returning(Arc::downgrade(self)), Arc::clone(&self.env));
            self.env.tasks.spawn_on(Self::return_at_times(returning, env), &runtime);
        }
    }

    async fn return_at_times(returning: Returning<M>, env: Arc<Env>) {
        let engine = Weak::clone(&returning.0);
        let due = || engine.upgrade()?.look(M::retry_at);
        while let Some(at) = due() {
            tokio::select! {
                biased;
                () = env.stop.cancelled() => return,
                () = env.clock.sleep(at.since(env.time.now()).clamp(RETURN_AFTER.0, RETURN_AFTER.1)) => {}
            }
            let Some(engine) = engine.upgrade() else { return };
            // What became of it is in the state.
            let _ = engine.settle(M::retry(), || false).await;
        }
        drop(returning);
        if let Some(engine) = engine.upgrade() {
            // A flight that ended in between relied on this one.
            engine.come_back();
        }
    }

    fn commit(&self, inner: &mut Inner<M>, mut next: M, now: Timestamp) {
        for note in next.take_notes() {
            self.world.tell(note);
        }
        let held = next.held();
        let changed = held.map(Issued::fingerprint) != inner.state.held().map(Issued::fingerprint);
        // Past the expiry there is no token to be quiet about.
        let expires_at = held.map_or(Timestamp::MIN, Issued::expires_at);
        self.shown.store(Arc::new(Shown {
            token: held.map_or_else(AccessToken::none, |held| held.token.clone()),
            expires_at,
            since: now,
            quiet_until: next.quiet_until().min(expires_at),
        }));
        inner.state = next;
        // Only another token is news to those who wait: waking all of them for each caller who joins would be quadratic.
        if let Some(flight) = inner.flight.as_ref().filter(|_| changed) {
            flight.nudge();
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner<M>> {
        // The state is replaced as a whole and only after a step has returned, so a panic leaves the former one in place.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Carries effects out until the machine is at rest.
async fn fly<M: Machine>(mut landing: Landing<M>, first: M::Effect) {
    let mut effect = first;
    while let Some(engine) = landing.0.clone() {
        let overdue = M::overdue(&effect);
        let event = tokio::select! {
            biased;
            event = engine.world.perform(effect) => event,
            () = engine.env.clock.sleep(engine.env.limits.deadline) => overdue,
        };
        match engine.proceed(event) {
            Ok(next) => effect = next,
            Err(end) => {
                landing.0 = None;
                if let Some((flight, outcome)) = end {
                    flight.land(outcome);
                }
                engine.come_back();
                return;
            }
        }
    }
}

/// Whoever comes back. It does not keep the engine, and if its runtime ends, another may come.
struct Returning<M: Machine>(Weak<Engine<M>>);

impl<M: Machine> Drop for Returning<M> {
    fn drop(&mut self) {
        if let Some(engine) = self.0.upgrade() {
            engine.returning.store(false, Ordering::SeqCst);
        }
    }
}

/// Brings the state back in order if the task panics, or is dropped with its runtime.
struct Landing<M: Machine>(Option<Arc<Engine<M>>>);

impl<M: Machine> Drop for Landing<M> {
    fn drop(&mut self) {
        let Some(engine) = self.0.take() else { return };
        let cause = if panicking() {
            TokenError::Panicked
        } else {
            TokenError::Interrupted
        };
        // An effect that the machine might name now has nobody to carry it out; machines name none after a loss.
        if let Err(Some((flight, _))) = engine.proceed(M::lost(cause.clone())) {
            flight.land(Err(cause));
        }
        engine.come_back();
    }
}
