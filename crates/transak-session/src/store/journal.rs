//! A journal beside a store, for tokens that were received and could not be stored.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;

use super::seal::KeyRing;
use super::sqlite::{SqliteOptions, SqliteStore};
use super::{
    Allowance, Allowed, Claim, Claimed, DueQuery, Forecast, Hints, Lease, Record, SessionStore, StoreError,
    StoreErrorKind, Swap, Version, Versioned,
};
use crate::clock::{Clock, SystemClock};
use crate::identity::{RecordKey, TenantId};
use crate::token::TokenFingerprint;

/// What is under way when a store fails is a few hundred tokens at most.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// So many entries are looked at in one go.
const PORTION: usize = 500;
/// How often a write is tried that others come in the way of.
const TRIES: usize = 4;
/// How long it waits before what could not be handed over is tried again.
const PAUSE: Duration = Duration::from_secs(15);

/// A store with a local journal beside it: a token that Transak has issued while the store could not be written is on this
/// machine's disk, sealed, before the call that brought it returns, and is handed over to the store at the next start if
/// the process ends before that.
///
/// While the process lives it does not need the journal: a token that could not be stored is used from memory and stored
/// as soon as that is possible. Without a journal a process that is killed in between loses the token, and if Transak has
/// revoked the one before, the user has to log in again. What remains is a kill between Transak's answer and the journal's
/// write, a millisecond or so.
///
/// Handing over never sets anything back: the later issued token wins, and a session that ended meanwhile stays ended.
/// The journal is a file as [`SqliteStore`] writes it; several processes of one machine may share it.
///
/// ```
/// use transak_session::Transak;
/// use transak_session::store::seal::{KeyRing, SealKey};
/// use transak_session::store::{JournaledStore, MemoryStore};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("journal.db");
/// # let shared = MemoryStore::new(1_000); // the store that all replicas share
/// # let keys = KeyRing::new(SealKey::generate()?);
/// let store = JournaledStore::open(shared, &path, keys).await?;
/// assert_eq!(store.waiting(), 0);
/// let transak = Transak::builder().api_key("your-api-key").store(store).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct JournaledStore {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn SessionStore>,
    journal: SqliteStore,
    /// What is in the journal, as far as this process knows: which token of which record.
    waiting: Mutex<HashMap<RecordKey, TokenFingerprint>>,
}

/// What became of a journal's entries.
///
/// See [`JournaledStore::replay`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Replayed {
    /// So many tokens are in the store now that were not.
    pub stored: usize,
    /// So many were of no use any more: the store has a later one, or the session has ended since.
    pub outdated: usize,
    /// So many could not be handed over; they stay.
    pub left: usize,
}

impl JournaledStore {
    /// Puts a journal beside a store; makes the file if there is none. What an earlier process left in it is handed over
    /// now, and, if the store cannot be reached, every quarter of a minute until it can.
    ///
    /// # Errors
    ///
    /// As [`SqliteStore::open`], about the journal's file. Dropping the future leaves the file as it was, or a new one.
    pub async fn open(
        store: impl SessionStore,
        path: impl AsRef<Path>,
        keys: impl Into<KeyRing>,
    ) -> Result<Self, StoreError> {
        Self::beside(Arc::new(store), path, keys).await
    }

    /// The same for a store that is shared.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub async fn beside(
        store: Arc<dyn SessionStore>,
        path: impl AsRef<Path>,
        keys: impl Into<KeyRing>,
    ) -> Result<Self, StoreError> {
        Self::by_clock(store, path, keys.into(), Arc::new(SystemClock)).await
    }

    /// The same with a clock that says when to try again.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    #[cfg(feature = "test-util")]
    pub async fn with_clock(
        store: Arc<dyn SessionStore>,
        path: impl AsRef<Path>,
        keys: impl Into<KeyRing>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        Self::by_clock(store, path, keys.into(), clock).await
    }

    async fn by_clock(
        store: Arc<dyn SessionStore>,
        path: impl AsRef<Path>,
        keys: KeyRing,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let journal = SqliteOptions::new(keys).max_bytes(MOST_BYTES).readers(1);
        let inner = Arc::new(Inner {
            store,
            journal: journal.open(path).await?,
            waiting: Mutex::default(),
        });
        let journaled = Self { inner };
        match journaled.replay().await {
            Ok(replayed) if replayed.left == 0 => {}
            outcome => {
                tracing::warn!(
                    ?outcome,
                    "tokens of an earlier process wait in the journal for the store"
                );
                tokio::spawn(hand_over(Arc::downgrade(&journaled.inner), clock));
            }
        }
        Ok(journaled)
    }

    /// How many tokens wait in the journal, as far as this process knows. No I/O.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.inner.waiting().len()
    }

    /// Hands over to the store what waits in the journal. [`open`](Self::open) does so by itself.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the journal cannot be read. Dropped, some may have been handed over.
    pub async fn replay(&self) -> Result<Replayed, StoreError> {
        self.inner.replay().await
    }
}

/// Until nothing is left, or nobody uses the store any more.
async fn hand_over(inner: Weak<Inner>, clock: Arc<dyn Clock>) {
    loop {
        clock.sleep(PAUSE).await;
        let Some(inner) = inner.upgrade() else {
            return;
        };
        match inner.replay().await {
            Ok(replayed) if replayed.left == 0 => {
                tracing::info!(?replayed, "what waited in the journal has been handed over");
                return;
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the journal cannot be read"),
        }
    }
}

/// What is to be done with an entry.
enum Fate {
    Stored,
    Outdated,
    Left,
}

impl Inner {
    fn waiting(&self) -> MutexGuard<'_, HashMap<RecordKey, TokenFingerprint>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn replay(&self) -> Result<Replayed, StoreError> {
        let mut replayed = Replayed::default();
        let mut after = 0;
        loop {
            let entries = self.journal.entries(after, PORTION).await?;
            if entries.is_empty() {
                return Ok(replayed);
            }
            for (place, key, entry) in entries {
                after = place;
                let Some(token) = entry.record.token.as_ref().map(|token| token.fingerprint()) else {
                    self.journal.delete(&key).await?;
                    continue;
                };
                match self.settle(&key, &entry.record).await {
                    Fate::Left => {
                        self.waiting().insert(key, token);
                        replayed.left += 1;
                        continue;
                    }
                    Fate::Stored => replayed.stored += 1,
                    Fate::Outdated => replayed.outdated += 1,
                }
                self.waiting().remove(&key);
                self.journal.delete(&key).await?;
            }
        }
    }

    async fn settle(&self, key: &RecordKey, entry: &Record) -> Fate {
        for _ in 0..TRIES {
            let Ok(there) = self.store.load(key).await else {
                return Fate::Left;
            };
            if !is_news(entry, there.as_ref()) {
                return Fate::Outdated;
            }
            let expected = there.map(|there| there.version);
            match self.store.swap(key, expected, entry.clone(), None).await {
                Ok(Swap::Stored(_)) => return Fate::Stored,
                Ok(Swap::Conflict(_)) => {}
                Err(_) => return Fate::Left,
            }
        }
        Fate::Left
    }

    /// Writes a token down that the store did not take.
    async fn note(&self, key: &RecordKey, record: &Record, token: TokenFingerprint) {
        if self.waiting().get(key) == Some(&token) {
            return;
        }
        for _ in 0..TRIES {
            let noted = match self.journal.load(key).await {
                // Another process of this machine may have noted a later one.
                Ok(Some(there)) if !is_news(record, Some(&there)) => return,
                Ok(there) => {
                    let expected = there.map(|there| there.version);
                    self.journal.swap(key, expected, record.clone(), None).await
                }
                Err(error) => Err(error),
            };
            match noted {
                Ok(Swap::Stored(_)) => {
                    self.waiting().insert(*key, token);
                    tracing::warn!(%token, "a token that could not be stored is in the journal");
                    return;
                }
                Ok(Swap::Conflict(_)) => {}
                Err(error) => {
                    tracing::error!(%token, %error, "a token could neither be stored nor written to the journal");
                    return;
                }
            }
        }
    }

    /// What the store has, or what has ended, does not have to wait any more.
    async fn strike(&self, key: &RecordKey) {
        if self.waiting().remove(key).is_some()
            && let Err(error) = self.journal.delete(key).await
        {
            // It is found outdated at the next start.
            tracing::warn!(%error, "an entry of the journal could not be removed");
        }
    }
}

/// Whether an entry says more than what is stored: a token that was issued later, of a session that has not ended since.
fn is_news(entry: &Record, there: Option<&Versioned>) -> bool {
    // Without a record there is nothing that it could set back.
    there.is_none_or(|there| entry.issued_at > there.record.issued_at)
}

#[async_trait]
impl SessionStore for JournaledStore {
    async fn load(&self, key: &RecordKey) -> Result<Option<Versioned>, StoreError> {
        self.inner.store.load(key).await
    }

    /// On failure the token is in the journal when this returns; the failure is returned all the same.
    async fn swap(
        &self,
        key: &RecordKey,
        expected: Option<Version>,
        record: Record,
        finishing: Option<&Lease>,
    ) -> Result<Swap, StoreError> {
        let token = record.token.as_ref().map(|token| token.fingerprint());
        let spare = token.map(|token| (record.clone(), token));
        let swapped = self.inner.store.swap(key, expected, record, finishing).await;
        match (&swapped, spare) {
            (Ok(Swap::Stored(_)), _) | (_, None) => self.inner.strike(key).await,
            (Ok(Swap::Conflict(_)), Some(_)) => {}
            (Err(error), Some((record, token))) => {
                if matches!(error.kind(), StoreErrorKind::Unavailable | StoreErrorKind::Full) {
                    self.inner.note(key, &record, token).await;
                }
            }
        }
        swapped
    }

    async fn delete(&self, key: &RecordKey) -> Result<(), StoreError> {
        self.inner.strike(key).await;
        self.inner.store.delete(key).await
    }

    async fn claim(&self, key: &RecordKey, span: Duration) -> Result<Claim, StoreError> {
        self.inner.store.claim(key, span).await
    }

    async fn extend(&self, lease: &Lease, span: Duration) -> Result<bool, StoreError> {
        self.inner.store.extend(lease, span).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.inner.store.release(lease).await
    }

    async fn claim_due(&self, query: &DueQuery) -> Result<Vec<Claimed>, StoreError> {
        self.inner.store.claim_due(query).await
    }

    async fn forecast(&self, tenant: TenantId, horizons: &[Duration]) -> Result<Forecast, StoreError> {
        self.inner.store.forecast(tenant, horizons).await
    }

    async fn draw(&self, allowance: &Allowance) -> Result<Allowed, StoreError> {
        self.inner.store.draw(allowance).await
    }

    async fn give_back(&self, tenant: TenantId, permits: u32) -> Result<(), StoreError> {
        self.inner.store.give_back(tenant, permits).await
    }

    async fn hints(&self, tenant: TenantId) -> Result<Option<Hints>, StoreError> {
        self.inner.store.hints(tenant).await
    }
}

impl fmt::Debug for JournaledStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JournaledStore")
            .field("store", &self.inner.store)
            .field("journal", &self.inner.journal)
            .field("waiting", &self.waiting())
            .finish()
    }
}
