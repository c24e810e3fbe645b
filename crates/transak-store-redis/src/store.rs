//! The store and its trait.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use transak_session::store::seal::{KeyRing, Sealer};
use transak_session::store::{
    Allowance, Allowed, Claim, Claimed, DueQuery, Forecast, HintOutbox, Hints, Lease, Record, SessionStore, StoreError,
    Swap, Version, Versioned,
};
use transak_session::{RecordKey, TenantId};

use crate::clock::StoreClock;
use crate::layout::Layout;
use crate::link::Link;
use crate::options::RedisOptions;
use crate::reseal::{self, Resealed};
use crate::{due, hints, ops, pace};

/// Keeps records on a Redis or Valkey server. Cheap to clone; clones share the connections.
///
/// Tokens and IP addresses are sealed, see [`seal`](transak_session::store::seal). A call that is dropped, or whose deadline
/// passes, has happened or has not; which of both, the next one tells.
#[derive(Clone)]
pub struct RedisStore {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) link: Link,
    pub(crate) layout: Layout,
    pub(crate) clock: StoreClock,
    pub(crate) sealer: Arc<dyn Sealer>,
    pub(crate) keep_expired: i64,
    /// What others are still to be told; `None` if they are not.
    pub(crate) hints: Option<Arc<HintOutbox>>,
    /// Where the re-sealing goes on.
    pub(crate) pass: Mutex<reseal::Pass>,
}

impl Inner {
    pub(crate) fn new(link: Link, layout: Layout, clock: StoreClock, options: &RedisOptions) -> Self {
        Self {
            link,
            layout,
            clock,
            sealer: Arc::clone(&options.sealer),
            keep_expired: ops::millis(options.keep_expired),
            hints: options.hints.then(|| Arc::new(HintOutbox::new(hints::OUTBOX))),
            pass: Mutex::default(),
        }
    }
}

impl RedisStore {
    /// Opens a store on a server, or makes a new one there.
    ///
    /// # Errors
    ///
    /// * [`StoreErrorKind::Unsafe`](transak_session::store::StoreErrorKind::Unsafe): the server would lose sessions, see
    ///   [`Durability`](crate::Durability); or settings of this store that make no sense.
    /// * [`StoreErrorKind::WrongKey`](transak_session::store::StoreErrorKind::WrongKey): the store was made with a key that
    ///   is not in the ring.
    /// * [`StoreErrorKind::Incompatible`](transak_session::store::StoreErrorKind::Incompatible): made by a later release, or
    ///   with another number of shards.
    /// * [`StoreErrorKind::Corrupt`](transak_session::store::StoreErrorKind::Corrupt): another program's keys.
    /// * [`StoreErrorKind::Unavailable`](transak_session::store::StoreErrorKind::Unavailable): not reached, no answer in time,
    ///   wrong password.
    ///
    /// Dropping the future leaves at most the mark of an empty store.
    pub async fn open(url: impl Into<String>, keys: impl Into<KeyRing>) -> Result<Self, StoreError> {
        RedisOptions::new(url, keys.into()).open().await
    }

    /// Ends the store: what is asked for later, by any clone, fails, and the connections end with the last clone.
    pub fn close(&self) {
        self.inner.link.close();
    }

    /// Looks at about `limit` records and seals those that older keys have sealed with the current one, while the store is in
    /// use. Call it until it has [finished](Resealed::finished); then the older keys can be thrown away.
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
}

#[async_trait]
impl SessionStore for RedisStore {
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

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("namespace", &self.inner.layout.namespace)
            .field("shards", &self.inner.layout.shards)
            .field("sealer", &self.inner.sealer)
            .finish_non_exhaustive()
    }
}
