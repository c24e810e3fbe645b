//! Typed [`httpmock`] helpers for Transak's API, generated from the document the client is generated from.
//!
//! * [`MockServerExt`] has a method per operation with typed parameters and answers:
//!   `server.send_user_otp(|when, then| { … })`.
//! * [`examples`] holds every example of the document; [`Stub`] answers with one of them in one line.
//!
//! An unmatched call answers 404, which looks like an API answer: always assert the mock.

pub mod example;
#[rustfmt::skip]
mod generated;
mod stub;

pub use generated::{MockServerExt, examples, operations};
pub use httpmock;
pub use stub::{Stub, environment};
