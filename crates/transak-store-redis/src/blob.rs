//! A record as one Redis string: a line that scripts read, then the clear part, then the sealed part.
//!
//! The line: format, version, whether it is kept alive, expiry, wake time, length of the clear part.

use transak_session::RecordKey;
use transak_session::clock::Timestamp;
use transak_session::store::seal::{Sealer, open_record, seal_record};
use transak_session::store::{Record, StoreError, StoreErrorKind, Version, Versioned};

/// Sorted sets and scripts count in doubles: times beyond this are as good as for ever.
pub(crate) const LAST_MILLIS: i64 = 1 << 53;

pub(crate) fn score(at: Timestamp) -> i64 {
    at.unix_millis().clamp(-LAST_MILLIS, LAST_MILLIS)
}

/// The parts of a stored record.
pub(crate) struct Parts<'a> {
    pub(crate) version: Version,
    pub(crate) clear: &'a [u8],
    pub(crate) sealed: &'a [u8],
    line: &'a [u8],
}

pub(crate) fn seal(
    sealer: &dyn Sealer,
    key: &RecordKey,
    version: Version,
    record: &Record,
) -> Result<Vec<u8>, StoreError> {
    let whole = seal_record(sealer, key, version, record)?;
    let line = format!(
        "1 {} {} {} {} {}\n",
        version.get(),
        u8::from(record.kept_alive()),
        score(record.expires_at),
        score(record.wake_at),
        whole.clear.len(),
    );
    Ok([line.as_bytes(), &whole.clear, &whole.sealed].concat())
}

pub(crate) fn parts(blob: &[u8]) -> Result<Parts<'_>, StoreError> {
    let damaged = || StoreError::of(StoreErrorKind::Corrupt, "a record is damaged; restore it or delete it");
    let end = blob
        .iter()
        .take(128)
        .position(|byte| *byte == b'\n')
        .ok_or_else(damaged)?;
    let (line, rest) = blob.split_at_checked(end + 1).ok_or_else(damaged)?;
    let text = std::str::from_utf8(line).map_err(|_| damaged())?;
    let mut words = text.trim_end().split(' ');
    match words.next() {
        Some("1") => {}
        Some(later) if later.parse::<u16>().is_ok() => {
            let what = "a record was written by a later release of this library; use that one, or a later one still";
            return Err(StoreError::of(StoreErrorKind::Incompatible, what));
        }
        _ => return Err(damaged()),
    }
    let version = words.next().and_then(|w| w.parse().ok()).ok_or_else(damaged)?;
    let length = words.nth(3).and_then(|w| w.parse().ok()).ok_or_else(damaged)?;
    let (clear, sealed) = rest.split_at_checked(length).ok_or_else(damaged)?;
    Ok(Parts {
        version: Version::new(version),
        clear,
        sealed,
        line,
    })
}

impl Parts<'_> {
    /// The same record with another sealed part.
    pub(crate) fn with_sealed(&self, sealed: &[u8]) -> Vec<u8> {
        [self.line, self.clear, sealed].concat()
    }
}

pub(crate) fn open(sealer: &dyn Sealer, key: &RecordKey, blob: &[u8]) -> Result<Versioned, StoreError> {
    let parts = parts(blob)?;
    let record = open_record(sealer, key, parts.version, parts.clear, parts.sealed)?;
    Ok(Versioned {
        version: parts.version,
        record,
    })
}

pub(crate) fn open_any(
    sealer: &dyn Sealer,
    key: &RecordKey,
    blob: Option<&[u8]>,
) -> Result<Option<Versioned>, StoreError> {
    blob.map(|blob| open(sealer, key, blob)).transpose()
}
