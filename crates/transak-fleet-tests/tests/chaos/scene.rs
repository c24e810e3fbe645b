//! The fleet, and the minute that it goes through.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use transak_client::operations::Credential;
use transak_fleet_tests::{Engine, EngineKind, Trouble, Wire, open};
use transak_sandbox::Sandbox;
use transak_sandbox::fault::{Effect, Fault};
use transak_session::{AccessToken, Otp, Transak};

use crate::child::{Orders, identity, policy};
use crate::disturb::{Blow, Dice};
use crate::verdict::{Seen, Verdict};

const PROCESSES: u64 = 8;
const PEOPLE: u64 = 40;
const REFRESH: &str = "refreshUserAccessToken";
/// Longer than the lease of 30 seconds.
const LONG_PAUSE: Duration = Duration::from_secs(34);

struct Fleet {
    kind: EngineKind,
    engine: Engine,
    sandbox: Sandbox,
    wire: Wire,
    home: tempfile::TempDir,
    processes: Vec<Process>,
    started: u64,
    seed: u64,
}

/// Does not outlive a test that fails.
struct Process(Child);

impl Process {
    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.0.id()).unwrap()).unwrap();
        // It may be dead already.
        let _ = rustix::process::kill_process(pid, signal);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::CONT);
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) async fn play(kind: EngineKind, seed: u64, span: Duration, revokes: bool) -> Verdict {
    let mut fleet = Fleet::assemble(kind, seed, revokes).await;
    let mut seen = Seen::new(kind, seed, PEOPLE, span, revokes);
    fleet.endure(span, &mut seen).await;
    fleet.end().await;
    fleet.look(&mut seen).await;
    seen.judge()
}

impl Fleet {
    async fn assemble(kind: EngineKind, seed: u64, revokes: bool) -> Self {
        let engine = tokio::task::spawn_blocking(move || Engine::start(kind)).await.unwrap();
        let sandbox = Sandbox::builder().start().await.unwrap();
        // Where old tokens are kept, a lost answer costs nobody a session, so that none may be lost for any other reason.
        sandbox.control().update_settings(|settings| {
            settings.refresh_revokes = revokes;
            // Its own book-keeping has room for all tokens that are issued here.
            settings.max_sessions = settings.max_sessions.max(10_000);
        });
        let wire = Wire::to(engine.port()).await;
        let mut fleet = Self {
            kind,
            engine,
            sandbox,
            wire,
            home: tempfile::tempdir().unwrap(),
            processes: Vec::new(),
            started: 0,
            seed,
        };
        let transak = fleet.observer().await;
        for number in 0..PEOPLE {
            let user = transak.user(identity(number));
            let challenge = user.begin_login().await.unwrap();
            let email = format!("planted{number}@example.com");
            let code = fleet.sandbox.control().latest_code(&email).unwrap();
            challenge.verify(Otp::parse(&code).unwrap()).await.unwrap();
        }
        transak.shutdown().await;
        for number in 0..PROCESSES {
            let process = fleet.start(number);
            fleet.processes.push(process);
        }
        fleet
    }

    /// Somebody who looks at the store and at Transak without a part in the fleet's work.
    async fn observer(&self) -> Transak {
        let store = open(self.kind, self.engine.port(), Duration::from_secs(10), None)
            .await
            .unwrap();
        let settings = self.sandbox.control().settings();
        Transak::builder()
            .environment(self.sandbox.environment())
            .api_key(settings.api_key)
            .api_secret(settings.api_secret)
            .user_policy(policy())
            .shared_store(store)
            .build()
            .unwrap()
    }

    fn log(&self, number: u64) -> PathBuf {
        self.home.path().join(format!("{number}.log"))
    }

    /// Every other process reaches the store through the wire.
    fn start(&mut self, number: u64) -> Process {
        let settings = self.sandbox.control().settings();
        self.started += 1;
        let orders = Orders {
            kind: self.kind,
            store_port: if number.is_multiple_of(2) {
                self.wire.port()
            } else {
                self.engine.port()
            },
            api: self.sandbox.api_url(),
            gateway: self.sandbox.gateway_url(),
            key: settings.api_key,
            secret: settings.api_secret,
            log: self.log(self.started).display().to_string(),
            people: PEOPLE,
            seed: self.seed ^ self.started,
        };
        let child = Command::new(std::env::current_exe().unwrap())
            .args(orders.arguments())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Process(child)
    }

    async fn endure(&mut self, span: Duration, seen: &mut Seen) {
        // All start cold, and nobody dies while the one partner token is minted.
        let begun = Instant::now();
        while self.sandbox.control().counts().world.mints == 0 {
            assert!(begun.elapsed() < Duration::from_secs(30), "nobody mints");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut dice = Dice::new(self.seed);
        let begun = Instant::now();
        // The last process is paused for longer than its leases; nothing else happens to it meanwhile.
        let sleeper = PROCESSES - 1;
        let mut wakes = (span > LONG_PAUSE + Duration::from_secs(10)).then(|| begun + LONG_PAUSE);
        if wakes.is_some() {
            self.processes[sleeper as usize].signal(Signal::STOP);
            seen.long_pauses += 1;
        }
        let mut pauses: HashMap<u64, Instant> = HashMap::new();
        while begun.elapsed() < span {
            let blow = Blow::draw(&mut dice, if wakes.is_some() { PROCESSES - 1 } else { PROCESSES });
            *seen.blows.entry(name(&blow)).or_default() += 1;
            self.strike(blow, &mut pauses).await;
            tokio::time::sleep(Duration::from_millis(200 + dice.below(600))).await;
            let now = Instant::now();
            for (process, _) in pauses.extract_if(|_, until| *until <= now) {
                self.processes[process as usize].signal(Signal::CONT);
            }
            if wakes.is_some_and(|at| at <= now) {
                self.processes[sleeper as usize].signal(Signal::CONT);
                wakes = None;
            }
        }
        for process in &self.processes {
            process.signal(Signal::CONT);
        }
        self.sandbox.control().clear_faults();
        // What is due is renewed, what was not stored is stored.
        tokio::time::sleep(Duration::from_secs(6)).await;
    }

    async fn strike(&mut self, blow: Blow, pauses: &mut HashMap<u64, Instant>) {
        match blow {
            Blow::Kill { process } => {
                pauses.remove(&process);
                let next = self.start(process);
                self.processes[process as usize] = next;
            }
            Blow::Pause { process, span } => {
                self.processes[process as usize].signal(Signal::STOP);
                pauses.insert(process, Instant::now() + span);
            }
            Blow::StoreDies { span } => {
                self.engine.kill();
                tokio::time::sleep(span).await;
                tokio::task::block_in_place(|| self.engine.restart());
            }
            Blow::StorePauses { span } => {
                self.engine.pause();
                tokio::time::sleep(span).await;
                self.engine.resume();
            }
            Blow::Wire { trouble, span } => {
                self.wire.make(trouble);
                tokio::time::sleep(span).await;
                self.wire.make(Trouble::None);
            }
            Blow::AnswersLost { times } => self.inject(Effect::DropAfter, times),
            Blow::Unavailable { times } => self.inject(Effect::html(503), times),
            Blow::Slow { millis, times } => self.inject(Effect::Delay { millis }, times),
        }
    }

    fn inject(&self, effect: Effect, times: u32) {
        let fault = Fault::new(effect).on(REFRESH).times(times);
        self.sandbox.control().inject(fault).unwrap();
    }

    async fn end(&mut self) {
        for process in &self.processes {
            process.signal(Signal::TERM);
        }
        let begun = Instant::now();
        for process in &mut self.processes {
            loop {
                if let Some(status) = process.0.try_wait().unwrap() {
                    assert!(status.success(), "a process ended with {status}");
                    break;
                }
                assert!(begun.elapsed() < Duration::from_secs(60), "a process does not end");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// Asks Transak with the very token, without anything that would cure it.
    async fn accepts(&self, transak: &Transak, token: AccessToken) -> bool {
        let client = transak.client().with_credential(Credential::UserToken, token.expose());
        let client = client.with_credential(Credential::UserIp, "203.0.113.77");
        let key = self.sandbox.control().settings().api_key;
        client.get_user_details().api_key(key).send().await.is_ok()
    }

    /// Whether Transak takes what is stored, and what the processes have written down.
    async fn look(&self, seen: &mut Seen) {
        seen.refused = self.sandbox.control().counts().world.refusals.clone();
        let transak = self.observer().await;
        for number in 0..PEOPLE {
            let user = transak.user(identity(number));
            let token: Result<AccessToken, _> = user.token().await;
            let taken = match token {
                Ok(token) => self.accepts(&transak, token).await,
                Err(_) => false,
            };
            if !taken {
                seen.lost.push(number);
            }
        }
        transak.shutdown().await;
        let counts = self.sandbox.control().counts();
        (seen.mints, seen.refreshes) = (counts.world.mints, counts.world.refreshes);
        seen.logins = counts.world.logins;
        seen.violations = counts.http.violations;
        seen.faults = counts.faults.clone();
        for number in 1..=self.started {
            let text = std::fs::read_to_string(self.log(number)).unwrap_or_default();
            seen.read(&text);
        }
    }
}

fn name(blow: &Blow) -> &'static str {
    match blow {
        Blow::Kill { .. } => "kills",
        Blow::Pause { .. } => "pauses",
        Blow::StoreDies { .. } => "store dies",
        Blow::StorePauses { .. } => "store pauses",
        Blow::Wire { .. } => "bad wire",
        Blow::AnswersLost { .. } => "answers lost",
        Blow::Unavailable { .. } => "Transak unavailable",
        Blow::Slow { .. } => "Transak slow",
    }
}
