//! The memory store passes the suite, on a clock that tests move and on the machine's.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use transak_session::clock::{Clock, ManualClock, SystemClock, Timestamp};
use transak_session::store::conformance::{Harness, Suite, TestBed, rules};
use transak_session::store::{MemoryStore, SessionStore};

#[derive(Debug)]
struct Memory {
    /// `None`: the machine's clock, and this slack.
    slack: Option<Duration>,
}

struct Bed {
    store: Arc<MemoryStore>,
    clock: Arc<dyn Clock>,
    hands: Option<ManualClock>,
    slack: Duration,
}

#[async_trait]
impl Harness for Memory {
    async fn fresh(&self) -> Box<dyn TestBed> {
        let hands = ManualClock::new(Timestamp::from_unix_seconds(1_800_000_000));
        let hands = self.slack.is_none().then_some(hands);
        let clock: Arc<dyn Clock> = match &hands {
            Some(hands) => Arc::new(hands.clone()),
            None => Arc::new(SystemClock),
        };
        Box::new(Bed {
            store: Arc::new(MemoryStore::with_clock(10_000, Arc::clone(&clock))),
            clock,
            hands,
            slack: self.slack.unwrap_or_default(),
        })
    }
}

#[async_trait]
impl TestBed for Bed {
    fn store(&self) -> Arc<dyn SessionStore> {
        self.store.clone()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn advance(&mut self, span: Duration) {
        match &self.hands {
            Some(hands) => hands.advance(span),
            None => self.clock.sleep(span).await,
        }
    }

    fn slack(&self) -> Duration {
        self.slack
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_keeps_all_rules() {
    let report = Suite::new().histories(40, 300).run(&Memory { slack: None }).await;
    // The data end with the process, so nothing can be said about restarts; everything else is tried.
    let untried: Vec<_> = report.untried().map(|(rule, _)| rule).collect();
    assert_eq!(
        untried,
        [
            "versions::survive_reopening",
            "leases::survive_reopening",
            "due::survives_reopening"
        ]
    );
    assert_eq!(report.kept().count() + untried.len(), rules().len());
}

#[tokio::test]
async fn memory_keeps_all_rules_on_a_running_clock() {
    let slack = Some(Duration::from_millis(100));
    let report = Suite::new().run(&Memory { slack }).await;
    assert_eq!(report.untried().count(), 3);
}

#[tokio::test]
#[should_panic(expected = "this is no session store")]
async fn a_suite_without_rules_is_no_pass() {
    let _ = Suite::new().only(&["no such rule"]).run(&Memory { slack: None }).await;
}
