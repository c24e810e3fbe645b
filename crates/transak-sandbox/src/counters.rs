//! What the HTTP layer has seen.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use ::http::StatusCode;
use serde::Serialize;

/// Counts of the HTTP layer since the start or the last reset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpCounts {
    /// Requests to the two API hosts that were answered.
    pub answered: u64,
    /// Of those, the ones refused before the world was asked, by status.
    pub refused: BTreeMap<u16, u64>,
    /// Answers of the world that the spec does not allow. Anything but zero is a defect of the sandbox.
    pub violations: u64,
    /// Refusals of the world with a status the spec does not list for the operation, as `operation status`.
    pub unlisted: BTreeMap<String, u64>,
}

#[derive(Debug, Default)]
pub(crate) struct HttpCounters {
    answered: AtomicU64,
    rest: Mutex<HttpCounts>,
}

impl HttpCounters {
    /// Counts an answer and gives its number.
    pub(crate) fn answered(&self) -> u64 {
        self.answered.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn refused(&self, status: StatusCode) {
        self.with(|counts| *counts.refused.entry(status.as_u16()).or_default() += 1);
    }

    pub(crate) fn violated(&self) {
        self.with(|counts| counts.violations += 1);
    }

    pub(crate) fn unlisted(&self, operation: &str, status: u16) {
        self.with(|counts| *counts.unlisted.entry(format!("{operation} {status}")).or_default() += 1);
    }

    pub(crate) fn counts(&self) -> HttpCounts {
        let answered = self.answered.load(Ordering::Relaxed);
        self.with(|counts| HttpCounts {
            answered,
            ..counts.clone()
        })
    }

    pub(crate) fn reset(&self) {
        self.answered.store(0, Ordering::Relaxed);
        self.with(|counts| *counts = HttpCounts::default());
    }

    fn with<T>(&self, act: impl FnOnce(&mut HttpCounts) -> T) -> T {
        act(&mut self.rest.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
