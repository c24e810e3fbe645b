//! Rules about leases.

use std::time::Duration;

use super::broken::ensure;
use super::data::{idle, key};
use super::stage::{HOUR, MILLI, Stage, busy, grant, put};
use super::{Broken, Outcome};
use crate::identity::RecordKey;
use crate::store::{Lease, LeaseEpoch, Record, Swap, Version};

async fn finish(
    stage: &Stage,
    key: RecordKey,
    expected: Option<Version>,
    record: Record,
    lease: &Lease,
) -> Result<Version, Broken> {
    match stage.store().swap(&key, expected, record, Some(lease)).await? {
        Swap::Stored(version) => Ok(version),
        Swap::Conflict(_) => Err(Broken::Rule("a write of the right version was refused".into())),
    }
}

/// Whether the next claim of the key, which is granted and then given back, tells of an abandoned lease.
async fn abandoned(stage: &Stage, key: RecordKey) -> Result<Option<Duration>, Broken> {
    let lease = stage.granted(key, HOUR).await?;
    stage.store().release(&lease).await?;
    Ok(lease.abandoned)
}

/// While a lease is live, nobody else gets one on the same key; the refusal tells how long to wait at most.
pub async fn exclude(stage: &mut Stage) -> Outcome {
    stage.granted(key(1), HOUR).await?;
    let others = [stage.store(), stage.second().await];
    for store in &others {
        let (retry_in, _) = busy(&**store, key(1)).await?;
        let sensible = retry_in <= HOUR && retry_in + stage.slack() >= HOUR;
        ensure!(sensible, "a lease of an hour is said to end in {retry_in:?}");
    }
    grant(&*others[1], key(2), HOUR).await?;
    Ok(())
}

/// A lease lapses when its span is over on the store's clock, not before, and then others get it.
pub async fn lapse_by_the_stores_clock(stage: &mut Stage) -> Outcome {
    let span = stage.short();
    stage.granted(key(1), span).await?;
    busy(&*stage.store(), key(1)).await?;
    if stage.exact() {
        stage.pass(span - MILLI).await;
        let (retry_in, _) = busy(&*stage.store(), key(1)).await?;
        ensure!(retry_in == MILLI, "a millisecond is left, not {retry_in:?}");
        stage.pass(MILLI).await;
    } else {
        stage.outlast_short().await;
    }
    let other = stage.second().await;
    grant(&*other, key(1), HOUR).await?;
    Ok(())
}

/// A key without a record can be leased, before its first write and after its deletion.
pub async fn need_no_record(stage: &mut Stage) -> Outcome {
    let (now, key) = (stage.now(), key(1));
    for _ in 0..2 {
        let (lease, record) = grant(&*stage.store(), key, HOUR).await?;
        ensure!(record.is_none(), "the claim shows a record where there is none");
        let (_, record) = busy(&*stage.store(), key).await?;
        ensure!(record.is_none(), "the refusal shows a record where there is none");
        ensure!(stage.load(key).await?.is_none(), "a claim made a record");
        ensure!(stage.store().extend(&lease, HOUR).await?, "the lease is not live");
        finish(stage, key, None, idle(1, now), &lease).await?;
        stage.store().delete(&key).await?;
    }
    Ok(())
}

/// A claim shows the record that is there under the lease; a refusal shows what is there too.
pub async fn show_the_record(stage: &mut Stage) -> Outcome {
    let (now, key) = (stage.now(), key(1));
    let version = stage.create(key, idle(1, now)).await?;
    let (_, record) = grant(&*stage.store(), key, HOUR).await?;
    let same = record.is_some_and(|v| v.version == version && v.record == idle(1, now));
    ensure!(same, "the claim does not show the record");
    let version = put(&*stage.store(), key, Some(version), idle(2, now)).await?;
    let other = stage.second().await;
    let (_, record) = busy(&*other, key).await?;
    let same = record.is_some_and(|v| v.version == version && v.record == idle(2, now));
    ensure!(same, "the refusal does not show the record as it is now");
    Ok(())
}

/// A claim tells how long ago the lease before it was taken, if that one lapsed; not if it was released or finished, and not
/// if there was none.
pub async fn report_abandonment(stage: &mut Stage) -> Outcome {
    let (now, key) = (stage.now(), key(1));
    let lease = stage.granted(key, HOUR).await?;
    ensure!(lease.abandoned.is_none(), "the first lease follows an abandoned one");
    stage.store().release(&lease).await?;
    let lease = stage.granted(key, HOUR).await?;
    ensure!(lease.abandoned.is_none(), "a released lease counts as abandoned");
    let version = finish(stage, key, None, idle(1, now), &lease).await?;
    let lease = stage.granted(key, HOUR).await?;
    ensure!(lease.abandoned.is_none(), "a finished lease counts as abandoned");
    finish(stage, key, Some(version), idle(2, now), &lease).await?;

    let short = stage.short();
    stage.granted(key, short).await?;
    stage.outlast_short().await;
    let lease = stage.granted(key, short).await?;
    let age = lease.abandoned.unwrap_or_default();
    let fits = age >= short && age <= short + 4 * stage.slack();
    ensure!(
        fits,
        "a lease abandoned {short:?} ago is reported as {:?}",
        lease.abandoned
    );

    // The age counts from the taking, whatever was extended since.
    let lapsed = stage.store().extend(&lease, short).await?;
    ensure!(lapsed, "a live lease was not extended");
    stage.outlast_short().await;
    let age = abandoned(stage, key).await?;
    ensure!(
        age.is_some_and(|a| a >= short),
        "an extended lease was abandoned, and {age:?} is reported"
    );
    let age = abandoned(stage, key).await?;
    ensure!(age.is_none(), "an abandoned lease is reported twice");
    Ok(())
}

/// Each lease of a key has a greater epoch than the one before, whatever happened in between.
pub async fn epochs_only_grow(stage: &mut Stage) -> Outcome {
    let (now, key, short) = (stage.now(), key(1), stage.short());
    let mut last = LeaseEpoch::new(0);
    for round in 0..7 {
        let lease = stage.granted(key, if round == 1 { short } else { HOUR }).await?;
        ensure!(
            round == 0 || lease.epoch > last,
            "epoch {:?} after {last:?}",
            lease.epoch
        );
        last = lease.epoch;
        match round {
            1 => stage.outlast_short().await,
            2 => drop(finish(stage, key, None, idle(1, now), &lease).await?),
            3 => {
                stage.store().release(&lease).await?;
                stage.store().delete(&key).await?;
            }
            4 => {
                stage.store().delete(&key).await?;
                stage.store().release(&lease).await?;
            }
            5 => {
                stage.store().release(&lease).await?;
                stage.try_reopen().await;
            }
            _ => stage.store().release(&lease).await?,
        }
    }
    Ok(())
}

/// Extending a live lease makes it last its new span from now.
pub async fn can_be_extended(stage: &mut Stage) -> Outcome {
    let short = stage.short();
    let lease = stage.granted(key(1), short).await?;
    ensure!(
        stage.store().extend(&lease, HOUR).await?,
        "a live lease was not extended"
    );
    stage.outlast_short().await;
    let (retry_in, _) = busy(&*stage.store(), key(1)).await?;
    ensure!(retry_in <= HOUR, "extended to an hour, but busy for {retry_in:?}");
    ensure!(
        stage.store().extend(&lease, short).await?,
        "an extended lease cannot be extended again"
    );
    stage.store().release(&lease).await?;
    grant(&*stage.store(), key(1), HOUR).await?;
    Ok(())
}

/// Extending or releasing a lease that has lapsed, or that somebody else has taken since, changes nothing.
pub async fn stale_ones_do_nothing(stage: &mut Stage) -> Outcome {
    let (key, short) = (key(1), stage.short());
    let old = stage.granted(key, short).await?;
    stage.outlast_short().await;
    ensure!(!stage.store().extend(&old, HOUR).await?, "a lapsed lease was extended");
    stage.store().release(&old).await?;
    let new = stage.granted(key, HOUR).await?;
    ensure!(
        new.abandoned.is_some(),
        "a release that came too late hid the abandoned lease"
    );

    ensure!(
        !stage.store().extend(&old, 2 * HOUR).await?,
        "another's lease was extended"
    );
    stage.store().release(&old).await?;
    let (retry_in, _) = busy(&*stage.store(), key).await?;
    ensure!(retry_in <= HOUR, "another's lease was extended");
    ensure!(
        stage.store().extend(&new, HOUR).await?,
        "a stale release ended another's lease"
    );
    stage.store().release(&new).await?;
    stage.store().release(&new).await?;
    ensure!(
        !stage.store().extend(&new, HOUR).await?,
        "a released lease was extended"
    );
    ensure!(
        abandoned(stage, key).await?.is_none(),
        "a released lease counts as abandoned"
    );
    Ok(())
}

/// A write whose lease has lapsed or is another's happens if the version is right, and ends no lease.
pub async fn stale_ones_do_not_stop_a_write(stage: &mut Stage) -> Outcome {
    let (now, key, short) = (stage.now(), key(1), stage.short());
    let old = stage.granted(key, short).await?;
    stage.outlast_short().await;
    let version = finish(stage, key, None, idle(1, now), &old).await?;
    let new = stage.granted(key, HOUR).await?;
    ensure!(
        new.abandoned.is_some(),
        "a write that came too late hid the abandoned lease"
    );

    let version = finish(stage, key, Some(version), idle(2, now), &old).await?;
    ensure!(
        stage.store().extend(&new, HOUR).await?,
        "a write with a stale lease ended another's"
    );
    let loaded = stage.load(key).await?;
    let written = loaded.is_some_and(|v| v.version == version && v.record == idle(2, now));
    ensure!(written, "a write with a stale lease is not there");
    Ok(())
}

/// A write that finishes the live lease ends it.
pub async fn finishing_ends_the_lease(stage: &mut Stage) -> Outcome {
    let (now, key) = (stage.now(), key(1));
    let lease = stage.granted(key, HOUR).await?;
    let version = finish(stage, key, None, idle(1, now), &lease).await?;
    ensure!(
        !stage.store().extend(&lease, HOUR).await?,
        "a finished lease is still live"
    );
    let lease = stage.granted(key, HOUR).await?;
    finish(stage, key, Some(version), idle(2, now), &lease).await?;
    stage.granted(key, HOUR).await?;
    // A write without a lease leaves others' alone.
    stage.replace(key, idle(3, now)).await?;
    busy(&*stage.store(), key).await?;
    Ok(())
}

/// A write that is refused ends no lease.
pub async fn conflicts_end_nothing(stage: &mut Stage) -> Outcome {
    let (now, key) = (stage.now(), key(1));
    stage.create(key, idle(1, now)).await?;
    let lease = stage.granted(key, HOUR).await?;
    let answer = stage.store().swap(&key, None, idle(2, now), Some(&lease)).await?;
    ensure!(
        matches!(answer, Swap::Conflict(Some(_))),
        "a wrong version was written over"
    );
    busy(&*stage.store(), key).await?;
    ensure!(
        stage.store().extend(&lease, HOUR).await?,
        "a refused write ended the lease"
    );
    Ok(())
}

/// A write ends the lease on its own key only, even if it names that of another key.
pub async fn finishing_names_the_key(stage: &mut Stage) -> Outcome {
    let now = stage.now();
    let lease = stage.granted(key(1), HOUR).await?;
    let other = stage.granted(key(2), HOUR).await?;
    finish(stage, key(2), None, idle(2, now), &lease).await?;
    ensure!(
        stage.store().extend(&lease, HOUR).await?,
        "a write of one key ended the lease of another"
    );
    ensure!(
        stage.store().extend(&other, HOUR).await?,
        "a lease on another key ended this one"
    );
    // Whoever holds epoch n of one key holds nothing of another key.
    let forged = Lease {
        key: key(2),
        ..lease.clone()
    };
    if lease.epoch != other.epoch {
        ensure!(
            !stage.store().extend(&forged, HOUR).await?,
            "a wrong epoch extended a lease"
        );
        stage.store().release(&forged).await?;
        busy(&*stage.store(), key(2)).await?;
    }
    Ok(())
}

/// Deleting a record does not end the lease on its key.
pub async fn outlive_the_record(stage: &mut Stage) -> Outcome {
    let (now, key) = (stage.now(), key(1));
    stage.create(key, idle(1, now)).await?;
    let lease = stage.granted(key, HOUR).await?;
    stage.store().delete(&key).await?;
    let (_, record) = busy(&*stage.store(), key).await?;
    ensure!(record.is_none(), "the refusal shows a deleted record");
    ensure!(stage.store().extend(&lease, HOUR).await?, "a deletion ended the lease");
    finish(stage, key, None, idle(2, now), &lease).await?;
    stage.granted(key, HOUR).await?;
    Ok(())
}

/// No span is too long or too short: a lease of no time lapses at once, the longest one outlasts everything.
pub async fn any_span_will_do(stage: &mut Stage) -> Outcome {
    stage.granted(key(1), Duration::ZERO).await?;
    let lease = stage.granted(key(1), HOUR).await?;
    ensure!(
        lease.abandoned.is_some(),
        "a lease of no time counts as ended by its holder"
    );
    ensure!(
        stage.store().extend(&lease, Duration::MAX).await?,
        "a live lease was not extended"
    );
    let eternal = stage.granted(key(2), Duration::MAX).await?;
    if stage.exact() {
        stage.pass(10_000 * HOUR).await;
    }
    busy(&*stage.store(), key(1)).await?;
    busy(&*stage.store(), key(2)).await?;
    stage.store().release(&eternal).await?;
    stage.granted(key(2), HOUR).await?;
    Ok(())
}

/// A lease is durable: after a restart it still excludes others, and if it lapses it is reported as abandoned.
pub async fn survive_reopening(stage: &mut Stage) -> Outcome {
    let short = stage.short();
    let live = stage.granted(key(1), HOUR).await?;
    stage.granted(key(2), short).await?;
    stage.reopen().await?;
    busy(&*stage.store(), key(1)).await?;
    ensure!(stage.store().extend(&live, HOUR).await?, "a restart ended a live lease");
    stage.outlast_short().await;
    let age = abandoned(stage, key(2)).await?;
    ensure!(age.is_some_and(|a| a >= short), "a restart hid an abandoned lease");
    Ok(())
}
