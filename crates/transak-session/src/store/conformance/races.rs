//! Rules about many callers at once, through two handles.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::broken::ensure;
use super::data::{due_with, idle, key};
use super::stage::{HOUR, Stage, TENANT};
use super::{Broken, Outcome};
use crate::store::{Allowance, Claim, DueQuery, Lane, SessionStore, Swap};

const CALLERS: u64 = 8;

/// Runs one task per caller, every other one on a second handle, and collects what they bring.
async fn all<T, F, R>(stage: &mut Stage, task: F) -> Result<Vec<T>, Broken>
where
    T: Send + 'static,
    F: Fn(u64, Arc<dyn SessionStore>) -> R,
    R: Future<Output = Result<T, Broken>> + Send + 'static,
{
    let handles = [stage.store(), stage.second().await];
    let mut tasks = JoinSet::new();
    for caller in 0..CALLERS {
        let store = Arc::clone(&handles[(caller % 2) as usize]);
        tasks.spawn(task(caller, store));
    }
    let mut results = Vec::new();
    while let Some(result) = tasks.join_next().await {
        results.push(result.map_err(|e| Broken::Rule(format!("a call panicked or was lost: {e}")))??);
    }
    Ok(results)
}

/// Of many that create a record at once one succeeds, and the others see a record that was really written.
pub async fn one_creator(stage: &mut Stage) -> Outcome {
    let now = stage.now();
    for round in 0..6 {
        let key = key(round);
        let results = all(stage, move |caller, store| async move {
            Ok(store.swap(&key, None, idle(caller, now), None).await?)
        });
        let mut winner = None;
        let results = results.await?;
        for result in &results {
            if let Swap::Stored(version) = result {
                ensure!(winner.is_none(), "two callers created the same record");
                winner = Some(*version);
            }
        }
        let there = stage.load(key).await?;
        ensure!(
            winner.is_some() && there.as_ref().map(|v| v.version) == winner,
            "nobody created the record"
        );
        for result in results {
            if let Swap::Conflict(shown) = result {
                let same = shown
                    .zip(there.clone())
                    .is_some_and(|(s, t)| s.version == t.version && s.record == t.record);
                ensure!(same, "a loser was shown something else than the winner's record");
            }
        }
    }
    Ok(())
}

/// Of many that write over the same version one succeeds.
pub async fn one_writer_per_version(stage: &mut Stage) -> Outcome {
    let (now, key) = (stage.now(), key(1));
    let mut version = stage.create(key, idle(1, now)).await?;
    for _ in 0..6 {
        let results = all(stage, move |caller, store| async move {
            Ok(match store.swap(&key, Some(version), idle(caller, now), None).await? {
                Swap::Stored(version) => Some((version, caller)),
                Swap::Conflict(_) => None,
            })
        });
        let winners: Vec<_> = results.await?.into_iter().flatten().collect();
        ensure!(
            winners.len() == 1,
            "{} callers wrote over the same version",
            winners.len()
        );
        let there = stage.load(key).await?;
        let right = there.is_some_and(|v| (v.version, v.record) == (winners[0].0, idle(winners[0].1, now)));
        ensure!(right, "what is there is not what the winner wrote");
        version = winners[0].0;
    }
    Ok(())
}

/// Many that each add to a counter, reading again after a conflict, lose no addition.
pub async fn nothing_is_lost(stage: &mut Stage) -> Outcome {
    const ADDITIONS: u32 = 10;
    let (now, key) = (stage.now(), key(1));
    stage.create(key, idle(1, now)).await?;
    let versions = all(stage, move |_, store| async move {
        let mut versions = Vec::new();
        let mut there = store.load(&key).await?;
        while versions.len() < ADDITIONS as usize {
            let Some(found) = there else {
                return Err(Broken::Rule("the record is gone".into()));
            };
            let mut record = found.record;
            record.failures += 1;
            there = match store.swap(&key, Some(found.version), record, None).await? {
                Swap::Conflict(there) => there,
                Swap::Stored(version) => {
                    versions.push(version);
                    store.load(&key).await?
                }
            };
        }
        Ok(versions)
    });
    let mut versions = versions.await?.concat();
    versions.sort_unstable();
    let distinct = versions.windows(2).all(|pair| pair[0] < pair[1]);
    ensure!(distinct, "two writes got the same version");
    let total = stage.load(key).await?.map(|v| v.record.failures);
    let expected = CALLERS as u32 * ADDITIONS;
    ensure!(total == Some(expected), "{total:?} of {expected} additions are there");
    Ok(())
}

/// Of many that claim the same key one gets the lease; after it lapsed, again one.
pub async fn one_holder(stage: &mut Stage) -> Outcome {
    let mut epochs = Vec::new();
    for round in 0..6 {
        // The last two rounds fight for a lease that lapsed.
        let key = key(round.min(4));
        let span = if round >= 4 { stage.short() } else { HOUR };
        let results = all(stage, move |_, store| async move {
            Ok(match store.claim(&key, span).await? {
                Claim::Granted { lease, .. } => Some(lease),
                Claim::Busy { .. } => None,
            })
        });
        let holders: Vec<_> = results.await?.into_iter().flatten().collect();
        ensure!(holders.len() == 1, "{} callers hold the same lease", holders.len());
        let abandoned = holders[0].abandoned.is_some();
        ensure!(abandoned == (round == 5), "round {round}: abandoned: {abandoned}");
        epochs.push(holders[0].epoch);
        if round == 4 {
            stage.outlast_short().await;
        }
    }
    ensure!(epochs[4] < epochs[5], "an epoch came back");
    Ok(())
}

/// Many that claim what is due, through all lanes, share no record and leave none.
pub async fn due_claims_are_never_shared(stage: &mut Stage) -> Outcome {
    const RECORDS: u64 = 150;
    let now = stage.now();
    for n in 0..RECORDS {
        let left = [HOUR, 30 * HOUR, 100 * HOUR][(n % 3) as usize];
        stage.create(key(n), due_with(n, now, left)).await?;
    }
    let claimed = all(stage, |caller, store| async move {
        let mut keys = Vec::new();
        for n in 0..3 {
            let lane = Lane::ALL[((caller + n) % 3) as usize];
            let limit = 3 + caller as usize;
            loop {
                let query = DueQuery {
                    tenant: TENANT,
                    lane,
                    limit,
                    span: HOUR,
                };
                let claimed = store.claim_due(&query).await?;
                if claimed.len() > limit {
                    return Err(Broken::Rule(format!(
                        "{} records for a limit of {limit}",
                        claimed.len()
                    )));
                }
                if claimed.is_empty() {
                    break;
                }
                keys.extend(claimed.into_iter().map(|c| c.lease.key));
            }
        }
        Ok(keys)
    });
    let mut times = BTreeMap::new();
    for key in claimed.await?.concat() {
        *times.entry(key).or_insert(0_u32) += 1;
    }
    // A caller may find a lane empty while another one is about to lose its claim; nobody does here.
    for lane in Lane::ALL {
        for claimed in stage.due(lane, 1_000, HOUR).await? {
            *times.entry(claimed.lease.key).or_insert(0) += 1;
        }
    }
    let shared = times.values().filter(|n| **n > 1).count();
    ensure!(shared == 0, "{shared} records were claimed by more than one caller");
    ensure!(
        times.len() as u64 == RECORDS,
        "{} of {RECORDS} records were claimed",
        times.len()
    );
    Ok(())
}

/// Workers that draw at once get no more together than one alone would.
pub async fn permits_are_never_shared(stage: &mut Stage) -> Outcome {
    let begun = stage.now();
    let results = all(stage, |_, store| async move {
        let mut got = 0;
        for _ in 0..4 {
            let allowance = Allowance {
                tenant: TENANT,
                per_second: 40.0,
                wanted: 3,
            };
            got += store.draw(&allowance).await?.permits;
        }
        Ok(got)
    });
    let got: u32 = results.await?.into_iter().sum();
    let passed = stage.now().since(begun) + 2 * stage.slack();
    let most = 40.0 + passed.as_secs_f64() * 40.0;
    ensure!(
        got >= 40,
        "{got} were allowed, although there were 40 from the beginning"
    );
    let within = f64::from(got) <= most;
    ensure!(within, "{got} were allowed where {most} is the most");
    Ok(())
}
