//! Typed client for Transak's partner, public and Whitelabel APIs, generated from an OpenAPI document.
//!
//! * [`Client`] has one method per operation; each returns a builder (see [`builder`]) that ends in `send`.
//! * [`types`] and [`enums`] are what goes over the wire; [`operations`] is the operation table.
//! * [`webhooks`] is what Transak sends on its own account, told apart by envelope.
//! * [`Amount`], [`Secret`], [`Personal`], [`Timestamp`] and [`OpaqueJson`] stand for money, secrets, personal
//!   data, moments and JSON that is kept as it came.
//! * [`Environment`] and [`Credentials`] say where a call goes and what it may present;
//!   [`Error`] says what went wrong without showing either.
//!
//! The client decides nothing about tokens: when to renew one, and what to do when that fails, is the job of
//! `transak-session`.
//!
//! ```no_run
//! use transak_client::{Client, Environment, operations::Credential};
//!
//! # async fn run() -> Result<(), transak_client::Error> {
//! let client = Client::builder()
//!     .environment(Environment::Staging)
//!     .credential(Credential::ApiKey, "your-api-key")
//!     .build()?;
//! let countries = client.get_countries().send().await?;
//! println!("{} countries", countries.response.len());
//! # Ok(())
//! # }
//! ```

// Generated code names this crate by an absolute path, here as in the mock crate.
extern crate self as transak_client;

mod amount;
mod call;
mod client;
pub mod credentials;
mod date;
pub mod environment;
pub mod error;
#[rustfmt::skip]
mod generated;
mod limit;
mod opaque;
#[doc(hidden)]
pub mod open_enum;
pub mod operation;
mod route;
mod secret;
mod timestamp;
mod trace;
#[cfg(not(target_arch = "wasm32"))]
pub mod upload;
pub mod webhooks;

pub use amount::{Amount, AmountError, QueryAmount};
pub use client::ClientBuilder;
pub use credentials::Credentials;
pub use date::{Date, DateError};
pub use environment::Environment;
pub use error::Error;
pub use generated::{Client, ResponseValue, builder, enums, operations, types};
pub use opaque::OpaqueJson;
pub use open_enum::{Unrecognized, UnrecognizedNumber, UnrecognizedText};
pub use operation::{Operation, Safety};
/// The HTTP client, whose own settings [`ClientBuilder::configure_http`] changes.
pub use reqwest;
pub use secret::{Personal, Secret};
pub use timestamp::{Timestamp, TimestampError};
