//! A look at everything.

use rusqlite::Connection;

use super::ops::Row;
use crate::identity::RecordKey;
use crate::store::seal::Sealer;
use crate::store::{StoreError, StoreErrorKind};

/// What was found in a file whose structure is sound.
///
/// See [`SqliteStore::verify`](crate::store::SqliteStore::verify).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// Records that open.
    pub records: u64,
    /// Records that do not: damaged, or altered from outside. Delete them; their users have to log in again.
    pub unreadable: u64,
}

pub(super) fn verify(db: &Connection, sealer: &dyn Sealer) -> Result<Verified, StoreError> {
    let first: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if first != "ok" {
        let what = "the file is damaged; restore it from a copy, or move it away to begin anew";
        return Err(StoreError::of(StoreErrorKind::Corrupt, what).because(first));
    }
    let mut outcome = Verified::default();
    let mut rows = db.prepare("SELECT id, version, clear, sealed, key FROM session")?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        let opened = match row.get("key") {
            Ok(key) => Row::read(row)?.open(sealer, &RecordKey::from_bytes(key)),
            Err(e) => Err(e.into()),
        };
        match opened {
            Ok(Some(_)) => outcome.records += 1,
            Ok(None) => {}
            Err(e) if e.kind() == StoreErrorKind::WrongKey => return Err(e),
            Err(_) => outcome.unreadable += 1,
        }
    }
    Ok(outcome)
}
