//! Transak as far as tokens go, with a book of everything that happened.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use transak_session::clock::{Clock, ManualClock, Timestamp};
use transak_session::issuer::{Issuer, IssuerError, IssuerErrorKind, OtpSent, StateToken};
use transak_session::{AccessToken, Grant, Otp, TokenFingerprint, UserIdentity, UserIp};

pub const DAY: Duration = Duration::from_secs(86_400);
pub const OTP: &str = "918273";
const LEASE: Duration = Duration::from_secs(30);
const INTERVAL: Duration = Duration::from_secs(60);

/// How the next call of a kind ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Fails(IssuerErrorKind),
    /// It happens, but the answer is lost.
    LosesAnswer,
    Panics,
}

/// Where calls stand still for as long as this is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    BeforeEffect,
    AfterEffect,
}

#[derive(Debug, Default)]
pub struct Book {
    serial: u64,
    /// Whether a renewal kills the token before it.
    pub revokes: bool,
    pub ending: HashMap<&'static str, Ending>,
    pub hold: Option<Hold>,
    /// Whether the store works; what happens while it does not is no breach of a promise between processes.
    pub store_down: bool,
    pub store_trouble_at: Option<Duration>,
    live: HashSet<String>,
    partner: Option<String>,
    /// Who a token belongs to.
    owners: HashMap<String, String>,
    /// Calls under way: which process, what, of whom, since when.
    under_way: Vec<(usize, &'static str, String, Duration)>,
    mints: Vec<Duration>,
    crashes: u32,
    /// How often, and how many crashes there were before the first time.
    expired_sent: HashMap<String, (u32, u32)>,
    pub refusals: HashMap<TokenFingerprint, u32>,
    pub probes_refused: HashSet<TokenFingerprint>,
    pub mails: usize,
    /// The newest token of each user whose answer has arrived at a process, with that process.
    pub delivered: HashMap<String, (usize, AccessToken, Timestamp)>,
    pub breaches: Vec<String>,
}

#[derive(Debug)]
pub struct Vendor {
    pub clock: ManualClock,
    pub book: Mutex<Book>,
}

/// The vendor as one process sees it.
#[derive(Debug)]
pub struct Line {
    pub process: usize,
    pub vendor: Arc<Vendor>,
}

impl Book {
    fn issue(&mut self, now: Timestamp, life: Duration, owner: &str) -> String {
        self.serial += 1;
        let claims = format!(
            r#"{{"iat":{},"exp":{},"jti":"{}"}}"#,
            now.unix_seconds(),
            (now + life).unix_seconds(),
            self.serial
        );
        let text = format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims));
        self.owners.insert(text.clone(), owner.to_owned());
        text
    }

    pub fn revoke_all_of(&mut self, owner: &str) {
        let owners = &self.owners;
        self.live.retain(|token| owners.get(token).is_none_or(|of| of != owner));
    }

    fn begin(&mut self, process: usize, what: &'static str, of: &str, now: Duration) {
        let calm = self.store_trouble_at.is_none_or(|at| now > at + LEASE * 2) && !self.store_down;
        for (other, kind, whose, since) in &self.under_way {
            let young = now.saturating_sub(*since) < LEASE;
            // Two people may log in or out at once; two renewals or mints may not be.
            let exclusive = matches!(what, "refresh" | "mint");
            if exclusive && *kind == what && whose == of && (*other == process || (young && calm)) {
                self.breaches
                    .push(format!("two calls under way: {what} of {of} by {other} and {process}"));
            }
        }
        self.under_way.push((process, what, of.to_owned(), now));
    }

    fn end(&mut self, process: usize, what: &'static str, of: &str) {
        if let Some(at) = self
            .under_way
            .iter()
            .position(|(p, w, o, _)| *p == process && *w == what && o == of)
        {
            self.under_way.remove(at);
        }
    }

    /// A process has died: what it had under way has nobody waiting for it.
    pub fn forget_process(&mut self, process: usize) {
        self.crashes += 1;
        self.under_way.retain(|(p, ..)| *p != process);
    }
}

/// Takes a call off the list even if its future is dropped.
struct UnderWay<'a>(&'a Line, &'static str, String);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if let Ok(mut book) = self.0.vendor.book.lock() {
            book.end(self.0.process, self.1, &self.2);
        }
    }
}

impl Line {
    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.vendor.book.lock().unwrap()
    }

    async fn stand(&self, place: Hold) {
        loop {
            tokio::task::yield_now().await;
            if self.book().hold != Some(place) {
                return;
            }
        }
    }

    async fn call<T>(
        &self,
        what: &'static str,
        of: &str,
        act: impl FnOnce(&mut Book, Timestamp) -> Result<T, IssuerErrorKind>,
    ) -> Result<T, IssuerError> {
        let now = self.vendor.clock.elapsed();
        self.book().begin(self.process, what, of, now);
        let _under_way = UnderWay(self, what, of.to_owned());
        self.stand(Hold::BeforeEffect).await;
        let ending = self.book().ending.remove(what);
        let result = match ending {
            Some(Ending::Fails(kind)) => Err(kind),
            Some(Ending::Panics) => panic!("planted"),
            _ => act(&mut self.book(), self.vendor.clock.now()),
        };
        self.stand(Hold::AfterEffect).await;
        match (ending, result) {
            (Some(Ending::LosesAnswer), _) => Err(IssuerError::new(IssuerErrorKind::Unknown)),
            (_, result) => result.map_err(IssuerError::new),
        }
    }

    fn owner(&self, token: &AccessToken) -> String {
        self.book().owners.get(token.expose()).cloned().unwrap_or_default()
    }

    fn deliver(&self, owner: &str, token: &AccessToken) {
        let at = self.vendor.clock.now();
        let entry = (self.process, token.clone(), at);
        self.book().delivered.insert(owner.to_owned(), entry);
    }
}

#[async_trait]
impl Issuer for Line {
    async fn mint(&self) -> Result<Grant, IssuerError> {
        let grant = self.call("mint", "partner", |book, now| {
            let elapsed = self.vendor.clock.elapsed();
            let calm = !book.store_down && book.store_trouble_at.is_none_or(|at| elapsed > at + INTERVAL * 2);
            if let Some(last) = book.mints.last()
                && elapsed.saturating_sub(*last) < INTERVAL
                && calm
            {
                book.breaches.push(format!("mints at {last:?} and {elapsed:?}"));
            }
            book.mints.push(elapsed);
            let text = book.issue(now, DAY * 7, "partner");
            book.partner = Some(text.clone());
            Ok(Grant::new(AccessToken::new(text)).expires_at(now + DAY * 7))
        });
        grant.await
    }

    async fn refresh(&self, token: &AccessToken, _: UserIp) -> Result<Grant, IssuerError> {
        let owner = self.owner(token);
        let grant = self.call("refresh", &owner, |book, now| {
            let exp = exp_of(token);
            if now >= exp {
                let crashes = book.crashes;
                let sent = book.expired_sent.entry(token.expose().to_owned());
                let (sent, before) = sent.or_insert((0, crashes));
                *sent += 1;
                // Whoever has crashed knows of no attempt that was not written down.
                if *sent > 2 + (crashes - *before) {
                    let times = *sent;
                    book.breaches.push(format!("an expired token was sent {times} times"));
                }
            }
            if now >= exp || !book.live.contains(token.expose()) {
                *book.refusals.entry(token.fingerprint()).or_default() += 1;
                return Err(IssuerErrorKind::Rejected);
            }
            if book.revokes {
                book.live.remove(token.expose());
            }
            let text = book.issue(now, DAY * 30, &owner);
            book.live.insert(text.clone());
            Ok(Grant::new(AccessToken::new(text)))
        });
        match grant.await {
            Ok(grant) => {
                self.deliver(&owner, &grant.token);
                Ok(grant)
            }
            Err(error) => {
                if error.kind() == IssuerErrorKind::Rejected {
                    *self.book().refusals.entry(token.fingerprint()).or_default() += 1;
                }
                Err(error)
            }
        }
    }

    async fn send_otp(&self, user: &UserIdentity) -> Result<OtpSent, IssuerError> {
        self.call("send_otp", user.email().expose(), |book, _| {
            book.mails += 1;
            Ok(OtpSent {
                state: StateToken::new("state"),
                expires_in: Some(Duration::from_secs(600)),
            })
        })
        .await
    }

    async fn verify_otp(&self, user: &UserIdentity, _: &Otp, _: &StateToken) -> Result<Grant, IssuerError> {
        let owner = user.email().expose().to_owned();
        let grant = self.call("verify_otp", &owner, |book, now| {
            let text = book.issue(now, DAY * 30, &owner);
            book.live.insert(text.clone());
            Ok(Grant::new(AccessToken::new(text)))
        });
        let grant = grant.await?;
        self.deliver(&owner, &grant.token);
        Ok(grant)
    }

    async fn logout(&self, token: &AccessToken, _: UserIp) -> Result<(), IssuerError> {
        let owner = self.owner(token);
        self.call("logout", &owner, |book, _| {
            book.live.remove(token.expose());
            Ok(())
        })
        .await
    }

    async fn probe(&self, token: &AccessToken, _: UserIp) -> Result<(), IssuerError> {
        let owner = self.owner(token);
        let answer = self.call("probe", &owner, |book, now| {
            match now < exp_of(token) && book.live.contains(token.expose()) {
                true => Ok(()),
                false => Err(IssuerErrorKind::Rejected),
            }
        });
        let answer = answer.await;
        if answer.as_ref().is_err_and(|e| e.kind() == IssuerErrorKind::Rejected) {
            self.book().probes_refused.insert(token.fingerprint());
        }
        answer
    }
}

pub fn exp_of(token: &AccessToken) -> Timestamp {
    let claims = token.expose().split('.').nth(1).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    Timestamp::from_unix_seconds(claims["exp"].as_i64().unwrap())
}
