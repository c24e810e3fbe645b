//! Changing keys while the store is in use.

use std::sync::PoisonError;

use rusqlite::params;

use super::Inner;
use super::open::{check_key, write_key_check};
use super::ops::Row;
use super::writer::Batch;
use crate::identity::RecordKey;
use crate::store::seal::{reseal_record, sealed_with};
use crate::store::{StoreError, StoreErrorKind};

/// At most so many records are sealed anew in one transaction, which others wait for.
const MOST: usize = 1_000;

/// How far the re-sealing has come.
///
/// See [`SqliteStore::reseal`](crate::store::SqliteStore::reseal).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resealed {
    /// So many records were sealed with the current key in this call.
    pub records: usize,
    /// So many could not be opened in this call, because they are damaged. They stay as they are.
    pub unreadable: usize,
    /// Whether nothing readable is left that an older key has sealed. Processes that still seal with the older key can
    /// change that: give all of them the new key first.
    pub finished: bool,
}

/// How far a pass over the table has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pass {
    /// Up to this row, which included.
    to: i64,
    /// So many rows were passed over.
    unreadable: usize,
}

pub(super) async fn reseal(store: &Inner, limit: usize) -> Result<Resealed, StoreError> {
    let limit = limit.clamp(1, MOST);
    let pass = *store.pass.lock().unwrap_or_else(PoisonError::into_inner);
    let work = move |batch: &mut Batch<'_>| go_on(batch, pass, limit);
    let (resealed, pass) = store.writer.run(work, |_| Vec::new()).await?;
    *store.pass.lock().unwrap_or_else(PoisonError::into_inner) = pass;
    Ok(resealed)
}

fn go_on(batch: &mut Batch<'_>, mut pass: Pass, limit: usize) -> Result<(Resealed, Pass), StoreError> {
    let current = batch.seal_key(batch.sealer().current())?;
    let rows = old_rows(batch, current, pass.to, limit)?;
    let mut outcome = Resealed {
        records: 0,
        unreadable: 0,
        finished: false,
    };
    for (row, key) in &rows {
        pass.to = row.id;
        match anew(batch, row, key) {
            Ok(sealed) => {
                let by = batch.seal_key(sealed_with(&sealed)?)?;
                batch
                    .db()
                    .prepare_cached("UPDATE session SET sealed = ?2, seal_key = ?3 WHERE id = ?1")?
                    .execute(params![row.id, sealed, by])?;
                outcome.records += 1;
            }
            Err(e) if e.kind() == StoreErrorKind::Corrupt => outcome.unreadable += 1,
            Err(e) => return Err(e),
        }
    }
    pass.unreadable += outcome.unreadable;
    if rows.len() == limit {
        return Ok((outcome, pass));
    }
    // The end of the table. Others may have written behind us with an older key; then another pass is needed.
    let left = old_rows(batch, current, 0, pass.unreadable + 1)?.len();
    outcome.finished = left <= pass.unreadable;
    if outcome.finished {
        forget_old_keys(batch, current)?;
    }
    Ok((outcome, Pass::default()))
}

fn anew(batch: &Batch<'_>, row: &Row, key: &RecordKey) -> Result<Vec<u8>, StoreError> {
    let missing = || StoreError::of(StoreErrorKind::Corrupt, "a part of a record is missing");
    let (version, clear, sealed) = row.parts()?.ok_or_else(missing)?;
    let anew = reseal_record(batch.sealer(), key, version, clear, sealed)?;
    // Sealed with the current key, although the row names another.
    Ok(anew.unwrap_or_else(|| sealed.to_vec()))
}

fn forget_old_keys(batch: &Batch<'_>, current: i64) -> Result<(), StoreError> {
    if sealed_with(&check_key(batch.db(), batch.sealer())?)? != batch.sealer().current() {
        write_key_check(batch.db(), batch.sealer())?;
    }
    let sql = "DELETE FROM seal_key WHERE id <> ?1 AND NOT EXISTS
        (SELECT 1 FROM session WHERE session.version IS NOT NULL AND session.seal_key = seal_key.id)";
    batch.db().prepare_cached(sql)?.execute([current])?;
    Ok(())
}

fn old_rows(batch: &Batch<'_>, current: i64, after: i64, limit: usize) -> Result<Vec<(Row, RecordKey)>, StoreError> {
    let mut found = Vec::new();
    let mut keys = batch.db().prepare_cached("SELECT id FROM seal_key WHERE id <> ?1")?;
    let keys: Vec<i64> = keys.query_map([current], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for old in keys {
        let mut rows = batch.db().prepare_cached(
            "SELECT id, version, clear, sealed, key FROM session INDEXED BY session_seal_key
            WHERE version IS NOT NULL AND seal_key = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
        )?;
        let wanted = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = rows.query_map(params![old, after, wanted], |row| {
            Ok((Row::read(row)?, RecordKey::from_bytes(row.get("key")?)))
        })?;
        for row in rows {
            found.push(row?);
        }
    }
    found.sort_by_key(|(row, _)| row.id);
    found.truncate(limit);
    Ok(found)
}
