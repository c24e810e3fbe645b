//! A user's session: logged in by a person, renewed before its expiry, over when neither is possible any more.

mod machine;
#[cfg(test)]
mod machine_tests;
mod session;
mod world;

pub use machine::SessionLabel;
pub use session::{GetOptions, SessionStatus, UserSession};

pub(crate) use machine::{Event, Tenure, UserState};
pub(crate) use world::UserWorld;
