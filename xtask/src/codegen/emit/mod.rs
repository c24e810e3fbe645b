//! Emit: one module per generated artefact, all fed from the same [`model::Model`].

pub mod client;
pub mod enums;
pub mod examples;
pub mod exercise;
pub mod mock;
pub mod model;
pub mod names;
pub mod openapi;
pub mod operations;
pub mod overview;
mod reader;
mod send;
pub mod surface;
mod transform;

use super::format::Header;
use super::load::Document;
use super::{Failure, Output};

/// Every generated file of the workspace.
///
/// # Errors
/// [`Failure::Generator`] when progenitor refuses a view, with what it said.
pub fn all(doc: &Document, model: &model::Model, header: &Header) -> Result<Vec<Output>, Failure> {
    let client = client::emit(doc, model, header)?;
    let surface = surface::emit(model, &client.structs);
    let mut outputs = client.outputs;
    outputs.push(enums::emit(model, header));
    outputs.push(operations::emit(model, header)?);
    outputs.push(overview::emit(model, header));
    outputs.extend(mock::emit(doc, model, header)?);
    outputs.push(examples::emit(model, header));
    outputs.push(exercise::emit(model, header)?);
    outputs.push(openapi::emit(doc)?);
    outputs.push(surface);
    Ok(outputs)
}
