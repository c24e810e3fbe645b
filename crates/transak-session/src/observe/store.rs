//! A store whose calls are watched.

use std::time::Duration;

use async_trait::async_trait;
use tracing::field::Empty;

use super::{Observed, Tier, watched};
use crate::identity::{RecordKey, TenantId};
use crate::store::{
    Allowance, Allowed, Claim, Claimed, DueQuery, Forecast, Hints, Lease, Record, SessionStore, StoreError, Swap,
    Version, Versioned,
};

pub(super) fn span(call: &'static str) -> tracing::Span {
    tracing::debug_span!("store", call, outcome = Empty)
}

impl Observed<dyn SessionStore> {
    async fn watch<T>(
        &self,
        call: &'static str,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let reason = |error: &StoreError| error.kind().name();
        watched(Tier::Store, call, &self.time, span(call), work, reason).await
    }
}

#[async_trait]
impl SessionStore for Observed<dyn SessionStore> {
    async fn load(&self, key: &RecordKey) -> Result<Option<Versioned>, StoreError> {
        self.watch("load", self.inner.load(key)).await
    }

    async fn swap(
        &self,
        key: &RecordKey,
        expected: Option<Version>,
        record: Record,
        finishing: Option<&Lease>,
    ) -> Result<Swap, StoreError> {
        self.watch("swap", self.inner.swap(key, expected, record, finishing))
            .await
    }

    async fn delete(&self, key: &RecordKey) -> Result<(), StoreError> {
        self.watch("delete", self.inner.delete(key)).await
    }

    async fn claim(&self, key: &RecordKey, span: Duration) -> Result<Claim, StoreError> {
        self.watch("claim", self.inner.claim(key, span)).await
    }

    async fn extend(&self, lease: &Lease, span: Duration) -> Result<bool, StoreError> {
        self.watch("extend", self.inner.extend(lease, span)).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.watch("release", self.inner.release(lease)).await
    }

    async fn claim_due(&self, query: &DueQuery) -> Result<Vec<Claimed>, StoreError> {
        self.watch("claim_due", self.inner.claim_due(query)).await
    }

    async fn forecast(&self, tenant: TenantId, horizons: &[Duration]) -> Result<Forecast, StoreError> {
        self.watch("forecast", self.inner.forecast(tenant, horizons)).await
    }

    async fn draw(&self, allowance: &Allowance) -> Result<Allowed, StoreError> {
        self.watch("draw", self.inner.draw(allowance)).await
    }

    async fn give_back(&self, tenant: TenantId, permits: u32) -> Result<(), StoreError> {
        self.watch("give_back", self.inner.give_back(tenant, permits)).await
    }

    async fn hints(&self, tenant: TenantId) -> Result<Option<Hints>, StoreError> {
        self.watch("hints", self.inner.hints(tenant)).await
    }
}
