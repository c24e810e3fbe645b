//! The bucket that the workers of a tenant share.

use transak_session::TenantId;
use transak_session::store::{Allowance, Allowed, StoreError};

use crate::error::{damaged, strange};
use crate::ops::{span_of, tenant_column};
use crate::store::Inner;

/// Rates beyond these are as good as none and any; with them all sums stay within numbers.
const SLOWEST: f64 = 1e-9;
const FASTEST: f64 = 1e15;

pub(crate) async fn draw(inner: &Inner, allowance: &Allowance) -> Result<Allowed, StoreError> {
    let (clock, tenant) = (inner.clock(), tenant_column(allowance.tenant));
    let rate = match allowance.per_second {
        rate if rate.is_nan() => SLOWEST,
        rate => rate.clamp(SLOWEST, FASTEST),
    };
    let (most, wanted) = (rate.max(1.0), i64::from(allowance.wanted));
    let drawn = inner
        .link
        .rows(&inner.sql.draw, &[&clock, &tenant, &rate, &most, &wanted])
        .await?;
    let row = drawn.first().ok_or_else(damaged)?;
    let permits: i64 = row.try_get(0).map_err(strange)?;
    Ok(Allowed {
        permits: u32::try_from(permits).map_err(|_| damaged())?,
        next_in: span_of(row.try_get(1).map_err(strange)?),
    })
}

pub(crate) async fn give_back(inner: &Inner, tenant: TenantId, permits: u32) -> Result<(), StoreError> {
    let (tenant, permits) = (tenant_column(tenant), i64::from(permits));
    inner
        .link
        .run(&inner.sql.give_back, &[&tenant, &permits])
        .await
        .map(drop)
}
