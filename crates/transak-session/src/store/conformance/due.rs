//! Rules about the index of due records.

use std::collections::BTreeSet;
use std::time::Duration;

use super::broken::ensure;
use super::data::{due_with, idle, key, key_of, user};
use super::stage::{DAY, HOUR, MILLI, OTHER_TENANT, Stage, busy, put};
use super::{Broken, Outcome};
use crate::clock::Timestamp;
use crate::identity::RecordKey;
use crate::store::{Claimed, DueQuery, Lane, Record, RecordKind, RecordState, Swap};

/// The lanes in which a key is due now. Leases taken to find out are given back.
async fn lanes_of(stage: &Stage, key: RecordKey) -> Result<Vec<Lane>, Broken> {
    let mut lanes = Vec::new();
    for lane in Lane::ALL {
        if stage.peek(lane).await?.contains(&key) {
            lanes.push(lane);
        }
    }
    Ok(lanes)
}

async fn must_be_in(stage: &Stage, key: RecordKey, lanes: &[Lane], what: &str) -> Outcome {
    let found = lanes_of(stage, key).await?;
    ensure!(found == lanes, "{what} is due in {found:?}, not in {lanes:?}");
    Ok(())
}

/// Only records of users, of the tenant asked for, in state live or suspect and with a time to wake are claimed.
pub async fn only_kept_alive_users(stage: &mut Stage) -> Outcome {
    let now = stage.now();
    let due = |n| due_with(n, now, HOUR);
    let mut partner = due(1);
    partner.kind = RecordKind::Partner;
    let in_state = |n, state| {
        let mut record = due(n);
        record.state = state;
        record
    };
    let records = [
        partner,
        in_state(2, RecordState::Dormant),
        in_state(3, RecordState::Lapsed),
        in_state(4, RecordState::LoggedOut),
        user(5, now + HOUR, Timestamp::MAX),
        in_state(6, RecordState::Live),
        in_state(7, RecordState::Suspect { since: now }),
    ];
    for (n, record) in (1..).zip(records) {
        ensure!(record.kept_alive() == (n >= 6), "the rule itself is at fault");
        stage.create(key(n), record).await?;
    }
    stage.create(key_of(OTHER_TENANT, 8), due(8)).await?;
    // The lane of no record, whatever its state, depends on its tenant.
    let found: BTreeSet<_> = stage.peek(Lane::Critical).await?.into_iter().collect();
    ensure!(found == BTreeSet::from([key(6), key(7)]), "claimed {found:?}");
    for lane in [Lane::Urgent, Lane::Normal] {
        let found = stage.peek(lane).await?;
        ensure!(found.is_empty(), "claimed {found:?} as {lane:?}");
    }
    let query = DueQuery {
        tenant: OTHER_TENANT,
        lane: Lane::Critical,
        limit: 10,
        span: HOUR,
    };
    let found = stage.store().claim_due(&query).await?;
    let right = found.len() == 1 && found[0].lease.key == key_of(OTHER_TENANT, 8);
    ensure!(right, "the other tenant got {} records", found.len());
    Ok(())
}

/// A record is in one lane: critical with less than 24 hours left, urgent with less than 72, normal with 72 or more.
pub async fn lanes_by_remaining_life(stage: &mut Stage) -> Outcome {
    let grain = stage.grain();
    for (n, (left, lane)) in (1..).zip([
        (DAY - MILLI, Lane::Critical),
        (DAY + grain - MILLI * u32::from(stage.exact()), Lane::Urgent),
        (3 * DAY - MILLI, Lane::Urgent),
        (3 * DAY + grain - MILLI * u32::from(stage.exact()), Lane::Normal),
        (40 * DAY, Lane::Normal),
        (MILLI, Lane::Critical),
    ]) {
        let record = due_with(n, stage.now(), left);
        stage.create(key(n), record).await?;
        must_be_in(stage, key(n), &[lane], &format!("a record with {left:?} left")).await?;
    }
    let now = stage.now();
    stage.create(key(9), user(9, Timestamp::MAX, now - HOUR)).await?;
    must_be_in(stage, key(9), &[Lane::Normal], "a record that never expires").await
}

/// A record changes lanes as its life runs out, without a write.
pub async fn lanes_change_with_time(stage: &mut Stage) -> Outcome {
    let span = 2 * stage.grain();
    for (n, (boundary, before, after)) in (1..).zip([
        (Lane::Normal.floor(), Lane::Normal, Lane::Urgent),
        (Lane::Urgent.floor(), Lane::Urgent, Lane::Critical),
    ]) {
        let record = due_with(n, stage.now(), boundary + span);
        stage.create(key(n), record).await?;
        must_be_in(stage, key(n), &[before], "a record just above the boundary").await?;
        if stage.exact() {
            stage.pass(span).await;
            must_be_in(stage, key(n), &[before], "a record on the boundary").await?;
            stage.pass(MILLI).await;
        } else {
            stage.pass(span + stage.slack()).await;
        }
        must_be_in(stage, key(n), &[after], "a record that crossed the boundary").await?;
    }
    if stage.exact() {
        stage.create(key(3), idle(3, stage.now())).await?;
        stage.pass(20 * DAY).await;
        must_be_in(stage, key(3), &[Lane::Normal], "a record whose due time came").await?;
        stage.pass(8 * DAY).await;
        must_be_in(stage, key(3), &[Lane::Urgent], "a record that was not renewed").await?;
        stage.pass(DAY + MILLI).await;
        must_be_in(stage, key(3), &[Lane::Critical], "a record that was not renewed").await?;
    }
    Ok(())
}

/// A token that has expired a moment ago is still claimed, as critical: the clock may be wrong.
pub async fn expired_is_critical(stage: &mut Stage) -> Outcome {
    let now = stage.now();
    for (n, age) in (1..).zip([Duration::ZERO, MILLI, HOUR]) {
        stage.create(key(n), user(n, now - age, now - DAY)).await?;
        must_be_in(stage, key(n), &[Lane::Critical], "an expired record").await?;
    }
    Ok(())
}

fn by_expiry(claimed: &Claimed) -> Timestamp {
    claimed.record.record.expires_at
}

fn by_due_time(claimed: &Claimed) -> Timestamp {
    claimed.record.record.wake_at
}

/// The most urgent come first, across calls too: in the critical and the urgent lane those that expire soonest, in the normal
/// lane those that have been due longest.
pub async fn most_urgent_first(stage: &mut Stage) -> Outcome {
    let now = stage.now();
    // Scattered, so that neither the order of writing nor that of keys helps.
    let scatter = |n: u64| n * 29 % 31;
    for n in 0..31_u64 {
        let minutes = |m: u64| Duration::from_secs(60 * m);
        let due_since = now - minutes(10 + scatter(n + 7));
        for (lane, left) in [(1, 2 * HOUR), (2, 30 * HOUR), (3, 100 * HOUR)] {
            let record = user(n, now + left + minutes(10 * scatter(n)), due_since);
            stage.create(key(100 * lane + n), record).await?;
        }
    }
    let orders: [fn(&Claimed) -> Timestamp; 3] = [by_expiry, by_expiry, by_due_time];
    for (lane, order) in Lane::ALL.into_iter().zip(orders) {
        let mut times = Vec::new();
        for limit in [1, 4, 9, 17] {
            let claimed = stage.due(lane, limit, HOUR).await?;
            ensure!(claimed.len() == limit, "{} of {limit} were claimed", claimed.len());
            times.extend(claimed.iter().map(order));
        }
        ensure!(times.is_sorted(), "{lane:?} was claimed in the order {times:?}");
    }
    Ok(())
}

/// No more are claimed than asked for, none if none is asked for, and all if there is room for more.
pub async fn limits(stage: &mut Stage) -> Outcome {
    let now = stage.now();
    for n in 0..9 {
        stage.create(key(n), due_with(n, now, HOUR)).await?;
    }
    for (limit, expected) in [(0, 0), (1, 1), (5, 5), (usize::MAX, 3), (usize::MAX, 0), (0, 0)] {
        let claimed = stage.due(Lane::Critical, limit, HOUR).await?.len();
        ensure!(
            claimed == expected,
            "{claimed} were claimed with a limit of {limit}, not {expected}"
        );
    }
    Ok(())
}

/// A record is claimed from its wake time on and not before, and never if that is [`Timestamp::MAX`].
pub async fn wake_times(stage: &mut Stage) -> Outcome {
    let now = stage.now();
    let wait = 2 * stage.grain();
    stage.create(key(1), user(1, now + HOUR, now)).await?;
    stage.create(key(2), user(2, now + HOUR, now + HOUR)).await?;
    stage.create(key(3), user(3, now + HOUR, Timestamp::MAX)).await?;
    stage.create(key(4), user(4, now + HOUR, Timestamp::MIN)).await?;
    let late = Timestamp::from_unix_millis(i64::MAX - 1);
    stage.create(key(6), user(6, now + HOUR, late)).await?;
    let soon = stage.now() + wait;
    stage.create(key(5), user(5, now + HOUR, soon)).await?;
    let mut found = stage.peek(Lane::Critical).await?;
    found.sort();
    let mut expected = vec![key(1), key(4)];
    expected.sort();
    ensure!(
        found == expected,
        "claimed {} records, not those two that are due",
        found.len()
    );
    stage.pass(wait + stage.slack()).await;
    must_be_in(stage, key(5), &[Lane::Critical], "a record whose time has come").await?;
    for n in [2, 3, 6] {
        must_be_in(stage, key(n), &[], "a record whose time has not come").await?;
    }
    if stage.exact() {
        stage.pass(HOUR - wait).await;
        must_be_in(stage, key(2), &[Lane::Critical], "a record whose time has come").await?;
    }
    Ok(())
}

/// A record under a live lease is not claimed, however the lease was taken; once it has ended or lapsed it is.
pub async fn leased_ones_are_left_out(stage: &mut Stage) -> Outcome {
    let (now, short) = (stage.now(), stage.short());
    for n in 1..=3 {
        stage.create(key(n), due_with(n, now, HOUR)).await?;
    }
    let lease = stage.granted(key(1), HOUR).await?;
    let claimed = stage.due(Lane::Critical, 10, short).await?;
    let found: BTreeSet<_> = claimed.iter().map(|c| c.lease.key).collect();
    ensure!(
        found == BTreeSet::from([key(2), key(3)]),
        "claimed {found:?} beside a lease"
    );
    let again = stage.due(Lane::Critical, 10, HOUR).await?;
    ensure!(again.is_empty(), "records were claimed twice");
    stage.store().release(&lease).await?;
    let again = stage.due(Lane::Critical, 10, HOUR).await?;
    let right = again.len() == 1 && again[0].lease.key == key(1) && again[0].lease.abandoned.is_none();
    ensure!(right, "a released record was not claimed");

    stage.outlast_short().await;
    let again = stage.due(Lane::Critical, 10, HOUR).await?;
    let found: BTreeSet<_> = again.iter().map(|c| c.lease.key).collect();
    ensure!(
        found == BTreeSet::from([key(2), key(3)]),
        "lapsed claims were not claimed again"
    );
    for c in &again {
        let age = c.lease.abandoned.unwrap_or_default();
        ensure!(age >= short, "a lapsed claim was reported as {:?}", c.lease.abandoned);
        let before = claimed.iter().find(|b| b.lease.key == c.lease.key);
        ensure!(
            before.is_some_and(|b| b.lease.epoch < c.lease.epoch),
            "an epoch came back"
        );
    }
    Ok(())
}

/// What is claimed is what is stored, and its lease is one like any other: it excludes, can be extended, finished and released.
pub async fn leases_are_real(stage: &mut Stage) -> Outcome {
    let now = stage.now();
    let record = due_with(1, now, HOUR);
    let version = stage.create(key(1), record.clone()).await?;
    let claimed = stage.due(Lane::Critical, 1, HOUR).await?;
    ensure!(claimed.len() == 1, "a due record was not claimed");
    let Claimed { lease, record: found } = &claimed[0];
    ensure!(lease.key == key(1), "the lease is on {}", lease.key);
    ensure!(
        found.version == version && found.record == record,
        "what was claimed is not what was written"
    );
    ensure!(lease.abandoned.is_none(), "the first lease follows an abandoned one");
    let (retry_in, _) = busy(&*stage.second().await, key(1)).await?;
    ensure!(retry_in <= HOUR, "claimed for an hour, busy for {retry_in:?}");
    ensure!(
        stage.store().extend(lease, 2 * HOUR).await?,
        "the lease cannot be extended"
    );
    let answer = stage.store().swap(&key(1), Some(version), record, Some(lease)).await?;
    ensure!(matches!(answer, Swap::Stored(_)), "the claimed version was refused");
    let claimed = stage.due(Lane::Critical, 1, HOUR).await?;
    ensure!(claimed.len() == 1, "finishing did not end the lease");
    ensure!(claimed[0].lease.epoch > lease.epoch, "an epoch came back");
    stage.store().release(&claimed[0].lease).await?;
    let lease = stage.granted(key(1), HOUR).await?;
    ensure!(lease.abandoned.is_none(), "a released lease counts as abandoned");
    Ok(())
}

/// The index follows each write: another lane, a later wake time, another state, with and without a lease.
pub async fn follows_the_record(stage: &mut Stage) -> Outcome {
    let now = stage.now();
    let due = |left| due_with(1, now, left);
    let resting = |state| {
        let mut record = due(HOUR);
        record.state = state;
        record
    };
    let steps: [(Record, &[Lane]); 11] = [
        (due(HOUR), &[Lane::Critical]),
        (due(30 * HOUR), &[Lane::Urgent]),
        (due(100 * HOUR), &[Lane::Normal]),
        (user(1, now + 100 * HOUR, now + HOUR), &[]),
        (due(30 * HOUR), &[Lane::Urgent]),
        (user(1, now + HOUR, Timestamp::MAX), &[]),
        (resting(RecordState::Suspect { since: now }), &[Lane::Critical]),
        (resting(RecordState::Dormant), &[]),
        (due(100 * HOUR), &[Lane::Normal]),
        (resting(RecordState::Lapsed), &[]),
        (due(HOUR), &[Lane::Critical]),
    ];
    for (n, (record, lanes)) in steps.into_iter().enumerate() {
        let lease = match n % 3 {
            0 => None,
            _ => Some(stage.granted(key(1), HOUR).await?),
        };
        let there = stage.load(key(1)).await?.map(|v| v.version);
        // Under a lease that another write does not know of, and which ends only afterwards.
        let finishing = lease.as_ref().filter(|_| n % 3 == 1);
        let answer = stage.store().swap(&key(1), there, record, finishing).await?;
        ensure!(
            matches!(answer, Swap::Stored(_)),
            "a write of the right version was refused"
        );
        if let (2, Some(lease)) = (n % 3, &lease) {
            must_be_in(stage, key(1), &[], "a leased record").await?;
            stage.store().release(lease).await?;
        }
        must_be_in(stage, key(1), lanes, &format!("after write {n} the record")).await?;
    }
    Ok(())
}

/// A deleted record is not claimed any more; one that is written anew is.
pub async fn deletion_removes(stage: &mut Stage) -> Outcome {
    let now = stage.now();
    for n in 1..=2 {
        stage.create(key(n), due_with(n, now, HOUR)).await?;
    }
    stage.store().delete(&key(1)).await?;
    must_be_in(stage, key(1), &[], "a deleted record").await?;
    must_be_in(stage, key(2), &[Lane::Critical], "the other record").await?;
    put(&*stage.store(), key(1), None, due_with(1, now, 30 * HOUR)).await?;
    must_be_in(stage, key(1), &[Lane::Urgent], "a record that was written again").await?;
    // One that is deleted under a lease and written again stays under it.
    let lease = stage.granted(key(1), HOUR).await?;
    stage.store().delete(&key(1)).await?;
    put(&*stage.store(), key(1), None, due_with(1, now, HOUR)).await?;
    must_be_in(stage, key(1), &[], "a leased record").await?;
    stage.store().release(&lease).await?;
    must_be_in(stage, key(1), &[Lane::Critical], "a released record").await
}

/// The index survives a restart, with the leases.
pub async fn survives_reopening(stage: &mut Stage) -> Outcome {
    let now = stage.now();
    for (n, left) in (1..).zip([HOUR, 30 * HOUR, 100 * HOUR, 2 * HOUR]) {
        stage.create(key(n), due_with(n, now, left)).await?;
    }
    stage.granted(key(4), HOUR).await?;
    stage.reopen().await?;
    for (n, lane) in (1..).zip(Lane::ALL) {
        must_be_in(stage, key(n), &[lane], "after a restart a record").await?;
    }
    must_be_in(stage, key(4), &[], "a leased record").await
}
