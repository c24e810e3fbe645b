//! Sealing: what a store that leaves the process does to tokens and IP addresses.
//!
//! A record's secret part is encrypted and authenticated together with its place: its key, its version and its clear part.
//! A sealed text that is copied to another record, put back as an older version, or whose clear part was changed does not
//! open. The sealed text names the key it was sealed with, so keys can be changed while the store is in use: seal with the
//! new one, open with either, and re-seal what is old when there is time.
//!
//! [`KeyRing`] is the sealer that comes with this crate. A [`Sealer`] of your own can bring keys from elsewhere; it is called
//! on the store's own threads and must not block for long, so fetch keys before.

mod envelope;
mod ring;

use std::fmt;

use zeroize::Zeroizing;

use super::{StoreError, StoreErrorKind};

pub use envelope::{SealedRecord, open_note, open_record, reseal_record, seal_note, seal_record, sealed_with};
pub use ring::{KeyRing, SealKey, SealKeyError};

/// Which key something was sealed with: 8 bytes that are no secret, `Display` as 16 hexadecimal digits.
///
/// See [`SealKey::id`], [`seal_record`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; 8]);

impl KeyId {
    /// An id from its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// Encrypts and authenticates small texts. Nothing of this trait waits; it is called on the store's own threads.
///
/// [`KeyRing`] is the one for keys that are held in this process.
pub trait Sealer: fmt::Debug + Send + Sync + 'static {
    /// The key to seal with now.
    fn current(&self) -> KeyId;

    /// Seals `plain` with `key` so that it opens only with the same key and the same `bound_to`, which is authenticated and
    /// not part of the answer. The answer differs each time.
    ///
    /// # Errors
    ///
    /// [`SealError`].
    fn seal(&self, key: KeyId, plain: &[u8], bound_to: &[u8]) -> Result<Vec<u8>, SealError>;

    /// Opens what [`seal`](Self::seal) made.
    ///
    /// # Errors
    ///
    /// [`SealError::UnknownKey`] if the sealer does not have this key, [`SealError::Refused`] if what was sealed, or what it
    /// is bound to, is not what it was.
    fn open(&self, key: KeyId, sealed: &[u8], bound_to: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError>;
}

/// What could not be sealed or opened.
///
/// What a [`Sealer`] answers; [`KeyRing`] is the usual one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// There is no such key.
    #[error("sealed with key {0}, which was not given")]
    UnknownKey(KeyId),
    /// The text, or what it is bound to, was changed or belongs elsewhere.
    #[error("sealed text that was altered, or belongs elsewhere")]
    Refused,
    /// The operating system gave no random numbers, or a key service no answer.
    #[error("nothing could be sealed: {0}")]
    Unavailable(&'static str),
}

impl From<SealError> for StoreError {
    fn from(error: SealError) -> Self {
        let (kind, what) = match error {
            SealError::UnknownKey(_) => (
                StoreErrorKind::WrongKey,
                "a record was sealed with a key that was not given; add that key as an older one",
            ),
            SealError::Refused => (
                StoreErrorKind::Corrupt,
                "a record was altered outside this library, or copied from elsewhere; restore it or delete it",
            ),
            SealError::Unavailable(_) => (StoreErrorKind::Unavailable, "a record could not be sealed"),
        };
        Self::of(kind, what).because(error)
    }
}
