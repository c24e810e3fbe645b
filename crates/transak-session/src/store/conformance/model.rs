//! Random histories against a plain model.

mod plain;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use super::broken::ensure;
use super::data::{Draws, key_of, user};
use super::stage::{DAY, HOUR, MILLI, Stage};
use super::{Broken, Outcome};
use crate::clock::Timestamp;
use crate::identity::{RecordKey, TenantId};
use crate::store::{Claim, DueQuery, Lane, Lease, Record, RecordState, SessionStore, Swap, Version};

use plain::Model;

/// Any mix of calls, on few keys so that they meet often, answers what a plain model answers. Where the store's clock can be
/// moved it is, and times lie on and beside all boundaries.
///
/// The seed is part of the failure; [`Suite::seed`](super::Suite::seed) plays it again.
pub async fn random_histories(stage: &mut Stage) -> Outcome {
    let mut seeds = Draws::new(stage.seed);
    for _ in 0..stage.sequences {
        let seed = seeds.next();
        let (mut step, mut log) = (0, Vec::new());
        let outcome = history(stage, seed, &mut step, &mut log).await;
        if let Err(Broken::Rule(how)) = outcome {
            let from = log.len().saturating_sub(6);
            let last = log[from..].join("; ");
            return Err(Broken::Rule(format!(
                "history {seed:#x}, step {step}: {how}; the last calls: {last}"
            )));
        }
        outcome?;
    }
    Ok(())
}

/// One history.
struct Player {
    draws: Draws,
    tenants: [TenantId; 2],
    exact: bool,
    slack: Duration,
}

impl Player {
    fn tenant(&mut self) -> TenantId {
        // Mostly the first one.
        let second = self.draws.below(6) == 0;
        self.tenants[usize::from(second)]
    }

    fn key(&mut self) -> RecordKey {
        let tenant = self.tenant();
        key_of(tenant, self.draws.below(9))
    }

    fn span(&mut self) -> Duration {
        match self.exact {
            true => self.draws.pick(&[MILLI, 30 * 1_000 * MILLI, HOUR, 26 * HOUR]),
            false => self.draws.pick(&[HOUR, 26 * HOUR]),
        }
    }

    /// A time near enough to be reached: on, just before and just after a boundary, or somewhere.
    fn time(&mut self, now: Timestamp, from: &[i64]) -> Timestamp {
        let hours = self.draws.pick(from);
        let near = match self.exact {
            true => self.draws.pick(&[-1, 0, 0, 1, 1_800_000]),
            false => 1_800_000,
        };
        Timestamp::from_unix_millis(now.unix_millis() + hours * 3_600_000 + near)
    }

    fn record(&mut self, now: Timestamp) -> Record {
        let name = self.draws.below(1_000_000);
        let expires_at = self.time(now, &[-2, 0, 1, 23, 24, 25, 48, 72, 73, 100, 200]);
        let wake_at = match self.draws.below(8) {
            0 => Timestamp::MAX,
            1 => Timestamp::MIN,
            _ => self.time(now, &[-48, -3, -1, 0, 0, 1, 25]),
        };
        let record = user(name, expires_at, wake_at);
        match self.draws.below(12) {
            0 => record.in_state(RecordState::Dormant),
            1 => record.in_state(RecordState::Lapsed),
            2 => Record::logged_out(now, expires_at),
            3 => record.in_state(RecordState::Suspect { since: now }),
            _ => record,
        }
    }
}

async fn history(stage: &mut Stage, seed: u64, step: &mut u32, log: &mut Vec<String>) -> Outcome {
    let mut model = Model::default();
    let tenant = |n: u8| {
        let mut bytes = seed.to_be_bytes();
        bytes[7] = n;
        TenantId::from_bytes(bytes)
    };
    let mut player = Player {
        draws: Draws::new(seed),
        tenants: [tenant(1), tenant(2)],
        exact: stage.exact(),
        // Histories are longer than the dozen calls that slack is meant for.
        slack: stage.slack() * 100,
    };
    let mut handles = [stage.store(), stage.second().await];
    while *step < stage.steps {
        *step += 1;
        let draw = player.draws.below(100);
        match draw {
            0..10 if player.exact => {
                let span = player
                    .draws
                    .pick(&[MILLI, 1_000 * MILLI, 29_999 * MILLI, HOUR, 5 * HOUR, DAY]);
                note(log, "advance", &span);
                stage.pass(span).await;
            }
            10 => {
                handles = [stage.store(), stage.store()];
                if stage.try_reopen().await {
                    note(log, "reopen", &());
                    handles = [stage.store(), stage.second().await];
                }
            }
            _ => {
                let store = Arc::clone(&player.draws.pick(&[&handles[0], &handles[1]]).clone());
                let now = stage.now();
                command(&mut player, &mut model, &*store, now, log).await?;
            }
        }
    }
    Ok(())
}

fn note(log: &mut Vec<String>, call: &str, with: &dyn Debug) {
    log.push(format!("{call} {with:?}"));
}

async fn command(
    player: &mut Player,
    model: &mut Model,
    store: &dyn SessionStore,
    now: Timestamp,
    log: &mut Vec<String>,
) -> Outcome {
    let key = player.key();
    match player.draws.below(16) {
        0 => {
            note(log, "load", &key);
            model.shows(&key, store.load(&key).await?.as_ref())?;
        }
        1..=5 => swap(player, model, store, (key, now), log).await?,
        6 => {
            note(log, "delete", &key);
            store.delete(&key).await?;
            model.records.remove(&key);
        }
        7 | 8 => claim(player, model, store, (key, now), log).await?,
        9 => {
            let Some(lease) = given(player, model) else {
                return Ok(());
            };
            // An extension that would shorten the lease is nobody's business.
            let left = model.live(&lease.key, now).map(|held| held.until.since(now));
            let span = player.span().max(left.unwrap_or_default());
            note(log, "extend", &(&lease, span));
            let live = model.is_live(&lease, now);
            let extended = store.extend(&lease, span).await?;
            ensure!(extended == live, "extended: {extended}, live: {live}");
            if let Some(held) = model.leases.get_mut(&lease.key).filter(|_| live) {
                held.until = now + span;
            }
        }
        10 => {
            let Some(lease) = given(player, model) else {
                return Ok(());
            };
            note(log, "release", &lease);
            store.release(&lease).await?;
            model.end(&lease, now);
        }
        11..=14 => {
            let query = DueQuery {
                tenant: player.tenant(),
                lane: player.draws.pick(&Lane::ALL),
                limit: player.draws.pick(&[0, 1, 2, 5, 100]),
                span: player.span(),
            };
            note(log, "claim due", &query);
            let claimed = store.claim_due(&query).await?;
            let keys: BTreeSet<_> = claimed.iter().map(|c| c.lease.key).collect();
            ensure!(keys.len() == claimed.len(), "one call claimed a record twice");
            model.claimed(&query, &claimed, now)?;
        }
        _ => {
            let tenant = player.tenant();
            let horizons = [HOUR, DAY, 3 * DAY, 7 * DAY];
            note(log, "forecast", &tenant);
            // Of a running clock only what lies between the times in use.
            let horizons = if player.exact { &horizons[..] } else { &horizons[..1] };
            let found = store.forecast(tenant, horizons).await?;
            let expected = model.forecast(tenant, horizons, now);
            ensure!(found == expected, "forecast {found:?}, not {expected:?}");
        }
    }
    Ok(())
}

/// A lease that was given out, live or not: mostly one of the last.
fn given(player: &mut Player, model: &Model) -> Option<Lease> {
    let number = model.given.len() as u64;
    let back = match player.draws.below(4) {
        0 => number,
        _ => number.min(4),
    };
    let index = number.checked_sub(1 + player.draws.below(back.max(1)))?;
    model.given.get(index as usize).cloned()
}

async fn swap(
    player: &mut Player,
    model: &mut Model,
    store: &dyn SessionStore,
    (key, now): (RecordKey, Timestamp),
    log: &mut Vec<String>,
) -> Outcome {
    let there = model.records.get(&key).map(|(version, _)| *version);
    let expected = match player.draws.below(10) {
        0 => None,
        1 => Some(Version::new(player.draws.below(30))),
        2 => model.versions.get(&key).copied(),
        _ => there,
    };
    let finishing = match player.draws.below(3) {
        0 => None,
        1 => given(player, model),
        _ => model.given.iter().rev().find(|lease| lease.key == key).cloned(),
    };
    let record = player.record(now);
    let what = (
        key,
        expected,
        finishing.as_ref().map(|l| (l.key, l.epoch)),
        record.expires_at,
        record.wake_at,
    );
    note(log, "swap", &what);
    match store.swap(&key, expected, record.clone(), finishing.as_ref()).await? {
        Swap::Stored(version) => {
            ensure!(
                expected == there,
                "a write that expected {expected:?} replaced {there:?}"
            );
            model.written(key, version, record)?;
            if let Some(lease) = finishing.filter(|lease| lease.key == key) {
                model.end(&lease, now);
            }
        }
        Swap::Conflict(found) => {
            ensure!(expected != there, "a write of the right version was refused");
            model.shows(&key, found.as_ref())?;
        }
    }
    Ok(())
}

async fn claim(
    player: &mut Player,
    model: &mut Model,
    store: &dyn SessionStore,
    (key, now): (RecordKey, Timestamp),
    log: &mut Vec<String>,
) -> Outcome {
    let span = player.span();
    note(log, "claim", &(key, span));
    match store.claim(&key, span).await? {
        Claim::Granted { lease, record } => {
            ensure!(lease.key == key, "the lease is on another key");
            model.shows(&key, record.as_ref())?;
            model.leased(&lease, span, now)?;
        }
        Claim::Busy { retry_in, record } => {
            model.shows(&key, record.as_ref())?;
            let Some(held) = model.live(&key, now) else {
                return Err(Broken::Rule("the key is busy, but nobody holds a lease".into()));
            };
            let left = held.until.since(now);
            let right = left <= retry_in + player.slack && retry_in <= left + player.slack;
            ensure!(right, "busy for {retry_in:?}, not {left:?}");
        }
    }
    Ok(())
}
