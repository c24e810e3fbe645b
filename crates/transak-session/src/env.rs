//! What all engines share.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

// `schedules` compiles this file a second time, next to a `sync` of its own.
use super::sync::{AtomicBool, Ordering, TaskTracker, TaskTrackerToken, fence};
use crate::clock::{Clock, Timekeeper};
use crate::events::Events;
use crate::guard::LapseGuard;
use crate::issuer::{Issuer, IssuerError, IssuerErrorKind};
use crate::policy::Limits;
use crate::store::SessionStore;

/// What all engines of one `Transak` share. Engines refer to it, and handles to their engine only: a counter that all
/// handles share would make all cores meet there.
#[derive(Debug)]
pub(crate) struct Env {
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) issuer: Arc<dyn Issuer>,
    /// Holds the API key.
    pub(crate) client: transak_client::Client,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) time: Arc<Timekeeper>,
    pub(crate) events: Events,
    pub(crate) limits: Limits,
    pub(crate) guard: LapseGuard,
    pub(crate) tasks: TaskTracker,
    pub(crate) closed: AtomicBool,
    /// Tells those who work on their own account to come to an end.
    pub(crate) stop: CancellationToken,
}

impl Env {
    /// Something that a shutdown waits for, and whether a shutdown has begun before it.
    ///
    /// Taking the ticket first and looking second, with the fence against reordering, leaves no gap: either the shutdown
    /// is seen here, or the ticket is seen by the shutdown.
    pub(crate) fn enter(&self) -> (TaskTrackerToken, bool) {
        let ticket = self.tasks.token();
        fence(Ordering::SeqCst);
        (ticket, self.closed.load(Ordering::SeqCst))
    }

    /// Awaits a call of the issuer, but not for ever: a shutdown waits for it.
    pub(crate) async fn in_time<T>(
        &self,
        call: impl Future<Output = Result<T, IssuerError>>,
    ) -> Result<T, IssuerError> {
        tokio::select! {
            biased;
            result = call => result,
            () = self.clock.sleep(self.limits.deadline) => Err(IssuerError::new(IssuerErrorKind::Unknown)),
        }
    }

    /// Lets no new flight start and waits for those under way.
    pub(crate) async fn shutdown(&self) {
        self.closed.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}
