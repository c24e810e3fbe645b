//! Keys, and the sealer that holds them.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use super::{KeyId, SealError, Sealer};

const KEY: usize = 32;
const NONCE: usize = 24;

/// A text that is no key. The text is not repeated.
///
/// What [`SealKey::from_base64`] answers; see [`KeyRing`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealKeyError {
    /// Not base64, neither the usual nor the URL-safe alphabet.
    #[error("a sealing key is 32 random bytes in base64, and this is not base64; `openssl rand -base64 32` makes one")]
    NotBase64,
    /// Not 32 bytes.
    #[error("a sealing key has 32 bytes, and this has {0}; `openssl rand -base64 32` makes one")]
    Length(usize),
    /// The same byte over and over.
    #[error("a sealing key has to be random, and this is one byte repeated; `openssl rand -base64 32` makes one")]
    NotRandom,
}

/// A key of 32 random bytes. `Debug` shows its id only; it is wiped from memory when dropped.
///
/// [`KeyRing`] shows how it is used.
pub struct SealKey {
    bytes: Zeroizing<[u8; KEY]>,
    id: KeyId,
}

impl SealKey {
    /// A key from its bytes.
    ///
    /// # Errors
    ///
    /// [`SealKeyError::Length`], [`SealKeyError::NotRandom`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealKeyError> {
        let mut key = Zeroizing::new([0; KEY]);
        if bytes.len() != KEY {
            return Err(SealKeyError::Length(bytes.len()));
        }
        if bytes.windows(2).all(|pair| pair.first() == pair.last()) {
            return Err(SealKeyError::NotRandom);
        }
        key.copy_from_slice(bytes);
        // Derived, not chosen: two keys cannot have one name by mistake. It tells nothing about 32 random bytes.
        let digest = Sha256::new()
            .chain_update(b"transak-session sealing key id\0")
            .chain_update(&key[..])
            .finalize();
        let mut id = [0; 8];
        id.copy_from_slice(&digest[..8]);
        Ok(Self {
            bytes: key,
            id: KeyId::from_bytes(id),
        })
    }

    /// A key from base64, with either alphabet, padded or not, as `openssl rand -base64 32` prints it. Blanks around it are
    /// left out.
    ///
    /// # Errors
    ///
    /// [`SealKeyError`].
    pub fn from_base64(text: &str) -> Result<Self, SealKeyError> {
        let text = text.trim();
        let alphabet = match text.contains(['-', '_']) {
            true => &alphabet::URL_SAFE,
            false => &alphabet::STANDARD,
        };
        let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let decoded = GeneralPurpose::new(alphabet, lenient).decode(text).map(Zeroizing::new);
        Self::from_bytes(&decoded.map_err(|_| SealKeyError::NotBase64)?)
    }

    /// A new key from the operating system's random numbers. Keep [`expose_base64`](Self::expose_base64) in a safe place:
    /// what it sealed is lost without it.
    ///
    /// # Errors
    ///
    /// [`SealError::Unavailable`] if there are none.
    pub fn generate() -> Result<Self, SealError> {
        let mut bytes = Zeroizing::new([0; KEY]);
        fill(&mut *bytes)?;
        Self::from_bytes(&bytes[..]).map_err(|_| SealError::Unavailable("the random numbers are not random"))
    }

    /// What the key may be called in logs.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The key as base64. Take care not to log it.
    #[must_use]
    pub fn expose_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(&self.bytes[..]))
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealKey({})", self.id)
    }
}

/// Seals with XChaCha20-Poly1305 under one key and opens with that and older ones.
///
/// ```
/// use transak_session::store::seal::{KeyRing, SealKey};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (new_text, old_text) = (SealKey::generate()?.expose_base64(), SealKey::generate()?.expose_base64());
/// let ring = KeyRing::new(SealKey::from_base64(&new_text)?).with_older(SealKey::from_base64(&old_text)?);
/// # assert!(!format!("{ring:?}").contains(&*new_text));
/// # Ok(())
/// # }
/// ```
pub struct KeyRing {
    current: Slot,
    older: Vec<Slot>,
}

struct Slot {
    id: KeyId,
    cipher: XChaCha20Poly1305,
}

impl From<SealKey> for Slot {
    fn from(key: SealKey) -> Self {
        let mut bytes = chacha20poly1305::Key::default();
        bytes.copy_from_slice(&key.bytes[..]);
        let cipher = XChaCha20Poly1305::new(&bytes);
        bytes.zeroize();
        Self { id: key.id, cipher }
    }
}

impl KeyRing {
    /// A ring with the key to seal with.
    #[must_use]
    pub fn new(current: SealKey) -> Self {
        Self {
            current: current.into(),
            older: Vec::new(),
        }
    }

    /// Adds a key to open older texts with.
    #[must_use]
    pub fn with_older(mut self, key: SealKey) -> Self {
        if self.cipher(key.id).is_err() {
            self.older.push(key.into());
        }
        self
    }

    fn cipher(&self, id: KeyId) -> Result<&XChaCha20Poly1305, SealError> {
        let mut slots = std::iter::once(&self.current).chain(&self.older);
        let slot = slots.find(|slot| slot.id == id).ok_or(SealError::UnknownKey(id))?;
        Ok(&slot.cipher)
    }
}

/// With one key.
impl From<SealKey> for KeyRing {
    fn from(key: SealKey) -> Self {
        Self::new(key)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let older: Vec<KeyId> = self.older.iter().map(|slot| slot.id).collect();
        f.debug_struct("KeyRing")
            .field("current", &self.current.id)
            .field("older", &older)
            .finish()
    }
}

/// The nonce, which is random and long enough to be so for ever, comes first.
impl Sealer for KeyRing {
    fn current(&self) -> KeyId {
        self.current.id
    }

    fn seal(&self, key: KeyId, plain: &[u8], bound_to: &[u8]) -> Result<Vec<u8>, SealError> {
        let cipher = self.cipher(key)?;
        let mut nonce = [0; NONCE];
        fill(&mut nonce)?;
        let payload = Payload {
            msg: plain,
            aad: bound_to,
        };
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| SealError::Unavailable("the text is too long"))?;
        Ok([&nonce[..], &sealed].concat())
    }

    fn open(&self, key: KeyId, sealed: &[u8], bound_to: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let cipher = self.cipher(key)?;
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or(SealError::Refused)?;
        let payload = Payload {
            msg: sealed,
            aad: bound_to,
        };
        let plain = cipher.decrypt(&XNonce::from(*nonce), payload);
        plain.map(Zeroizing::new).map_err(|_| SealError::Refused)
    }
}

fn fill(bytes: &mut [u8]) -> Result<(), SealError> {
    getrandom::fill(bytes).map_err(|_| SealError::Unavailable("the operating system gave no random numbers"))
}
