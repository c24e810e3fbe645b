//! HTTP: listeners with limits, routing by the operation table, and one request's way to the world and back.

mod answer;
mod api;
mod body;
mod credentials;
mod form;
mod handler;
mod limits;
mod listen;
mod out;
mod route;

pub(crate) use answer::{Refusal, json_response, text_response};
pub(crate) use api::Api;
pub(crate) use body::{BodyProblem, BodyReader, Room};
pub(crate) use handler::{Dropped, Handler, Incoming, Outgoing};
pub use limits::Limits;
pub(crate) use listen::serve;
