//! The loop of a worker.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::budget::Budget;
use super::health::Ledger;
use super::lanes::shares;
use crate::error::TokenError;
use crate::events::SessionEvent;
use crate::flight::Outcome;
use crate::identity::UserKey;
use crate::issuer::IssuerErrorKind;
use crate::store::{Allowance, Allowed, Claimed, DueQuery, Lane, StoreError};
use crate::transak::Transak;
use crate::user::{Event, Tenure};

/// How long it rests when nothing is due. Short enough that a machine that was suspended is soon noticed to be awake.
const REST: Duration = Duration::from_secs(20);
/// How soon it asks again for what others have used up.
const SHORTEST_TURN: Duration = Duration::from_millis(20);
const FIRST_STORE_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_STORE_PAUSE: Duration = Duration::from_secs(60);

pub(super) struct Worker {
    transak: Transak,
    concurrency: usize,
    ledger: Arc<Ledger>,
    stop: CancellationToken,
    under_way: JoinSet<Outcome>,
    store_failures: u32,
    /// Differs between workers, so that those that are started together do not come round together.
    dice: RandomState,
    throws: u64,
}

impl Worker {
    pub(super) fn new(transak: Transak, concurrency: usize, ledger: Arc<Ledger>, stop: CancellationToken) -> Self {
        Self {
            transak,
            concurrency,
            ledger,
            stop,
            under_way: JoinSet::new(),
            store_failures: 0,
            dice: RandomState::new(),
            throws: 0,
        }
    }

    pub(super) async fn run(mut self, mut budget: Budget) {
        tracing::info!("keep-alive worker started");
        while !self.stop.is_cancelled() {
            let pause = self.round(&mut budget).await;
            self.wait(pause, &mut budget).await;
        }
        while let Some(done) = self.under_way.join_next().await {
            self.settle(done, &mut budget);
        }
        tracing::info!("keep-alive worker stopped");
    }

    /// Begins what may be begun, and tells how long to wait for more.
    async fn round(&mut self, budget: &mut Budget) -> Duration {
        let env = Arc::clone(self.transak.env());
        let now = env.time.elapsed();
        let guarded = env.guard.is_tripped();
        self.ledger.came_round(env.time.now_checked(), budget.rate(), guarded);
        self.show(budget.rate(), guarded);
        // Half a load at a time: a claim for each place that falls free would double the work of the store.
        let load = self.concurrency.div_ceil(2);
        let free = self.concurrency - self.under_way.len().min(self.concurrency);
        let places = budget.available(now).min(free);
        if free < load {
            return REST;
        }
        if places < load {
            let wait = budget.wait_for(load, now);
            if !wait.is_zero() {
                return wait;
            }
        }
        // While Transak refuses everybody, each renewal would only be one more refusal. One now and then finds out when it
        // has come to its senses.
        let places = if guarded { 1 } else { places };
        match self.claim_allowed(places, budget.rate()).await {
            // Other workers have used up what all may begin together.
            Ok((_, Some(next_in))) => {
                self.store_works();
                self.around(next_in.clamp(SHORTEST_TURN, REST))
            }
            Ok((claimed, None)) if claimed.is_empty() => {
                self.store_works();
                self.around(REST)
            }
            Ok((claimed, None)) => {
                self.store_works();
                budget.spend(claimed.len());
                for claimed in claimed {
                    self.begin(claimed, now);
                }
                if guarded { self.around(REST) } else { Duration::ZERO }
            }
            Err(error) => {
                self.store_failures = self.store_failures.saturating_add(1);
                self.ledger.store_failures(self.store_failures);
                tracing::warn!(%error, "due sessions could not be claimed");
                let doublings = self.store_failures.saturating_sub(1).min(10);
                let pause = FIRST_STORE_PAUSE
                    .saturating_mul(1 << doublings)
                    .min(LONGEST_STORE_PAUSE);
                self.around(pause)
            }
        }
    }

    #[cfg(feature = "metrics")]
    fn show(&self, rate: f64, guarded: bool) {
        metrics::gauge!(crate::metrics::KEEP_ALIVE_RATE).set(rate);
        metrics::gauge!(crate::metrics::KEEP_ALIVE_UNDER_WAY).set(self.under_way.len() as f64);
        metrics::gauge!(crate::metrics::GUARDED).set(f64::from(u8::from(guarded)));
    }

    #[cfg(not(feature = "metrics"))]
    fn show(&self, _: f64, _: bool) {}

    fn store_works(&mut self) {
        self.store_failures = 0;
        self.ledger.store_failures(0);
    }

    /// Draws from what all workers may begin together, and claims that much; or tells when there is something to draw. What
    /// is drawn and not used goes back.
    async fn claim_allowed(
        &self,
        places: usize,
        per_second: f64,
    ) -> Result<(Vec<Claimed>, Option<Duration>), StoreError> {
        let allowance = Allowance {
            tenant: self.transak.tenant(),
            per_second,
            wanted: u32::try_from(places).unwrap_or(u32::MAX),
        };
        let store = &self.transak.env().store;
        let Allowed { permits, next_in } = self.in_time(store.draw(&allowance)).await?;
        if permits == 0 {
            return Ok((Vec::new(), Some(next_in)));
        }
        let claimed = self.claim(usize::try_from(permits).unwrap_or(usize::MAX)).await;
        let used = claimed.as_ref().map_or(0, Vec::len);
        let unused = permits.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX));
        if unused > 0 {
            // Lost permits come again with time.
            let _ = self.in_time(store.give_back(allowance.tenant, unused)).await;
        }
        Ok((claimed?, None))
    }

    async fn in_time<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let env = self.transak.env();
        tokio::select! {
            biased;
            done = call => done,
            () = env.clock.sleep(env.limits.deadline) => Err(StoreError::new("no answer in time")),
        }
    }

    /// Claims up to `places` sessions: each lane's part, then what other lanes have left, the most urgent first.
    async fn claim(&self, places: usize) -> Result<Vec<Claimed>, StoreError> {
        let env = self.transak.env();
        let mut claimed = Vec::new();
        let mut left = places;
        // Lanes that may have more, and what those before have left over for the next while there is none of them.
        let mut hungry = Vec::new();
        let mut over = 0;
        for (lane, share) in Lane::ALL.into_iter().zip(shares(places)) {
            let part = if hungry.is_empty() { share + over } else { share };
            let got = self.claim_of(lane, part).await;
            // What has been claimed is worked on, whatever became of the next claim.
            let got = match got {
                Err(error) if claimed.is_empty() => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "due sessions of a lane could not be claimed");
                    return Ok(claimed);
                }
                Ok(got) => got,
            };
            left -= got.len().min(left);
            over = part.saturating_sub(got.len());
            if part > 0 && over == 0 {
                hungry.push(lane);
            }
            claimed.extend(got);
        }
        for lane in hungry {
            if left == 0 || env.stop.is_cancelled() {
                break;
            }
            let Ok(got) = self.claim_of(lane, left).await else {
                break;
            };
            left -= got.len().min(left);
            claimed.extend(got);
        }
        Ok(claimed)
    }

    async fn claim_of(&self, lane: Lane, limit: usize) -> Result<Vec<Claimed>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let env = self.transak.env();
        let query = DueQuery {
            tenant: self.transak.tenant(),
            lane,
            limit,
            span: env.limits.lease,
        };
        self.in_time(env.store.claim_due(&query)).await
    }

    fn begin(&mut self, claimed: Claimed, since: Duration) {
        let transak = self.transak.clone();
        self.under_way.spawn(async move {
            let env = Arc::clone(transak.env());
            let Claimed { lease, record } = claimed;
            let engine = transak.engine_of(UserKey::of_record(lease.key));
            let tenure = Tenure {
                lease: lease.clone(),
                since,
                span: env.limits.lease,
            };
            let outcome = engine.settle(Event::Kept { tenure, record }, || false).await;
            if let Err(TokenError::ShutDown | TokenError::Overloaded | TokenError::NoRuntime) = outcome {
                // Nothing was begun. If this fails too, the lease ends by itself.
                let _ = env.store.release(&lease).await;
            }
            outcome
        });
    }

    /// Waits for time to pass or for something under way to end, and takes in all that has ended.
    async fn wait(&mut self, pause: Duration, budget: &mut Budget) {
        let (mut renewed, mut failed) = (0, 0);
        let mut next = None;
        if !pause.is_zero() {
            let clock = Arc::clone(&self.transak.env().clock);
            tokio::select! {
                biased;
                () = self.stop.cancelled() => {}
                Some(done) = self.under_way.join_next() => next = Some(done),
                () = clock.sleep(pause) => {}
            }
        }
        while let Some(done) = next.take().or_else(|| self.under_way.try_join_next()) {
            if self.settle(done, budget) {
                renewed += 1;
            } else {
                failed += 1;
            }
        }
        if renewed + failed > 0 {
            let events = &self.transak.env().events;
            events.emit(SessionEvent::KeepAliveProgress { renewed, failed });
        }
    }

    fn settle(&mut self, done: Result<Outcome, JoinError>, budget: &mut Budget) -> bool {
        let now = self.transak.env().time.elapsed();
        let outcome = done.unwrap_or(Err(TokenError::Panicked));
        match &outcome {
            Ok(()) => self.ledger.renewed(1),
            Err(error) => {
                self.ledger.failed(1);
                match error.issuer_kind() {
                    Some(IssuerErrorKind::RateLimited { retry_after }) => budget.trouble(retry_after, now),
                    Some(IssuerErrorKind::Transient | IssuerErrorKind::Unknown) => budget.trouble(None, now),
                    _ => {}
                }
            }
        }
        outcome.is_ok()
    }

    /// Three quarters to five quarters of a pause.
    fn around(&mut self, pause: Duration) -> Duration {
        self.throws = self.throws.wrapping_add(1);
        let draw = (self.dice.hash_one(self.throws) >> 32) as u32;
        pause * 3 / 4 + (pause / 2).mul_f64(f64::from(draw) / f64::from(u32::MAX))
    }
}
