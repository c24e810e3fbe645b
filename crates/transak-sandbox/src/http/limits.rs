//! Bounds that keep a hostile caller from using up memory or connections.

use std::time::Duration;

use tokio::sync::Semaphore;

/// What one caller, and all of them together, may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Connections to the two API listeners together; more wait in the kernel's queue. The control listener has
    /// as many of its own.
    pub max_connections: usize,
    /// Time for a whole request head to arrive, counted from the end of the request before: also how long an idle
    /// connection is kept.
    pub head_timeout: Duration,
    /// Time for a whole request body to arrive.
    pub body_timeout: Duration,
    /// Bytes of a request head; longer ones are answered with 431.
    pub max_head_bytes: usize,
    /// Header fields of a request; more are answered with 431.
    pub max_headers: usize,
    /// Bytes of a request body; longer ones are answered with 400 and code 9001.
    pub max_body_bytes: usize,
    /// The same for the operations that files are sent to.
    pub max_upload_bytes: usize,
    /// Request bodies of more than `max_body_bytes` that may be in memory at once.
    pub uploads: usize,
    /// Request bodies of more than 16 KiB that may be in memory at once.
    pub large_bodies: usize,
    /// Age at which a connection is closed after the request under way.
    pub max_connection_age: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 4096,
            head_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(15),
            max_head_bytes: 32 * 1024,
            max_headers: 100,
            max_body_bytes: 1024 * 1024,
            max_upload_bytes: 32 * 1024 * 1024,
            uploads: 4,
            large_bodies: 64,
            max_connection_age: Duration::from_secs(3600),
        }
    }
}

/// Longest time that is waited for: as good as forever, and a clock can still add it.
const FOREVER: Duration = Duration::from_secs(10 * 365 * 86_400);
/// Most header fields: the header map itself panics somewhat above.
const MOST_HEADERS: usize = 16 * 1024;

impl Limits {
    /// The same within what the libraries below bear. They panic on `usize::MAX` and `Duration::MAX`, which callers
    /// may well give for "no limit".
    pub(crate) fn usable(self) -> Self {
        let places = |places: usize| places.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            max_connections: places(self.max_connections),
            head_timeout: self.head_timeout.min(FOREVER),
            body_timeout: self.body_timeout.min(FOREVER),
            max_headers: self.max_headers.min(MOST_HEADERS),
            large_bodies: places(self.large_bodies),
            uploads: places(self.uploads),
            max_connection_age: self.max_connection_age.min(FOREVER),
            ..self
        }
    }

    /// The smallest head buffer the HTTP implementation works with.
    pub(crate) fn head_bytes(&self) -> usize {
        self.max_head_bytes.max(8192)
    }
}
