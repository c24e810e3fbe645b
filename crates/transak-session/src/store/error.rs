//! A store that could not do what it was asked to.

use std::error::Error as StdError;
use std::fmt;

/// What kind of failure it was: what can be done about it.
///
/// [`MemoryStore`](crate::store::MemoryStore) shows its use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The store cannot be reached, is busy, or did not answer in time: another try may help.
    Unavailable,
    /// There is no room.
    Full,
    /// What is stored cannot be read: it is damaged, or it is not a session store. Nothing was changed.
    Corrupt,
    /// What is stored was written by a release with another layout. Nothing was changed.
    Incompatible,
    /// What is stored was sealed with a key that was not given. Nothing was changed.
    WrongKey,
    /// The store's settings would lose sessions.
    Unsafe,
}

impl StoreErrorKind {
    /// A short name, as in logs and metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Full => "full",
            Self::Corrupt => "corrupt",
            Self::Incompatible => "incompatible",
            Self::WrongKey => "wrong_key",
            Self::Unsafe => "unsafe",
        }
    }
}

/// A store that could not do what it was asked to.
///
/// [`MemoryStore`](crate::store::MemoryStore) shows its use.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    what: &'static str,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl StoreError {
    /// A failure that may pass, in these words.
    #[must_use]
    pub fn new(what: &'static str) -> Self {
        Self::of(StoreErrorKind::Unavailable, what)
    }

    /// A failure of this kind, in these words: what was wrong, and what to do.
    #[must_use]
    pub fn of(kind: StoreErrorKind, what: &'static str) -> Self {
        Self {
            kind,
            what,
            source: None,
        }
    }

    /// A failure that may pass, with its cause, which must not contain secrets or personal data.
    #[must_use]
    pub fn caused_by(what: &'static str, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(what).because(source)
    }

    /// Adds the cause, which must not contain secrets or personal data.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The kind of failure.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
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
