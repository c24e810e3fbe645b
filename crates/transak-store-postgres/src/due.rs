//! Finding what is due among millions.
//!
//! The critical and the urgent lane walk the index by expiry, the normal lane the one by wake time; each has the other time
//! as a column more, so that what is not in the lane costs an index entry and no row. In ordinary times there is next to
//! nothing to pass over. `SKIP LOCKED` gives workers who ask at the same moment different rows; whether a lease is free is
//! decided by the insertion of the lease itself, which sees what others have committed meanwhile.

use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use transak_session::store::{Claimed, DueQuery, Forecast, Lane, StoreError, StoreErrorKind};
use transak_session::{RecordKey, TenantId};

use crate::error::{damaged, strange};
use crate::link::Connection;
use crate::ops::{self, millis, number, tenant_column};
use crate::store::Inner;

/// At most so many are claimed in one call.
const MOST: usize = 1_000;
/// How often a call looks again for what others have taken before it.
const ROUNDS: usize = 8;

pub(crate) async fn claim_due(inner: &Inner, query: &DueQuery) -> Result<Vec<Claimed>, StoreError> {
    let limit = query.limit.min(MOST);
    let mut claimed = Vec::new();
    if limit == 0 {
        return Ok(claimed);
    }
    let mut connection = inner.link.connection(inner.link.deadline()).await?;
    for _ in 0..ROUNDS {
        let left = limit - claimed.len();
        let answer = match ask(inner, &mut connection, query, left).await {
            Ok(answer) => answer,
            // What was claimed before is worth more than the error.
            Err(_) if !claimed.is_empty() => break,
            Err(e) => return Err(e),
        };
        let mut unreadable = 0;
        for row in &answer.leased {
            match opened(inner, row) {
                Ok(one) => claimed.push(one),
                // It is leased nevertheless, so that it is not in the way of the others for a while. Reading it says what
                // is wrong.
                Err(e) if matches!(e.kind(), StoreErrorKind::Corrupt | StoreErrorKind::Incompatible) => {
                    unreadable += 1;
                }
                Err(e) => {
                    give_back(inner, &mut connection, &answer.leased).await;
                    return Err(e);
                }
            }
        }
        if unreadable > 0 {
            tracing::error!(tenant = %query.tenant, unreadable, "due records cannot be read");
        }
        if answer.seen < left || claimed.len() == limit {
            break;
        }
    }
    Ok(claimed)
}

/// What a statement has found.
struct Answer {
    /// Due and free, as far as its snapshot knew.
    seen: usize,
    /// Those of them that are ours now.
    leased: Vec<Row>,
}

async fn ask(inner: &Inner, connection: &mut Connection, query: &DueQuery, limit: usize) -> Result<Answer, StoreError> {
    let clock = inner.clock();
    let (tenant, span) = (tenant_column(query.tenant), millis(query.span));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    // Tokens of the critical lane may have expired however long ago.
    let from = (query.lane != Lane::Critical).then(|| millis(query.lane.floor()));
    let to = millis(query.lane.ceiling());
    let common: [&(dyn ToSql + Sync); 6] = [&clock, &tenant, &limit, &span, &from, &to];
    let (statement, parameters) = match query.lane {
        Lane::Normal => (&inner.sql.due_by_wake, &common[..5]),
        Lane::Critical | Lane::Urgent => (&inner.sql.due_by_expiry, &common[..]),
    };
    let mut leased = connection.rows(statement, parameters).await?;
    let seen: i64 = leased.first().ok_or_else(damaged)?.try_get(6).map_err(strange)?;
    leased.retain(|row| matches!(row.try_get::<_, Option<i64>>(4), Ok(Some(_))));
    Ok(Answer {
        seen: usize::try_from(seen).unwrap_or(0),
        leased,
    })
}

fn key_of(row: &Row) -> Result<RecordKey, StoreError> {
    let key: &[u8] = row.try_get(0).map_err(strange)?;
    Ok(RecordKey::from_bytes(key.try_into().map_err(|_| damaged())?))
}

fn opened(inner: &Inner, row: &Row) -> Result<Claimed, StoreError> {
    let key = key_of(row)?;
    let lease = ops::lease(key, row, 4)?;
    let record = ops::open(&*inner.sealer, &key, row, 1)?.ok_or_else(damaged)?;
    Ok(Claimed { lease, record })
}

async fn give_back(inner: &Inner, connection: &mut Connection, rows: &[Row]) {
    let clock = inner.clock();
    for row in rows {
        let (Ok(key), Ok(epoch)) = (row.try_get::<_, &[u8]>(0), row.try_get::<_, i64>(4)) else {
            continue;
        };
        if connection
            .run(&inner.sql.release, &[&clock, &key, &epoch])
            .await
            .is_err()
        {
            return;
        }
    }
}

pub(crate) async fn forecast(inner: &Inner, tenant: TenantId, horizons: &[Duration]) -> Result<Forecast, StoreError> {
    let spans: Vec<i64> = horizons.iter().map(|span| millis(*span)).collect();
    let (clock, tenant) = (inner.clock(), tenant_column(tenant));
    let mut connection = inner.link.connection(inner.link.deadline()).await?;
    let counted = connection
        .patiently(
            inner.link.forecast_deadline,
            &inner.sql.forecast,
            &[&clock, &tenant, &spans],
        )
        .await?;
    let row = counted.first().ok_or_else(damaged)?;
    let lapsing: Vec<i64> = row.try_get(2).map_err(strange)?;
    Ok(Forecast {
        kept_alive: number(row.try_get(0).map_err(strange)?)?,
        due: number(row.try_get(1).map_err(strange)?)?,
        lapsing: lapsing.into_iter().map(number).collect::<Result<_, _>>()?,
    })
}
