//! The store passes the suite: with a clock that stands still, to the millisecond; and by the server's own clock, with the
//! server killed and started again where the suite asks for a restart.
#![allow(clippy::unwrap_used)]
mod support;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use support::{careless, namespace, now, options};
use transak_session::clock::{Clock, ManualClock, Timestamp};
use transak_session::store::SessionStore;
use transak_session::store::conformance::{Harness, Suite, TestBed, rules};
use transak_store_redis::{RedisOptions, RedisStore};
use transak_test_servers::redis::{Endpoint, RedisServer, endpoint};

/// One server, a namespace for each store, a clock that stands still.
struct Exact {
    endpoint: Endpoint,
    shards: u16,
}

struct ExactBed {
    url: String,
    namespace: String,
    shards: u16,
    clock: ManualClock,
    store: RedisStore,
}

impl ExactBed {
    fn options(url: &str, namespace: &str, shards: u16, clock: &ManualClock) -> RedisOptions {
        careless(url, namespace)
            .shards(shards)
            .clock(clock.clone())
            // The model forgets nothing.
            .keep_expired(Duration::from_secs(100 * 365 * 86_400))
    }

    async fn another(&self) -> RedisStore {
        let options = Self::options(&self.url, &self.namespace, self.shards, &self.clock);
        options.open().await.unwrap()
    }
}

#[async_trait]
impl Harness for Exact {
    async fn fresh(&self) -> Box<dyn TestBed> {
        let clock = ManualClock::new(Timestamp::from_unix_seconds(1_800_000_000));
        let (url, namespace) = (self.endpoint.url.clone(), namespace());
        let store = ExactBed::options(&url, &namespace, self.shards, &clock)
            .open()
            .await
            .unwrap();
        Box::new(ExactBed {
            url,
            namespace,
            shards: self.shards,
            clock,
            store,
        })
    }
}

#[async_trait]
impl TestBed for ExactBed {
    fn store(&self) -> Arc<dyn SessionStore> {
        Arc::new(self.store.clone())
    }

    async fn second(&mut self) -> Option<Arc<dyn SessionStore>> {
        Some(Arc::new(self.another().await))
    }

    async fn reopen(&mut self) -> bool {
        self.store.close();
        self.store = self.another().await;
        true
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn advance(&mut self, span: Duration) {
        self.clock.advance(span);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_all_rules_to_the_millisecond() {
    let harness = Exact {
        endpoint: endpoint(),
        shards: 4,
    };
    let report = Suite::new().histories(8, 200).run(&harness).await;
    assert_eq!(report.kept().count(), rules().len(), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_all_rules_with_one_shard() {
    let harness = Exact {
        endpoint: endpoint(),
        shards: 1,
    };
    let report = Suite::new().histories(4, 200).seed(7).run(&harness).await;
    assert_eq!(report.kept().count(), rules().len(), "{report}");
}

/// A server for each store.
struct Real;

/// The machine may be busy, and each write waits for the disk.
async fn patient(server: &RedisServer) -> RedisStore {
    options(server).deadline(Duration::from_secs(20)).open().await.unwrap()
}

struct RealBed {
    server: RedisServer,
    store: RedisStore,
}

#[async_trait]
impl Harness for Real {
    async fn fresh(&self) -> Box<dyn TestBed> {
        let server = RedisServer::start();
        let store = patient(&server).await;
        Box::new(RealBed { server, store })
    }
}

#[async_trait]
impl TestBed for RealBed {
    fn store(&self) -> Arc<dyn SessionStore> {
        Arc::new(self.store.clone())
    }

    async fn second(&mut self) -> Option<Arc<dyn SessionStore>> {
        Some(Arc::new(options(&self.server).connections(2).open().await.unwrap()))
    }

    async fn reopen(&mut self) -> bool {
        self.store.close();
        self.server.restart();
        self.store = patient(&self.server).await;
        true
    }

    fn now(&self) -> Timestamp {
        now()
    }

    async fn advance(&mut self, span: Duration) {
        tokio::time::sleep(span).await;
    }

    fn slack(&self) -> Duration {
        Duration::from_millis(500)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_all_rules_by_the_servers_clock() {
    let report = Suite::new().histories(2, 100).run(&Real).await;
    assert_eq!(report.kept().count(), rules().len(), "{report}");
}
