//! The store passes the suite by the server's own clock, with the server killed and started again where the suite asks for a
//! restart. Alone in its program: what it measures is real time.
#![allow(clippy::unwrap_used)]
mod support;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use support::{now, options, unique_name};
use transak_session::clock::Timestamp;
use transak_session::store::SessionStore;
use transak_session::store::conformance::{Harness, Suite, TestBed, rules};
use transak_store_postgres::{PostgresOptions, PostgresStore};
use transak_test_servers::postgres::PostgresServer;

/// One server that all stores share, each with a schema of its own.
struct Real {
    server: Arc<std::sync::Mutex<PostgresServer>>,
}

struct RealBed {
    server: Arc<std::sync::Mutex<PostgresServer>>,
    schema: String,
    store: PostgresStore,
}

fn patient(server: &std::sync::Mutex<PostgresServer>, schema: &str) -> PostgresOptions {
    // The machine may be busy.
    let server = server.lock().unwrap();
    options(&server).schema(schema).deadline(Duration::from_secs(20))
}

#[async_trait]
impl Harness for Real {
    async fn fresh(&self) -> Box<dyn TestBed> {
        let schema = unique_name();
        let store = patient(&self.server, &schema).open().await.unwrap();
        Box::new(RealBed {
            server: Arc::clone(&self.server),
            schema,
            store,
        })
    }
}

#[async_trait]
impl TestBed for RealBed {
    fn store(&self) -> Arc<dyn SessionStore> {
        Arc::new(self.store.clone())
    }

    async fn second(&mut self) -> Option<Arc<dyn SessionStore>> {
        let options = patient(&self.server, &self.schema).connections(2);
        Some(Arc::new(options.open().await.unwrap()))
    }

    async fn reopen(&mut self) -> bool {
        self.store.close();
        self.server.lock().unwrap().restart();
        self.store = patient(&self.server, &self.schema).open().await.unwrap();
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
    let harness = Real {
        server: Arc::new(std::sync::Mutex::new(PostgresServer::start())),
    };
    let report = Suite::new().histories(2, 100).run(&harness).await;
    assert_eq!(report.kept().count(), rules().len(), "{report}");
}
