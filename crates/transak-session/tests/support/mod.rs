//! A Transak that keeps state, a store that can fail, and gates to stop both at chosen places.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod gates;
mod issuer;
pub mod leaks;
mod store;

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use transak_client::Client;
use transak_session::clock::{ManualClock, Timestamp};
use transak_session::issuer::Issuer;
use transak_session::store::SessionStore;
use transak_session::{
    AccessToken, EventStream, Otp, OtpDeclined, OtpProvider, OtpRequest, Transak, TransakBuilder, UserIdentity,
    UserSession,
};

// Not every test makes trouble.
#[allow(unused_imports)]
pub use self::issuer::{FakeTransak, Trouble};
pub use self::store::FakeStore;

pub const DAY: Duration = Duration::from_secs(86_400);
pub const MINUTE: Duration = Duration::from_secs(60);
pub const EMAIL: &str = "jane.planted@example.com";
pub const IP: &str = "203.0.113.77";
pub const OTP: &str = "918273";

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
        let issuer = Arc::new(FakeTransak::new(clock.clone(), rotates));
        let store = Arc::new(FakeStore::new(clock.clone()));
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
