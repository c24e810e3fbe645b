//! A sealed record as bytes: format (1 byte), key id (8 bytes), what the sealer made.

use zeroize::Zeroizing;

use super::{KeyId, SealError, Sealer};
use crate::identity::RecordKey;
use crate::store::codec;
use crate::store::{Record, StoreError, StoreErrorKind, Version};

const FORMAT: u8 = 1;
const HEAD: usize = 9;

/// A record as a store may keep it.
///
/// See [`seal_record`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRecord {
    /// JSON, for everybody's eyes. Keep it byte for byte: the sealed part is bound to it.
    pub clear: Vec<u8>,
    /// Key id and sealed tokens and IP address.
    pub sealed: Vec<u8>,
}

/// Encodes a record and seals its secret part with the sealer's current key, for this key and version only.
///
/// ```
/// use transak_session::clock::Timestamp;
/// use transak_session::store::seal::{KeyRing, SealKey, open_record, reseal_record, seal_record};
/// use transak_session::store::{Record, Version};
/// use transak_session::{AccessToken, Issued, RecordKey};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (old, new) = (SealKey::generate()?.expose_base64(), SealKey::generate()?.expose_base64());
/// let at = Timestamp::from_unix_seconds;
/// let issued = Issued::restore(AccessToken::new("the token's text"), at(10), at(30), at(20));
/// let record = Record::user(&issued, None, at(10));
/// let (key, version) = (RecordKey::from_bytes([7; 40]), Version::new(1));
///
/// let ring = KeyRing::new(SealKey::from_base64(&old)?);
/// let sealed = seal_record(&ring, &key, version, &record)?;
/// assert_eq!(open_record(&ring, &key, version, &sealed.clear, &sealed.sealed)?.expires_at, at(30));
/// // At another place it does not open.
/// assert!(open_record(&ring, &key, Version::new(2), &sealed.clear, &sealed.sealed).is_err());
///
/// // A new key takes over.
/// let ring = KeyRing::new(SealKey::from_base64(&new)?).with_older(SealKey::from_base64(&old)?);
/// assert!(reseal_record(&ring, &key, version, &sealed.clear, &sealed.sealed)?.is_some());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// As the sealer's, see [`SealError`].
pub fn seal_record(
    sealer: &dyn Sealer,
    key: &RecordKey,
    version: Version,
    record: &Record,
) -> Result<SealedRecord, StoreError> {
    let encoded = codec::encode(record)?;
    let sealed = close(sealer, &encoded.secret, |id| place(id, key, version, &encoded.clear))?;
    Ok(SealedRecord {
        clear: encoded.clear,
        sealed,
    })
}

/// Opens and decodes a record.
///
/// See [`seal_record`].
///
/// # Errors
///
/// [`StoreErrorKind::WrongKey`] if the key it was sealed with is not there, [`StoreErrorKind::Corrupt`] if anything of it was
/// altered or it is not the record of this key and version, [`StoreErrorKind::Incompatible`] if a later release wrote it.
pub fn open_record(
    sealer: &dyn Sealer,
    key: &RecordKey,
    version: Version,
    clear: &[u8],
    sealed: &[u8],
) -> Result<Record, StoreError> {
    // A later release may seal otherwise as well, so its schema is the more useful thing to complain about.
    let read = codec::read_clear(clear)?;
    let secret = open(sealer, sealed, |id| place(id, key, version, clear))?;
    read.with(&secret)
}

/// Seals what another key sealed with the sealer's current one; `None` if that was the current one.
///
/// See [`seal_record`].
///
/// # Errors
///
/// As [`open_record`].
pub fn reseal_record(
    sealer: &dyn Sealer,
    key: &RecordKey,
    version: Version,
    clear: &[u8],
    sealed: &[u8],
) -> Result<Option<Vec<u8>>, StoreError> {
    if sealed_with(sealed)? == sealer.current() {
        return Ok(None);
    }
    let secret = open(sealer, sealed, |id| place(id, key, version, clear))?;
    close(sealer, &secret, |id| place(id, key, version, clear)).map(Some)
}

/// Which key a sealed text was sealed with.
///
/// See [`seal_record`].
///
/// # Errors
///
/// [`StoreErrorKind::Corrupt`], [`StoreErrorKind::Incompatible`].
pub fn sealed_with(sealed: &[u8]) -> Result<KeyId, StoreError> {
    head(sealed).map(|(id, _)| id)
}

/// Seals something of a store's own that is no record, under a name: a text by which a wrong key is noticed at the opening.
///
/// # Errors
///
/// As the sealer's, see [`SealError`].
pub fn seal_note(sealer: &dyn Sealer, name: &str, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
    close(sealer, plain, |id| note(id, name))
}

/// Opens what [`seal_note`] sealed under the same name.
///
/// # Errors
///
/// [`StoreErrorKind::WrongKey`], [`StoreErrorKind::Corrupt`], [`StoreErrorKind::Incompatible`], as [`open_record`].
pub fn open_note(sealer: &dyn Sealer, name: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    open(sealer, sealed, |id| note(id, name))
}

fn close(sealer: &dyn Sealer, plain: &[u8], bound_to: impl Fn(KeyId) -> Vec<u8>) -> Result<Vec<u8>, StoreError> {
    let id = sealer.current();
    let body = sealer.seal(id, plain, &bound_to(id))?;
    Ok([&[FORMAT][..], id.as_bytes(), &body].concat())
}

fn open(
    sealer: &dyn Sealer,
    sealed: &[u8],
    bound_to: impl Fn(KeyId) -> Vec<u8>,
) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let (id, body) = head(sealed)?;
    Ok(sealer.open(id, body, &bound_to(id))?)
}

fn head(sealed: &[u8]) -> Result<(KeyId, &[u8]), StoreError> {
    match sealed.split_first_chunk::<HEAD>() {
        Some(([FORMAT, id @ ..], body)) => Ok((KeyId::from_bytes(*id), body)),
        Some(([format, ..], _)) if *format > FORMAT => Err(StoreError::of(
            StoreErrorKind::Incompatible,
            "a record was sealed by a later release of this library; use that one, or a later one still",
        )),
        _ => Err(SealError::Refused.into()),
    }
}

/// All parts but the last have a fixed length, so no two places are written alike.
fn place(id: KeyId, key: &RecordKey, version: Version, clear: &[u8]) -> Vec<u8> {
    [
        &b"transak-session record\0"[..],
        &[FORMAT],
        id.as_bytes(),
        key.as_bytes(),
        &version.get().to_be_bytes(),
        clear,
    ]
    .concat()
}

fn note(id: KeyId, name: &str) -> Vec<u8> {
    [
        &b"transak-session note\0"[..],
        &[FORMAT],
        id.as_bytes(),
        name.as_bytes(),
    ]
    .concat()
}
