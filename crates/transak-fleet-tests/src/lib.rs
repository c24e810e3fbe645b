//! What the tests of fleets share: an engine that can be disturbed, and a wire that can be cut.
#![allow(clippy::panic, clippy::unwrap_used)]

mod engine;
mod wire;

pub use engine::{Engine, EngineKind, open};
pub use wire::{Trouble, Wire};
