//! The store on a cluster of three nodes.
#![cfg(feature = "cluster")]
#![allow(clippy::unwrap_used)]
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use support::{idle, key, put, ring, unique_name};
use transak_session::clock::{Clock, ManualClock, Timestamp};
use transak_session::store::conformance::{Harness, Suite, TestBed, rules};
use transak_session::store::{SessionStore, StoreErrorKind};
use transak_store_redis::{Durability, RedisOptions, RedisStore};
use transak_test_servers::redis::RedisCluster;

fn options(cluster: &RedisCluster, namespace: &str) -> RedisOptions {
    let mut urls = cluster.urls();
    RedisOptions::new(urls.remove(0), ring(1))
        .cluster(urls)
        .namespace(namespace)
}

struct Clustered(Arc<RedisCluster>);

struct ClusteredBed {
    cluster: Arc<RedisCluster>,
    namespace: String,
    clock: ManualClock,
    store: RedisStore,
}

async fn exact(cluster: &RedisCluster, namespace: &str, clock: &ManualClock) -> RedisStore {
    let options = options(cluster, namespace).clock(clock.clone());
    // The model forgets nothing.
    let options = options.keep_expired(Duration::from_secs(100 * 365 * 86_400));
    options.deadline(Duration::from_secs(20)).open().await.unwrap()
}

#[async_trait]
impl Harness for Clustered {
    async fn fresh(&self) -> Box<dyn TestBed> {
        let clock = ManualClock::new(Timestamp::from_unix_seconds(1_800_000_000));
        let namespace = unique_name();
        let store = exact(&self.0, &namespace, &clock).await;
        Box::new(ClusteredBed {
            cluster: Arc::clone(&self.0),
            namespace,
            clock,
            store,
        })
    }
}

#[async_trait]
impl TestBed for ClusteredBed {
    fn store(&self) -> Arc<dyn SessionStore> {
        Arc::new(self.store.clone())
    }

    async fn second(&mut self) -> Option<Arc<dyn SessionStore>> {
        Some(Arc::new(exact(&self.cluster, &self.namespace, &self.clock).await))
    }

    async fn reopen(&mut self) -> bool {
        self.store.close();
        self.store = exact(&self.cluster, &self.namespace, &self.clock).await;
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
async fn keeps_all_rules() {
    let harness = Clustered(Arc::new(RedisCluster::start()));
    let report = Suite::new().histories(4, 200).run(&harness).await;
    assert_eq!(report.kept().count(), rules().len(), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_dies_and_comes_back() {
    let mut cluster = RedisCluster::start();
    let store = options(&cluster, "test").open().await.unwrap();
    let mut versions = Vec::new();
    for name in 0..60 {
        versions.push(put(&store, &key(name), idle(name)).await);
    }
    cluster.nodes[1].kill();
    let mut failed = 0;
    for name in 0..60 {
        if let Err(error) = store.load(&key(name)).await {
            assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
            failed += 1;
        }
    }
    assert!(failed > 0, "no record was on that node");
    cluster.nodes[1].restart();
    let begun = Instant::now();
    for (name, version) in (0..60).zip(versions) {
        loop {
            match store.load(&key(name)).await {
                Ok(there) => break assert_eq!(there.unwrap().version, version),
                Err(error) => assert!(
                    begun.elapsed() < Duration::from_secs(30),
                    "it never comes back: {error}"
                ),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    put(&store, &key(1), idle(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_primary_has_to_keep_what_it_is_given() {
    let cluster = RedisCluster::start();
    let _ = cluster.nodes[2].command("CONFIG SET maxmemory-policy allkeys-lru");
    let refused = options(&cluster, "test").open().await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unsafe, "{refused}");
    options(&cluster, "test")
        .durability(Durability::CacheOnly)
        .open()
        .await
        .unwrap();
}
