//! A machine as small as can be, a world that fails as it is told, and everything an engine refers to.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use shuttle::future::yield_now;
use tokio_util::sync::CancellationToken;

use super::engine::{Engine, World};
use super::env::Env;
use super::sync::{AtomicBool, TaskTracker, point, throw};
use crate::clock::{Clock, ManualClock, Timekeeper, Timestamp};
use crate::error::TokenError;
use crate::events::Events;
use crate::guard::LapseGuard;
use crate::identity::{Otp, UserIdentity, UserIp};
use crate::issuer::{Issuer, IssuerError, IssuerErrorKind, OtpSent, StateToken};
use crate::machine::Machine;
use crate::policy::Limits;
use crate::store::MemoryStore;
use crate::token::{AccessToken, Grant, Issued};

const NOW: i64 = 1_800_000_000;

pub(super) fn token(serial: usize) -> Issued {
    let at = Timestamp::from_unix_seconds(NOW);
    let until = at + Duration::from_secs(3_600);
    Issued::restore(AccessToken::new(format!("token-{serial}")), at, until, until)
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    #[default]
    Idle,
    Fetching,
    Saving,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Toy {
    stage: Stage,
    held: Option<Issued>,
    failure: Option<TokenError>,
}

impl Toy {
    pub(super) fn stage(&self) -> &Stage {
        &self.stage
    }

    fn go(mut self, stage: Stage, effect: Effect) -> (Self, Option<Effect>) {
        self.stage = stage;
        (self, Some(effect))
    }
}

pub(super) enum Event {
    /// A token is wanted, if there is none.
    Wanted,
    /// A new token is wanted.
    Anew,
    /// A token comes from elsewhere.
    LoggedIn(Issued),
    Fetched(Result<Issued, Arc<IssuerError>>),
    Saved,
    Lost(TokenError),
}

pub(super) enum Effect {
    Fetch,
    Save,
}

impl Machine for Toy {
    type Policy = ();
    type Event = Event;
    type Effect = Effect;
    type Note = ();

    fn step(mut self, event: Event, now: Timestamp, (): &()) -> (Self, Option<Effect>) {
        let idle = self.stage == Stage::Idle;
        let usable = self.held.as_ref().is_some_and(|held| held.usable(now));
        match event {
            Event::Wanted if idle && !usable => self.go(Stage::Fetching, Effect::Fetch),
            Event::Anew if idle => self.go(Stage::Fetching, Effect::Fetch),
            Event::Wanted | Event::Anew => (self, None),
            Event::LoggedIn(issued) => {
                self.held = Some(issued);
                match idle {
                    true => self.go(Stage::Saving, Effect::Save),
                    false => (self, None),
                }
            }
            Event::Fetched(result) => {
                assert_eq!(self.stage, Stage::Fetching, "an answer that nobody asked for");
                match result {
                    Ok(issued) => {
                        (self.held, self.failure) = (Some(issued), None);
                        self.go(Stage::Saving, Effect::Save)
                    }
                    Err(error) => {
                        (self.stage, self.failure) = (Stage::Idle, Some(TokenError::Issuer(error)));
                        (self, None)
                    }
                }
            }
            Event::Saved => {
                assert_eq!(self.stage, Stage::Saving, "an answer that nobody asked for");
                self.stage = Stage::Idle;
                (self, None)
            }
            Event::Lost(cause) => {
                (self.stage, self.failure) = (Stage::Idle, Some(cause));
                (self, None)
            }
        }
    }

    fn held(&self) -> Option<&Issued> {
        self.held.as_ref()
    }

    fn quiet_until(&self) -> Timestamp {
        Timestamp::MIN
    }

    fn retry_at(&self) -> Option<Timestamp> {
        None
    }

    fn retry() -> Event {
        Event::Wanted
    }

    fn take_notes(&mut self) -> Vec<()> {
        Vec::new()
    }

    fn failure(&self) -> Option<TokenError> {
        self.failure.clone()
    }

    fn must_be_heard(event: &Event) -> bool {
        matches!(event, Event::LoggedIn(_))
    }

    fn lost(cause: TokenError) -> Event {
        Event::Lost(cause)
    }

    fn overdue(effect: &Effect) -> Event {
        match effect {
            Effect::Fetch => Event::Fetched(Err(Arc::new(IssuerError::new(IssuerErrorKind::Unknown)))),
            Effect::Save => Event::Saved,
        }
    }
}

/// What becomes of a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Brings,
    Fails,
    Panics,
}

#[derive(Debug, Default)]
struct Books {
    fates: Mutex<VecDeque<Fate>>,
    under_way: AtomicUsize,
    fetched: AtomicUsize,
    hold: Mutex<Option<(Arc<AtomicUsize>, usize)>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Sky(Arc<Books>);

/// Counts an effect for as long as it is under way, also if it is dropped.
struct UnderWay<'a>(&'a AtomicUsize);

impl<'a> UnderWay<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        assert_eq!(count.fetch_add(1, Ordering::SeqCst), 0, "two effects under way");
        Self(count)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        point();
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Sky {
    /// What the next fetches come to.
    pub(super) fn fate(&self, fates: &[Fate]) {
        *self.0.fates.lock().unwrap() = fates.iter().copied().collect();
    }

    pub(super) fn fetched(&self) -> usize {
        self.0.fetched.load(Ordering::SeqCst)
    }

    /// Answers no fetch before the count is so high.
    pub(super) fn hold_until(&self, count: Arc<AtomicUsize>, high: usize) {
        *self.0.hold.lock().unwrap() = Some((count, high));
    }

    fn held(&self) -> bool {
        let hold = self.0.hold.lock().unwrap();
        hold.as_ref()
            .is_some_and(|(count, high)| count.load(Ordering::SeqCst) < *high)
    }
}

#[async_trait]
impl World<Toy> for Sky {
    async fn perform(&self, effect: Effect) -> Event {
        let _under_way = UnderWay::new(&self.0.under_way);
        yield_now().await;
        match effect {
            Effect::Save => Event::Saved,
            Effect::Fetch => {
                let serial = self.0.fetched.fetch_add(1, Ordering::SeqCst);
                while self.held() {
                    yield_now().await;
                }
                let fate = self.0.fates.lock().unwrap().pop_front();
                Event::Fetched(match fate.unwrap() {
                    Fate::Brings => Ok(token(serial)),
                    Fate::Fails => Err(Arc::new(IssuerError::new(IssuerErrorKind::Invalid))),
                    Fate::Panics => match throw().await {},
                })
            }
        }
    }

    fn span(&self) -> tracing::Span {
        tracing::Span::none()
    }

    fn tell(&self, (): ()) {}
}

/// The engine calls none itself.
#[derive(Debug)]
struct Nobody;

fn nobody<T>() -> Result<T, IssuerError> {
    Err(IssuerError::new(IssuerErrorKind::Invalid))
}

#[async_trait]
impl Issuer for Nobody {
    async fn mint(&self) -> Result<Grant, IssuerError> {
        nobody()
    }

    async fn refresh(&self, _: &AccessToken, _: UserIp) -> Result<Grant, IssuerError> {
        nobody()
    }

    async fn send_otp(&self, _: &UserIdentity) -> Result<OtpSent, IssuerError> {
        nobody()
    }

    async fn verify_otp(&self, _: &UserIdentity, _: &Otp, _: &StateToken) -> Result<Grant, IssuerError> {
        nobody()
    }

    async fn logout(&self, _: &AccessToken, _: UserIp) -> Result<(), IssuerError> {
        nobody()
    }

    async fn probe(&self, _: &AccessToken, _: UserIp) -> Result<(), IssuerError> {
        nobody()
    }
}

static CLIENT: LazyLock<transak_client::Client> = LazyLock::new(|| transak_client::Client::builder().build().unwrap());

/// Makes what needs more stack than shuttle's threads have.
pub(super) fn prepare() {
    LazyLock::force(&CLIENT);
}

pub(super) fn engine(joiners: usize) -> (Arc<Engine<Toy>>, Sky) {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp::from_unix_seconds(NOW)));
    let events = Events::new(1);
    let env = Env {
        store: Arc::new(MemoryStore::with_clock(1, Arc::clone(&clock))),
        issuer: Arc::new(Nobody),
        client: CLIENT.clone(),
        time: Arc::new(Timekeeper::new(Arc::clone(&clock), events.clone(), false)),
        clock,
        events,
        limits: Limits {
            joiners,
            ..Limits::default()
        },
        guard: LapseGuard::default(),
        tasks: TaskTracker::default(),
        closed: AtomicBool::new(false),
        stop: CancellationToken::new(),
    };
    let sky = Sky::default();
    (Engine::new(Arc::new(env), (), sky.clone()), sky)
}
