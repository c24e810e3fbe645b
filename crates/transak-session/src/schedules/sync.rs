//! The counterpart of `crate::sync` under shuttle, with the same names.

use std::cell::RefCell;
use std::collections::HashSet;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use shuttle::current::{TaskId, me};
use shuttle::future::{AbortHandle, spawn};
pub(crate) use shuttle::sync::atomic::{AtomicBool, Ordering, fence};
pub(crate) use shuttle::sync::{Mutex, MutexGuard};
pub(crate) use tokio_util::task::task_tracker::TaskTrackerToken;

/// Lets the scheduler choose anew.
pub(super) fn point() {
    AtomicBool::new(false).load(Ordering::SeqCst);
}

thread_local! {
    /// Shuttle runs all tasks of an execution on one thread.
    static FAILING: RefCell<HashSet<TaskId>> = RefCell::default();
    static UNWINDING: RefCell<HashSet<TaskId>> = RefCell::default();
}

/// Whether this task is being dropped because of [`throw`].
pub(crate) fn panicking() -> bool {
    UNWINDING.with_borrow(|tasks| tasks.contains(&me()))
}

/// Stands for a panic. A real one could not be unwound with scheduling points in its destructors.
pub(super) async fn throw() -> Infallible {
    FAILING.with_borrow_mut(|tasks| tasks.insert(me()));
    std::future::pending().await
}

/// The future of a task, which a panic drops in the middle of its work.
struct Task<F>(Option<Pin<Box<F>>>);

impl<F: Future<Output = ()>> Future for Task<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(future) = self.0.as_mut() else {
            return Poll::Ready(());
        };
        let poll = future.as_mut().poll(cx);
        if FAILING.with_borrow_mut(|tasks| tasks.remove(&me())) {
            UNWINDING.with_borrow_mut(|tasks| tasks.insert(me()));
            self.0 = None;
            UNWINDING.with_borrow_mut(|tasks| tasks.remove(&me()));
            return Poll::Ready(());
        }
        poll
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Handle;

impl Handle {
    #[expect(clippy::unnecessary_wraps, reason = "the name stands for tokio's")]
    pub(crate) fn try_current() -> Result<Self, Infallible> {
        Ok(Self)
    }
}

#[derive(Debug, Default)]
pub(crate) struct TaskTracker {
    inner: tokio_util::task::TaskTracker,
    spawned: std::sync::Mutex<Vec<Abort>>,
}

struct Abort(AbortHandle);

impl std::fmt::Debug for Abort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Abort")
    }
}

impl TaskTracker {
    pub(crate) fn token(&self) -> TaskTrackerToken {
        point();
        self.inner.token()
    }

    pub(crate) fn spawn_on(&self, future: impl Future<Output = ()> + Send + 'static, _: &Handle) {
        point();
        let task = self.inner.track_future(Task(Some(Box::pin(future))));
        let handle = spawn(task).abort_handle();
        self.spawned.lock().unwrap().push(Abort(handle));
    }

    pub(crate) fn close(&self) {
        point();
        self.inner.close();
    }

    pub(crate) async fn wait(&self) {
        point();
        self.inner.wait().await;
    }

    /// What a runtime that shuts down does: drops each task at the await point it is at.
    pub(super) fn abort_all(&self) {
        let spawned = std::mem::take(&mut *self.spawned.lock().unwrap());
        for Abort(task) in spawned {
            task.abort();
        }
    }
}

#[derive(Debug)]
pub(crate) struct ArcSwap<T>(arc_swap::ArcSwap<T>);

pub(crate) type Guard<T> = arc_swap::Guard<T>;

impl<T> ArcSwap<T> {
    pub(crate) fn from_pointee(value: T) -> Self {
        Self(arc_swap::ArcSwap::from_pointee(value))
    }

    pub(crate) fn load(&self) -> Guard<Arc<T>> {
        point();
        self.0.load()
    }

    pub(crate) fn store(&self, value: Arc<T>) {
        point();
        self.0.store(value);
    }
}

pub(crate) mod watch {
    //! Tokio's channel with a scheduling point before each operation.

    use tokio::sync::watch;
    pub(crate) use tokio::sync::watch::error::RecvError;

    use super::point;

    thread_local! {
        static MOST: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }

    /// The most receivers that one channel had since this was last asked.
    pub(in super::super) fn most_receivers() -> usize {
        MOST.replace(0)
    }

    #[derive(Debug)]
    pub(crate) struct Sender<T>(watch::Sender<T>);

    impl<T> Sender<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(watch::Sender::new(value))
        }

        pub(crate) fn receiver_count(&self) -> usize {
            point();
            self.0.receiver_count()
        }

        pub(crate) fn subscribe(&self) -> Receiver<T> {
            point();
            let receiver = self.0.subscribe();
            MOST.set(MOST.get().max(self.0.receiver_count()));
            Receiver(receiver)
        }

        pub(crate) fn send_modify(&self, modify: impl FnOnce(&mut T)) {
            point();
            self.0.send_modify(modify);
        }

        pub(crate) fn send_replace(&self, value: T) -> T {
            point();
            self.0.send_replace(value)
        }
    }

    impl<T> Drop for Receiver<T> {
        fn drop(&mut self) {
            point();
        }
    }

    #[derive(Debug)]
    pub(crate) struct Receiver<T>(watch::Receiver<T>);

    impl<T> Receiver<T> {
        pub(crate) fn borrow_and_update(&mut self) -> watch::Ref<'_, T> {
            point();
            self.0.borrow_and_update()
        }

        pub(crate) async fn changed(&mut self) -> Result<(), RecvError> {
            point();
            self.0.changed().await
        }
    }
}
