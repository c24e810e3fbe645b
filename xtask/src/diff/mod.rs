//! `cargo xtask diff`: what changed between two specs, and whom it breaks.
//!
//! Redocly's diff does not notice when an operation begins to need a credential. Of the crates that compare OpenAPI
//! documents, `drift` (0.2.0) looks at neither security, servers nor extensions and leaves enums and most other
//! schema keywords as "unhandled", and `schemadoc-diff` and `anicca` are no longer kept up. None of them knows what a
//! change does to the generated Rust, which is half of the question here.
//!
//! Named schemas are compared by name, once each: they are types of the generated crates, and what refers to them does
//! not change with them. A program on the wire is broken by more when a schema is sent than when it is received, so
//! the direction each schema travels in is found first.

mod change;
mod docs;
mod input;
mod operations;
mod render;
mod schemas;
mod security;
mod servers;
mod travel;
mod types;

pub use change::{Change, Kind, Level};
pub use input::{InputError, Side};
pub use render::markdown;

use serde_json::Value;

use crate::api::Api;

/// All changes from `old` to `new`, in a fixed order; none if the two say the same.
#[must_use]
pub fn compare(old: &Value, new: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    let (before, after) = (Api::read(old), Api::read(new));
    servers::compare(old, new, &mut changes);
    operations::compare(&before, &after, &mut changes);
    schemas::compare_named(&before, &after, &mut changes);
    docs::compare(old, new, &mut changes);
    changes
}

/// What a release needs that has all these changes.
#[must_use]
pub fn verdict(changes: &[Change]) -> Level {
    changes.iter().map(Change::level).max().unwrap_or(Level::Patch)
}
