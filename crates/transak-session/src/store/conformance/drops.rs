//! Rules about calls that are dropped half-way: they happened or they did not.
//!
//! A dropped call may still take effect a little later (it may be on its way to a server). What must hold is that the record
//! is always the old or the new one as a whole, that the index agrees with it, and that the protocol goes on.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use super::broken::ensure;
use super::data::{due_with, idle, key};
use super::stage::{DAY, HOUR, Stage, TENANT};
use super::{Broken, Outcome};
use crate::identity::RecordKey;
use crate::store::{Claim, DueQuery, Lane, Lease, Record, Swap};

/// How often a call is polled before it is dropped, at most.
const POLLS: u32 = 6;

/// Polls a call up to `polls` times, then drops it. `None` if it was not over by then.
async fn polled<T>(call: impl Future<Output = T>, polls: u32) -> Option<T> {
    let mut call = pin!(call);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match call.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Writes over whatever is there, reading again while calls from before are still taking effect.
async fn settle(stage: &Stage, key: RecordKey, record: &Record) -> Outcome {
    let store = stage.store();
    let mut there = store.load(&key).await?;
    for _ in 0..100 {
        let expected = there.map(|v| v.version);
        match store.swap(&key, expected, record.clone(), None).await? {
            Swap::Stored(_) => return Ok(()),
            Swap::Conflict(now_there) => there = now_there,
        }
    }
    Err(Broken::Rule("the record cannot be written any more".into()))
}

/// Takes the lease, waiting for one that a dropped call may have taken.
async fn take(stage: &mut Stage, key: RecordKey) -> Result<Lease, Broken> {
    for _ in 0..8 {
        match stage.store().claim(&key, HOUR).await? {
            Claim::Granted { lease, .. } => return Ok(lease),
            Claim::Busy { .. } => stage.outlast_short().await,
        }
    }
    Err(Broken::Rule("the lease of a dropped call does not lapse".into()))
}

/// In which lanes the key is due; leases are given back.
async fn lanes(stage: &Stage, key: RecordKey) -> Result<Vec<Lane>, Broken> {
    let mut lanes = Vec::new();
    for lane in Lane::ALL {
        if stage.peek(lane).await?.contains(&key) {
            lanes.push(lane);
        }
    }
    Ok(lanes)
}

/// A dropped write leaves the old or the new record, and the index agrees with what is there.
pub async fn swaps(stage: &mut Stage) -> Outcome {
    let now = stage.now();
    let (old, new) = (due_with(1, now, HOUR), due_with(2, now, 100 * HOUR));
    for polls in 0..=POLLS {
        let key = key(polls.into());
        let store = stage.store();
        let lease = stage.granted(key, HOUR).await?;
        let version = stage.create(key, old.clone()).await?;
        let answer = polled(store.swap(&key, Some(version), new.clone(), Some(&lease)), polls).await;
        if let Some(answer) = answer {
            ensure!(
                matches!(answer?, Swap::Stored(_)),
                "a write of the right version was refused"
            );
        }
        // Whichever it was, it is over once this claim or its refusal has been answered by a store that does things in order;
        // one that does not gets a few more looks.
        let mut agreed = false;
        for _ in 0..50 {
            let Some(there) = stage.load(key).await? else {
                return Err(Broken::Rule("a dropped write removed the record".into()));
            };
            let whole = there.record == old || (there.record == new && there.version > version);
            ensure!(whole, "a dropped write left half a record");
            let extended = store.extend(&lease, HOUR).await?;
            // Finished with the write, in one step.
            agreed = extended == (there.record == old);
            if agreed {
                store.release(&lease).await?;
                let expected = if there.record == old {
                    Lane::Critical
                } else {
                    Lane::Normal
                };
                agreed = lanes(stage, key).await? == [expected];
            }
            if agreed {
                break;
            }
            tokio::task::yield_now().await;
        }
        ensure!(
            agreed,
            "after {polls} polls of a write, record, lease and index disagree"
        );
        settle(stage, key, &idle(3, now)).await?;
        ensure!(
            lanes(stage, key).await?.is_empty(),
            "the index kept what a dropped write put there"
        );
    }
    Ok(())
}

/// A dropped deletion leaves all or nothing.
pub async fn deletions(stage: &mut Stage) -> Outcome {
    let now = stage.now();
    let record = due_with(1, now, HOUR);
    for polls in 0..=POLLS {
        let key = key(polls.into());
        let version = stage.create(key, record.clone()).await?;
        let answer = polled(stage.store().delete(&key), polls).await;
        let done = answer.transpose()?.is_some();
        let mut agreed = false;
        for _ in 0..50 {
            let there = stage.load(key).await?;
            ensure!(there.is_none() || !done, "a deletion that was answered did not happen");
            let whole = there
                .as_ref()
                .is_none_or(|v| v.version == version && v.record == record);
            ensure!(whole, "a dropped deletion changed the record");
            agreed = lanes(stage, key).await?.is_empty() == there.is_none();
            if agreed {
                break;
            }
            tokio::task::yield_now().await;
        }
        ensure!(agreed, "after {polls} polls of a deletion, record and index disagree");
        settle(stage, key, &idle(2, now)).await?;
    }
    Ok(())
}

/// A dropped claim leaves a lease that lapses, or none.
pub async fn claims(stage: &mut Stage) -> Outcome {
    let (now, short) = (stage.now(), stage.short());
    for polls in 0..=POLLS {
        let key = key(polls.into());
        let version = stage.create(key, idle(1, now)).await?;
        let answer = polled(stage.store().claim(&key, short), polls).await;
        let granted = match answer.transpose()? {
            Some(Claim::Granted { lease, .. }) => Some(lease),
            Some(Claim::Busy { .. }) => return Err(Broken::Rule("nobody holds the lease, but it is busy".into())),
            None => None,
        };
        let lease = take(stage, key).await?;
        if let Some(before) = granted {
            ensure!(lease.epoch > before.epoch, "an epoch came back");
            ensure!(lease.abandoned.is_some(), "an abandoned lease was not reported");
        }
        let there = stage.load(key).await?;
        ensure!(
            there.is_some_and(|v| v.version == version),
            "a claim changed the record"
        );
    }
    Ok(())
}

/// A dropped extension or release leaves the lease live or ended, and nobody else's touched.
pub async fn ends(stage: &mut Stage) -> Outcome {
    let short = stage.short();
    for polls in 0..=POLLS {
        let key = key(polls.into());
        let lease = stage.granted(key, short).await?;
        let extended = polled(stage.store().extend(&lease, short), polls).await.transpose()?;
        ensure!(extended != Some(false), "a live lease was not extended");
        let released = polled(stage.store().release(&lease), polls)
            .await
            .transpose()?
            .is_some();
        let next = take(stage, key).await?;
        ensure!(next.epoch > lease.epoch, "an epoch came back");
        if released {
            ensure!(next.abandoned.is_none(), "a released lease counts as abandoned");
        }
        ensure!(
            !stage.store().extend(&lease, HOUR).await?,
            "an ended lease was extended"
        );
    }
    Ok(())
}

/// A dropped claim of what is due keeps no record from being claimed once its leases have lapsed.
pub async fn due_claims(stage: &mut Stage) -> Outcome {
    const RECORDS: u64 = 12;
    let (now, short) = (stage.now(), stage.short());
    for n in 0..RECORDS {
        stage.create(key(n), due_with(n, now, DAY / 2)).await?;
    }
    for polls in 0..=POLLS {
        let query = DueQuery {
            tenant: TENANT,
            lane: Lane::Critical,
            limit: 5,
            span: short,
        };
        let answer = polled(stage.store().claim_due(&query), polls).await.transpose()?;
        if let Some(claimed) = answer {
            ensure!(claimed.len() == 5, "{} of 5 were claimed", claimed.len());
        }
        let mut found = 0;
        for _ in 0..4 {
            stage.outlast_short().await;
            found = stage.peek(Lane::Critical).await?.len();
            if found as u64 == RECORDS {
                break;
            }
        }
        ensure!(
            found as u64 == RECORDS,
            "{found} of {RECORDS} can be claimed after a dropped claim lapsed"
        );
        let there = stage.load(key(0)).await?;
        ensure!(
            there.is_some_and(|v| v.record == due_with(0, now, DAY / 2)),
            "a claim changed a record"
        );
    }
    Ok(())
}
