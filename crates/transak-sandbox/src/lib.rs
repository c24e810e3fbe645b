//! A stateful local imitation of Transak's API: real refusals, a clock that can be moved, a mailbox that can be
//! read, faults on demand.
//!
//! * [`Sandbox::start`] gives two API hosts and a control API on loopback, in one line;
//!   [`Sandbox::builder`] has the choices.
//! * [`Control`] moves the clock, reads the mailbox, injects faults and seeds users and orders, in process; the same
//!   over HTTP is described by [`CONTROL_OPENAPI`].
//! * [`world`] is the domain: pure, deterministic from its seed, without clock and I/O. [`world::Settings`] has a
//!   switch for everything Transak does not document.
//! * What a request must look like, and what an answer may, is read from the spec; there is no second list.
//!
//! ```no_run
//! use std::time::Duration;
//! use transak_sandbox::Sandbox;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::start().await?;
//! let client = transak_client::Client::builder()
//!     .environment(sandbox.environment())
//!     .credentials(sandbox.credentials())
//!     .build()?;
//! println!("{} countries", client.get_countries().send().await?.response.len());
//! sandbox.control().advance(Duration::from_secs(30 * 86_400));
//! sandbox.shutdown().await;
//! # Ok(())
//! # }
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod clock;
mod control;
mod counters;
pub mod fault;
mod http;
mod sandbox;
mod state;
mod validate;
mod webhooks;
pub mod world;

pub use crate::clock::{ClockMode, ClockReading, OutOfRange, SandboxClock};
pub use crate::control::{CONTROL_OPENAPI, Control, Counts};
pub use crate::counters::HttpCounts;
pub use crate::http::Limits;
pub use crate::sandbox::{Sandbox, SandboxBuilder, StartError};
pub use crate::validate::SpecError;
