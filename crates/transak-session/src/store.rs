//! Where tokens are kept: small records that are only ever changed by compare-and-swap.
//!
//! The trait has what a single process needs. Claims on due records, leases and forecasts for a fleet belong in a second
//! trait on top of this one, so that a store without them stays a store.

mod memory;

use std::error::Error as StdError;
use std::fmt;

use async_trait::async_trait;

use crate::clock::Timestamp;
use crate::identity::{RecordKey, UserIp};
use crate::token::{AccessToken, Issued};

pub use memory::MemoryStore;

/// Keeps records.
///
/// A store must never let a version come back: after a deletion, the next version of a key is still a new one.
/// Records hold a token and an IP address in clear. A store that leaves the process must seal both.
/// Every method may be dropped at any await point; a write then either happened or did not.
#[async_trait]
pub trait SessionStore: fmt::Debug + Send + Sync + 'static {
    /// Reads a record.
    async fn load(&self, key: &RecordKey) -> Result<Option<Versioned>, StoreError>;

    /// Stores a record if there is none under this key; otherwise answers [`Swap::Conflict`] with what is there.
    async fn insert_new(&self, key: &RecordKey, record: Record) -> Result<Swap, StoreError>;

    /// Replaces a record if it still has the expected version; otherwise answers [`Swap::Conflict`] with what is there.
    async fn swap(&self, key: &RecordKey, expected: Version, record: Record) -> Result<Swap, StoreError>;

    /// Removes a record of any version. It is no error if there is none.
    async fn delete(&self, key: &RecordKey) -> Result<(), StoreError>;
}

/// The outcome of a conditional write.
#[derive(Clone, Debug)]
#[must_use]
pub enum Swap {
    /// Written, under this version.
    Stored(Version),
    /// Not written. This is there now; `None` if the record has gone.
    Conflict(Option<Versioned>),
}

/// Which writing of a record this is. Versions of one key only grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(u64);

impl Version {
    /// A version as the store counts it.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The store's number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// A record and its version.
#[derive(Clone, Debug)]
pub struct Versioned {
    /// Which writing this is.
    pub version: Version,
    /// What was written.
    pub record: Record,
}

/// What the record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RecordState {
    /// The token may be used and renewed.
    Live,
    /// Transak refused the token and its renewal: only a new login helps.
    Lapsed,
    /// The user logged out. The record stays, without a token, so that another process learns of it.
    LoggedOut,
}

/// What is kept about one token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// Which layout this is: a later release reads earlier ones.
    pub schema: u16,
    /// What the record is about.
    pub state: RecordState,
    /// The token; `None` after a logout.
    pub token: Option<AccessToken>,
    /// When the token was issued; after a logout, when that was.
    pub issued_at: Timestamp,
    /// When the token expires. A store may forget the record some time after that.
    pub expires_at: Timestamp,
    /// When the token is to be renewed. Drawn once, so that a restart does not draw again.
    pub due_at: Timestamp,
    /// The address of the user with which Transak last accepted this session; `None` for the partner token.
    pub user_ip: Option<UserIp>,
}

impl Record {
    /// The layout that this release writes.
    pub const SCHEMA: u16 = 1;

    /// A record of a token.
    #[must_use]
    pub fn of(state: RecordState, issued: &Issued, user_ip: Option<UserIp>) -> Self {
        Self {
            schema: Self::SCHEMA,
            state,
            token: Some(issued.token.clone()),
            issued_at: issued.issued_at,
            expires_at: issued.expires_at,
            due_at: issued.due_at,
            user_ip,
        }
    }

    /// A record that remembers a logout until `expires_at`.
    #[must_use]
    pub fn logged_out(at: Timestamp, expires_at: Timestamp) -> Self {
        Self {
            schema: Self::SCHEMA,
            state: RecordState::LoggedOut,
            token: None,
            issued_at: at,
            expires_at,
            due_at: Timestamp::MAX,
            user_ip: None,
        }
    }

    /// The token with its life.
    #[must_use]
    pub fn issued(&self) -> Option<Issued> {
        let token = self.token.clone()?;
        Some(Issued::restore(token, self.issued_at, self.expires_at, self.due_at))
    }
}

/// A store that could not do what it was asked to.
#[derive(Debug)]
pub struct StoreError {
    what: &'static str,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl StoreError {
    /// A failure in these words.
    #[must_use]
    pub fn new(what: &'static str) -> Self {
        Self { what, source: None }
    }

    /// A failure with its cause, which must not contain secrets or personal data.
    #[must_use]
    pub fn caused_by(what: &'static str, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            what,
            source: Some(source.into()),
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the session store failed: {}", self.what)
    }
}

impl StdError for StoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|e| e as _)
    }
}
