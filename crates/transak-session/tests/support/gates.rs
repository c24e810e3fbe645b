//! Places at which calls are counted and can be stopped.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

/// Places where calls can be counted and held.
#[derive(Debug)]
pub struct Gates {
    state: watch::Sender<GateState>,
    lingering: AtomicUsize,
}

#[derive(Debug, Default)]
struct GateState {
    closed: HashSet<&'static str>,
    reached: HashMap<&'static str, usize>,
}

impl Gates {
    pub(super) fn new() -> Self {
        Self {
            state: watch::Sender::new(GateState::default()),
            lingering: AtomicUsize::new(0),
        }
    }

    /// Makes each call take so many turns of the scheduler on its way there, and as many on its way back.
    pub fn linger(&self, turns: usize) {
        self.lingering.store(turns, Ordering::Relaxed);
    }

    pub(super) async fn under_way(&self) {
        for _ in 0..self.lingering.load(Ordering::Relaxed) {
            tokio::task::yield_now().await;
        }
    }

    pub fn close(&self, place: &'static str) {
        self.state.send_modify(|s| {
            s.closed.insert(place);
        });
    }

    pub fn open(&self, place: &'static str) {
        self.state.send_modify(|s| {
            s.closed.remove(place);
        });
    }

    pub fn count(&self, place: &'static str) -> usize {
        self.state.borrow().reached.get(place).copied().unwrap_or(0)
    }

    pub async fn reached(&self, place: &'static str, times: usize) {
        let mut state = self.state.subscribe();
        let there = |s: &GateState| s.reached.get(place).copied().unwrap_or(0) >= times;
        state.wait_for(there).await.unwrap();
    }

    /// Waits while the place is closed; nobody counts who comes by.
    pub(super) async fn hold(&self, place: &'static str) {
        let mut state = self.state.subscribe();
        state.wait_for(|s| !s.closed.contains(place)).await.unwrap();
    }

    pub(super) async fn pass(&self, place: &'static str) {
        self.state.send_modify(|s| *s.reached.entry(place).or_default() += 1);
        self.hold(place).await;
        self.under_way().await;
    }
}
