//! Doing what no caller of Transak could: in process through [`Control`], over HTTP through its own port.

mod api;
mod handle;
mod wire;

pub(crate) use api::ControlApi;
pub use handle::{Control, Counts};

/// The OpenAPI 3.0 document of the control API, which `GET /openapi.yaml` serves, too.
pub const CONTROL_OPENAPI: &str = include_str!("../../openapi/control.yaml");
