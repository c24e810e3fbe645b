//! The rules that every session store has to keep, as a suite that any engine can run.
//!
//! Write a [`Harness`] for the engine and call [`run`] in a test, on a tokio runtime (best one with several threads):
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use transak_session::clock::{Clock, ManualClock, Timestamp};
//! use transak_session::store::{MemoryStore, SessionStore, conformance};
//!
//! struct Memory;
//!
//! struct MemoryBed {
//!     clock: ManualClock,
//!     store: Arc<MemoryStore>,
//! }
//!
//! #[async_trait::async_trait]
//! impl conformance::Harness for Memory {
//!     async fn fresh(&self) -> Box<dyn conformance::TestBed> {
//!         let clock = ManualClock::new(Timestamp::from_unix_seconds(1_800_000_000));
//!         let store = Arc::new(MemoryStore::with_clock(10_000, Arc::new(clock.clone())));
//!         Box::new(MemoryBed { clock, store })
//!     }
//! }
//!
//! #[async_trait::async_trait]
//! impl conformance::TestBed for MemoryBed {
//!     fn store(&self) -> Arc<dyn SessionStore> {
//!         self.store.clone()
//!     }
//!
//!     fn now(&self) -> Timestamp {
//!         self.clock.now()
//!     }
//!
//!     async fn advance(&mut self, span: Duration) {
//!         self.clock.advance(span);
//!     }
//! }
//!
//! # async fn test() {
//! let report = conformance::run(&Memory).await;
//! println!("{report}");
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(test());
//! ```
//!
//! Each rule is a function of its own; its documentation states the rule.

mod broken;
pub mod content;
mod data;
pub mod drops;
pub mod due;
pub mod forecast;
pub mod hints;
pub mod leases;
pub mod model;
pub mod pace;
pub mod races;
mod stage;
mod suite;
pub mod versions;

pub use broken::{Broken, Outcome};
pub use stage::{Harness, Stage, TestBed};
pub use suite::{Report, Rule, Suite, rules, run};
