//! What the single flight synchronises with, in one place: `schedules` puts its own in the stead of this.

pub(crate) use std::sync::atomic::{AtomicBool, Ordering, fence};
pub(crate) use std::sync::{Mutex, MutexGuard};
pub(crate) use std::thread::panicking;

pub(crate) use arc_swap::{ArcSwap, Guard};
pub(crate) use tokio::runtime::Handle;
pub(crate) use tokio::sync::watch;
pub(crate) use tokio_util::task::TaskTracker;
pub(crate) use tokio_util::task::task_tracker::TaskTrackerToken;
