//! What can be done to one record. Each is a few statements within a transaction that the writer has begun.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::writer::Batch;
use crate::clock::Timestamp;
use crate::identity::{RecordKey, TenantId};
use crate::store::seal::{Sealer, open_record, seal_record, sealed_with};
use crate::store::{Claim, Lease, LeaseEpoch, Record, StoreError, StoreErrorKind, Swap, Version, Versioned};

/// How long the memory of a lease on a key without a record is kept after its end.
const KEPT: Duration = Duration::from_secs(30 * 86_400);

/// At most so many records are forgotten in one transaction, which others wait for.
const MOST_FORGOTTEN: usize = 1_000;

/// A row as it is stored.
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) version: Option<i64>,
    clear: Option<Vec<u8>>,
    sealed: Option<Vec<u8>>,
}

/// Version, clear part and sealed part of a record.
pub(super) type Parts<'a> = (Version, &'a [u8], &'a [u8]);

impl Row {
    pub(super) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            version: row.get("version")?,
            clear: row.get("clear")?,
            sealed: row.get("sealed")?,
        })
    }

    /// The parts of the record, if the row holds one.
    pub(super) fn parts(&self) -> Result<Option<Parts<'_>>, StoreError> {
        match (self.version, &self.clear, &self.sealed) {
            (Some(version), Some(clear), Some(sealed)) => Ok(Some((Version::new(number(version)?), clear, sealed))),
            (None, None, None) => Ok(None),
            _ => Err(StoreError::of(StoreErrorKind::Corrupt, "a part of a record is missing")),
        }
    }

    pub(super) fn open(&self, sealer: &dyn Sealer, key: &RecordKey) -> Result<Option<Versioned>, StoreError> {
        let Some((version, clear, sealed)) = self.parts()? else {
            return Ok(None);
        };
        let record = open_record(sealer, key, version, clear, sealed)?;
        Ok(Some(Versioned { version, record }))
    }
}

pub(super) fn find(db: &Connection, key: &RecordKey) -> Result<Option<Row>, StoreError> {
    let mut statement = db.prepare_cached("SELECT id, version, clear, sealed FROM session WHERE key = ?1")?;
    Ok(statement.query_row([key.as_bytes()], Row::read).optional()?)
}

/// Records behind a row, in the order of rows.
pub(super) fn entries(
    db: &Connection,
    sealer: &dyn Sealer,
    after: i64,
    limit: usize,
) -> Result<Vec<(i64, RecordKey, Versioned)>, StoreError> {
    let sql = "SELECT id, version, clear, sealed, key FROM session WHERE id > ?1 AND version IS NOT NULL ORDER BY id LIMIT ?2";
    let mut rows = db.prepare_cached(sql)?;
    let mut rows = rows.query(params![after, i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (key, row) = (RecordKey::from_bytes(row.get("key")?), Row::read(row)?);
        match row.open(sealer, &key) {
            Ok(Some(record)) => found.push((row.id, key, record)),
            Ok(None) => {}
            Err(e) if e.kind() == StoreErrorKind::Corrupt => tracing::error!(%key, error = %e, "a record is left out"),
            Err(e) => return Err(e),
        }
    }
    Ok(found)
}

/// A tenant as a column and an index hold it.
pub(super) fn tenant_column(tenant: TenantId) -> i64 {
    i64::from_be_bytes(*tenant.as_bytes())
}

pub(super) fn number(column: i64) -> Result<u64, StoreError> {
    u64::try_from(column).map_err(|_| StoreError::of(StoreErrorKind::Corrupt, "a counter is negative"))
}

pub(super) fn swap(
    batch: &mut Batch<'_>,
    key: &RecordKey,
    expected: Option<Version>,
    record: &Record,
    finishing: Option<&Lease>,
) -> Result<Swap, StoreError> {
    let there = find(batch.db(), key)?;
    let at = match &there {
        Some(row) => row.parts()?.map(|(version, _, _)| version),
        None => None,
    };
    if at != expected {
        let there = match &there {
            Some(row) => row.open(batch.sealer(), key)?,
            None => None,
        };
        return Ok(Swap::Conflict(there));
    }
    if let Some(lease) = finishing.filter(|lease| lease.key == *key) {
        end(batch, lease)?;
    }
    let (version, column) = batch.next()?;
    let whole = seal_record(batch.sealer(), key, Version::new(version), record)?;
    let sealed_by = batch.seal_key(sealed_with(&whole.sealed)?)?;
    let sql = "INSERT INTO session (key, tenant, version, live, expires_at, wake_at, slot, seal_key, clear, sealed)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        ON CONFLICT (key) DO UPDATE SET version = ?3, live = ?4, expires_at = ?5, wake_at = ?6, slot = ?7, seal_key = ?8,
            clear = ?9, sealed = ?10";
    batch.db().prepare_cached(sql)?.execute(params![
        key.as_bytes(),
        tenant_column(key.tenant()),
        column,
        record.kept_alive(),
        record.expires_at.unix_millis(),
        record.wake_at.unix_millis(),
        super::due::slot(record.expires_at),
        sealed_by,
        whole.clear,
        whole.sealed,
    ])?;
    Ok(Swap::Stored(Version::new(version)))
}

pub(super) fn delete(batch: &mut Batch<'_>, key: &RecordKey) -> Result<(), StoreError> {
    let db = batch.db();
    // A lease outlives the record that it was taken for.
    let leased = "UPDATE session SET version = NULL, live = 0, expires_at = NULL, wake_at = NULL, slot = NULL,
        seal_key = NULL, clear = NULL, sealed = NULL
        WHERE key = ?1 AND EXISTS (SELECT 1 FROM lease WHERE lease.id = session.id)";
    if db.prepare_cached(leased)?.execute([key.as_bytes()])? == 0 {
        db.prepare_cached("DELETE FROM session WHERE key = ?1")?
            .execute([key.as_bytes()])?;
    }
    Ok(())
}

pub(super) fn claim(batch: &mut Batch<'_>, key: &RecordKey, span: Duration) -> Result<Claim, StoreError> {
    let row = find(batch.db(), key)?;
    let record = match &row {
        Some(row) => row.open(batch.sealer(), key)?,
        None => None,
    };
    let id = match row {
        Some(row) => row.id,
        None => hold_a_place(batch, key)?,
    };
    let now = batch.now();
    let held = held(batch.db(), id)?;
    if let Some((_, until)) = held.filter(|(_, until)| now < *until) {
        let retry_in = until.since(now);
        return Ok(Claim::Busy { retry_in, record });
    }
    let abandoned = held.map(|(taken_at, _)| now.since(taken_at));
    let lease = take(batch, *key, id, span, abandoned)?;
    Ok(Claim::Granted { lease, record })
}

/// When the lease of a row was taken and until when it goes.
pub(super) fn held(db: &Connection, id: i64) -> Result<Option<(Timestamp, Timestamp)>, StoreError> {
    let mut statement = db.prepare_cached("SELECT taken_at, until FROM lease WHERE id = ?1")?;
    let held = statement.query_row([id], |row| {
        Ok((
            Timestamp::from_unix_millis(row.get(0)?),
            Timestamp::from_unix_millis(row.get(1)?),
        ))
    });
    Ok(held.optional()?)
}

pub(super) fn take(
    batch: &mut Batch<'_>,
    key: RecordKey,
    id: i64,
    span: Duration,
    abandoned: Option<Duration>,
) -> Result<Lease, StoreError> {
    let (epoch, column) = batch.next()?;
    let now = batch.now();
    batch
        .db()
        .prepare_cached("INSERT OR REPLACE INTO lease (id, epoch, taken_at, until) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![id, column, now.unix_millis(), (now + span).unix_millis()])?;
    Ok(Lease {
        key,
        epoch: LeaseEpoch::new(epoch),
        abandoned,
    })
}

/// A row without a record, for a lease. Each new one pays for clearing away a few that nobody has asked about for long, so
/// that they cannot pile up.
fn hold_a_place(batch: &Batch<'_>, key: &RecordKey) -> Result<i64, StoreError> {
    let db = batch.db();
    let mut oldest = db.prepare_cached("SELECT id FROM session WHERE version IS NULL ORDER BY id LIMIT 4")?;
    let oldest: Vec<i64> = oldest.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for id in oldest {
        if held(db, id)?.is_none_or(|(_, until)| until < batch.now() - KEPT) {
            db.prepare_cached("DELETE FROM lease WHERE id = ?1")?.execute([id])?;
            db.prepare_cached("DELETE FROM session WHERE id = ?1")?.execute([id])?;
        }
    }
    db.prepare_cached("INSERT INTO session (key, tenant, live) VALUES (?1, ?2, 0)")?
        .execute(params![key.as_bytes(), tenant_column(key.tenant())])?;
    Ok(db.last_insert_rowid())
}

pub(super) fn extend(batch: &mut Batch<'_>, lease: &Lease, span: Duration) -> Result<bool, StoreError> {
    let Ok(epoch) = i64::try_from(lease.epoch.get()) else {
        return Ok(false);
    };
    let now = batch.now();
    let sql = "UPDATE lease SET until = ?3
        WHERE id = (SELECT id FROM session WHERE key = ?1) AND epoch = ?2 AND until > ?4";
    let extended = batch.db().prepare_cached(sql)?.execute(params![
        lease.key.as_bytes(),
        epoch,
        (now + span).unix_millis(),
        now.unix_millis()
    ])?;
    Ok(extended > 0)
}

pub(super) fn release(batch: &mut Batch<'_>, lease: &Lease) -> Result<(), StoreError> {
    if end(batch, lease)? {
        batch
            .db()
            .prepare_cached("DELETE FROM session WHERE key = ?1 AND version IS NULL")?
            .execute([lease.key.as_bytes()])?;
    }
    Ok(())
}

/// Ends a lease that is still live. One that has lapsed stays in memory as abandoned: its holder may have called Transak.
fn end(batch: &Batch<'_>, lease: &Lease) -> Result<bool, StoreError> {
    let Ok(epoch) = i64::try_from(lease.epoch.get()) else {
        return Ok(false);
    };
    let sql = "DELETE FROM lease WHERE id = (SELECT id FROM session WHERE key = ?1) AND epoch = ?2 AND until > ?3";
    let now = batch.now().unix_millis();
    let ended = batch
        .db()
        .prepare_cached(sql)?
        .execute(params![lease.key.as_bytes(), epoch, now])?;
    Ok(ended > 0)
}

/// Removes records whose token expired long ago, the longest first, if nobody is at work on them.
pub(super) fn forget_expired(batch: &Batch<'_>, since: Duration, limit: usize) -> Result<usize, StoreError> {
    let db = batch.db();
    let now = batch.now();
    let limit = i64::try_from(limit.min(MOST_FORGOTTEN)).unwrap_or(i64::MAX);
    let mut expired = db.prepare_cached(
        "SELECT id FROM session INDEXED BY session_end
        WHERE version IS NOT NULL AND expires_at <= ?1
            AND NOT EXISTS (SELECT 1 FROM lease WHERE lease.id = session.id AND lease.until > ?2)
        ORDER BY expires_at LIMIT ?3",
    )?;
    let until = (now - since).unix_millis();
    let expired = expired.query_map(params![until, now.unix_millis(), limit], |row| row.get(0))?;
    let expired: Vec<i64> = expired.collect::<Result<_, _>>()?;
    for id in &expired {
        db.prepare_cached("DELETE FROM lease WHERE id = ?1")?.execute([id])?;
        db.prepare_cached("DELETE FROM session WHERE id = ?1")?.execute([id])?;
    }
    Ok(expired.len())
}
