//! A Transak that keeps state.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use transak_session::clock::{Clock, ManualClock, Timestamp};
use transak_session::issuer::{Issuer, IssuerError, IssuerErrorKind, OtpSent, StateToken};
use transak_session::{AccessToken, Grant, Issued, Otp, RefreshWindow, UserIdentity, UserIp};

use super::gates::Gates;
use super::{DAY, OTP};

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
    pub(super) fn new(clock: ManualClock, rotates: bool) -> Self {
        Self {
            gates: Gates::new(),
            clock,
            rotates,
            books: Mutex::default(),
        }
    }

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
