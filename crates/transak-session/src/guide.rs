//! The guide: how tokens live, what fails and what to do, and what a crash can cost.
//!
//! * [`lifecycle`]: the two tokens, their states, and who moves them.
//! * [`failures`]: what you see, what it means, what to do.
//! * [`crashes`]: what a killed process leaves behind, step by step.
//! * [`operating`]: choosing a store, keeping sessions alive, watching.
//! * [`fleet`]: many replicas on one store: who does what, what is guaranteed, and a hundred million sessions on paper.

/// The two tokens, their states, and who moves them.
#[doc = include_str!("guide/lifecycle.md")]
pub mod lifecycle {}

/// What you see, what it means, what to do.
#[doc = include_str!("guide/failures.md")]
pub mod failures {}

/// What a killed process leaves behind, step by step.
#[doc = include_str!("guide/crashes.md")]
pub mod crashes {}

/// Many replicas on one store.
#[doc = include_str!("guide/fleet.md")]
pub mod fleet {}

/// Choosing a store, keeping sessions alive, watching.
#[doc = include_str!("guide/operating.md")]
pub mod operating {}
