//! The sandbox over real TCP.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod common;
mod control;
mod control_document;
mod faults;
mod hostile;
mod lifecycle;
mod program;
mod refusals;
mod story;
mod webhooks;
mod whitelabel;
