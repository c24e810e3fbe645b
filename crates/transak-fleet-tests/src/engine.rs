//! An engine of either kind.

use std::sync::Arc;
use std::time::Duration;

use transak_session::clock::ManualClock;
use transak_session::store::{SessionStore, StoreError};
use transak_store_postgres::{Durability, PostgresOptions};
use transak_store_redis::RedisOptions;
use transak_test_servers::postgres::PostgresServer;
use transak_test_servers::records::ring;
use transak_test_servers::redis::RedisServer;

/// Which engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineKind {
    /// Redis.
    Redis,
    /// Postgres.
    Postgres,
}

impl EngineKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Redis, Self::Postgres];

    /// Its name, as a command line has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Postgres => "postgres",
        }
    }
}

/// A server of our own.
#[derive(Debug)]
pub enum Engine {
    /// Redis.
    Redis(RedisServer),
    /// Postgres.
    Postgres(PostgresServer),
}

impl Engine {
    /// Starts one. What it has acknowledged survives the end of its processes.
    #[must_use]
    pub fn start(kind: EngineKind) -> Self {
        match kind {
            EngineKind::Redis => Self::Redis(RedisServer::start()),
            EngineKind::Postgres => Self::Postgres(PostgresServer::start()),
        }
    }

    /// Which it is.
    #[must_use]
    pub fn kind(&self) -> EngineKind {
        match self {
            Self::Redis(_) => EngineKind::Redis,
            Self::Postgres(_) => EngineKind::Postgres,
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        match self {
            Self::Redis(server) => server.port(),
            Self::Postgres(server) => server.port(),
        }
    }

    /// A copy of all that is stored; nothing for Redis.
    #[must_use]
    pub fn copy(&self) -> Option<String> {
        match self {
            Self::Redis(_) => None,
            Self::Postgres(server) => Some(server.dump("postgres")),
        }
    }

    /// Puts a copy in the place of what is stored meanwhile; without one, empties the store.
    pub fn set_back(&self, copy: Option<&str>) {
        match (self, copy) {
            (Self::Redis(server), _) => {
                let _ = server.command("FLUSHALL");
            }
            (Self::Postgres(server), Some(copy)) => {
                let _ = server.command("DROP SCHEMA transak CASCADE");
                server.load("postgres", copy);
                // As after every restore, all connections are new.
                let _ = server.command(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
                );
            }
            (Self::Postgres(server), None) => {
                let _ = server.command("TRUNCATE transak.session, transak.lease");
            }
        }
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        match self {
            Self::Redis(server) => server.kill(),
            Self::Postgres(server) => server.kill(),
        }
    }

    /// Starts it again.
    pub fn restart(&mut self) {
        match self {
            Self::Redis(server) => server.restart(),
            Self::Postgres(server) => server.restart(),
        }
    }

    /// Stops it from answering.
    pub fn pause(&self) {
        match self {
            Self::Redis(server) => server.pause(),
            Self::Postgres(server) => server.pause(),
        }
    }

    /// Lets it go on.
    pub fn resume(&self) {
        match self {
            Self::Redis(server) => server.resume(),
            Self::Postgres(server) => server.resume(),
        }
    }
}

/// A handle on the store behind a port of this machine, as a replica opens it; with a clock, that one judges leases.
///
/// # Errors
///
/// As the store's.
pub async fn open(
    kind: EngineKind,
    port: u16,
    deadline: Duration,
    clock: Option<ManualClock>,
) -> Result<Arc<dyn SessionStore>, StoreError> {
    Ok(match kind {
        EngineKind::Redis => {
            let mut options = RedisOptions::new(format!("redis://127.0.0.1:{port}/"), ring(1))
                .durability(transak_store_redis::Durability::Vouched)
                .deadline(deadline);
            if let Some(clock) = clock {
                options = options.clock(clock);
            }
            Arc::new(options.open().await?)
        }
        EngineKind::Postgres => {
            let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
            // The servers of tests do not wait for the disk, nor do those of benches while they are loaded.
            let mut options = PostgresOptions::new(url, ring(1))
                .durability(Durability::Vouched)
                .connections(4)
                .deadline(deadline);
            if let Some(clock) = clock {
                options = options.clock(clock);
            }
            Arc::new(options.open().await?)
        }
    })
}
