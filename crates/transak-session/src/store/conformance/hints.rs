//! Rules about hints, for stores that give any.

use std::collections::HashMap;
use std::time::Duration;

use super::broken::ensure;
use super::data::{key, key_of};
use super::stage::{DAY, HOUR, OTHER_TENANT, Stage, TENANT, put};
use super::{Broken, Outcome, data};
use crate::RecordKey;
use crate::clock::{Clock, SystemClock};
use crate::store::{Hint, Hints, SessionStore, Version, Versioned};

/// Hints may be lost, so it is written until one is heard; so often at most.
const TRIES: usize = 50;
const PATIENCE: Duration = Duration::from_millis(200);

async fn listen(store: &dyn SessionStore) -> Result<Hints, Broken> {
    match store.hints(TENANT).await? {
        Some(hints) => Ok(hints),
        None => Err(Broken::Untried("the store gives no hints")),
    }
}

/// The next one, unless none comes for a while.
async fn next(hints: &mut Hints) -> Result<Option<Hint>, Broken> {
    tokio::select! {
        biased;
        hint = hints.next() => match hint {
            Some(hint) => Ok(Some(hint)),
            None => Err(Broken::Rule("the hints have ended".to_owned())),
        },
        () = SystemClock.sleep(PATIENCE) => Ok(None),
    }
}

async fn write(
    stage: &Stage,
    store: &dyn SessionStore,
    key: RecordKey,
    there: Option<Version>,
) -> Result<Version, Broken> {
    let now = stage.now();
    put(store, key, there, data::user(1, now + 30 * DAY, now + HOUR)).await
}

/// A process hears of what another one writes, first records and later ones, by key and version.
pub async fn tell_of_writes(stage: &mut Stage) -> Outcome {
    let (here, there) = (stage.store(), stage.second().await);
    let mut hints = listen(&*here).await?;
    let mut written: HashMap<RecordKey, Version> = HashMap::new();
    let mut heard: HashMap<RecordKey, Version> = HashMap::new();
    let names = [key(1), key(2)];
    for _ in 0..TRIES {
        for name in names {
            let version = write(stage, &*there, name, written.get(&name).copied()).await?;
            written.insert(name, version);
        }
        while let Some(hint) = next(&mut hints).await? {
            let known = written.get(&hint.key).is_some_and(|newest| hint.version <= *newest);
            ensure!(known, "a hint at {hint:?}, which nobody wrote");
            heard.insert(hint.key, hint.version);
            if heard == written {
                return still_there(&*here, &written).await;
            }
        }
    }
    let words = format!("of {} records {} were heard of as they are", written.len(), heard.len());
    Err(Broken::Rule(words))
}

/// Whoever follows the hint finds at least what it spoke of.
async fn still_there(store: &dyn SessionStore, written: &HashMap<RecordKey, Version>) -> Outcome {
    for (key, version) in written {
        let there: Option<Versioned> = store.load(key).await?;
        ensure!(
            there.is_some_and(|there| there.version >= *version),
            "a hint at {version:?} came before its record"
        );
    }
    Ok(())
}

/// Whoever listens for a tenant hears of no other's records.
pub async fn tenants_are_separate(stage: &mut Stage) -> Outcome {
    let store = stage.store();
    let mut hints = listen(&*store).await?;
    let (mut ours, mut others) = (None, None);
    let mut heard = 0;
    for _ in 0..TRIES {
        others = Some(write(stage, &*store, key_of(OTHER_TENANT, 1), others).await?);
        ours = Some(write(stage, &*store, key(1), ours).await?);
        while let Some(hint) = next(&mut hints).await? {
            ensure!(hint.key.tenant() == TENANT, "a hint at a record of another tenant");
            heard += 1;
        }
        if heard > 0 {
            return Ok(());
        }
    }
    Err(Broken::Rule("no hint was heard".to_owned()))
}
