//! Removing what is of no use any more.

use std::time::Duration;

use transak_session::store::StoreError;

use crate::ops::millis;
use crate::store::Inner;

/// At most so many rows are removed by one statement.
const MOST: usize = 1_000;
/// How long the memory of an abandoned lease is kept.
const KEPT: Duration = Duration::from_secs(90 * 86_400);

pub(crate) async fn forget_expired(inner: &Inner, since: Duration, limit: usize) -> Result<usize, StoreError> {
    let (clock, since, kept) = (inner.clock(), millis(since), millis(KEPT));
    let limit = i64::try_from(limit.min(MOST)).unwrap_or(i64::MAX);
    let mut connection = inner.link.connection(inner.link.deadline()).await?;
    let gone = connection
        .run(&inner.sql.forget_sessions, &[&clock, &since, &limit])
        .await?;
    connection
        .run(&inner.sql.forget_leases, &[&clock, &kept, &limit])
        .await?;
    Ok(usize::try_from(gone).unwrap_or(usize::MAX))
}
