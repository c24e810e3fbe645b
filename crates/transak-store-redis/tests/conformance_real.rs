//! The store passes the suite by the server's own clock, with the server killed and started again where the suite asks for a
//! restart. Alone in its program: what it measures is real time.
#![allow(clippy::unwrap_used)]
mod support;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use support::{now, options};
use transak_session::clock::Timestamp;
use transak_session::store::SessionStore;
use transak_session::store::conformance::{Harness, Suite, TestBed, rules};
use transak_store_redis::RedisStore;
use transak_test_servers::redis::RedisServer;

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
