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
use transak_store_redis::{RedisOptions, RedisStore};
use transak_test_servers::redis::{Endpoint, endpoint};

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
        let (url, namespace) = (self.endpoint.url.clone(), unique_name());
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
