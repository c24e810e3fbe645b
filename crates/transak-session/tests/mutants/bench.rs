//! What the suite is given to try a defect.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use transak_session::clock::{Clock, ManualClock, Timestamp};
use transak_session::store::conformance::{Harness, TestBed};
use transak_session::store::{MemoryStore, SessionStore};

use super::{Fault, Faulty};

/// Makes stores with one defect.
pub struct Workshop(pub Fault);

pub struct Bench(Arc<Faulty>);

#[async_trait]
impl Harness for Workshop {
    async fn fresh(&self) -> Box<dyn TestBed> {
        let clock = ManualClock::new(Timestamp::from_unix_seconds(1_800_000_000));
        Box::new(Bench(Arc::new(Faulty {
            inner: MemoryStore::with_clock(10_000, Arc::new(clock.clone())),
            clock,
            fault: self.0,
            memo: Mutex::default(),
        })))
    }
}

#[async_trait]
impl TestBed for Bench {
    fn store(&self) -> Arc<dyn SessionStore> {
        self.0.clone()
    }

    async fn second(&mut self) -> Option<Arc<dyn SessionStore>> {
        Some(self.0.clone())
    }

    /// Everything that a restart could lose is in memory; what is lost is up to the defect.
    async fn reopen(&mut self) -> bool {
        let (store, fault) = (&self.0, self.0.fault);
        let keys = store.memo().keys.clone();
        for key in keys {
            if fault == Fault::LosesRecordsOnReopening {
                store.inner.delete(&key).await.unwrap();
            }
        }
        let leases: Vec<_> = store.memo().leases.values().cloned().collect();
        for lease in leases {
            if fault == Fault::LosesLeasesOnReopening {
                store.inner.release(&lease).await.unwrap();
            }
        }
        if fault == Fault::LosesIndexOnReopening {
            store.memo().keys.clear();
        }
        true
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    async fn advance(&mut self, span: Duration) {
        self.0.clock.advance(span);
    }
}
