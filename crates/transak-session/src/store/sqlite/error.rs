//! What SQLite's failures mean.

use rusqlite::ErrorCode;

use crate::store::{StoreError, StoreErrorKind};

/// Statements of this store carry no values in their text, and SQLite's messages repeat none, so the cause may be shown.
impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let (kind, what) = match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
                StoreErrorKind::Unavailable,
                "another program keeps the file locked; if it is not another process of yours, close it",
            ),
            Some(ErrorCode::DiskFull) => (
                StoreErrorKind::Full,
                "there is no room for the write; make room or raise the store's limit",
            ),
            Some(ErrorCode::DatabaseCorrupt) => (
                StoreErrorKind::Corrupt,
                "the file is damaged; restore it from a copy, or move it away to begin anew",
            ),
            Some(ErrorCode::NotADatabase) => (StoreErrorKind::Corrupt, "the file is not an SQLite database"),
            Some(ErrorCode::ReadOnly) => (
                StoreErrorKind::Unavailable,
                "the file cannot be written: check its permissions",
            ),
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => (
                StoreErrorKind::Unavailable,
                "the file or its directory cannot be opened for writing: check the permissions of both",
            ),
            // "no such table", mostly.
            Some(ErrorCode::Unknown) => (StoreErrorKind::Corrupt, "the file is not laid out as a session store"),
            Some(_) => (StoreErrorKind::Unavailable, "SQLite could not do it"),
            // No answer of SQLite's, so a value that is not what this store writes.
            None => (
                StoreErrorKind::Corrupt,
                "the file holds what this store has not written",
            ),
        };
        Self::of(kind, what).because(error)
    }
}
