//! Build automation: turns `spec/transak.yaml` into the generated crates, and runs the workspace's checks.

pub mod api;
pub mod codegen;
pub mod diff;
pub mod docs;
pub mod drift;
#[cfg(unix)]
pub mod engines;
pub mod fuzz;
pub mod judges;
pub mod provenance;
pub mod python;
pub mod steps;
