//! What the tests of fleets share: an engine that can be disturbed, and a wire that can be cut.
#![allow(clippy::panic, clippy::unwrap_used)]

mod engine;
mod fleet;
mod wire;

pub use engine::{Engine, EngineKind, open};
pub use fleet::{Fleet, REPLICAS, identity, log_in};
pub use wire::{Trouble, Wire};

/// Makes tests of functions that are given an engine's kind: each on Redis and on Postgres.
#[macro_export]
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test($crate::EngineKind::Redis).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test($crate::EngineKind::Postgres).await;
            })+
        }
    };
}
