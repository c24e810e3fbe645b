//! A store that can fail.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use transak_session::clock::ManualClock;
use transak_session::store::{
    Allowance, Allowed, Claim, Claimed, DueQuery, Forecast, Hints, Lease, MemoryStore, Record, SessionStore,
    StoreError, Swap, Version, Versioned,
};
use transak_session::{RecordKey, TenantId};

use super::gates::Gates;

/// A memory store that can be held, made to fail and counted.
#[derive(Debug)]
pub struct FakeStore {
    pub gates: Gates,
    pub inner: MemoryStore,
    down: Mutex<bool>,
}

impl FakeStore {
    pub(super) fn new(clock: ManualClock) -> Self {
        Self {
            gates: Gates::new(),
            inner: MemoryStore::with_clock(1_000, Arc::new(clock)),
            down: Mutex::new(false),
        }
    }

    pub fn set_down(&self, down: bool) {
        *self.down.lock().unwrap() = down;
    }

    async fn pass(&self, place: &'static str) -> Result<(), StoreError> {
        self.gates.pass(place).await;
        match *self.down.lock().unwrap() {
            true => Err(StoreError::new("out of order")),
            false => Ok(()),
        }
    }

    async fn back<T>(&self, answer: T) -> T {
        self.gates.under_way().await;
        answer
    }
}

#[async_trait]
impl SessionStore for FakeStore {
    async fn load(&self, key: &RecordKey) -> Result<Option<Versioned>, StoreError> {
        self.pass("load").await?;
        let answer = self.inner.load(key).await;
        self.gates.hold("load, the answer").await;
        self.back(answer).await
    }

    async fn swap(
        &self,
        key: &RecordKey,
        expected: Option<Version>,
        record: Record,
        finishing: Option<&Lease>,
    ) -> Result<Swap, StoreError> {
        self.pass("save").await?;
        self.back(self.inner.swap(key, expected, record, finishing).await).await
    }

    async fn claim(&self, key: &RecordKey, span: Duration) -> Result<Claim, StoreError> {
        self.pass("claim").await?;
        self.back(self.inner.claim(key, span).await).await
    }

    async fn extend(&self, lease: &Lease, span: Duration) -> Result<bool, StoreError> {
        self.pass("extend").await?;
        self.back(self.inner.extend(lease, span).await).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.pass("release").await?;
        self.back(self.inner.release(lease).await).await
    }

    async fn claim_due(&self, query: &DueQuery) -> Result<Vec<Claimed>, StoreError> {
        self.pass("claim_due").await?;
        self.back(self.inner.claim_due(query).await).await
    }

    async fn forecast(&self, tenant: TenantId, horizons: &[Duration]) -> Result<Forecast, StoreError> {
        self.pass("forecast").await?;
        self.back(self.inner.forecast(tenant, horizons).await).await
    }

    async fn draw(&self, allowance: &Allowance) -> Result<Allowed, StoreError> {
        self.pass("draw").await?;
        self.back(self.inner.draw(allowance).await).await
    }

    async fn give_back(&self, tenant: TenantId, permits: u32) -> Result<(), StoreError> {
        self.pass("give_back").await?;
        self.back(self.inner.give_back(tenant, permits).await).await
    }

    async fn hints(&self, tenant: TenantId) -> Result<Option<Hints>, StoreError> {
        self.inner.hints(tenant).await
    }

    async fn delete(&self, key: &RecordKey) -> Result<(), StoreError> {
        self.pass("delete").await?;
        self.back(self.inner.delete(key).await).await
    }
}
