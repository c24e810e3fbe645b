//! The SQLite store passes the suite; its second handle has connections and a writer of its own, as another process would.
#![allow(clippy::unwrap_used)]
mod sqlite_support;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlite_support::Home;
use transak_session::clock::{Clock, Timestamp};
use transak_session::store::conformance::{Harness, Suite, TestBed, rules};
use transak_session::store::{SessionStore, SqliteStore};

struct Sqlite;

struct Bed {
    home: Home,
    store: SqliteStore,
    seconds: Vec<SqliteStore>,
}

#[async_trait]
impl Harness for Sqlite {
    async fn fresh(&self) -> Box<dyn TestBed> {
        let home = Home::new();
        Box::new(Bed {
            store: home.open().await,
            home,
            seconds: Vec::new(),
        })
    }
}

#[async_trait]
impl TestBed for Bed {
    fn store(&self) -> Arc<dyn SessionStore> {
        Arc::new(self.store.clone())
    }

    async fn second(&mut self) -> Option<Arc<dyn SessionStore>> {
        let second = self.home.open().await;
        self.seconds.push(second.clone());
        Some(Arc::new(second))
    }

    async fn reopen(&mut self) -> bool {
        for store in self.seconds.drain(..).chain([self.store.clone()]) {
            store.close().await.unwrap();
        }
        self.store = self.home.open().await;
        true
    }

    fn now(&self) -> Timestamp {
        self.home.clock.now()
    }

    async fn advance(&mut self, span: Duration) {
        self.home.clock.advance(span);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_all_rules() {
    let report = Suite::new().histories(6, 120).run(&Sqlite).await;
    // It could hint only within its process, so it does not.
    let untried: Vec<_> = report.untried().map(|(rule, _)| rule).collect();
    assert_eq!(untried, ["hints::tell_of_writes", "hints::tenants_are_separate"]);
    assert_eq!(report.kept().count() + untried.len(), rules().len(), "{report}");
}
