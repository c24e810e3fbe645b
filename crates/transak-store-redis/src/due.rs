//! Finding what is due among millions.
//!
//! Each shard keeps its records that are kept alive in sorted sets:
//!
//! | set | holds | by |
//! |---|---|---|
//! | `expiry` | all | expiry |
//! | `waiting` | those not known to be ready | when they will be: wake time, or end of the lease if that is later |
//! | `leased` | those of `waiting` that are leased | wake time |
//! | `ready` | those that are due and free | expiry |
//! | `normal` | those of `ready` that had 72 hours left when they became so | wake time |
//!
//! Whoever looks first moves what has become ready, at most a few thousand at a time. The critical and the urgent lane are
//! ranges of `ready`; the normal lane is `normal` without those that have become urgent, which are taken out when they are
//! met. So each record is moved a few times in its life, and nothing is ever searched.

use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use redis::Value;
use tokio::time::Instant;
use transak_session::store::{Claimed, DueQuery, Forecast, Lane, StoreError, StoreErrorKind};
use transak_session::{RecordKey, TenantId};

use crate::blob;
use crate::error::strange;
use crate::layout::key_of;
use crate::ops::{self, Answer, millis, number};
use crate::script;
use crate::store::Inner;

/// At most so many are claimed in one call.
const MOST: usize = 1_000;
/// So many are moved to the ready ones by one script: a few milliseconds.
const SWEEP: usize = 2_000;
/// How often each shard is asked to move more before it is taken as it is.
const SWEEPS: usize = 4;
/// How often a call looks again for what others have taken before it.
const ROUNDS: usize = 8;

/// A due record that was seen.
struct Seen {
    order: f64,
    shard: u16,
    member: String,
}

/// What one shard shows.
struct View {
    seen: Vec<Seen>,
    /// Whether there may be more than was asked for.
    cut: bool,
}

pub(crate) async fn claim_due(inner: &Inner, query: &DueQuery) -> Result<Vec<Claimed>, StoreError> {
    let limit = query.limit.min(MOST);
    let until = inner.link.deadline();
    let mut claimed: Vec<Claimed> = Vec::new();
    for _ in 0..ROUNDS {
        let left = limit - claimed.len();
        if left == 0 {
            break;
        }
        let chosen = match choose(inner, query, left, until).await {
            Ok(chosen) if chosen.is_empty() => break,
            Ok(chosen) => chosen,
            // What was claimed before is worth more than the error.
            Err(_) if !claimed.is_empty() => break,
            Err(e) => return Err(e),
        };
        match take(inner, query, chosen, until).await {
            Ok(more) => claimed.extend(more),
            Err(_) if !claimed.is_empty() => break,
            Err(e) => return Err(e),
        }
    }
    // Rounds are in order, except where others gave something back meanwhile.
    claimed.sort_by_key(|c| match query.lane {
        Lane::Critical | Lane::Urgent => c.record.record.expires_at,
        Lane::Normal => c.record.record.wake_at,
    });
    Ok(claimed)
}

/// The most urgent of all shards, the most urgent first.
async fn choose(inner: &Inner, query: &DueQuery, limit: usize, until: Instant) -> Result<Vec<Seen>, StoreError> {
    let shards = usize::from(inner.layout.shards);
    // Names are hashes, so all shards have about the same share; half as many again are rarely too few.
    let each = if shards == 1 {
        limit
    } else {
        limit.min(limit * 3 / (shards * 2) + 8)
    };
    let looking = (0..inner.layout.shards).map(|shard| look(inner, query, shard, each, until));
    let views = try_join_all(looking).await?;
    // What a shard did not show may be more urgent than what others did, so nothing beyond its last is taken.
    let bound = views.iter().filter(|view| view.cut).filter_map(|view| view.seen.last());
    let bound = bound.map(|seen| seen.order).fold(f64::INFINITY, f64::min);
    let mut seen: Vec<Seen> = views.into_iter().flat_map(|view| view.seen).collect();
    seen.retain(|one| one.order <= bound);
    seen.sort_by(|a, b| a.order.total_cmp(&b.order));
    seen.truncate(limit);
    Ok(seen)
}

async fn look(inner: &Inner, query: &DueQuery, shard: u16, limit: usize, until: Instant) -> Result<View, StoreError> {
    let lane = match query.lane {
        Lane::Critical => "critical",
        Lane::Urgent => "urgent",
        Lane::Normal => "normal",
    };
    let keys = inner.layout.shard_keys(query.tenant, shard);
    let (count, keep, sweep) = (limit.to_string(), inner.keep_expired.to_string(), SWEEP.to_string());
    let mut view = View {
        seen: Vec::new(),
        cut: false,
    };
    for _ in 0..SWEEPS {
        let clock = inner.clock.argument();
        let arguments = [
            clock.as_bytes(),
            lane.as_bytes(),
            count.as_bytes(),
            keep.as_bytes(),
            sweep.as_bytes(),
        ];
        let answer = Answer::read(inner, inner.link.run(&script::PEEK, &keys, &arguments, until).await?)?;
        let Some(Value::Array(found)) = answer.rest.first() else {
            return Err(strange());
        };
        view.seen = found
            .chunks_exact(2)
            .map(|pair| seen(pair, shard))
            .collect::<Result<_, _>>()?;
        view.cut = view.seen.len() >= limit;
        if answer.outcome == "all" {
            break;
        }
    }
    Ok(view)
}

fn seen(pair: &[Value], shard: u16) -> Result<Seen, StoreError> {
    let [Value::BulkString(member), Value::BulkString(order)] = pair else {
        return Err(strange());
    };
    let text = |bytes: &[u8]| std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| strange());
    Ok(Seen {
        order: text(order)?.parse().map_err(|_| strange())?,
        shard,
        member: text(member)?,
    })
}

/// Claims those that are still free, with one script for each shard.
async fn take(inner: &Inner, query: &DueQuery, chosen: Vec<Seen>, until: Instant) -> Result<Vec<Claimed>, StoreError> {
    let mut by_shard: Vec<(u16, Vec<String>)> = Vec::new();
    for Seen { shard, member, .. } in chosen {
        match by_shard.iter_mut().find(|(known, _)| *known == shard) {
            Some((_, members)) => members.push(member),
            None => by_shard.push((shard, vec![member])),
        }
    }
    let taking = by_shard
        .into_iter()
        .map(|(shard, members)| take_shard(inner, query, shard, members, until));
    let (mut claimed, mut failure, mut unreadable) = (Vec::new(), None, 0_usize);
    // Not only until the first fails: what others have claimed is ours.
    for outcome in join_all(taking).await {
        match outcome {
            Ok(ones) => {
                for one in ones {
                    match one {
                        Ok(one) => claimed.push(one),
                        // It is leased nevertheless, so that it is not in the way of the others for a while. Reading it
                        // says what is wrong.
                        Err(e) if matches!(e.kind(), StoreErrorKind::Corrupt | StoreErrorKind::Incompatible) => {
                            unreadable += 1;
                        }
                        Err(e) => failure = Some(e),
                    }
                }
            }
            Err(e) => failure = Some(e),
        }
    }
    if unreadable > 0 {
        tracing::error!(tenant = %query.tenant, unreadable, "due records cannot be read");
    }
    match failure {
        None => Ok(claimed),
        Some(e) if e.kind() == StoreErrorKind::WrongKey => {
            join_all(claimed.iter().map(|c| ops::release(inner, &c.lease))).await;
            Err(e)
        }
        Some(_) if !claimed.is_empty() => Ok(claimed),
        Some(e) => Err(e),
    }
}

type Opened = Result<Claimed, StoreError>;

async fn take_shard(
    inner: &Inner,
    query: &DueQuery,
    shard: u16,
    members: Vec<String>,
    until: Instant,
) -> Result<Vec<Opened>, StoreError> {
    let mut keys = inner.layout.shard_keys(query.tenant, shard);
    for member in &members {
        let key = key_of(query.tenant, member).ok_or_else(misplaced)?;
        keys.extend(inner.layout.record_keys(&key));
    }
    let (clock, span) = (inner.clock.argument(), millis(query.span).to_string());
    let mut arguments = vec![clock.as_bytes(), span.as_bytes()];
    arguments.extend(members.iter().map(String::as_bytes));
    let answer = Answer::read(inner, inner.link.run(&script::TAKE, &keys, &arguments, until).await?)?;
    let Some(Value::Array(taken)) = answer.rest.into_iter().next() else {
        return Err(strange());
    };
    taken.into_iter().map(|one| opened(inner, query.tenant, one)).collect()
}

fn misplaced() -> StoreError {
    StoreError::of(StoreErrorKind::Corrupt, "the due index names what is no record")
}

fn opened(inner: &Inner, tenant: TenantId, one: Value) -> Result<Opened, StoreError> {
    let Value::Array(parts) = one else {
        return Err(strange());
    };
    let [
        Value::BulkString(member),
        Value::BulkString(epoch),
        Value::BulkString(age),
        Value::BulkString(found),
    ] = &parts[..]
    else {
        return Err(strange());
    };
    let key = std::str::from_utf8(member)
        .ok()
        .and_then(|member| key_of(tenant, member));
    let key: RecordKey = key.ok_or_else(misplaced)?;
    let lease = ops::lease(key, Some(epoch), Some(age))?;
    Ok(blob::open(&*inner.sealer, &key, found).map(|record| Claimed { lease, record }))
}

pub(crate) async fn forecast(inner: &Inner, tenant: TenantId, horizons: &[Duration]) -> Result<Forecast, StoreError> {
    let until = inner.link.deadline();
    let spans: Vec<String> = horizons.iter().map(|span| millis(*span).to_string()).collect();
    let counting = (0..inner.layout.shards).map(|shard| count(inner, tenant, shard, &spans, until));
    let mut forecast = Forecast {
        lapsing: vec![0; horizons.len()],
        ..Forecast::default()
    };
    for counts in try_join_all(counting).await? {
        let mut counts = counts.into_iter();
        forecast.kept_alive += counts.next().unwrap_or_default();
        forecast.due += counts.next().unwrap_or_default();
        for (total, more) in forecast.lapsing.iter_mut().zip(counts) {
            *total += more;
        }
    }
    Ok(forecast)
}

async fn count(
    inner: &Inner,
    tenant: TenantId,
    shard: u16,
    spans: &[String],
    until: Instant,
) -> Result<Vec<u64>, StoreError> {
    let keys = inner.layout.shard_keys(tenant, shard);
    let (keep, sweep) = (inner.keep_expired.to_string(), SWEEP.to_string());
    let mut counts = Vec::new();
    for _ in 0..SWEEPS {
        let clock = inner.clock.argument();
        let mut arguments = vec![clock.as_bytes(), keep.as_bytes(), sweep.as_bytes()];
        arguments.extend(spans.iter().map(String::as_bytes));
        let answer = Answer::read(
            inner,
            inner.link.run(&script::FORECAST, &keys, &arguments, until).await?,
        )?;
        let Some(Value::Array(found)) = answer.rest.first() else {
            return Err(strange());
        };
        counts = found.iter().map(counted).collect::<Result<_, _>>()?;
        if answer.outcome == "all" {
            break;
        }
    }
    Ok(counts)
}

fn counted(value: &Value) -> Result<u64, StoreError> {
    let count = match value {
        Value::Int(count) => *count,
        Value::BulkString(text) => number(text)?,
        _ => return Err(strange()),
    };
    u64::try_from(count).map_err(|_| strange())
}
