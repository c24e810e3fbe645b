//! What must agree, and the helpers to compare it: spec, client, mocks and README.
#![doc = include_str!("../../README.md")]

pub mod exercise;
#[rustfmt::skip]
pub mod generated {
    //! Calls and conversions for every operation, written by the generator.
    pub mod exercise;
}
mod fleet;
pub mod json;
pub mod live;
pub mod spec;

pub use fleet::as_a_fleet;
