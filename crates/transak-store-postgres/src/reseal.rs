//! Changing keys while the store is in use.

use std::sync::PoisonError;

use tokio_postgres::Row;
use transak_session::RecordKey;
use transak_session::store::seal::reseal_record;
use transak_session::store::{StoreError, StoreErrorKind, Version};

use crate::error::{damaged, strange};
use crate::open;
use crate::ops::number;
use crate::store::Inner;

/// At most so many records are looked at in one call.
const MOST: usize = 1_000;

/// How far the re-sealing has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resealed {
    /// So many records were sealed with the current key in this call.
    pub records: usize,
    /// So many could not be opened in this call, because they are damaged. They stay as they are.
    pub unreadable: usize,
    /// Whether a whole pass over the store has found nothing readable that an older key has sealed. Processes that still seal
    /// with the older key can change that: give all of them the new key first.
    pub finished: bool,
}

/// How far a pass over the table has come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pass {
    /// Up to this key, which included.
    to: Vec<u8>,
    /// Whether this pass has found something to seal.
    found: bool,
}

/// What is to be written: for each record its key, version, old and new sealed part.
#[derive(Default)]
struct Anew<'a> {
    keys: Vec<&'a [u8]>,
    versions: Vec<i64>,
    old: Vec<&'a [u8]>,
    new: Vec<Vec<u8>>,
}

pub(crate) async fn reseal(inner: &Inner, limit: usize) -> Result<Resealed, StoreError> {
    let limit = limit.clamp(1, MOST);
    let mut pass = inner.pass.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let current = inner.sealer.current();
    let current = &current.as_bytes()[..];
    let mut connection = inner.link.connection(inner.link.deadline()).await?;
    let wanted = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = connection.rows(&inner.sql.page, &[&pass.to, &wanted, &current]).await?;
    let mut outcome = Resealed {
        records: 0,
        unreadable: 0,
        finished: false,
    };
    let mut anew = Anew::default();
    for row in &rows {
        match sealed_anew(inner, row, &mut anew) {
            Ok(()) => {}
            Err(e) if e.kind() == StoreErrorKind::Corrupt => outcome.unreadable += 1,
            Err(e) => return Err(e),
        }
    }
    if !anew.keys.is_empty() {
        pass.found = true;
        // What others have changed meanwhile stays as they wrote it; they seal with the new key, or the next pass sees it.
        let written = connection
            .run(
                &inner.sql.reseal,
                &[&anew.keys, &anew.versions, &anew.old, &anew.new, &current],
            )
            .await?;
        outcome.records = usize::try_from(written).unwrap_or(0);
    }
    drop(connection);
    match rows.last() {
        Some(last) if rows.len() == limit => {
            pass.to = last.try_get::<_, &[u8]>(0).map_err(strange)?.to_vec();
        }
        _ => {
            outcome.finished = !pass.found;
            pass = Pass::default();
        }
    }
    *inner.pass.lock().unwrap_or_else(PoisonError::into_inner) = pass;
    if outcome.finished {
        open::renew_note(inner).await?;
    }
    Ok(outcome)
}

fn sealed_anew<'a>(inner: &Inner, row: &'a Row, anew: &mut Anew<'a>) -> Result<(), StoreError> {
    let name: &[u8] = row.try_get(0).map_err(strange)?;
    let version: i64 = row.try_get(1).map_err(strange)?;
    let clear: Option<&[u8]> = row.try_get(2).map_err(strange)?;
    let sealed: Option<&[u8]> = row.try_get(3).map_err(strange)?;
    let (Some(clear), Some(sealed)) = (clear, sealed) else {
        // By the current key already.
        return Ok(());
    };
    let key = RecordKey::from_bytes(name.try_into().map_err(|_| damaged())?);
    let by_version = Version::new(number(version)?);
    if let Some(new) = reseal_record(&*inner.sealer, &key, by_version, clear, sealed)? {
        anew.keys.push(name);
        anew.versions.push(version);
        anew.old.push(sealed);
        anew.new.push(new);
    }
    Ok(())
}
