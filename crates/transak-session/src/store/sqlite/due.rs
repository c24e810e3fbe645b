//! Finding what is due among millions.
//!
//! A lane asks for two ranges at a time: how much life is left, and that `wake_at` has come; and for an order. One index
//! walked in order may meet any number of records that are in one range and not in the other. So there are two, and each
//! lane uses them so that what it has to look at stays in bounds:
//!
//! * *Normal*, by `wake_at`: expiries are cut into slots of four hours. In each slot the index by (slot, `wake_at`) gives the
//!   first few at once, and the best of all slots win. Only the slot in which the lane begins holds others in between.
//! * *Critical* and *urgent*, by expiry: the index by expiry is walked. If it meets thousands that are not due yet, few are,
//!   and from there on each slot is asked for what is due in it, to be sorted.

use std::collections::{BinaryHeap, HashSet};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::ops::{Row, held, take, tenant_column};
use super::writer::Batch;
use crate::clock::Timestamp;
use crate::identity::{RecordKey, TenantId};
use crate::store::{Claimed, DueQuery, Forecast, Lane, StoreError, StoreErrorKind};

const SLOT_MILLIS: i64 = 4 * 3_600_000;
/// At most so many are claimed at a time: the lock on the file is held meanwhile.
const MOST: usize = 10_000;
/// So many that are not due are passed over before the other index is asked.
const PATIENCE: usize = 5_000;
/// How often more is looked for when nothing of what was found can be opened.
const TRIES: usize = 8;

/// The slot in which a token expires.
pub(super) fn slot(expires_at: Timestamp) -> i64 {
    expires_at.unix_millis().div_euclid(SLOT_MILLIS)
}

pub(super) fn claim_due(batch: &mut Batch<'_>, query: &DueQuery) -> Result<Vec<Claimed>, StoreError> {
    let limit = query.limit.min(MOST);
    if limit == 0 {
        return Ok(Vec::new());
    }
    for _ in 0..TRIES {
        let found = Search::new(batch.db(), query, batch.now()).run(limit)?;
        let mut claimed = Vec::with_capacity(found.len());
        let (mut unreadable, any) = (0_usize, !found.is_empty());
        for id in found {
            match claim_row(batch, id, query.span) {
                Ok(one) => claimed.push(one),
                // It is leased nevertheless, so that it is not in the way of the others for a while. Reading it says what
                // is wrong.
                Err(e) if matches!(e.kind(), StoreErrorKind::Corrupt | StoreErrorKind::Incompatible) => unreadable += 1,
                Err(e) => return Err(e),
            }
        }
        if unreadable > 0 {
            tracing::error!(tenant = %query.tenant, unreadable, "due records cannot be read; run a check of the store");
        }
        if !claimed.is_empty() || !any {
            return Ok(claimed);
        }
    }
    Ok(Vec::new())
}

fn claim_row(batch: &mut Batch<'_>, id: i64, span: Duration) -> Result<Claimed, StoreError> {
    let sql = "SELECT id, version, clear, sealed, key FROM session WHERE id = ?1";
    let (row, key): (Row, [u8; 40]) = batch
        .db()
        .prepare_cached(sql)?
        .query_row([id], |row| Ok((Row::read(row)?, row.get("key")?)))?;
    let key = RecordKey::from_bytes(key);
    let abandoned = held(batch.db(), id)?.map(|(taken_at, _)| batch.now().since(taken_at));
    let lease = take(batch, key, id, span, abandoned)?;
    let gone = || {
        StoreError::of(
            StoreErrorKind::Corrupt,
            "the due index names a record that is not there",
        )
    };
    let record = row.open(batch.sealer(), &key)?.ok_or_else(gone)?;
    Ok(Claimed { lease, record })
}

struct Search<'a> {
    db: &'a Connection,
    tenant: i64,
    lane: Lane,
    now: i64,
    /// The expiries of the lane: from this one,
    from: i64,
    /// up to before this one; `None` for no end.
    to: Option<i64>,
}

impl<'a> Search<'a> {
    fn new(db: &'a Connection, query: &DueQuery, now: Timestamp) -> Self {
        let (from, to) = match query.lane {
            Lane::Critical => (Timestamp::MIN, Some(now + Lane::Critical.ceiling())),
            Lane::Urgent => (now + Lane::Urgent.floor(), Some(now + Lane::Urgent.ceiling())),
            Lane::Normal => (now + Lane::Normal.floor(), None),
        };
        Self {
            db,
            tenant: tenant_column(query.tenant),
            lane: query.lane,
            now: now.unix_millis(),
            from: from.unix_millis(),
            to: to.map(Timestamp::unix_millis),
        }
    }

    /// The rows to claim, in order.
    fn run(&self, limit: usize) -> Result<Vec<i64>, StoreError> {
        match self.lane {
            Lane::Normal => self.by_wake_at(limit),
            Lane::Critical | Lane::Urgent => self.by_expiry(limit),
        }
    }

    fn by_wake_at(&self, limit: usize) -> Result<Vec<i64>, StoreError> {
        let mut in_slot = self.db.prepare_cached(
            "SELECT id, wake_at FROM session INDEXED BY session_slot
            WHERE live = 1 AND tenant = ?1 AND slot = ?2 AND wake_at <= ?3 AND expires_at >= ?4
                AND NOT EXISTS (SELECT 1 FROM lease WHERE lease.id = session.id AND lease.until > ?5)
            ORDER BY wake_at LIMIT ?6",
        )?;
        let mut best: BinaryHeap<(i64, i64)> = BinaryHeap::new();
        let mut next = self.next_slot(self.from.div_euclid(SLOT_MILLIS))?;
        while let Some(slot) = next {
            // Later than the worst of a full hand is of no use.
            let bound = match best.peek() {
                Some((wake_at, _)) if best.len() >= limit => *wake_at,
                _ => self.now,
            };
            let mut rows = in_slot.query(params![self.tenant, slot, bound, self.from, self.now, column(limit)])?;
            while let Some(row) = rows.next()? {
                best.push((row.get(1)?, row.get(0)?));
                if best.len() > limit {
                    best.pop();
                }
            }
            next = match slot.checked_add(1) {
                Some(after) => self.next_slot(after)?,
                None => None,
            };
        }
        Ok(best.into_sorted_vec().into_iter().map(|(_, id)| id).collect())
    }

    fn by_expiry(&self, limit: usize) -> Result<Vec<i64>, StoreError> {
        let to = self.to.unwrap_or(i64::MAX);
        let mut walk = self.db.prepare_cached(
            "SELECT id, expires_at, CASE WHEN wake_at > ?4 THEN 0 ELSE
                NOT EXISTS (SELECT 1 FROM lease WHERE lease.id = session.id AND lease.until > ?4) END
            FROM session INDEXED BY session_expiry
            WHERE live = 1 AND tenant = ?1 AND expires_at >= ?2 AND expires_at < ?3 ORDER BY expires_at",
        )?;
        let mut found = Vec::new();
        let mut passed = 0;
        let mut rows = walk.query(params![self.tenant, self.from, to, self.now])?;
        while let Some(row) = rows.next()? {
            if row.get(2)? {
                found.push(row.get(0)?);
                if found.len() == limit {
                    return Ok(found);
                }
            } else {
                passed += 1;
                if passed == PATIENCE {
                    return self.by_slot(row.get(1)?, to, found, limit);
                }
            }
        }
        Ok(found)
    }

    /// Goes on from an expiry, of whose records some may have been found already.
    fn by_slot(&self, from: i64, to: i64, mut found: Vec<i64>, limit: usize) -> Result<Vec<i64>, StoreError> {
        let mut in_slot = self.db.prepare_cached(
            "SELECT id FROM session INDEXED BY session_slot
            WHERE live = 1 AND tenant = ?1 AND slot = ?2 AND wake_at <= ?3 AND expires_at >= ?4 AND expires_at < ?5
                AND NOT EXISTS (SELECT 1 FROM lease WHERE lease.id = session.id AND lease.until > ?3)
            ORDER BY expires_at LIMIT ?6",
        )?;
        let already: HashSet<i64> = found.iter().copied().collect();
        let last = to.div_euclid(SLOT_MILLIS);
        let mut next = self.next_slot(from.div_euclid(SLOT_MILLIS))?;
        while let Some(slot) = next.filter(|slot| *slot <= last) {
            let mut rows = in_slot.query(params![self.tenant, slot, self.now, from, to, column(limit)])?;
            while let Some(row) = rows.next()? {
                let id = row.get(0)?;
                if !already.contains(&id) {
                    found.push(id);
                    if found.len() == limit {
                        return Ok(found);
                    }
                }
            }
            next = match slot.checked_add(1) {
                Some(after) => self.next_slot(after)?,
                None => None,
            };
        }
        Ok(found)
    }

    /// The first slot from this one on in which something expires.
    fn next_slot(&self, from: i64) -> Result<Option<i64>, StoreError> {
        let mut next = self.db.prepare_cached(
            "SELECT slot FROM session INDEXED BY session_slot
            WHERE live = 1 AND tenant = ?1 AND slot >= ?2 ORDER BY slot LIMIT 1",
        )?;
        Ok(next
            .query_row(params![self.tenant, from], |row| row.get(0))
            .optional()?)
    }
}

fn column(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

pub(super) fn forecast(
    db: &Connection,
    tenant: TenantId,
    now: Timestamp,
    horizons: &[Duration],
) -> Result<Forecast, StoreError> {
    let tenant = tenant_column(tenant);
    // One transaction, so that all counts are of one moment.
    let moment = db.unchecked_transaction()?;
    let sql = "SELECT count(*), coalesce(sum(wake_at <= ?2), 0) FROM session WHERE live = 1 AND tenant = ?1";
    let mut statement = moment.prepare_cached(sql)?;
    let (kept_alive, due): (i64, i64) =
        statement.query_row(params![tenant, now.unix_millis()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let sql = "SELECT count(*) FROM session WHERE live = 1 AND tenant = ?1 AND expires_at <= ?2";
    let mut statement = moment.prepare_cached(sql)?;
    let mut lapsing = Vec::with_capacity(horizons.len());
    for horizon in horizons {
        let until = (now + *horizon).unix_millis();
        lapsing.push(super::ops::number(
            statement.query_row(params![tenant, until], |row| row.get(0))?,
        )?);
    }
    Ok(Forecast {
        kept_alive: super::ops::number(kept_alive)?,
        due: super::ops::number(due)?,
        lapsing,
    })
}
