//! The file's layout and how older ones become it.

use rusqlite::Connection;

use crate::store::{StoreError, StoreErrorKind};

/// "TrnS": tells the file from databases of other programs.
pub(super) const APPLICATION_ID: i32 = 0x5472_6e53;

/// The layout of this release.
pub(super) const LAYOUT: i32 = MIGRATIONS.len() as i32;

/// Each makes one layout of the one before. What was published is never changed.
///
/// Row ids are short, so the indexes use them rather than the 40 bytes of a key. A row without a version holds the place
/// of a lease on a key without a record. Leases are in a table of their own, because a claim would otherwise rewrite the
/// large rows. `slot` is the expiry in steps of four hours: see `due`.
const MIGRATIONS: [&str; 4] = [
    "CREATE TABLE meta (
        name TEXT PRIMARY KEY,
        value ANY NOT NULL
    ) STRICT, WITHOUT ROWID;
    INSERT INTO meta (name, value) VALUES ('counter', 0);
    CREATE TABLE seal_key (
        id INTEGER PRIMARY KEY,
        name BLOB NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE session (
        id INTEGER PRIMARY KEY,
        key BLOB NOT NULL UNIQUE,
        tenant INTEGER NOT NULL,
        version INTEGER,
        live INTEGER NOT NULL,
        expires_at INTEGER,
        wake_at INTEGER,
        slot INTEGER,
        seal_key INTEGER,
        clear BLOB,
        sealed BLOB
    ) STRICT;
    CREATE TABLE lease (
        id INTEGER PRIMARY KEY,
        epoch INTEGER NOT NULL,
        taken_at INTEGER NOT NULL,
        until INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX session_expiry ON session (tenant, expires_at, wake_at) WHERE live = 1;
    CREATE INDEX session_slot ON session (tenant, slot, wake_at, expires_at) WHERE live = 1;
    CREATE INDEX session_empty ON session (id) WHERE version IS NULL;",
    "CREATE INDEX session_seal_key ON session (seal_key) WHERE version IS NOT NULL;",
    "CREATE INDEX session_end ON session (expires_at) WHERE version IS NOT NULL;",
    "CREATE TABLE pace (
        tenant INTEGER PRIMARY KEY,
        permits REAL NOT NULL,
        filled_at INTEGER NOT NULL
    ) STRICT;",
];

pub(super) fn application_id(db: &Connection) -> Result<i32, StoreError> {
    Ok(db.pragma_query_value(None, "application_id", |row| row.get(0))?)
}

pub(super) fn layout(db: &Connection) -> Result<i32, StoreError> {
    let mut statement = db.prepare_cached("PRAGMA user_version")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// Refuses files of other programs and of later releases.
pub(super) fn check(db: &Connection) -> Result<(), StoreError> {
    if application_id(db)? != APPLICATION_ID {
        return Err(StoreError::of(
            StoreErrorKind::Corrupt,
            "the file is a database of another program; choose another path",
        ));
    }
    match layout(db)? {
        1..=LAYOUT => Ok(()),
        layout if layout > LAYOUT => Err(StoreError::of(
            StoreErrorKind::Incompatible,
            "the file was written by a later release of this library; use that one, or a later one still",
        )),
        _ => Err(StoreError::of(
            StoreErrorKind::Corrupt,
            "the file does not say which layout it has",
        )),
    }
}

/// Brings the file to the layout of this release. To be called in a transaction; writes nothing if there is nothing to do.
pub(super) fn migrate(db: &Connection) -> Result<(), StoreError> {
    let from = layout(db)?;
    let missing = MIGRATIONS.iter().skip(usize::try_from(from).unwrap_or(usize::MAX));
    for step in missing {
        db.execute_batch(step)?;
    }
    if from < LAYOUT {
        db.pragma_update(None, "user_version", LAYOUT)?;
    }
    Ok(())
}
