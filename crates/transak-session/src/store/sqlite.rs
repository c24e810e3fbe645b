//! Sessions in one SQLite file: for one machine, and any number of processes on it.
//!
//! A write is on the disk before it is acknowledged (write-ahead log, `synchronous=FULL`). One thread writes, and what was
//! asked for while it waited for the disk goes into its next transaction, so that many writers share one flush. Reads have
//! connections of their own. Nothing of this blocks the async runtime.
//!
//! The store's clock is the machine's, which all processes on it share. The file must be on a local disk: SQLite's
//! write-ahead log does not work over a network.

mod due;
mod error;
mod open;
mod ops;
mod options;
mod pace;
mod readers;
mod reseal;
mod schema;
mod verify;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use super::seal::{KeyRing, Sealer};
use super::{
    Allowance, Allowed, Claim, Claimed, DueQuery, Forecast, Lease, Record, SessionStore, StoreError, Swap, Version,
    Versioned,
};
use crate::clock::Clock;
use crate::identity::{RecordKey, TenantId};

pub use options::SqliteOptions;
use readers::Readers;
pub use reseal::Resealed;
pub use verify::Verified;
use writer::Writer;

/// Keeps records in one SQLite file. Cheap to clone; clones share the connections.
///
/// Tokens and IP addresses are sealed, see [`seal`](super::seal). The file, its log (`-wal`) and its shared index (`-shm`)
/// can be read and written by their owner only. To copy a store that is in use, copy all three or use `sqlite3 FILE
/// ".backup COPY"`.
///
/// ```
/// use transak_session::Transak;
/// use transak_session::store::SqliteStore;
/// use transak_session::store::seal::{KeyRing, SealKey};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("sessions.db");
/// # let text = SealKey::generate()?.expose_base64(); // from your secret manager; `openssl rand -base64 32` makes one
/// let store = SqliteStore::open(&path, KeyRing::new(SealKey::from_base64(&text)?)).await?;
/// let transak = Transak::builder().api_key("your-api-key").store(store.clone()).build()?;
/// // ...
/// transak.shutdown().await;
/// store.close().await?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    sealer: Arc<dyn Sealer>,
    writer: Writer,
    readers: Readers,
    /// Where the re-sealing goes on.
    pass: Mutex<reseal::Pass>,
}

impl SqliteStore {
    /// Opens a store, or makes a new one where there is no file. An existing file that is anything else than a whole store of
    /// this or an earlier release, sealed with a key of this ring, is left as it is, byte for byte.
    ///
    /// # Errors
    ///
    /// * [`StoreErrorKind::Unavailable`](super::StoreErrorKind::Unavailable): no such directory, no permission, locked by
    ///   another program.
    /// * [`StoreErrorKind::Corrupt`](super::StoreErrorKind::Corrupt): damaged, cut off, or not a session store.
    /// * [`StoreErrorKind::Incompatible`](super::StoreErrorKind::Incompatible): of a later release.
    /// * [`StoreErrorKind::WrongKey`](super::StoreErrorKind::WrongKey): sealed with a key that is not in the ring.
    /// * [`StoreErrorKind::Unsafe`](super::StoreErrorKind::Unsafe): where sessions would not be safe, for instance beside a
    ///   left-over log of another database.
    /// * [`StoreErrorKind::Full`](super::StoreErrorKind::Full): the disk is full.
    ///
    /// Dropping the future leaves either no file or a whole one.
    pub async fn open(path: impl AsRef<Path>, keys: impl Into<KeyRing>) -> Result<Self, StoreError> {
        SqliteOptions::new(keys.into()).open(path).await
    }

    /// Where the store is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Ends the store: does what was asked for before, moves the log into the file and closes it. All clones are closed;
    /// what is asked for later fails. Dropping the future ends the wait only; dropping the last clone without this is safe
    /// as well.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the log could not be moved, which the next opening makes up for.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.inner.readers.close().await;
        self.inner.writer.close().await
    }

    /// Seals up to `limit` records that older keys have sealed with the current one, while the store is in use. Call it
    /// until it has [finished](Resealed::finished); then the older keys can be thrown away.
    ///
    /// With several processes, first give all of them the new key as an older one, so that they can open what others seal
    /// with it; then make it the current one everywhere; then re-seal.
    ///
    /// ```no_run
    /// # async fn run(store: transak_session::store::SqliteStore) -> Result<(), transak_session::store::StoreError> {
    /// while !store.reseal(1_000).await?.finished {}
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::WrongKey`](super::StoreErrorKind::WrongKey) if a record needs a key that is not there: nothing was
    /// changed then. Dropped, it either happened or did not.
    pub async fn reseal(&self, limit: usize) -> Result<Resealed, StoreError> {
        reseal::reseal(&self.inner, limit).await
    }

    /// Removes up to `limit` records, of all tenants, whose token expired `since` ago or earlier, the longest expired first;
    /// returns how many. What somebody has a live lease on stays. Nothing is removed unless this is called: a store that
    /// many users have left grows. Thirty days are a good `since`: what is gone then could only say why a login is needed.
    ///
    /// # Errors
    ///
    /// [`StoreError`]. Dropped, it either happened or did not.
    pub async fn forget_expired(&self, since: Duration, limit: usize) -> Result<usize, StoreError> {
        let work = move |batch: &mut writer::Batch<'_>| ops::forget_expired(batch, since, limit);
        self.inner.writer.run(work, |_| Vec::new()).await
    }

    /// Reads the whole file: SQLite's own check of its structure, then whether each record opens. Takes a while, and is not
    /// in the way of others.
    ///
    /// # Errors
    ///
    /// [`StoreErrorKind::Corrupt`](super::StoreErrorKind::Corrupt) if the structure is damaged; records that do not open are
    /// counted instead.
    pub async fn verify(&self) -> Result<Verified, StoreError> {
        let sealer = Arc::clone(&self.inner.sealer);
        self.inner.readers.run(move |db| verify::verify(db, &*sealer)).await
    }
}

impl SqliteStore {
    /// Records in the order in which they came, behind a place in it, each with its own place. One that does not open is left
    /// out and told of in the log.
    pub(super) async fn entries(
        &self,
        after: i64,
        limit: usize,
    ) -> Result<Vec<(i64, RecordKey, Versioned)>, StoreError> {
        let sealer = Arc::clone(&self.inner.sealer);
        let read = move |db: &rusqlite::Connection| ops::entries(db, &*sealer, after, limit);
        self.inner.readers.run(read).await
    }
}

#[async_trait]
impl SessionStore for SqliteStore {
    async fn load(&self, key: &RecordKey) -> Result<Option<Versioned>, StoreError> {
        let (key, sealer) = (*key, Arc::clone(&self.inner.sealer));
        let read = move |db: &rusqlite::Connection| match ops::find(db, &key)? {
            Some(row) => row.open(&*sealer, &key),
            None => Ok(None),
        };
        self.inner.readers.run(read).await
    }

    async fn swap(
        &self,
        key: &RecordKey,
        expected: Option<Version>,
        record: Record,
        finishing: Option<&Lease>,
    ) -> Result<Swap, StoreError> {
        let (key, finishing) = (*key, finishing.cloned());
        let work = move |batch: &mut writer::Batch<'_>| ops::swap(batch, &key, expected, &record, finishing.as_ref());
        self.inner.writer.run(work, |_| Vec::new()).await
    }

    async fn delete(&self, key: &RecordKey) -> Result<(), StoreError> {
        let key = *key;
        self.inner
            .writer
            .run(move |batch| ops::delete(batch, &key), |()| Vec::new())
            .await
    }

    async fn claim(&self, key: &RecordKey, span: Duration) -> Result<Claim, StoreError> {
        let key = *key;
        let orphaned = |claim| match claim {
            Claim::Granted { lease, .. } => vec![lease],
            Claim::Busy { .. } => Vec::new(),
        };
        self.inner
            .writer
            .run(move |batch| ops::claim(batch, &key, span), orphaned)
            .await
    }

    async fn extend(&self, lease: &Lease, span: Duration) -> Result<bool, StoreError> {
        let lease = lease.clone();
        self.inner
            .writer
            .run(move |batch| ops::extend(batch, &lease, span), |_| Vec::new())
            .await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.inner
            .writer
            .run(move |batch| ops::release(batch, &lease), |()| Vec::new())
            .await
    }

    async fn claim_due(&self, query: &DueQuery) -> Result<Vec<Claimed>, StoreError> {
        let query = *query;
        let orphaned = |claimed: Vec<Claimed>| claimed.into_iter().map(|c| c.lease).collect();
        self.inner
            .writer
            .run(move |batch| due::claim_due(batch, &query), orphaned)
            .await
    }

    async fn forecast(&self, tenant: TenantId, horizons: &[Duration]) -> Result<Forecast, StoreError> {
        let (now, horizons) = (self.inner.clock.now(), horizons.to_vec());
        self.inner
            .readers
            .run(move |db| due::forecast(db, tenant, now, &horizons))
            .await
    }

    async fn draw(&self, allowance: &Allowance) -> Result<Allowed, StoreError> {
        let allowance = *allowance;
        self.inner
            .writer
            .run(move |batch| pace::draw(batch, &allowance), |_| Vec::new())
            .await
    }

    async fn give_back(&self, tenant: TenantId, permits: u32) -> Result<(), StoreError> {
        self.inner
            .writer
            .run(move |batch| pace::give_back(batch, tenant, permits), |()| Vec::new())
            .await
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.inner.path)
            .field("sealer", &self.inner.sealer)
            .finish_non_exhaustive()
    }
}
