//! The store and its trait.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use transak_session::clock::Clock;
use transak_session::store::seal::{KeyRing, Sealer};
use transak_session::store::{
    Allowance, Allowed, Claim, Claimed, DueQuery, Forecast, HintOutbox, Hints, Lease, Record, SessionStore, StoreError,
    Swap, Version, Versioned,
};
use transak_session::{RecordKey, TenantId};

use crate::link::Link;
use crate::options::PostgresOptions;
use crate::reseal::{self, Resealed};
use crate::sql::Statements;
use crate::{due, forget, hints, ops, pace};

/// Keeps records in a PostgreSQL database. Cheap to clone; clones share the connections.
///
/// Tokens and IP addresses are sealed, see [`seal`](transak_session::store::seal). A call that is dropped, or whose deadline
/// passes, has happened or has not; which of both, the next one tells.
#[derive(Clone)]
pub struct PostgresStore {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) link: Link,
    pub(crate) sql: Statements,
    pub(crate) sealer: Arc<dyn Sealer>,
    pub(crate) schema: String,
    /// What others are still to be told; `None` if they are not.
    pub(crate) hints: Option<Arc<HintOutbox>>,
    manual_clock: Option<Arc<dyn Clock>>,
    /// Where the re-sealing goes on.
    pub(crate) pass: Mutex<reseal::Pass>,
}

impl Inner {
    pub(crate) fn new(link: Link, sql: Statements, options: PostgresOptions) -> Self {
        Self {
            link,
            sql,
            sealer: options.sealer,
            schema: options.schema,
            hints: options.hints.then(|| Arc::new(HintOutbox::new(hints::OUTBOX))),
            manual_clock: options.manual_clock,
            pass: Mutex::default(),
        }
    }

    /// What statements are told of the time: nothing, or a test's in milliseconds.
    pub(crate) fn clock(&self) -> Option<i64> {
        self.manual_clock.as_ref().map(|clock| clock.now().unix_millis())
    }
}

impl PostgresStore {
    /// Opens a store in a database, or makes a new one there.
    ///
    /// # Errors
    ///
    /// * [`StoreErrorKind::Unsafe`](transak_session::store::StoreErrorKind::Unsafe): the server would lose sessions, see
    ///   [`Durability`](crate::Durability); or settings of this store that make no sense.
    /// * [`StoreErrorKind::WrongKey`](transak_session::store::StoreErrorKind::WrongKey): the store was made with a key that
    ///   is not in the ring.
    /// * [`StoreErrorKind::Incompatible`](transak_session::store::StoreErrorKind::Incompatible): made by a later release; or
    ///   by an earlier one, and it is not to be brought up to date.
    /// * [`StoreErrorKind::Corrupt`](transak_session::store::StoreErrorKind::Corrupt): the schema is another program's.
    /// * [`StoreErrorKind::Unavailable`](transak_session::store::StoreErrorKind::Unavailable): not reached, no answer in time,
    ///   wrong password, no permission, a replica, an address or certificates that cannot be used.
    ///
    /// Dropping the future leaves either nothing or a whole store.
    pub async fn open(url: impl Into<String>, keys: impl Into<KeyRing>) -> Result<Self, StoreError> {
        PostgresOptions::new(url, keys.into()).open().await
    }

    /// Ends the store: what is asked for later, by any clone, fails. Connections end when the calls on them have.
    pub fn close(&self) {
        self.inner.link.close();
    }

    /// Looks at `limit` records, a thousand at most, and seals those that older keys have sealed with the current one, while
    /// the store is in use. Call it until it has [finished](Resealed::finished); then the older keys can be thrown away.
    ///
    /// First give all processes the new key as an older one, so that they can open what others seal with it; then make it
    /// the current one everywhere; then re-seal, in one process.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::WrongKey`](transak_session::store::StoreErrorKind::WrongKey) if a record needs a key that is not
    /// there. Dropped or failed, what was re-sealed until then stays so, and the next call goes on.
    pub async fn reseal(&self, limit: usize) -> Result<Resealed, StoreError> {
        reseal::reseal(&self.inner, limit).await
    }

    /// Removes up to `limit` records, a thousand at most, of all tenants, whose token expired `since` ago or earlier, the
    /// longest expired first; returns how many. What somebody has a live lease on stays. Nothing is removed unless this is
    /// called: a store that many users have left grows. Thirty days are a good `since`: what is gone then could only say why
    /// a login is needed. The memory of abandoned leases goes as well, 90 days after they have lapsed.
    ///
    /// # Errors
    ///
    /// [`StoreError`]. Dropped, it either happened or did not.
    pub async fn forget_expired(&self, since: Duration, limit: usize) -> Result<usize, StoreError> {
        forget::forget_expired(&self.inner, since, limit).await
    }
}

#[async_trait]
impl SessionStore for PostgresStore {
    async fn load(&self, key: &RecordKey) -> Result<Option<Versioned>, StoreError> {
        ops::load(&self.inner, key).await
    }

    async fn swap(
        &self,
        key: &RecordKey,
        expected: Option<Version>,
        record: Record,
        finishing: Option<&Lease>,
    ) -> Result<Swap, StoreError> {
        let swap = ops::swap(&self.inner, key, expected, &record, finishing).await?;
        if let Swap::Stored(version) = &swap {
            hints::tell(&self.inner, key, *version);
        }
        Ok(swap)
    }

    async fn delete(&self, key: &RecordKey) -> Result<(), StoreError> {
        ops::delete(&self.inner, key).await
    }

    async fn claim(&self, key: &RecordKey, span: Duration) -> Result<Claim, StoreError> {
        ops::claim(&self.inner, key, span).await
    }

    async fn extend(&self, lease: &Lease, span: Duration) -> Result<bool, StoreError> {
        ops::extend(&self.inner, lease, span).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        ops::release(&self.inner, lease).await
    }

    async fn claim_due(&self, query: &DueQuery) -> Result<Vec<Claimed>, StoreError> {
        due::claim_due(&self.inner, query).await
    }

    async fn forecast(&self, tenant: TenantId, horizons: &[Duration]) -> Result<Forecast, StoreError> {
        due::forecast(&self.inner, tenant, horizons).await
    }

    async fn draw(&self, allowance: &Allowance) -> Result<Allowed, StoreError> {
        pace::draw(&self.inner, allowance).await
    }

    async fn give_back(&self, tenant: TenantId, permits: u32) -> Result<(), StoreError> {
        pace::give_back(&self.inner, tenant, permits).await
    }

    async fn hints(&self, tenant: TenantId) -> Result<Option<Hints>, StoreError> {
        hints::listen(&self.inner, tenant).await
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("schema", &self.inner.schema)
            .field("sealer", &self.inner.sealer)
            .finish_non_exhaustive()
    }
}
