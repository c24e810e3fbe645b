//! Rules about the pace that workers keep together.

use std::time::Duration;

use super::broken::ensure;
use super::stage::{DAY, OTHER_TENANT, Stage, TENANT};
use super::{Broken, Outcome};
use crate::TenantId;
use crate::clock::Timestamp;
use crate::store::{Allowance, Allowed, SessionStore};

/// Draws, and knows what a bucket can have given by now.
struct Draws {
    per_second: f64,
    begun: Timestamp,
    drawn: u32,
}

impl Draws {
    fn begin(stage: &Stage, per_second: f64) -> Self {
        Self {
            per_second,
            begun: stage.now(),
            drawn: 0,
        }
    }

    async fn draw(&mut self, store: &dyn SessionStore, wanted: u32) -> Result<Allowed, Broken> {
        let allowed = draw(store, TENANT, self.per_second, wanted).await?;
        self.drawn += allowed.permits;
        Ok(allowed)
    }

    /// What it held at first, and what has come since.
    fn most(&self, stage: &Stage) -> f64 {
        let passed = stage.now().since(self.begun) + 2 * stage.slack();
        self.per_second.max(1.0) + passed.as_secs_f64() * self.per_second
    }

    fn check(&self, stage: &Stage) -> Outcome {
        let most = self.most(stage);
        let within = f64::from(self.drawn) <= most;
        ensure!(within, "{} renewals were allowed where {most} is the most", self.drawn);
        Ok(())
    }
}

async fn draw(store: &dyn SessionStore, tenant: TenantId, per_second: f64, wanted: u32) -> Result<Allowed, Broken> {
    let allowance = Allowance {
        tenant,
        per_second,
        wanted,
    };
    let allowed = store.draw(&allowance).await?;
    match allowed.permits <= wanted {
        true => Ok(allowed),
        false => Err(Broken::Rule(format!(
            "{} for {wanted} that were wanted",
            allowed.permits
        ))),
    }
}

/// Through whatever handle: at first a second's worth, then no more than the rate brings.
pub async fn never_more_than_the_rate(stage: &mut Stage) -> Outcome {
    let handles = [stage.store(), stage.second().await];
    let mut draws = Draws::begin(stage, 20.0);
    let first = draws.draw(&*handles[0], 1_000).await?.permits;
    ensure!(first == 20, "{first} at first, not a second's worth of 20");
    for round in 0..10 {
        draws.draw(&*handles[round % 2], 7).await?;
        draws.check(stage)?;
    }
    Ok(())
}

/// Nobody gets more than was wanted, what was not wanted stays, and the bucket fills with time.
pub async fn fills_with_time(stage: &mut Stage) -> Outcome {
    let store = stage.store();
    let mut draws = Draws::begin(stage, 10.0);
    for part in [3, 0, 4, 3] {
        let got = draws.draw(&*store, part).await?.permits;
        ensure!(got == part, "{got} of {part} while there was enough");
    }
    while draws.draw(&*store, 10).await?.permits > 0 {}
    let span = Duration::from_millis(500).max(stage.slack());
    stage.pass(span).await;
    let got = draws.draw(&*store, 100).await?.permits;
    ensure!(got >= 5, "{got} after half a second at ten a second");
    draws.check(stage)
}

/// However long nobody draws, the bucket holds no more than a second's worth.
pub async fn unused_time_is_no_credit(stage: &mut Stage) -> Outcome {
    let store = stage.store();
    draw(&*store, TENANT, 5.0, 5).await?;
    let span = if stage.exact() { 10 * DAY } else { 4 * stage.slack() };
    stage.pass(span).await;
    let mut draws = Draws::begin(stage, 5.0);
    draws.draw(&*store, 1_000).await?;
    draws.check(stage)
}

/// Tenants have buckets of their own.
pub async fn tenants_are_separate(stage: &mut Stage) -> Outcome {
    let store = stage.store();
    draw(&*store, TENANT, 1.0, 1).await?;
    let got = draw(&*store, OTHER_TENANT, 50.0, 50).await?.permits;
    ensure!(got == 50, "{got} of 50 from a bucket that nobody has drawn from");
    Ok(())
}

/// What is given back can be drawn again, up to a second's worth; what was never there does no harm.
pub async fn unused_permits_come_back(stage: &mut Stage) -> Outcome {
    let store = stage.store();
    store.give_back(OTHER_TENANT, 3).await?;
    let mut draws = Draws::begin(stage, 0.5);
    // A slow one first, so that next to nothing comes with time.
    draws.draw(&*store, 1).await?;
    store.give_back(TENANT, 1).await?;
    let got = draws.draw(&*store, 1).await?.permits;
    ensure!(got == 1, "what was given back is gone");
    store.give_back(TENANT, 1_000).await?;
    let got = draws.draw(&*store, 1_000).await?.permits;
    ensure!(got <= 1, "{got} from a bucket that holds one");
    Ok(())
}

/// A rate of less than one a second allows one at a time, and tells when the next comes.
pub async fn slow_rates(stage: &mut Stage) -> Outcome {
    let store = stage.store();
    let first = draw(&*store, TENANT, 0.01, 5).await?;
    ensure!(first.permits == 1, "{} at first, not one", first.permits);
    stage.pass(stage.slack().max(Duration::from_millis(500))).await;
    let second = draw(&*store, TENANT, 0.01, 5).await?;
    ensure!(second.permits == 0, "a second one at once");
    let (least, most) = (Duration::from_secs(90), Duration::from_secs(101));
    ensure!(
        (least..=most).contains(&second.next_in),
        "the next one in {:?}, not in 100 seconds",
        second.next_in
    );
    if stage.exact() {
        stage.pass(Duration::from_secs(101)).await;
        let third = draw(&*store, TENANT, 0.01, 5).await?;
        ensure!(third.permits == 1, "{} after its time, not one", third.permits);
    }
    Ok(())
}
