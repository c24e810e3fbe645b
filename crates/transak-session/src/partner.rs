//! The partner access token: one per environment and API key, minted as rarely as possible.
//!
//! A mint invalidates the token before it at once, for everybody who uses it, so the rules are strict: what another process
//! has stored is adopted first, mints keep a distance, and a 401 is no proof that a token is bad.

mod handle;
mod keys;
mod machine;
#[cfg(test)]
mod machine_tests;
mod world;

pub use handle::{PartnerHandle, PartnerStatus};
pub use keys::VerificationKeys;
pub use machine::PartnerLabel;

pub(crate) use machine::Event;
pub(crate) use world::PartnerWorld;
