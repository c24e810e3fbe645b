//! Connections to read with.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::writer::closed;
use crate::store::StoreError;

pub(super) struct Readers {
    size: usize,
    permits: Arc<Semaphore>,
    idle: Arc<Idle>,
}

/// Connections that nobody uses. There is one for each permit that is not taken.
struct Idle(Mutex<Vec<Connection>>);

impl Idle {
    fn pop(&self) -> Option<Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn push(&self, db: Connection) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(db);
    }
}

impl Readers {
    pub(super) fn new(connections: Vec<Connection>) -> Self {
        Self {
            size: connections.len(),
            permits: Arc::new(Semaphore::new(connections.len())),
            idle: Arc::new(Idle(Mutex::new(connections))),
        }
    }

    /// Runs `read` on a thread that may block. Dropped, the read goes on and its outcome is thrown away.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| closed())?;
        let idle = Arc::clone(&self.idle);
        let reading = tokio::task::spawn_blocking(move || {
            let db = idle.pop().ok_or_else(closed)?;
            let outcome = read(&db);
            idle.push(db);
            drop(permit);
            outcome
        });
        reading.await.map_err(|_| StoreError::new("the read was interrupted"))?
    }

    /// Waits for reads under way and closes the connections.
    pub(super) async fn close(&self) {
        let all = u32::try_from(self.size).unwrap_or(u32::MAX);
        if let Ok(_permits) = self.permits.acquire_many(all).await {
            self.permits.close();
            while self.idle.pop().is_some() {}
        }
    }
}
