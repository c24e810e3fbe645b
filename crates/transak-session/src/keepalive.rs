//! Keeping sessions alive that nobody is using at the moment.
//!
//! A user token can be renewed only while it is valid, so a session whose user stays away for a month is lost unless
//! somebody renews it meanwhile. A [`KeepAlive`] worker does: it asks the store which sessions are due, claims a few at a time
//! and renews them through the same single flight as everybody else. Any number of workers, in one process or in many, share
//! the work through the store's leases; there is no leader and nothing to configure when one comes or goes.

mod budget;
#[cfg(feature = "metrics")]
mod gauges;
mod health;
mod lanes;
mod worker;

use std::sync::Arc;

use crate::background::Background;
use crate::error::TokenError;
use crate::policy::PolicyError;
use crate::transak::Transak;

pub use health::KeepAliveHealth;

use budget::Budget;
use health::Ledger;
use worker::Worker;

/// How a worker paces itself, before it is started.
///
/// Transak documents no limit on renewals. The default of 30 a second drains what five days of an outage leave behind of ten
/// million sessions in a little more than a day.
///
/// [`Transak::keep_alive`] shows how it is used.
#[derive(Clone, Debug)]
#[must_use]
pub struct KeepAlive {
    transak: Transak,
    rate: f64,
    concurrency: usize,
}

impl Transak {
    /// Configures a worker that renews due sessions in the background. Nothing runs before [`KeepAlive::start`].
    ///
    /// ```no_run
    /// # async fn run(transak: transak_session::Transak) -> Result<(), Box<dyn std::error::Error>> {
    /// let worker = transak.keep_alive().rate(10.0)?.start()?;
    /// // ... the server serves ...
    /// println!("renewed {} sessions", worker.health().renewed);
    /// worker.stop().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn keep_alive(&self) -> KeepAlive {
        KeepAlive {
            transak: self.clone(),
            rate: 30.0,
            concurrency: 32,
        }
    }
}

impl KeepAlive {
    /// The most renewals per second, of all workers that share the store: each draws from one bucket there, which fills at
    /// the rate of whoever draws, so give all the same. 30 by default. A worker slows down by itself when Transak limits it or
    /// fails.
    ///
    /// # Errors
    ///
    /// [`PolicyError::BadSpan`] if it is not a number between 0.01 and 100,000.
    pub fn rate(mut self, per_second: f64) -> Result<Self, PolicyError> {
        if !(0.01..=100_000.0).contains(&per_second) {
            return Err(PolicyError::BadSpan("rate"));
        }
        self.rate = per_second;
        Ok(self)
    }

    /// The most renewals under way at a time; 32 by default.
    ///
    /// # Errors
    ///
    /// [`PolicyError::BadSpan`] if it is zero.
    pub fn concurrency(mut self, renewals: usize) -> Result<Self, PolicyError> {
        if renewals == 0 {
            return Err(PolicyError::BadSpan("concurrency"));
        }
        self.concurrency = renewals;
        Ok(self)
    }

    /// Starts the worker as a task of the current tokio runtime. It runs until it is stopped, its handle is dropped, or the
    /// [`Transak`] is shut down; a failing store or a failing Transak only makes it wait.
    ///
    /// # Errors
    ///
    /// [`TokenError::NoRuntime`] outside of a tokio runtime, [`TokenError::ShutDown`] after a shutdown.
    pub fn start(self) -> Result<KeepAliveHandle, TokenError> {
        let env = Arc::clone(self.transak.env());
        let ledger = Arc::new(Ledger::default());
        let budget = Budget::new(self.rate, env.time.elapsed());
        let shared = Arc::clone(&ledger);
        let task = Background::start(&env, |stop| {
            #[cfg(feature = "metrics")]
            env.tasks.spawn(gauges::run(self.transak.clone(), stop.clone()));
            Worker::new(self.transak, self.concurrency, shared, stop).run(budget)
        })?;
        Ok(KeepAliveHandle { task, ledger })
    }
}

/// A worker that runs. Dropping it stops the worker without waiting for it.
///
/// [`Transak::keep_alive`] shows how it is used.
#[derive(Debug)]
pub struct KeepAliveHandle {
    task: Background,
    ledger: Arc<Ledger>,
}

impl KeepAliveHandle {
    /// How the worker is doing. No I/O.
    #[must_use]
    pub fn health(&self) -> KeepAliveHealth {
        self.ledger.health(self.task.is_running())
    }

    /// Claims nothing more and waits for the renewals under way. Dropping the future ends the wait, not the stop.
    pub async fn stop(self) {
        self.task.stop().await;
    }
}
