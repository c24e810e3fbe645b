//! Rules about versions.

use super::broken::ensure;
use super::data::{idle, key, key_of};
use super::stage::{OTHER_TENANT, Stage, put};
use super::{Broken, Outcome};
use crate::identity::RecordKey;
use crate::store::{Record, Swap, Version, Versioned};

async fn refused(
    stage: &Stage,
    key: RecordKey,
    expected: Option<Version>,
    record: Record,
) -> Result<Option<Versioned>, Broken> {
    match stage.store().swap(&key, expected, record, None).await? {
        Swap::Conflict(there) => Ok(there),
        Swap::Stored(_) => Err(Broken::Rule(format!(
            "a write that expected {expected:?} went through though something else was there"
        ))),
    }
}

/// A write happens only if what is there has the expected version, `None` standing for nothing; otherwise nothing changes and
/// the answer is what is there.
pub async fn conditional(stage: &mut Stage) -> Outcome {
    let (now, key) = (stage.now(), key(1));
    let (first, second, never) = (idle(1, now), idle(2, now), idle(3, now));
    ensure!(stage.load(key).await?.is_none(), "an empty store holds a record");
    let there = refused(stage, key, Some(Version::new(1)), never.clone()).await?;
    ensure!(there.is_none(), "the conflict shows {there:?} where nothing is");

    let version = stage.create(key, first.clone()).await?;
    let there = refused(stage, key, None, never.clone()).await?;
    let shown = there.is_some_and(|v| v.version == version && v.record == first);
    ensure!(shown, "the conflict does not show what is there");
    for wrong in [version.get().wrapping_sub(1), version.get() + 1, 0, u64::MAX] {
        let there = refused(stage, key, Some(Version::new(wrong)), never.clone()).await?;
        let shown = there.is_some_and(|v| v.version == version && v.record == first);
        ensure!(shown, "the conflict does not show what is there");
    }

    let next = put(&*stage.store(), key, Some(version), second.clone()).await?;
    let there = refused(stage, key, Some(version), never).await?;
    let shown = there.is_some_and(|v| v.version == next && v.record == second);
    ensure!(shown, "the conflict does not show the later record");
    let loaded = stage.load(key).await?;
    let unchanged = loaded.is_some_and(|v| v.version == next && v.record == second);
    ensure!(unchanged, "what is loaded is not what was written");
    Ok(())
}

/// Each write of a key has a greater version than the one before, refused writes or not.
pub async fn only_grow(stage: &mut Stage) -> Outcome {
    let (now, key) = (stage.now(), key(1));
    let mut last = stage.create(key, idle(0, now)).await?;
    for n in 1..20 {
        let _ = refused(stage, key, None, idle(n, now)).await?;
        let next = put(&*stage.store(), key, Some(last), idle(n, now)).await?;
        ensure!(next > last, "version {next:?} came after {last:?}");
        last = next;
    }
    Ok(())
}

/// A version does not come back after the record was deleted: who read the record before cannot overwrite what was written
/// after.
pub async fn survive_deletion(stage: &mut Stage) -> Outcome {
    let (now, key) = (stage.now(), key(1));
    let mut seen: Vec<Version> = Vec::new();
    for round in 0..4 {
        for n in 0..3 {
            let expected = if n == 0 { None } else { seen.last().copied() };
            let version = put(&*stage.store(), key, expected, idle(n, now)).await?;
            let grew = seen.iter().all(|v| *v < version);
            ensure!(grew, "version {version:?} was used before the deletion");
            seen.push(version);
        }
        for _ in 0..=round {
            stage.store().delete(&key).await?;
        }
        ensure!(stage.load(key).await?.is_none(), "a deleted record is still there");
        let there = refused(stage, key, seen.last().copied(), idle(9, now)).await?;
        ensure!(there.is_none(), "a conflict shows a deleted record");
    }
    Ok(())
}

/// Records and versions survive a restart, and a version that was used before it does not come back.
pub async fn survive_reopening(stage: &mut Stage) -> Outcome {
    let (now, kept, gone) = (stage.now(), key(1), key(2));
    let there = stage.create(kept, idle(1, now)).await?;
    let first = stage.create(gone, idle(2, now)).await?;
    let last = put(&*stage.store(), gone, Some(first), idle(3, now)).await?;
    stage.store().delete(&gone).await?;
    stage.reopen().await?;
    let loaded = stage.load(kept).await?;
    let same = loaded.is_some_and(|v| v.version == there && v.record == idle(1, now));
    ensure!(same, "a record or its version changed by a restart");
    ensure!(stage.load(gone).await?.is_none(), "a deleted record came back");
    let next = stage.create(gone, idle(4, now)).await?;
    ensure!(next > last, "version {next:?} after {last:?} and a restart");
    Ok(())
}

/// What happens to one key does not touch another, of the same tenant or of another one.
pub async fn independent_keys(stage: &mut Stage) -> Outcome {
    let now = stage.now();
    let keys = [key(1), key(2), key_of(OTHER_TENANT, 1)];
    let mut versions = Vec::new();
    for (n, key) in (0..).zip(keys) {
        versions.push(stage.create(key, idle(n, now)).await?);
    }
    put(&*stage.store(), keys[0], Some(versions[0]), idle(9, now)).await?;
    stage.store().delete(&keys[0]).await?;
    for (n, key) in (0..).zip(keys).skip(1) {
        let loaded = stage.load(key).await?;
        let same = loaded.is_some_and(|v| v.version == versions[n as usize] && v.record == idle(n, now));
        ensure!(same, "a write and a deletion of another key changed a record");
    }
    Ok(())
}
