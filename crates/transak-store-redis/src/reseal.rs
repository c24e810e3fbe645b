//! Changing keys while the store is in use.

use std::sync::PoisonError;

use redis::Value;
use transak_session::TenantId;
use transak_session::store::seal::reseal_record;
use transak_session::store::{StoreError, StoreErrorKind};

use crate::error::strange;
use crate::layout::{EXPIRY, REST, key_of, tenant_of};
use crate::ops::Answer;
use crate::store::Inner;
use crate::{blob, open, script};

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

/// How far a pass over the store has come: tenant, shard, set, and the cursor within it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pass {
    tenant: Option<TenantId>,
    shard: u16,
    rest: bool,
    cursor: u64,
    /// Whether this pass has found something to seal.
    found: bool,
}

pub(crate) async fn reseal(inner: &Inner, limit: usize) -> Result<Resealed, StoreError> {
    let mut outcome = Resealed {
        records: 0,
        unreadable: 0,
        finished: false,
    };
    let mut pass = *inner.pass.lock().unwrap_or_else(PoisonError::into_inner);
    let mut looked_at = 0;
    while looked_at < limit.max(1) {
        let Some(tenant) = tenant(inner, &pass).await? else {
            outcome.finished = !pass.found;
            pass = Pass::default();
            keep(inner, pass);
            break;
        };
        pass.tenant = Some(tenant);
        let (members, cursor) = scan(inner, tenant, &pass).await?;
        // An empty shard counts as well, so that a call is bounded.
        looked_at += members.len().max(1);
        for member in members {
            anew(inner, tenant, &member, &mut outcome, &mut pass).await?;
        }
        pass.cursor = cursor;
        if cursor == 0 {
            go_on(inner, &mut pass, tenant);
        }
        keep(inner, pass);
    }
    if outcome.finished {
        open::renew_note(inner).await?;
    }
    Ok(outcome)
}

fn keep(inner: &Inner, pass: Pass) {
    *inner.pass.lock().unwrap_or_else(PoisonError::into_inner) = pass;
}

/// To the next set, shard or tenant.
fn go_on(inner: &Inner, pass: &mut Pass, tenant: TenantId) {
    if !pass.rest {
        pass.rest = true;
    } else if pass.shard + 1 < inner.layout.shards {
        (pass.rest, pass.shard) = (false, pass.shard + 1);
    } else {
        // The next tenant is the first beyond this one, see `tenant`.
        (pass.rest, pass.shard) = (false, inner.layout.shards);
        pass.tenant = Some(tenant);
    }
}

/// The tenant to go on with. `None` after the last.
async fn tenant(inner: &Inner, pass: &Pass) -> Result<Option<TenantId>, StoreError> {
    if let (Some(tenant), true) = (pass.tenant, pass.shard < inner.layout.shards) {
        return Ok(Some(tenant));
    }
    let mut command = redis::cmd("SMEMBERS");
    command.arg(inner.layout.tenants());
    let names = inner.link.ask(&command, inner.link.deadline()).await?;
    let names: Vec<String> = redis::from_redis_value(names).map_err(|_| strange())?;
    let tenants = names.iter().filter_map(|name| tenant_of(name));
    Ok(tenants
        .filter(|tenant| pass.tenant.is_none_or(|last| last < *tenant))
        .min())
}

async fn scan(inner: &Inner, tenant: TenantId, pass: &Pass) -> Result<(Vec<String>, u64), StoreError> {
    let shard = if pass.shard < inner.layout.shards {
        pass.shard
    } else {
        0
    };
    let keys = inner.layout.shard_keys(tenant, shard);
    let set = keys.get(if pass.rest { REST } else { EXPIRY }).ok_or_else(strange)?;
    let mut command = redis::cmd("ZSCAN");
    command.arg(set).arg(pass.cursor).arg("COUNT").arg(100);
    let answer = inner.link.ask(&command, inner.link.deadline()).await?;
    let (cursor, found): (u64, Vec<String>) = redis::from_redis_value(answer).map_err(|_| strange())?;
    Ok((found.into_iter().step_by(2).collect(), cursor))
}

async fn anew(
    inner: &Inner,
    tenant: TenantId,
    member: &str,
    outcome: &mut Resealed,
    pass: &mut Pass,
) -> Result<(), StoreError> {
    let Some(key) = key_of(tenant, member) else {
        outcome.unreadable += 1;
        return Ok(());
    };
    let until = inner.link.deadline();
    let record = inner.layout.record(&key);
    let mut command = redis::cmd("GET");
    command.arg(record);
    let old = match inner.link.ask(&command, until).await? {
        Value::BulkString(old) => old,
        _ => return Ok(()),
    };
    let sealed = blob::parts(&old).and_then(|parts| {
        let anew = reseal_record(&*inner.sealer, &key, parts.version, parts.clear, parts.sealed)?;
        Ok(anew.map(|sealed| parts.with_sealed(&sealed)))
    });
    let new = match sealed {
        Ok(Some(new)) => new,
        Ok(None) => return Ok(()),
        Err(e) if e.kind() == StoreErrorKind::Corrupt => {
            outcome.unreadable += 1;
            return Ok(());
        }
        Err(e) => return Err(e),
    };
    pass.found = true;
    let clock = inner.clock.argument();
    let arguments: [&[u8]; 3] = [clock.as_bytes(), &old, &new];
    let keys = inner.layout.keys(&key);
    let answer = Answer::read(inner, inner.link.run(&script::RESEAL, &keys, &arguments, until).await?)?;
    // Changed meanwhile: whoever did has sealed it anew, or the next pass sees it.
    outcome.records += usize::from(answer.outcome == "resealed");
    Ok(())
}
