//! The program itself, on each engine, against the sandbox.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use transak_sandbox::Sandbox;
use transak_session::store::seal::{KeyRing, SealKey};
use transak_session::store::{SessionStore, SqliteStore, Swap};
use transak_session::{Otp, Transak, UserIdentity};
use transak_store_postgres::{Durability, PostgresOptions};
use transak_store_redis::RedisStore;
use transak_test_servers::postgres::PostgresServer;
use transak_test_servers::redis::RedisServer;

const PEOPLE: u64 = 12;
const HOUR: Duration = Duration::from_secs(3_600);

/// A program that runs; ended with the test.
struct Program {
    child: Child,
    base: String,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Scene {
    sandbox: Sandbox,
    key: String,
    address: String,
    store: Arc<dyn SessionStore>,
    transak: Transak,
    /// The programs of one machine share a journal.
    journals: tempfile::TempDir,
    _home: Box<dyn std::any::Any>,
}

fn ring(key: &str) -> KeyRing {
    KeyRing::new(SealKey::from_base64(key).unwrap())
}

impl Scene {
    async fn on(address: String, key: String, store: Arc<dyn SessionStore>, home: Box<dyn std::any::Any>) -> Self {
        let sandbox = Sandbox::builder().start().await.unwrap();
        let settings = sandbox.control().settings();
        let transak = Transak::builder()
            .environment(sandbox.environment())
            .api_key(settings.api_key.clone())
            .api_secret(settings.api_secret.clone())
            .shared_store(Arc::clone(&store))
            .build()
            .unwrap();
        Self {
            sandbox,
            key,
            address,
            store,
            transak,
            journals: tempfile::tempdir().unwrap(),
            _home: home,
        }
    }

    async fn sqlite() -> Self {
        let key = SealKey::generate().unwrap().expose_base64();
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("sessions.db");
        let store = Arc::new(SqliteStore::open(&path, ring(&key)).await.unwrap());
        Self::on(
            format!("sqlite:{}", path.display()),
            key.to_string(),
            store,
            Box::new(home),
        )
        .await
    }

    async fn redis() -> Self {
        let key = SealKey::generate().unwrap().expose_base64();
        let server = RedisServer::start();
        let store = Arc::new(RedisStore::open(server.url(), ring(&key)).await.unwrap());
        Self::on(server.url(), key.to_string(), store, Box::new(server)).await
    }

    async fn postgres() -> Self {
        let key = SealKey::generate().unwrap().expose_base64();
        let server = PostgresServer::start();
        let options = PostgresOptions::new(server.url(), ring(&key)).durability(Durability::Vouched);
        let store = Arc::new(options.open().await.unwrap());
        Self::on(server.url(), key.to_string(), store, Box::new(server)).await
    }

    /// Logs people in and lets them be due.
    async fn people(&self) {
        for number in 0..PEOPLE {
            let email = format!("planted{number}@example.com");
            let user = self.transak.user(UserIdentity::parse(&email, "203.0.113.77").unwrap());
            let challenge = user.begin_login().await.unwrap();
            let code = self.sandbox.control().latest_code(&email).unwrap();
            challenge.verify(Otp::parse(&code).unwrap()).await.unwrap();
            let key = user.key().record();
            let there = self.store.load(&key).await.unwrap().unwrap();
            let mut record = there.record;
            record.wake_at = record.issued_at - HOUR;
            record.due_at = record.wake_at;
            let swapped = self.store.swap(&key, Some(there.version), record, None).await.unwrap();
            assert!(matches!(swapped, Swap::Stored(_)));
        }
    }

    fn command(&self) -> Command {
        let settings = self.sandbox.control().settings();
        let mut command = Command::new(env!("CARGO_BIN_EXE_transak-keepalive"));
        command
            .env_clear()
            .args(["--listen", "127.0.0.1:0", "--rate", "100"])
            .args([
                "--api-url",
                &self.sandbox.api_url(),
                "--gateway-url",
                &self.sandbox.gateway_url(),
            ])
            .env("TRANSAK_STORE", &self.address)
            .env("TRANSAK_STORE_VOUCHED", "true")
            .env("TRANSAK_SEAL_KEY", &self.key)
            .env("TRANSAK_API_KEY", settings.api_key)
            .env("TRANSAK_API_SECRET", settings.api_secret)
            .env("TRANSAK_LOG", "debug")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn start(&self) -> Program {
        let mut command = self.command();
        command.env("TRANSAK_KEEPALIVE_JOURNAL", self.journals.path().join("journal.db"));
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let Some(address) = line.trim().strip_prefix("listening on ") else {
            let mut told = String::new();
            let _ = child.kill();
            child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
            panic!("it does not start: {told}");
        };
        Program {
            base: format!("http://{address}"),
            child,
        }
    }

    fn refreshes(&self) -> u64 {
        self.sandbox.control().counts().world.refreshes
    }
}

async fn get(url: String) -> (u16, String) {
    let answer = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .get(url)
        .send()
        .await
        .unwrap();
    let status = answer.status().as_u16();
    (status, answer.text().await.unwrap())
}

fn terminate(program: &Program) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(program.child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
}

async fn plays(scene: Scene) {
    scene.people().await;
    // One that is killed at once leaves the work to the others.
    let mut programs = vec![scene.start(), scene.start(), scene.start()];
    drop(programs.pop());
    let begun = Instant::now();
    // What the killed one may have claimed is free again when its leases have lapsed.
    while scene.refreshes() < PEOPLE {
        assert!(
            begun.elapsed() < Duration::from_secs(100),
            "{} of {PEOPLE}",
            scene.refreshes()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (mut shown, mut logged) = (String::new(), String::new());
    let mut renewed = 0;
    for program in &mut programs {
        let (status, alive) = get(format!("{}/live", program.base)).await;
        assert_eq!((status, alive.as_str()), (200, "alive\n"));
        let (status, health) = get(format!("{}/health", program.base)).await;
        assert_eq!(status, 200, "{health}");
        let health: serde_json::Value = serde_json::from_str(&health).unwrap();
        assert_eq!(
            (&health["ok"], &health["running"]),
            (&true.into(), &true.into()),
            "{health}"
        );
        renewed += health["renewed"].as_u64().unwrap();
        let (status, metrics) = get(format!("{}/metrics", program.base)).await;
        assert_eq!(status, 200);
        for name in [
            "transak_session_lapsing_sessions{within_hours=\"24\"} ",
            "transak_session_store_seconds_bucket{",
            "transak_session_keep_alive_rate 100",
        ] {
            assert!(metrics.contains(name), "there is no {name} in\n{metrics}");
        }
        assert_eq!(get(format!("{}/other", program.base)).await.0, 404);
        terminate(program);
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = program.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "it does not end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert!(status.success(), "{status}");
        program
            .child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut logged)
            .unwrap();
        shown.push_str(&metrics);
    }
    assert!(renewed <= PEOPLE && renewed + 4 >= PEOPLE, "{renewed}");
    assert_eq!(scene.refreshes(), PEOPLE, "a session was renewed twice");
    // Everybody's session goes on with a token that was never at hand here.
    assert!(
        logged.contains("keeping sessions alive") && logged.contains("ended"),
        "{logged}"
    );
    let settings = scene.sandbox.control().settings();
    for secret in ["planted", "203.0.113.77", &scene.key, &settings.api_secret, "eyJ"] {
        for text in [&logged, &shown] {
            assert!(!text.contains(secret), "{secret} is in what it tells");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_file() {
    plays(Scene::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_redis() {
    plays(Scene::redis().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres() {
    plays(Scene::postgres().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_said_without_secrets() {
    let scene = Scene::sqlite().await;
    let spoil: [(&str, &str, &str); 5] = [
        (
            "TRANSAK_SEAL_KEY",
            "not-a-key-planted",
            "TRANSAK_SEAL_KEY is not a sealing key",
        ),
        ("TRANSAK_STORE", "mysql://planted:planted@db/", "begins with none of"),
        (
            "TRANSAK_STORE",
            "postgres://planted:planted@127.0.0.1:1/d",
            "could not be reached",
        ),
        (
            "TRANSAK_SEAL_KEY_FILE",
            "/nowhere",
            "both TRANSAK_SEAL_KEY and TRANSAK_SEAL_KEY_FILE",
        ),
        ("TRANSAK_API_KEY", "", "TRANSAK_API_KEY is empty"),
    ];
    for (name, value, told) in spoil {
        let output = scene.command().env(name, value).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && text.contains(told), "{name}: {text}");
        assert!(!text.contains("planted"), "{text}");
    }
    let mut missing = scene.command();
    missing.env_remove("TRANSAK_SEAL_KEY");
    let text = String::from_utf8_lossy(&missing.output().unwrap().stderr).into_owned();
    assert!(text.contains("TRANSAK_SEAL_KEY is not set"), "{text}");
    // From files, as orchestrators mount them.
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("key");
    std::fs::write(&file, format!("{}\n", scene.key)).unwrap();
    let mut fine = scene.command();
    fine.env_remove("TRANSAK_SEAL_KEY").env("TRANSAK_SEAL_KEY_FILE", file);
    let mut child = fine.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let _ = child.kill();
    let _ = child.wait();
    assert!(line.starts_with("listening on"), "{line}");
}
