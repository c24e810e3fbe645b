//! Tasks that run until they are told to stop.

use std::future::Future;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::env::Env;
use crate::error::TokenError;

/// A task that was started. It is told to stop when this is dropped, or when the `Transak` is shut down.
#[derive(Debug)]
pub(crate) struct Background {
    stop: DropGuard,
    task: JoinHandle<()>,
}

impl Background {
    /// Starts a task on the current runtime, which shutdown waits for.
    pub(crate) fn start<F>(env: &Env, work: impl FnOnce(CancellationToken) -> F) -> Result<Self, TokenError>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let runtime = Handle::try_current().map_err(|_| TokenError::NoRuntime)?;
        let (_ticket, closed) = env.enter();
        if closed {
            return Err(TokenError::ShutDown);
        }
        let stop = env.stop.child_token();
        let task = env.tasks.spawn_on(work(stop.clone()), &runtime);
        Ok(Self {
            stop: stop.drop_guard(),
            task,
        })
    }

    pub(crate) fn is_running(&self) -> bool {
        !self.task.is_finished()
    }

    /// Tells it to stop and waits for its end. Dropping the future ends the wait only.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        // Whether it came to its end or panicked, it has ended.
        let _ = self.task.await;
    }
}
