//! The bucket that the workers of a tenant share.

use redis::Value;
use transak_session::TenantId;
use transak_session::store::{Allowance, Allowed, StoreError};

use crate::error::strange;
use crate::ops::{number, span_of};
use crate::script;
use crate::store::Inner;

/// Scripts count in doubles, which hold every number that is less.
const FASTEST: f64 = 1e15;

pub(crate) async fn draw(inner: &Inner, allowance: &Allowance) -> Result<Allowed, StoreError> {
    let keys = [inner.layout.bucket(allowance.tenant)];
    let rate = allowance.per_second.clamp(0.0, FASTEST);
    let (clock, rate) = (
        inner.clock.argument(),
        format!("{:e}", if rate.is_nan() { 0.0 } else { rate }),
    );
    let wanted = allowance.wanted.to_string();
    let arguments = [clock.as_bytes(), rate.as_bytes(), wanted.as_bytes()];
    let until = inner.link.deadline();
    let answer = inner.link.run(&script::DRAW, &keys, &arguments, until).await?;
    let [Value::BulkString(permits), Value::BulkString(next_in)] = &answer[..] else {
        return Err(strange());
    };
    Ok(Allowed {
        permits: u32::try_from(number(permits)?).map_err(|_| strange())?,
        next_in: span_of(number(next_in)?),
    })
}

pub(crate) async fn give_back(inner: &Inner, tenant: TenantId, permits: u32) -> Result<(), StoreError> {
    let keys = [inner.layout.bucket(tenant)];
    let permits = permits.to_string();
    let until = inner.link.deadline();
    inner
        .link
        .run(&script::GIVE_BACK, &keys, &[permits.as_bytes()], until)
        .await
        .map(drop)
}
