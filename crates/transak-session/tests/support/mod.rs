//! A Transak that keeps state, a store that can fail, and gates to stop both at chosen places.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod leaks;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::sync::watch;
use transak_client::Client;
use transak_session::clock::{Clock, ManualClock, Timestamp};
use transak_session::issuer::{Issuer, IssuerError, IssuerErrorKind, OtpSent, StateToken};
use transak_session::store::{
    Allowance, Allowed, Claim, Claimed, DueQuery, Forecast, Hints, Lease, MemoryStore, Record, SessionStore,
    StoreError, Swap, Version, Versioned,
};
use transak_session::{
    AccessToken, EventStream, Grant, Issued, Otp, OtpDeclined, OtpProvider, OtpRequest, RecordKey, RefreshWindow,
    TenantId, Transak, TransakBuilder, UserIdentity, UserIp, UserSession,
};

pub const DAY: Duration = Duration::from_secs(86_400);
pub const MINUTE: Duration = Duration::from_secs(60);
pub const EMAIL: &str = "jane.planted@example.com";
pub const IP: &str = "203.0.113.77";
pub const OTP: &str = "918273";

/// Places where calls can be counted and held.
#[derive(Debug)]
pub struct Gates {
    state: watch::Sender<GateState>,
    lingering: AtomicUsize,
}

#[derive(Debug, Default)]
struct GateState {
    closed: HashSet<&'static str>,
    reached: HashMap<&'static str, usize>,
}

impl Gates {
    fn new() -> Self {
        Self {
            state: watch::Sender::new(GateState::default()),
            lingering: AtomicUsize::new(0),
        }
    }

    /// Makes each call take so many turns of the scheduler on its way there, and as many on its way back.
    pub fn linger(&self, turns: usize) {
        self.lingering.store(turns, Ordering::Relaxed);
    }

    async fn under_way(&self) {
        for _ in 0..self.lingering.load(Ordering::Relaxed) {
            tokio::task::yield_now().await;
        }
    }

    pub fn close(&self, place: &'static str) {
        self.state.send_modify(|s| {
            s.closed.insert(place);
        });
    }

    pub fn open(&self, place: &'static str) {
        self.state.send_modify(|s| {
            s.closed.remove(place);
        });
    }

    pub fn count(&self, place: &'static str) -> usize {
        self.state.borrow().reached.get(place).copied().unwrap_or(0)
    }

    pub async fn reached(&self, place: &'static str, times: usize) {
        let mut state = self.state.subscribe();
        let there = |s: &GateState| s.reached.get(place).copied().unwrap_or(0) >= times;
        state.wait_for(there).await.unwrap();
    }

    /// Waits while the place is closed; nobody counts who comes by.
    async fn hold(&self, place: &'static str) {
        let mut state = self.state.subscribe();
        state.wait_for(|s| !s.closed.contains(place)).await.unwrap();
    }

    async fn pass(&self, place: &'static str) {
        self.state.send_modify(|s| *s.reached.entry(place).or_default() += 1);
        self.hold(place).await;
        self.under_way().await;
    }
}

/// What the next call of a kind does instead of succeeding.
#[derive(Clone, Copy, Debug)]
pub enum Trouble {
    /// Fails before anything happens.
    Fail(IssuerErrorKind),
    /// Happens, but the answer is lost.
    LoseAnswer,
    Panic,
}

#[derive(Debug, Default)]
struct Books {
    serial: u64,
    partner: Option<String>,
    live: HashSet<String>,
    /// All user and partner tokens, in the order of their issue.
    issued: Vec<String>,
    expiry: HashMap<String, Timestamp>,
    challenges: HashMap<String, Timestamp>,
    troubles: HashMap<&'static str, VecDeque<Trouble>>,
    lasting: HashMap<&'static str, Trouble>,
    ips: Vec<(&'static str, UserIp)>,
}

/// Transak as far as tokens go.
#[derive(Debug)]
pub struct FakeTransak {
    pub gates: Gates,
    pub clock: ManualClock,
    /// Whether a renewal kills the token before it.
    pub rotates: bool,
    books: Mutex<Books>,
}

impl FakeTransak {
    pub fn trouble(&self, call: &'static str, trouble: Trouble) {
        self.books
            .lock()
            .unwrap()
            .troubles
            .entry(call)
            .or_default()
            .push_back(trouble);
    }

    /// Takes back all trouble that has not come to pass.
    pub fn calm(&self) {
        self.books.lock().unwrap().troubles.clear();
    }

    /// Trouble with every call of a kind, until it is taken back.
    pub fn always(&self, call: &'static str, trouble: Option<Trouble>) {
        let lasting = &mut self.books.lock().unwrap().lasting;
        match trouble {
            Some(trouble) => lasting.insert(call, trouble),
            None => lasting.remove(call),
        };
    }

    /// A live user token that was issued so long ago, with a due time as the default window draws it.
    pub fn issue_aged(&self, age: Duration, life: Duration) -> Issued {
        let mut books = self.books.lock().unwrap();
        books.serial += 1;
        let (from, serial) = (self.clock.now() - age, books.serial);
        let claims = format!(
            r#"{{"iat":{},"exp":{},"jti":"planted-{serial}"}}"#,
            from.unix_seconds(),
            (from + life).unix_seconds(),
        );
        let text = format!("eyJhbGciOiJIUzI1NiJ9.{}.planted", URL_SAFE_NO_PAD.encode(claims));
        books.live.insert(text.clone());
        books.issued.push(text.clone());
        books.expiry.insert(text.clone(), from + life);
        let due = RefreshWindow::default().due_at(from, from + life, serial.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Issued::restore(AccessToken::new(text), from, from + life, due)
    }

    pub fn count(&self, call: &'static str) -> usize {
        self.gates.count(call)
    }

    /// All user tokens that Transak accepts, in the order of their issue, and the partner token.
    pub fn live(&self) -> (Vec<String>, Option<String>) {
        let books = self.books.lock().unwrap();
        let live = books.issued.iter().filter(|token| books.live.contains(*token));
        (live.cloned().collect(), books.partner.clone())
    }

    pub fn is_live(&self, token: &AccessToken) -> bool {
        let books = self.books.lock().unwrap();
        books.live.contains(token.expose()) || books.partner.as_deref() == Some(token.expose())
    }

    /// What an operator at Transak, or another device of the user, can do.
    pub fn revoke(&self, token: &AccessToken) {
        self.books.lock().unwrap().live.remove(token.expose());
    }

    /// The addresses with which calls of this kind came.
    pub fn ips(&self, call: &'static str) -> Vec<UserIp> {
        let books = self.books.lock().unwrap();
        books
            .ips
            .iter()
            .filter(|(c, _)| *c == call)
            .map(|(_, ip)| *ip)
            .collect()
    }

    fn accepts(&self, books: &Books, token: &AccessToken) -> bool {
        let expiry = books.expiry.get(token.expose());
        books.live.contains(token.expose()) && expiry.is_some_and(|at| self.clock.now() < *at)
    }

    fn jwt(&self, books: &mut Books, life: Duration) -> String {
        books.serial += 1;
        let now = self.clock.now();
        let claims = format!(
            r#"{{"iat":{},"exp":{},"jti":"planted-{}"}}"#,
            now.unix_seconds(),
            (now + life).unix_seconds(),
            books.serial
        );
        let text = format!("eyJhbGciOiJIUzI1NiJ9.{}.planted", URL_SAFE_NO_PAD.encode(claims));
        books.issued.push(text.clone());
        books.expiry.insert(text.clone(), now + life);
        text
    }

    async fn call<T>(
        &self,
        name: &'static str,
        act: impl FnOnce(&mut Books) -> Result<T, IssuerErrorKind>,
    ) -> Result<T, IssuerError> {
        self.gates.pass(name).await;
        let (trouble, result) = {
            let mut books = self.books.lock().unwrap();
            let next = books.troubles.get_mut(name).and_then(VecDeque::pop_front);
            let trouble = next.or_else(|| books.lasting.get(name).copied());
            let acts = matches!(trouble, None | Some(Trouble::LoseAnswer));
            (trouble, acts.then(|| act(&mut books)))
        };
        self.gates.under_way().await;
        match (trouble, result) {
            (None, Some(result)) => result.map_err(IssuerError::new),
            (Some(Trouble::Fail(kind)), _) => Err(IssuerError::new(kind)),
            (Some(Trouble::Panic), _) => panic!("a bug in the issuer"),
            _ => Err(IssuerError::new(IssuerErrorKind::Unknown)),
        }
    }
}

#[async_trait]
impl Issuer for FakeTransak {
    async fn mint(&self) -> Result<Grant, IssuerError> {
        self.call("mint", |books| {
            let text = self.jwt(books, DAY * 7);
            books.partner = Some(text.clone());
            let at = self.clock.now() + DAY * 7;
            Ok(Grant::new(AccessToken::new(text)).expires_at(at))
        })
        .await
    }

    async fn refresh(&self, token: &AccessToken, ip: UserIp) -> Result<Grant, IssuerError> {
        self.call("refresh", |books| {
            books.ips.push(("refresh", ip));
            if !self.accepts(books, token) {
                return Err(IssuerErrorKind::Rejected);
            }
            if self.rotates {
                books.live.remove(token.expose());
            }
            let text = self.jwt(books, DAY * 30);
            books.live.insert(text.clone());
            Ok(Grant::new(AccessToken::new(text)))
        })
        .await
    }

    async fn send_otp(&self, _: &UserIdentity) -> Result<OtpSent, IssuerError> {
        self.call("send_otp", |books| {
            books.serial += 1;
            let state = format!("planted-state-{}", books.serial);
            let until = self.clock.now() + Duration::from_secs(600);
            books.challenges.insert(state.clone(), until);
            Ok(OtpSent {
                state: StateToken::new(state),
                expires_in: Some(Duration::from_secs(600)),
            })
        })
        .await
    }

    async fn verify_otp(&self, _: &UserIdentity, otp: &Otp, state: &StateToken) -> Result<Grant, IssuerError> {
        self.call("verify_otp", |books| {
            let known = books.challenges.get(state.expose());
            if otp.expose() != OTP || known.is_none_or(|until| self.clock.now() >= *until) {
                return Err(IssuerErrorKind::InvalidOtp);
            }
            books.challenges.remove(state.expose());
            let text = self.jwt(books, DAY * 30);
            books.live.insert(text.clone());
            Ok(Grant::new(AccessToken::new(text)))
        })
        .await
    }

    async fn logout(&self, token: &AccessToken, _: UserIp) -> Result<(), IssuerError> {
        self.call("logout", |books| {
            books.live.remove(token.expose());
            Ok(())
        })
        .await
    }

    async fn probe(&self, token: &AccessToken, _: UserIp) -> Result<(), IssuerError> {
        self.call("probe", |books| match self.accepts(books, token) {
            true => Ok(()),
            false => Err(IssuerErrorKind::Rejected),
        })
        .await
    }
}

/// A memory store that can be held, made to fail and counted.
#[derive(Debug)]
pub struct FakeStore {
    pub gates: Gates,
    pub inner: MemoryStore,
    down: Mutex<bool>,
}

impl FakeStore {
    pub fn set_down(&self, down: bool) {
        *self.down.lock().unwrap() = down;
    }

    async fn pass(&self, place: &'static str) -> Result<(), StoreError> {
        self.gates.pass(place).await;
        match *self.down.lock().unwrap() {
            true => Err(StoreError::new("out of order")),
            false => Ok(()),
        }
    }

    async fn back<T>(&self, answer: T) -> T {
        self.gates.under_way().await;
        answer
    }
}

#[async_trait]
impl SessionStore for FakeStore {
    async fn load(&self, key: &RecordKey) -> Result<Option<Versioned>, StoreError> {
        self.pass("load").await?;
        let answer = self.inner.load(key).await;
        self.gates.hold("load, the answer").await;
        self.back(answer).await
    }

    async fn swap(
        &self,
        key: &RecordKey,
        expected: Option<Version>,
        record: Record,
        finishing: Option<&Lease>,
    ) -> Result<Swap, StoreError> {
        self.pass("save").await?;
        self.back(self.inner.swap(key, expected, record, finishing).await).await
    }

    async fn claim(&self, key: &RecordKey, span: Duration) -> Result<Claim, StoreError> {
        self.pass("claim").await?;
        self.back(self.inner.claim(key, span).await).await
    }

    async fn extend(&self, lease: &Lease, span: Duration) -> Result<bool, StoreError> {
        self.pass("extend").await?;
        self.back(self.inner.extend(lease, span).await).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.pass("release").await?;
        self.back(self.inner.release(lease).await).await
    }

    async fn claim_due(&self, query: &DueQuery) -> Result<Vec<Claimed>, StoreError> {
        self.pass("claim_due").await?;
        self.back(self.inner.claim_due(query).await).await
    }

    async fn forecast(&self, tenant: TenantId, horizons: &[Duration]) -> Result<Forecast, StoreError> {
        self.pass("forecast").await?;
        self.back(self.inner.forecast(tenant, horizons).await).await
    }

    async fn draw(&self, allowance: &Allowance) -> Result<Allowed, StoreError> {
        self.pass("draw").await?;
        self.back(self.inner.draw(allowance).await).await
    }

    async fn give_back(&self, tenant: TenantId, permits: u32) -> Result<(), StoreError> {
        self.pass("give_back").await?;
        self.back(self.inner.give_back(tenant, permits).await).await
    }

    async fn hints(&self, tenant: TenantId) -> Result<Option<Hints>, StoreError> {
        self.inner.hints(tenant).await
    }

    async fn delete(&self, key: &RecordKey) -> Result<(), StoreError> {
        self.pass("delete").await?;
        self.back(self.inner.delete(key).await).await
    }
}

/// Everything a test needs.
pub struct Scene {
    pub clock: ManualClock,
    pub issuer: Arc<FakeTransak>,
    pub store: Arc<FakeStore>,
    pub transak: Transak,
    /// Everything that happens in the scene, looked through at its end.
    told: Mutex<EventStream>,
}

impl Drop for Scene {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let mut told = self.told.lock().unwrap();
        while let Some(event) = told.try_next() {
            assert_clean(&format!("{event:?}"), "a session event");
        }
        assert_clean(&format!("{:?} {:?}", self.transak, self.user().status()), "a scene");
    }
}

impl Scene {
    pub fn new() -> Self {
        Self::with(false, |builder| builder)
    }

    pub fn with(rotates: bool, configure: impl FnOnce(TransakBuilder) -> TransakBuilder) -> Self {
        let clock = ManualClock::new(Timestamp::from_unix_seconds(1_800_000_000));
        let issuer = Arc::new(FakeTransak {
            gates: Gates::new(),
            clock: clock.clone(),
            rotates,
            books: Mutex::default(),
        });
        let store = Arc::new(FakeStore {
            gates: Gates::new(),
            inner: MemoryStore::with_clock(1_000, Arc::new(clock.clone())),
            down: Mutex::new(false),
        });
        let transak = configure(process(&clock, &issuer, &store)).build().unwrap();
        Self {
            told: Mutex::new(transak.events()),
            clock,
            issuer,
            store,
            transak,
        }
    }

    /// Another process with the same Transak and the same store.
    pub fn other_process(&self) -> Transak {
        process(&self.clock, &self.issuer, &self.store).build().unwrap()
    }

    /// Another process with the same Transak and a store of its own making.
    pub fn process_on(&self, store: Arc<dyn SessionStore>) -> Transak {
        let builder = process(&self.clock, &self.issuer, &self.store);
        builder.shared_store(store).build().unwrap()
    }

    pub fn user(&self) -> UserSession {
        user_of(&self.transak)
    }

    pub async fn logged_in(&self) -> (UserSession, AccessToken) {
        let user = self.user();
        let token = user.login(&Person::typing(&[OTP])).await.unwrap();
        (user, token)
    }

    /// Lets everything that can run come to rest. (All tests run on one thread, and nothing waits for the outside world.)
    pub async fn rest(&self) {
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
    }
}

fn process(clock: &ManualClock, issuer: &Arc<FakeTransak>, store: &Arc<FakeStore>) -> TransakBuilder {
    leaks::watch();
    // Reading the certificates takes longer than most tests; no test that has this client makes a call with it.
    static CLIENT: LazyLock<Client> = LazyLock::new(|| Client::builder().build().unwrap());
    Transak::builder()
        .http(CLIENT.clone())
        .api_key("planted-api-key")
        .api_secret("planted-api-secret")
        .clock(clock.clone())
        .shared_store(Arc::clone(store) as Arc<dyn SessionStore>)
        .issuer(Arc::clone(issuer) as Arc<dyn Issuer>)
}

pub fn user_of(transak: &Transak) -> UserSession {
    transak.user(UserIdentity::parse(EMAIL, IP).unwrap())
}

/// Somebody who types these, one after the other.
pub struct Person(Mutex<VecDeque<&'static str>>);

impl Person {
    pub fn typing(texts: &[&'static str]) -> Self {
        Self(Mutex::new(texts.iter().copied().collect()))
    }
}

#[async_trait]
impl OtpProvider for Person {
    async fn one_time_password(&self, _: OtpRequest) -> Result<Otp, OtpDeclined> {
        let text = self.0.lock().unwrap().pop_front().ok_or(OtpDeclined)?;
        Ok(Otp::parse(text).unwrap())
    }
}

/// No planted text appears.
pub fn assert_clean(text: &str, of: &str) {
    if let Some(planted) = leaks::leaked(text) {
        panic!("{of} shows {planted}: {text}");
    }
}
