//! A loaded engine with a sandbox beside it.

use std::sync::Arc;
use std::time::Duration;

use transak_fleet_tests::{Engine, EngineKind, open};
use transak_sandbox::Sandbox;
use transak_session::store::SessionStore;
use transak_session::{RefreshWindow, Transak, UserIdentity, UserPolicy};
use transak_test_servers::postgres::PostgresServer;
use transak_test_servers::redis::RedisServer;

pub(crate) const DAY: Duration = Duration::from_secs(86_400);

pub(crate) struct Ground {
    pub(crate) kind: EngineKind,
    pub(crate) engine: Engine,
    pub(crate) sandbox: Sandbox,
    empty: u64,
}

pub(crate) fn identity(number: u64) -> UserIdentity {
    UserIdentity::parse(&format!("user{number}@example.com"), "203.0.113.7").unwrap()
}

impl Ground {
    /// An engine that waits for its disk, except while it is loaded.
    pub(crate) async fn prepare(kind: EngineKind) -> Self {
        let engine = match kind {
            EngineKind::Redis => Engine::Redis(RedisServer::start()),
            EngineKind::Postgres => Engine::Postgres(PostgresServer::start_flushing()),
        };
        let sandbox = Sandbox::builder().strict(false).start().await.unwrap();
        sandbox.control().update_settings(|settings| {
            settings.max_users = 1_000_000;
            settings.max_sessions = 1_000_000;
        });
        let mut ground = Self {
            kind,
            engine,
            sandbox,
            empty: 0,
        };
        match &ground.engine {
            Engine::Redis(server) => {
                let _ = server.command("CONFIG SET appendfsync no");
                ground.empty = memory(server);
            }
            Engine::Postgres(server) => {
                let _ = server.command("ALTER ROLE postgres SET synchronous_commit = off");
            }
        }
        ground
    }

    pub(crate) fn make_durable(&mut self) {
        match &self.engine {
            Engine::Redis(server) => {
                // The log of the load is not to be written while something else is measured.
                let _ = server.command("BGREWRITEAOF");
                loop {
                    std::thread::sleep(Duration::from_secs(1));
                    let told = server.command("INFO persistence");
                    let busy = ["aof_rewrite_in_progress:1", "aof_rewrite_scheduled:1"];
                    if !busy.iter().any(|word| told.contains(word)) {
                        break;
                    }
                }
                let _ = std::process::Command::new("sync").status();
                let _ = server.command("CONFIG SET appendfsync always");
            }
            Engine::Postgres(server) => {
                let _ = server.command("ALTER ROLE postgres SET synchronous_commit = on");
                let _ = server.command("VACUUM ANALYZE");
                let _ = server.command("CHECKPOINT");
            }
        }
    }

    pub(crate) async fn store(&self) -> Arc<dyn SessionStore> {
        self.store_at(self.engine.port()).await
    }

    async fn store_at(&self, port: u16) -> Arc<dyn SessionStore> {
        open(self.kind, port, Duration::from_secs(60), None).await.unwrap()
    }

    /// A replica of its own, by whose policy tokens come due between these two ages.
    pub(crate) async fn replica(&self, earliest: Duration, latest: Duration) -> Transak {
        self.replica_at(self.engine.port(), earliest, latest).await
    }

    /// The same, with the engine behind another port.
    pub(crate) async fn replica_at(&self, port: u16, earliest: Duration, latest: Duration) -> Transak {
        let window = RefreshWindow::new(DAY * 30, earliest, latest).unwrap();
        let settings = self.sandbox.control().settings();
        Transak::builder()
            .environment(self.sandbox.environment())
            .api_key(settings.api_key)
            .user_policy(UserPolicy::default().window(window))
            .shared_store(self.store_at(port).await)
            .build()
            .unwrap()
    }

    /// What the engine needs for a session, by part.
    pub(crate) fn size(&self, sessions: u64) -> Vec<(String, f64)> {
        let each = |bytes: u64| bytes as f64 / sessions as f64;
        match &self.engine {
            Engine::Redis(server) => vec![("memory".to_owned(), each(memory(server) - self.empty))],
            Engine::Postgres(server) => {
                let ask = |relation: &str| -> u64 {
                    let sql = format!("SELECT pg_relation_size('transak.{relation}')");
                    server.command(&sql).parse().unwrap()
                };
                let parts = [
                    ("disk, rows", "session"),
                    ("disk, index of keys", "session_pkey"),
                    ("disk, index by expiry", "session_expiry"),
                    ("disk, index by wake time", "session_wake"),
                    ("disk, index of ends", "session_end"),
                ];
                parts
                    .map(|(what, relation)| (what.to_owned(), each(ask(relation))))
                    .to_vec()
            }
        }
    }
}

fn memory(server: &RedisServer) -> u64 {
    let told = server.command("INFO memory");
    let line = told.lines().find_map(|line| line.strip_prefix("used_memory:"));
    line.unwrap().trim().parse().unwrap()
}
