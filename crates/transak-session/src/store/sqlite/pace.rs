//! The buckets that workers share.

use rusqlite::{OptionalExtension, params};

use super::ops::tenant_column;
use super::writer::Batch;
use crate::clock::Timestamp;
use crate::identity::TenantId;
use crate::store::allowance::Bucket;
use crate::store::{Allowance, Allowed, StoreError};

pub(super) fn draw(batch: &mut Batch<'_>, allowance: &Allowance) -> Result<Allowed, StoreError> {
    let (now, tenant) = (batch.now(), tenant_column(allowance.tenant));
    let mut there = batch
        .db()
        .prepare_cached("SELECT permits, filled_at FROM pace WHERE tenant = ?1")?;
    let there = there.query_row([tenant], |row| {
        Ok(Bucket {
            permits: row.get(0)?,
            filled_at: Timestamp::from_unix_millis(row.get(1)?),
        })
    });
    let mut bucket = there
        .optional()?
        .unwrap_or_else(|| Bucket::full(allowance.per_second, now));
    let allowed = bucket.draw(allowance, now);
    batch
        .db()
        .prepare_cached("INSERT OR REPLACE INTO pace (tenant, permits, filled_at) VALUES (?1, ?2, ?3)")?
        .execute(params![tenant, bucket.permits, bucket.filled_at.unix_millis()])?;
    Ok(allowed)
}

pub(super) fn give_back(batch: &mut Batch<'_>, tenant: TenantId, permits: u32) -> Result<(), StoreError> {
    batch
        .db()
        .prepare_cached("UPDATE pace SET permits = permits + ?2 WHERE tenant = ?1")?
        .execute(params![tenant_column(tenant), permits])?;
    Ok(())
}
