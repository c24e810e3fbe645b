//! One of the processes: a replica with callers and a keep-alive worker.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use transak_client::Environment;
use transak_fleet_tests::{EngineKind, open};
use transak_session::{
    Backoff, Delivery, RefreshWindow, SessionError, SessionEvent, Transak, UserIdentity, UserPolicy,
};

const DAY: Duration = Duration::from_secs(86_400);
const CALLERS: u64 = 3;

/// What a process is told, in the order of its command line.
pub(crate) struct Orders {
    pub(crate) kind: EngineKind,
    pub(crate) store_port: u16,
    pub(crate) api: String,
    pub(crate) gateway: String,
    pub(crate) key: String,
    pub(crate) secret: String,
    pub(crate) log: String,
    pub(crate) people: u64,
    pub(crate) seed: u64,
}

impl Orders {
    pub(crate) fn arguments(&self) -> Vec<String> {
        vec![
            "--child".into(),
            self.kind.name().into(),
            self.store_port.to_string(),
            self.api.clone(),
            self.gateway.clone(),
            self.key.clone(),
            self.secret.clone(),
            self.log.clone(),
            self.people.to_string(),
            self.seed.to_string(),
        ]
    }

    fn read(arguments: &[String]) -> Self {
        let [kind, port, api, gateway, key, secret, log, people, seed] = arguments else {
            panic!("wrong orders");
        };
        let kind = EngineKind::ALL.into_iter().find(|k| k.name() == kind).unwrap();
        Self {
            kind,
            store_port: port.parse().unwrap(),
            api: api.clone(),
            gateway: gateway.clone(),
            key: key.clone(),
            secret: secret.clone(),
            log: log.clone(),
            people: people.parse().unwrap(),
            seed: seed.parse().unwrap(),
        }
    }
}

pub(crate) fn identity(number: u64) -> UserIdentity {
    UserIdentity::parse(&format!("planted{number}@example.com"), "203.0.113.77").unwrap()
}

/// Tokens live for 30 days and come due after seconds, so that a minute sees hundreds of renewals of healthy sessions.
pub(crate) fn policy() -> UserPolicy {
    let window = RefreshWindow::new(DAY * 30, Duration::from_secs(4), Duration::from_secs(12)).unwrap();
    let backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(4)).unwrap();
    UserPolicy::default().window(window).backoff(backoff)
}

/// A line at a time, each in one write, so that a killed process leaves whole ones.
#[derive(Clone)]
struct Journal(Arc<Mutex<File>>);

impl Journal {
    fn write(&self, text: &str) {
        let at = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .as_millis();
        let line = format!("{at} {text}\n");
        self.0.lock().unwrap().write_all(line.as_bytes()).unwrap();
    }
}

pub(crate) async fn run(arguments: &[String]) {
    let orders = Orders::read(arguments);
    let file = OpenOptions::new().create(true).append(true).open(&orders.log).unwrap();
    let journal = Journal(Arc::new(Mutex::new(file)));
    // The store may be away while this starts.
    let store = loop {
        match open(orders.kind, orders.store_port, Duration::from_secs(2), None).await {
            Ok(store) => break store,
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    };
    let transak = Transak::builder()
        .environment(Environment::custom(&orders.api, &orders.gateway).unwrap())
        .api_key(orders.key.clone())
        .api_secret(orders.secret.clone())
        .user_policy(policy())
        .event_capacity(65_536)
        .shared_store(store)
        .build()
        .unwrap();
    let mut events = transak.events();
    let written = journal.clone();
    let listening = tokio::spawn(async move {
        while let Some(delivery) = events.next().await {
            match delivery {
                Delivery::Event(SessionEvent::Renewed {
                    user, former, token, ..
                }) => written.write(&format!("renewed {user} {former} {token}")),
                Delivery::Event(SessionEvent::Adopted { token, .. }) => {
                    written.write(&format!("adopted {token}"));
                    written.write("event adopted");
                }
                Delivery::Event(event) => written.write(&format!("event {}", event.name())),
                Delivery::Missed(missed) => written.write(&format!("missed {missed}")),
            }
        }
    });
    // For as long as this process runs.
    let _following = transak.follow_hints().unwrap();
    let worker = transak.keep_alive().rate(200.0).unwrap().start().unwrap();
    for caller in 0..CALLERS {
        tokio::spawn(calls(
            transak.clone(),
            journal.clone(),
            orders.people,
            orders.seed ^ (caller << 40),
        ));
    }
    journal.write("up");
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap();
    terminate.recv().await;
    worker.stop().await;
    transak.shutdown().await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    listening.abort();
    journal.write("down");
}

/// What users do: they come at random and want their token now.
async fn calls(transak: Transak, journal: Journal, people: u64, seed: u64) {
    let mut dice = super::disturb::Dice::new(seed);
    let mut had = vec![false; usize::try_from(people).unwrap()];
    let (mut served, mut had_partner) = (0_u64, false);
    loop {
        let number = dice.below(people);
        let user = transak.user(identity(number));
        let known = &mut had[usize::try_from(number).unwrap()];
        match user.token().await {
            Ok(_) => {
                *known = true;
                served += 1;
            }
            Err(SessionError::OtpRequired { cause }) => journal.write(&format!("login {number} {cause:?}")),
            // Who has had the token is served from memory, whatever the store does.
            Err(error) if *known => journal.write(&format!("unserved {number} {error}")),
            Err(_) => journal.write("cold"),
        }
        match transak.partner().ready().await {
            Ok(_) => had_partner = true,
            Err(error) if had_partner => journal.write(&format!("partner {error}")),
            Err(_) => journal.write("cold"),
        }
        if served.is_multiple_of(50) {
            journal.write(&format!("served {served}"));
        }
        tokio::time::sleep(Duration::from_millis(5 + dice.below(30))).await;
    }
}
