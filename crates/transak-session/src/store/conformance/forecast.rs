//! Rules about forecasts.

use std::time::Duration;

use super::Outcome;
use super::broken::ensure;
use super::data::{due_with, idle, key, key_of, user};
use super::stage::{DAY, HOUR, MILLI, OTHER_TENANT, Stage, TENANT};
use crate::clock::Timestamp;
use crate::store::{Forecast, RecordKind, RecordState};

async fn must_be(stage: &Stage, horizons: &[Duration], kept_alive: u64, due: u64, lapsing: &[u64]) -> Outcome {
    let found = stage.store().forecast(TENANT, horizons).await?;
    let expected = Forecast {
        kept_alive,
        due,
        lapsing: lapsing.to_vec(),
    };
    ensure!(found == expected, "for {horizons:?}: {found:?}, not {expected:?}");
    Ok(())
}

/// What is kept alive is counted, how much of it is due (leased or not), and how much expires within the horizon (or has
/// expired); nothing else is, and no other tenant's.
pub async fn counts(stage: &mut Stage) -> Outcome {
    must_be(stage, &[DAY], 0, 0, &[0]).await?;
    let now = stage.now();
    let mut partner = due_with(1, now, HOUR);
    partner.kind = RecordKind::Partner;
    let mut suspect = due_with(7, now, HOUR);
    suspect.state = RecordState::Suspect { since: now };
    for (n, record) in (1..).zip([
        partner,
        due_with(2, now, HOUR).in_state(RecordState::Dormant),
        due_with(3, now, HOUR).in_state(RecordState::Lapsed),
        user(4, now + HOUR, Timestamp::MAX),
        idle(5, now),
        user(6, now - HOUR, now + DAY),
        suspect,
        due_with(8, now, 100 * HOUR),
    ]) {
        stage.create(key(n), record).await?;
    }
    stage.create(key_of(OTHER_TENANT, 9), due_with(9, now, HOUR)).await?;
    must_be(stage, &[2 * HOUR], 4, 2, &[2]).await?;
    stage.granted(key(8), HOUR).await?;
    must_be(stage, &[2 * HOUR], 4, 2, &[2]).await
}

/// The answer follows the horizons asked for, in their order: none, the same twice, one that covers everything. A token that
/// expires exactly at the horizon counts.
pub async fn horizons(stage: &mut Stage) -> Outcome {
    let now = stage.now();
    for n in 1..=9_u32 {
        let left = 24 * HOUR * n;
        stage.create(key(n.into()), due_with(n.into(), now, left)).await?;
    }
    stage.create(key(10), user(10, Timestamp::MAX, now)).await?;
    must_be(stage, &[], 10, 10, &[]).await?;
    let day = 24 * HOUR;
    let half = day / 2;
    must_be(
        stage,
        &[3 * day + half, half, 3 * day + half, 7 * day + half],
        10,
        10,
        &[3, 0, 3, 7],
    )
    .await?;
    must_be(stage, &[Duration::MAX, Duration::ZERO], 10, 10, &[10, 0]).await?;
    if stage.exact() {
        must_be(
            stage,
            &[day - MILLI, day, 3 * day - MILLI, 3 * day],
            10,
            10,
            &[0, 1, 2, 3],
        )
        .await?;
    }
    Ok(())
}

/// Forecasts follow writes, deletions and the time.
pub async fn follows_changes(stage: &mut Stage) -> Outcome {
    let now = stage.now();
    let wait = 2 * stage.grain();
    for n in 1..=4 {
        stage.create(key(n), idle(n, now)).await?;
    }
    must_be(stage, &[HOUR], 4, 0, &[0]).await?;
    stage.replace(key(1), due_with(1, now, HOUR / 2)).await?;
    must_be(stage, &[HOUR], 4, 1, &[1]).await?;
    stage
        .replace(key(2), idle(2, now).in_state(RecordState::Dormant))
        .await?;
    must_be(stage, &[HOUR], 3, 1, &[1]).await?;
    stage.store().delete(&key(1)).await?;
    stage.store().delete(&key(1)).await?;
    must_be(stage, &[HOUR], 2, 0, &[0]).await?;
    let soon = stage.now() + wait;
    stage.replace(key(3), user(3, soon + HOUR, soon)).await?;
    must_be(stage, &[HOUR], 2, 0, &[0]).await?;
    stage.pass(wait + stage.slack()).await;
    must_be(stage, &[HOUR], 2, 1, &[1]).await
}
