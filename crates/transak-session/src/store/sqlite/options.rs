//! How a store is opened.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{SqliteStore, open};
use crate::clock::{Clock, SystemClock};
use crate::store::StoreError;
use crate::store::seal::Sealer;

/// Settings of a [`SqliteStore`].
#[derive(Debug)]
#[must_use]
pub struct SqliteOptions {
    pub(super) sealer: Arc<dyn Sealer>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) busy_timeout: Duration,
    pub(super) max_bytes: Option<u64>,
    pub(super) readers: usize,
    pub(super) queue: usize,
}

impl SqliteOptions {
    /// The default settings with a sealer: a [`KeyRing`](crate::store::seal::KeyRing), or one of your own.
    pub fn new(sealer: impl Sealer) -> Self {
        Self {
            sealer: Arc::new(sealer),
            clock: Arc::new(SystemClock),
            busy_timeout: Duration::from_secs(5),
            max_bytes: None,
            readers: 4,
            queue: 1_024,
        }
    }

    /// Where the store's time comes from: the machine's clock by default. All processes that share a file must share it.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How long a write waits for another process to finish its own. 5 seconds by default.
    pub fn busy_timeout(mut self, span: Duration) -> Self {
        self.busy_timeout = span;
        self
    }

    /// How large the file may become; writes that need more fail with
    /// [`StoreErrorKind::Full`](crate::store::StoreErrorKind::Full). As large as the disk allows by default.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// How many reads run at a time; more wait. 4 by default, at least 1.
    pub fn readers(mut self, readers: usize) -> Self {
        self.readers = readers.max(1);
        self
    }

    /// How many writes wait in the queue; who comes later waits for a place in it. 1,024 by default, at least 1.
    pub fn queue(mut self, writes: usize) -> Self {
        self.queue = writes.max(1);
        self
    }

    /// Opens the store, or makes a new one where there is no file.
    ///
    /// # Errors
    ///
    /// As [`SqliteStore::open`].
    pub async fn open(self, path: impl AsRef<Path>) -> Result<SqliteStore, StoreError> {
        let path = path.as_ref().to_owned();
        let opened = tokio::task::spawn_blocking(move || open::open(path, self)).await;
        opened.map_err(|_| StoreError::new("the opening was interrupted"))?
    }
}
