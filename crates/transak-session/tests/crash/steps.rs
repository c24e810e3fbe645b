//! A store that stands still at a chosen step.

use std::future::pending;
use std::io::Write as _;
use std::time::Duration;

use async_trait::async_trait;
use transak_session::store::{
    Allowance, Allowed, Claim, Claimed, DueQuery, Forecast, Lease, Record, SessionStore, SqliteStore, StoreError, Swap,
    Version, Versioned,
};
use transak_session::{RecordKey, TenantId};

/// Where a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A one-time password is on its way to a person.
    AfterMail,
    AfterRead,
    BeforeClaim,
    AfterClaim,
    /// Transak has acted, and its answer is on the way.
    AfterEffect,
    BeforeSwap,
    AfterSwap,
}

impl Step {
    /// Names no step.
    pub(crate) const NEVER: &'static str = "never";
    /// Those of a renewal and of a mint.
    pub(crate) const UNDER_LEASE: [Self; 5] = [
        Self::BeforeClaim,
        Self::AfterClaim,
        Self::AfterEffect,
        Self::BeforeSwap,
        Self::AfterSwap,
    ];
    /// A login takes no lease, and reads nothing first.
    pub(crate) const LOGIN: [Self; 4] = [Self::AfterMail, Self::AfterEffect, Self::BeforeSwap, Self::AfterSwap];
    /// A logout takes no lease either.
    pub(crate) const LOGOUT: [Self; 4] = [Self::AfterRead, Self::AfterEffect, Self::BeforeSwap, Self::AfterSwap];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AfterMail => "after the mail",
            Self::AfterRead => "after the read",
            Self::BeforeClaim => "before the claim",
            Self::AfterClaim => "after the claim",
            Self::AfterEffect => "after the effect",
            Self::BeforeSwap => "before the swap",
            Self::AfterSwap => "after the swap",
        }
    }

    pub(crate) fn find(name: &str) -> Option<Self> {
        let all = [Self::UNDER_LEASE.as_slice(), &Self::LOGIN, &Self::LOGOUT].concat();
        all.into_iter().find(|step| step.name() == name)
    }

    /// Whether Transak has done its part by then, and whether we have it in the file.
    pub(crate) fn issued_and_stored(self) -> (bool, bool) {
        match self {
            Self::AfterMail | Self::AfterRead | Self::BeforeClaim | Self::AfterClaim => (false, false),
            Self::AfterEffect | Self::BeforeSwap => (true, false),
            Self::AfterSwap => (true, true),
        }
    }

    /// Whether a lease is left in the file.
    pub(crate) fn leased(self) -> bool {
        matches!(self, Self::AfterClaim | Self::AfterEffect | Self::BeforeSwap)
    }
}

#[derive(Debug)]
pub(crate) struct Stepping {
    pub(crate) inner: SqliteStore,
    pub(crate) stop_at: Option<Step>,
}

impl Stepping {
    async fn pass(&self, step: Step) {
        if self.stop_at == Some(step) {
            println!("reached");
            std::io::stdout().flush().unwrap();
            pending::<()>().await;
        }
    }
}

#[async_trait]
impl SessionStore for Stepping {
    async fn load(&self, key: &RecordKey) -> Result<Option<Versioned>, StoreError> {
        let there = self.inner.load(key).await;
        self.pass(Step::AfterRead).await;
        there
    }

    async fn swap(
        &self,
        key: &RecordKey,
        expected: Option<Version>,
        record: Record,
        finishing: Option<&Lease>,
    ) -> Result<Swap, StoreError> {
        self.pass(Step::BeforeSwap).await;
        let swapped = self.inner.swap(key, expected, record, finishing).await;
        // A login writes without having read, and once more if there was something.
        if matches!(swapped, Ok(Swap::Stored(_))) {
            self.pass(Step::AfterSwap).await;
        }
        swapped
    }

    async fn delete(&self, key: &RecordKey) -> Result<(), StoreError> {
        self.inner.delete(key).await
    }

    async fn claim(&self, key: &RecordKey, span: Duration) -> Result<Claim, StoreError> {
        self.pass(Step::BeforeClaim).await;
        let claim = self.inner.claim(key, span).await;
        if matches!(claim, Ok(Claim::Granted { .. })) {
            self.pass(Step::AfterClaim).await;
        }
        claim
    }

    async fn extend(&self, lease: &Lease, span: Duration) -> Result<bool, StoreError> {
        self.inner.extend(lease, span).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.inner.release(lease).await
    }

    async fn claim_due(&self, query: &DueQuery) -> Result<Vec<Claimed>, StoreError> {
        self.pass(Step::BeforeClaim).await;
        let claimed = self.inner.claim_due(query).await?;
        // The worker asks lane by lane, and the session is in one of them.
        if !claimed.is_empty() {
            self.pass(Step::AfterClaim).await;
        }
        Ok(claimed)
    }

    async fn forecast(&self, tenant: TenantId, horizons: &[Duration]) -> Result<Forecast, StoreError> {
        self.inner.forecast(tenant, horizons).await
    }

    async fn draw(&self, allowance: &Allowance) -> Result<Allowed, StoreError> {
        self.inner.draw(allowance).await
    }

    async fn give_back(&self, tenant: TenantId, permits: u32) -> Result<(), StoreError> {
        self.inner.give_back(tenant, permits).await
    }
}
