//! Processes that can crash, and what must be true of them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::runtime::{Builder, Runtime};
use transak_session::clock::{Clock, ManualClock, Timestamp};
use transak_session::store::{MemoryStore, Record, RecordState, SessionStore};
use transak_session::{GetOptions, KeepAliveHandle, LapseCause, Otp, SessionLabel, Transak, UserIdentity, UserSession};

use crate::Command;
use crate::store::Shaky;
use crate::vendor::{Book, DAY, Line, OTP, Vendor, exp_of};

pub const PROCESSES: usize = 2;
pub const USERS: usize = 2;

struct Process {
    runtime: Runtime,
    transak: Transak,
    worker: Option<KeepAliveHandle>,
}

pub struct Fleet {
    vendor: Arc<Vendor>,
    store: Arc<Shaky>,
    clock: ManualClock,
    processes: Vec<Process>,
    logins: usize,
    /// What only a dead process knew, or a logout has ended: not to be looked for any more.
    written_off: Vec<transak_session::TokenFingerprint>,
    breaches: Vec<String>,
}

fn email(user: usize) -> String {
    format!("user{user}@example.com")
}

impl Process {
    fn start(number: usize, vendor: &Arc<Vendor>, store: &Arc<Shaky>, clock: &ManualClock) -> Self {
        let line = Line {
            process: number,
            vendor: Arc::clone(vendor),
        };
        let transak = Transak::builder()
            .api_key("key")
            .clock(clock.clone())
            .shared_store(Arc::clone(store) as Arc<dyn SessionStore>)
            .issuer(Arc::new(line))
            .build()
            .unwrap();
        Self {
            runtime: Builder::new_current_thread().build().unwrap(),
            transak,
            worker: None,
        }
    }

    fn user(&self, user: usize) -> UserSession {
        self.transak
            .user(UserIdentity::parse(&email(user), "203.0.113.7").unwrap())
    }

    /// Lets everything that can go on do so, for a while.
    fn rest(&self) {
        self.runtime.block_on(async {
            for _ in 0..120 {
                tokio::task::yield_now().await;
            }
        });
    }

    /// Begins something and lets it go on for a while; what is not done then goes on by itself or is dropped.
    fn attempt<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Option<T> {
        self.runtime.block_on(async {
            let mut task = tokio::spawn(work);
            for _ in 0..120 {
                tokio::task::yield_now().await;
                if task.is_finished() {
                    return (&mut task).await.ok();
                }
            }
            task.abort();
            None
        })
    }
}

impl Fleet {
    #[allow(clippy::field_reassign_with_default)]
    pub fn new(revokes: bool) -> Self {
        let clock = ManualClock::new(Timestamp::from_unix_seconds(1_800_000_000));
        let mut book = Book::default();
        book.revokes = revokes;
        let vendor = Arc::new(Vendor {
            clock: clock.clone(),
            book: Mutex::new(book),
        });
        let store = Arc::new(Shaky {
            inner: MemoryStore::with_clock(100, Arc::new(clock.clone())),
            down: Mutex::new(false),
        });
        let processes = (0..PROCESSES)
            .map(|number| Process::start(number, &vendor, &store, &clock))
            .collect();
        Self {
            vendor,
            store,
            clock,
            processes,
            logins: 0,
            written_off: Vec::new(),
            breaches: Vec::new(),
        }
    }

    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.vendor.book.lock().unwrap()
    }

    pub fn obey(&mut self, command: Command) {
        match command {
            Command::Login(p, u) => {
                let user = self.processes[p].user(u);
                self.logins += 1;
                self.processes[p].attempt(async move {
                    let challenge = user.begin_login().await.ok()?;
                    challenge.verify(Otp::parse(OTP).unwrap()).await.ok()
                });
            }
            Command::Token(p, u) => {
                let user = self.processes[p].user(u);
                self.processes[p].attempt(async move { user.token().await.is_ok() });
            }
            Command::LongToken(p, u) => {
                let user = self.processes[p].user(u);
                let options = GetOptions::default().min_remaining(DAY * 20);
                self.processes[p].attempt(async move { user.token_with(options).await.is_ok() });
            }
            Command::RefreshNow(p, u) => {
                let user = self.processes[p].user(u);
                self.processes[p].attempt(async move { user.refresh_now().await.is_ok() });
            }
            Command::Crowd(p, u) => self.crowd(p, |process| {
                let user = process.user(u);
                async move {
                    user.token_with(GetOptions::default().min_remaining(DAY * 25))
                        .await
                        .is_ok()
                }
            }),
            Command::PartnerCrowd(p) => self.crowd(p, |process| {
                let partner = process.transak.partner().clone();
                async move { partner.ready().await.is_ok() }
            }),
            Command::Report401(p, u) => {
                let user = self.processes[p].user(u);
                if let Some(which) = user.status().fingerprint {
                    *self.book().refusals.entry(which).or_default() += 1;
                    self.processes[p].attempt(async move { user.report_rejected(which).await.is_ok() });
                }
            }
            Command::Logout(p, u) => {
                let user = self.processes[p].user(u);
                let known = self.book().delivered.remove(&email(u));
                self.written_off.extend(known.map(|(_, token, _)| token.fingerprint()));
                self.processes[p].attempt(async move { user.logout().await.is_ok() });
            }
            Command::Partner(p) => {
                let partner = self.processes[p].transak.partner().clone();
                self.processes[p].attempt(async move { partner.ready().await.is_ok() });
            }
            Command::Report401ToPartner(p) => {
                let partner = self.processes[p].transak.partner().clone();
                if let Some(which) = partner.status().fingerprint {
                    self.processes[p].attempt(async move { partner.report_rejected(which).await.is_ok() });
                }
            }
            Command::KeepAlive(p) => {
                let process = &mut self.processes[p];
                let _inside = process.runtime.enter();
                process.worker = match process.worker.take() {
                    Some(_) => None,
                    None => process.transak.keep_alive().start().ok(),
                };
            }
            Command::Wait(seconds) => self.clock.advance(Duration::from_secs(seconds.into())),
            Command::WallJump(seconds) => {
                let span = Duration::from_secs(seconds.unsigned_abs().into());
                let wall = self.clock.now();
                self.clock.jump_to(if seconds < 0 { wall - span } else { wall + span });
                self.rest();
                // The vendor's clock is the true one; a time server sets ours right again.
                self.clock.jump_to(wall);
            }
            Command::Next(call, ending) => {
                self.book().ending.insert(call, ending);
            }
            Command::Hold(hold) => self.book().hold = hold,
            Command::StoreDown(down) => {
                let elapsed = self.clock.elapsed();
                *self.store.down.lock().unwrap() = down;
                let mut book = self.book();
                book.store_down = down;
                book.store_trouble_at = Some(elapsed);
            }
            Command::Crash(p) => {
                let served: Vec<_> = (0..USERS)
                    .filter_map(|u| self.processes[p].user(u).status().fingerprint)
                    .collect();
                let fresh = Process::start(p, &self.vendor, &self.store, &self.clock);
                let dead = std::mem::replace(&mut self.processes[p], fresh);
                drop(dead);
                // What it had and nobody else has is gone with it.
                self.written_off.extend(served);
                let mut book = self.book();
                book.forget_process(p);
                let of_dead: Vec<_> = book
                    .delivered
                    .values()
                    .filter(|d| d.0 == p)
                    .map(|d| d.1.fingerprint())
                    .collect();
                drop(book);
                let stored: Vec<_> = (0..USERS)
                    .filter_map(|u| self.stored(u))
                    .filter_map(|r| r.token)
                    .collect();
                let lost = of_dead
                    .into_iter()
                    .filter(|f| stored.iter().all(|t| t.fingerprint() != *f));
                let lost: Vec<_> = lost.collect();
                self.written_off
                    .retain(|f| stored.iter().all(|t| t.fingerprint() != *f));
                self.written_off.extend(lost);
            }
            Command::EndUpstream(u) => self.book().revoke_all_of(&email(u)),
        }
        self.rest();
        self.check();
    }

    fn rest(&self) {
        for process in &self.processes {
            process.rest();
        }
    }

    fn crowd<F: Future<Output = bool> + Send + 'static>(&self, p: usize, one: impl Fn(&Process) -> F) {
        let process = &self.processes[p];
        let callers: Vec<F> = (0..8).map(|_| one(process)).collect();
        process.runtime.block_on(async {
            let mut tasks: Vec<_> = callers.into_iter().map(tokio::spawn).collect();
            for polls in 0..40 {
                tokio::task::yield_now().await;
                // One after the other loses patience; the last stays.
                if polls % 3 == 0 && tasks.len() > 1 {
                    tasks.swap_remove(0).abort();
                }
            }
            for task in tasks {
                task.abort();
            }
        });
    }

    fn stored(&self, user: usize) -> Option<Record> {
        let key = self.processes[0].user(user).key().record();
        let there = self.store.inner.load(&key).now_or_never().unwrap().unwrap();
        there.map(|there| there.record)
    }

    fn check(&mut self) {
        for p in 0..PROCESSES {
            for u in 0..USERS {
                self.check_session(p, u);
            }
        }
        for u in 0..USERS {
            self.check_nothing_lost(u);
        }
        let mails = self.book().mails;
        if mails > self.logins {
            self.breaches.push(format!("{mails} mails for {} wishes", self.logins));
        }
    }

    fn check_session(&mut self, p: usize, u: usize) {
        let user = self.processes[p].user(u);
        let status = user.status();
        // Who has a usable token is served at once, whatever is going on.
        if let (Some(_), Some(expires_at)) = (status.fingerprint, status.expires_at)
            && expires_at > self.clock.now() + Duration::from_secs(1)
        {
            let _inside = self.processes[p].runtime.enter();
            let served = catch_unwind(AssertUnwindSafe(|| user.token().now_or_never()));
            if !matches!(served, Ok(Some(Ok(_)))) {
                self.breaches.push(format!(
                    "process {p} has a token of user {u} and does not serve it: {status:?}"
                ));
            }
        }
        if status.label == SessionLabel::Lapsed(LapseCause::Rejected)
            && let Some(record) = self.stored(u)
            && let (RecordState::Lapsed, Some(token)) = (record.state, record.token)
            && exp_of(&token) > self.clock.now()
        {
            let book = self.book();
            let refusals = book.refusals.get(&token.fingerprint()).copied().unwrap_or(0);
            if refusals < 2 || !book.probes_refused.contains(&token.fingerprint()) {
                drop(book);
                self.breaches
                    .push(format!("user {u} was logged out after {refusals} refusals"));
            }
        }
    }

    /// The newest token that Transak has given to a living process is served there, or is in the store.
    fn check_nothing_lost(&mut self, u: usize) {
        let Some((p, token, _)) = self.book().delivered.get(&email(u)).cloned() else {
            return;
        };
        let fingerprint = token.fingerprint();
        if self.written_off.contains(&fingerprint) || exp_of(&token) <= self.clock.now() + DAY {
            return;
        }
        let served = (0..PROCESSES).any(|p| self.processes[p].user(u).status().fingerprint == Some(fingerprint));
        let stored = self.stored(u).is_some_and(|record| {
            let same = record.token.as_ref().is_some_and(|t| t.fingerprint() == fingerprint);
            // Of two tokens of one second, neither made from the other, the stored one stays: both are good.
            same || record.issued_at >= exp_of(&token) - DAY * 30 || record.state != RecordState::Live
        });
        let ended = (0..PROCESSES).any(|p| matches!(self.processes[p].user(u).status().label, SessionLabel::Lapsed(_)));
        if !served && !stored && !ended {
            self.breaches.push(format!(
                "the token {fingerprint} of user {u}, given to process {p}, is lost"
            ));
        }
    }

    pub fn breaches(&self) -> Vec<String> {
        let mut all = self.breaches.clone();
        all.extend(self.book().breaches.iter().cloned());
        all
    }

    /// With everything in order again, the fleet comes to rest and works.
    pub fn heal_and_check(&mut self) -> Vec<String> {
        {
            let elapsed = self.clock.elapsed();
            let mut book = self.book();
            book.ending.clear();
            book.hold = None;
            // What was begun while the store was out of order may end now.
            if book.store_down {
                book.store_trouble_at = Some(elapsed);
            }
            book.store_down = false;
        }
        *self.store.down.lock().unwrap() = false;
        self.rest();
        for _ in 0..4 {
            self.clock.advance(Duration::from_secs(3_700));
            for p in 0..PROCESSES {
                self.obey(Command::Partner(p));
                for u in 0..USERS {
                    self.obey(Command::Token(p, u));
                }
            }
        }
        for p in 0..PROCESSES {
            if self.processes[p].transak.partner().current().is_none() {
                self.breaches
                    .push(format!("process {p} has no partner token although all is well"));
            }
        }
        self.breaches()
    }
}
