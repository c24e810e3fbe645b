//! A store that can be out of order.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use transak_session::store::{
    Allowance, Allowed, Claim, Claimed, DueQuery, Forecast, Hints, Lease, MemoryStore, Record, SessionStore,
    StoreError, Swap, Version, Versioned,
};
use transak_session::{RecordKey, TenantId};

/// A store that can be out of order.
#[derive(Debug)]
pub struct Shaky {
    pub inner: MemoryStore,
    pub down: Mutex<bool>,
}

impl Shaky {
    async fn pass(&self) -> Result<(), StoreError> {
        tokio::task::yield_now().await;
        match *self.down.lock().unwrap() {
            true => Err(StoreError::new("out of order")),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl SessionStore for Shaky {
    async fn load(&self, key: &RecordKey) -> Result<Option<Versioned>, StoreError> {
        self.pass().await?;
        self.inner.load(key).await
    }
    async fn swap(
        &self,
        key: &RecordKey,
        expected: Option<Version>,
        record: Record,
        finishing: Option<&Lease>,
    ) -> Result<Swap, StoreError> {
        self.pass().await?;
        self.inner.swap(key, expected, record, finishing).await
    }
    async fn delete(&self, key: &RecordKey) -> Result<(), StoreError> {
        self.pass().await?;
        self.inner.delete(key).await
    }
    async fn claim(&self, key: &RecordKey, span: Duration) -> Result<Claim, StoreError> {
        self.pass().await?;
        self.inner.claim(key, span).await
    }
    async fn extend(&self, lease: &Lease, span: Duration) -> Result<bool, StoreError> {
        self.pass().await?;
        self.inner.extend(lease, span).await
    }
    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.pass().await?;
        self.inner.release(lease).await
    }
    async fn claim_due(&self, query: &DueQuery) -> Result<Vec<Claimed>, StoreError> {
        self.pass().await?;
        self.inner.claim_due(query).await
    }
    async fn forecast(&self, tenant: TenantId, horizons: &[Duration]) -> Result<Forecast, StoreError> {
        self.pass().await?;
        self.inner.forecast(tenant, horizons).await
    }

    async fn draw(&self, allowance: &Allowance) -> Result<Allowed, StoreError> {
        self.pass().await?;
        self.inner.draw(allowance).await
    }

    async fn give_back(&self, tenant: TenantId, permits: u32) -> Result<(), StoreError> {
        self.pass().await?;
        self.inner.give_back(tenant, permits).await
    }

    async fn hints(&self, tenant: TenantId) -> Result<Option<Hints>, StoreError> {
        self.inner.hints(tenant).await
    }
}
