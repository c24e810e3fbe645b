//! What a get costs beside a bare read.

use std::time::{Duration, Instant};

use transak_fleet_tests::{EngineKind, Trouble, Wire};

use crate::apart::Apart;
use crate::ground::{DAY, Ground, identity};

pub(crate) struct Gets {
    pub(crate) cold: Duration,
    pub(crate) warm: Duration,
    pub(crate) bare: Duration,
}

/// Beside the engine, and as across a network: behind a wire that answers a millisecond later.
///
/// On one thread, with the engine on another core: which of two a task or a process is woken on is chance, and costs more
/// than what is to be compared.
pub(crate) fn on_one_thread(ground: &Ground, users: u64) -> [Gets; 2] {
    std::thread::scope(|scope| {
        let measuring = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let near = {
                    let _apart = Apart::from(&ground.engine);
                    round_of_gets(ground, ground.engine.port(), 0..users).await
                };
                let wire = Wire::to(ground.engine.port()).await;
                wire.make(Trouble::SlowBack(Duration::from_millis(1)));
                let far = round_of_gets(ground, wire.port(), 0..users.min(1_000)).await;
                [near, far]
            })
        });
        measuring.join().unwrap()
    })
}

/// A get of a session that this process has not met, beside the bare read of the same row by the engine's own client.
async fn round_of_gets(ground: &Ground, port: u16, users: std::ops::Range<u64>) -> Gets {
    let transak = ground.replica_at(port, DAY * 18, DAY * 20).await;
    let mut bare = Bare::connect(ground, port).await;
    let (mut cold, mut plain, mut warm) = (Vec::new(), Vec::new(), Vec::new());
    for number in users {
        let user = transak.user(identity(number));
        let key = user.key().record();
        // By turns first, so that neither has the row in the cache for the other.
        if number % 2 == 0 {
            plain.push(bare.read(&key).await);
        }
        let begun = Instant::now();
        user.token().await.unwrap();
        cold.push(begun.elapsed());
        let begun = Instant::now();
        user.token().await.unwrap();
        warm.push(begun.elapsed());
        if number % 2 == 1 {
            plain.push(bare.read(&key).await);
        }
    }
    transak.shutdown().await;
    let median = |mut all: Vec<Duration>| {
        all.sort();
        all[all.len() / 2]
    };
    Gets {
        cold: median(cold),
        warm: median(warm),
        bare: median(plain),
    }
}

enum Bare {
    Redis(redis::aio::MultiplexedConnection),
    Postgres(tokio_postgres::Client, tokio_postgres::Statement),
}

impl Bare {
    async fn connect(ground: &Ground, port: u16) -> Self {
        match ground.kind {
            EngineKind::Redis => {
                let client = redis::Client::open(format!("redis://127.0.0.1:{port}/")).unwrap();
                Self::Redis(client.get_multiplexed_async_connection().await.unwrap())
            }
            EngineKind::Postgres => {
                let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
                let connected = tokio_postgres::connect(&url, tokio_postgres::NoTls).await;
                let (client, connection) = connected.unwrap();
                tokio::spawn(connection);
                let sql = "SELECT version, clear, sealed FROM transak.session WHERE key = $1";
                let statement = client.prepare(sql).await.unwrap();
                Self::Postgres(client, statement)
            }
        }
    }

    async fn read(&mut self, key: &transak_session::RecordKey) -> Duration {
        match self {
            Self::Redis(connection) => {
                let name = transak_store_redis::test_util::record_name("transak", 16, key);
                let begun = Instant::now();
                let found: Option<Vec<u8>> = redis::cmd("GET").arg(name).query_async(connection).await.unwrap();
                assert!(found.is_some());
                begun.elapsed()
            }
            Self::Postgres(client, statement) => {
                let begun = Instant::now();
                client.query_one(&*statement, &[&&key.as_bytes()[..]]).await.unwrap();
                begun.elapsed()
            }
        }
    }
}

impl std::fmt::Display for Gets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let times = self.cold.as_secs_f64() / self.bare.as_secs_f64();
        write!(f, "{:.1?} beside {:.1?}: {times:.2} times", self.cold, self.bare)
    }
}
