//! What can be done to one record.

use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use transak_session::store::seal::{Sealer, open_record, seal_record, sealed_with};
use transak_session::store::{Claim, Lease, LeaseEpoch, Record, StoreError, StoreErrorKind, Swap, Version, Versioned};
use transak_session::{RecordKey, TenantId};

use crate::error::{damaged, strange};
use crate::store::Inner;

/// Spans beyond this are as good as for ever, and sums with them stay within Postgres' numbers.
const LONGEST_MILLIS: i64 = 1 << 53;
/// How often a call that came between two others looks again.
const TRIES: usize = 4;

pub(crate) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).map_or(LONGEST_MILLIS, |millis| millis.min(LONGEST_MILLIS))
}

pub(crate) fn span_of(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}

/// A tenant as a column holds it.
pub(crate) fn tenant_column(tenant: TenantId) -> i64 {
    i64::from_be_bytes(*tenant.as_bytes())
}

/// A version or an epoch as a column holds it. Numbers that this store never gives match nothing.
fn column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(-1)
}

pub(crate) fn number(column: i64) -> Result<u64, StoreError> {
    u64::try_from(column).map_err(|_| StoreError::of(StoreErrorKind::Corrupt, "a counter is negative"))
}

/// The record in three columns of a row, from the first of them on.
pub(crate) fn open(
    sealer: &dyn Sealer,
    key: &RecordKey,
    row: &Row,
    first: usize,
) -> Result<Option<Versioned>, StoreError> {
    let version: Option<i64> = row.try_get(first).map_err(strange)?;
    let clear: Option<&[u8]> = row.try_get(first + 1).map_err(strange)?;
    let sealed: Option<&[u8]> = row.try_get(first + 2).map_err(strange)?;
    match (version, clear, sealed) {
        (None, None, None) => Ok(None),
        (Some(version), Some(clear), Some(sealed)) => {
            let version = Version::new(number(version)?);
            let record = open_record(sealer, key, version, clear, sealed)?;
            Ok(Some(Versioned { version, record }))
        }
        _ => Err(damaged()),
    }
}

pub(crate) async fn load(inner: &Inner, key: &RecordKey) -> Result<Option<Versioned>, StoreError> {
    let found = inner.link.rows(&inner.sql.load, &[&&key.as_bytes()[..]]).await?;
    match found.first() {
        Some(row) => open(&*inner.sealer, key, row, 0),
        None => Ok(None),
    }
}

pub(crate) async fn swap(
    inner: &Inner,
    key: &RecordKey,
    expected: Option<Version>,
    record: &Record,
    finishing: Option<&Lease>,
) -> Result<Swap, StoreError> {
    let mut connection = inner.link.connection(inner.link.deadline()).await?;
    let ending = finishing.filter(|lease| lease.key == *key);
    let ending = ending.map(|lease| column(lease.epoch.get()));
    let expected = expected.map(|version| column(version.get()));
    for _ in 0..TRIES {
        // A record is sealed for its version, so the version has to be known before.
        let drawn = connection.rows(&inner.sql.number, &[]).await?;
        let version: i64 = drawn.first().ok_or_else(damaged)?.try_get(0).map_err(strange)?;
        let stored = Version::new(number(version)?);
        let whole = seal_record(&*inner.sealer, key, stored, record)?;
        let sealed_by = sealed_with(&whole.sealed)?;
        let (clock, name, tenant) = (inner.clock(), &key.as_bytes()[..], tenant_column(key.tenant()));
        let (live, expires) = (record.kept_alive(), record.expires_at.unix_millis());
        let (wake, sealed_by) = (record.wake_at.unix_millis(), &sealed_by.as_bytes()[..]);
        let all: [&(dyn ToSql + Sync); 12] = [
            &clock,
            &name,
            &version,
            &tenant,
            &live,
            &expires,
            &wake,
            &sealed_by,
            &whole.clear,
            &whole.sealed,
            &ending,
            &expected,
        ];
        let (statement, parameters) = match expected {
            None => (&inner.sql.insert, &all[..11]),
            Some(_) => (&inner.sql.update, &all[..]),
        };
        let written = connection.rows(statement, parameters).await?;
        if written
            .first()
            .ok_or_else(damaged)?
            .try_get::<_, i64>(0)
            .map_err(strange)?
            > 0
        {
            return Ok(Swap::Stored(stored));
        }
        let found = connection.rows(&inner.sql.load, &[&name]).await?;
        let there = match found.first() {
            Some(row) => open(&*inner.sealer, key, row, 0)?,
            None => None,
        };
        // What was in the way of a first record can have gone again meanwhile.
        if expected.is_some() || there.is_some() {
            return Ok(Swap::Conflict(there));
        }
    }
    Err(StoreError::new(
        "others write and delete this record all the time; nothing was written",
    ))
}

pub(crate) async fn delete(inner: &Inner, key: &RecordKey) -> Result<(), StoreError> {
    inner
        .link
        .run(&inner.sql.delete, &[&&key.as_bytes()[..]])
        .await
        .map(drop)
}

pub(crate) async fn claim(inner: &Inner, key: &RecordKey, span: Duration) -> Result<Claim, StoreError> {
    let mut connection = inner.link.connection(inner.link.deadline()).await?;
    let (name, span) = (&key.as_bytes()[..], millis(span));
    let mut busy = None;
    for _ in 0..TRIES {
        let clock = inner.clock();
        // The record is read by a second statement: the first one's snapshot is of a time before it had the lease.
        let (granted, seen) = connection
            .both(
                (&inner.sql.claim, &[&clock, &name, &span]),
                (&inner.sql.look, &[&clock, &name]),
            )
            .await?;
        let seen = seen.first().ok_or_else(damaged)?;
        if let Some(granted) = granted.first() {
            let lease = lease(*key, granted, 0)?;
            return match open(&*inner.sealer, key, seen, 0) {
                Ok(record) => Ok(Claim::Granted { lease, record }),
                Err(e) => {
                    // Nobody knows of this lease, so it would only be in the way.
                    let epoch = column(lease.epoch.get());
                    let _ = connection.run(&inner.sql.release, &[&clock, &name, &epoch]).await;
                    Err(e)
                }
            };
        }
        let left: Option<i64> = seen.try_get(3).map_err(strange)?;
        let record = open(&*inner.sealer, key, seen, 0)?;
        busy = Some(Claim::Busy {
            retry_in: span_of(left.unwrap_or(0)),
            record,
        });
        // Otherwise it has just ended: another try may get it.
        if left.is_some_and(|left| left > 0) {
            break;
        }
    }
    busy.ok_or_else(damaged)
}

/// The lease in two columns of a row, epoch and age of the one before, from the first of them on.
pub(crate) fn lease(key: RecordKey, row: &Row, first: usize) -> Result<Lease, StoreError> {
    let epoch: i64 = row.try_get(first).map_err(strange)?;
    let age: Option<i64> = row.try_get(first + 1).map_err(strange)?;
    Ok(Lease {
        key,
        epoch: LeaseEpoch::new(number(epoch)?),
        abandoned: age.map(span_of),
    })
}

pub(crate) async fn extend(inner: &Inner, lease: &Lease, span: Duration) -> Result<bool, StoreError> {
    let (clock, name) = (inner.clock(), &lease.key.as_bytes()[..]);
    let (epoch, span) = (column(lease.epoch.get()), millis(span));
    let extended = inner
        .link
        .run(&inner.sql.extend, &[&clock, &name, &epoch, &span])
        .await?;
    Ok(extended > 0)
}

pub(crate) async fn release(inner: &Inner, lease: &Lease) -> Result<(), StoreError> {
    let (clock, name) = (inner.clock(), &lease.key.as_bytes()[..]);
    let epoch = column(lease.epoch.get());
    inner
        .link
        .run(&inner.sql.release, &[&clock, &name, &epoch])
        .await
        .map(drop)
}
