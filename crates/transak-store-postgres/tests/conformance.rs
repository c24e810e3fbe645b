//! The store passes the suite with a clock that stands still, to the millisecond.
#![allow(clippy::unwrap_used)]
mod support;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use support::{careless, unique_name};
use transak_session::clock::{Clock, ManualClock, Timestamp};
use transak_session::store::SessionStore;
use transak_session::store::conformance::{Harness, Suite, TestBed, rules};
use transak_store_postgres::{PostgresOptions, PostgresStore};
use transak_test_servers::postgres::{Endpoint, endpoint};

/// One server, a schema for each store, a clock that stands still.
struct Exact {
    endpoint: Endpoint,
    pooler: bool,
}

struct ExactBed {
    url: String,
    schema: String,
    pooler: bool,
    clock: ManualClock,
    store: PostgresStore,
}

fn options(url: &str, schema: &str, pooler: bool, clock: &ManualClock) -> PostgresOptions {
    careless(url)
        .schema(schema)
        .pooler(pooler)
        .connections(4)
        .deadline(Duration::from_secs(20))
        .clock(clock.clone())
}

impl ExactBed {
    async fn another(&self) -> PostgresStore {
        options(&self.url, &self.schema, self.pooler, &self.clock)
            .open()
            .await
            .unwrap()
    }
}

#[async_trait]
impl Harness for Exact {
    async fn fresh(&self) -> Box<dyn TestBed> {
        let clock = ManualClock::new(Timestamp::from_unix_seconds(1_800_000_000));
        let (url, schema) = (self.endpoint.url.clone(), unique_name());
        let store = options(&url, &schema, self.pooler, &clock).open().await.unwrap();
        Box::new(ExactBed {
            url,
            schema,
            pooler: self.pooler,
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
        pooler: false,
    };
    let report = Suite::new().histories(8, 200).run(&harness).await;
    assert_eq!(report.kept().count(), rules().len(), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_all_rules_behind_a_pooler() {
    let harness = Exact {
        endpoint: endpoint(),
        pooler: true,
    };
    let report = Suite::new().histories(4, 200).seed(7).run(&harness).await;
    // Notifications do not pass one.
    let untried: Vec<_> = report.untried().map(|(rule, _)| rule).collect();
    assert_eq!(untried, ["hints::tell_of_writes", "hints::tenants_are_separate"]);
    assert_eq!(report.kept().count() + untried.len(), rules().len(), "{report}");
}
