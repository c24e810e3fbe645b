//! The typed httpmock helpers: progenitor's output over the mock view.

use progenitor::Generator;

use super::model::Model;
use super::{client, transform};
use crate::codegen::format::{Header, Role};
use crate::codegen::load::Document;
use crate::codegen::{Failure, Output, format, views};

/// Where the mocks' files go.
pub const FOLDER: &str = "crates/transak-mock/src/generated";

/// Runs progenitor's httpmock generator over the mock view.
///
/// # Errors
/// [`Failure::Generator`] with progenitor's own message.
pub fn emit(doc: &Document, model: &Model, header: &Header) -> Result<Vec<Output>, Failure> {
    let api = views::mock(&doc.json)?;
    let settings = client::settings(model);
    let tokens = client::guarded("mock", || Generator::new(&settings).httpmock(&api, "::transak_client"))?;
    let file = transform::parse(tokens)?;
    format::split(file, FOLDER, header, Role::Mock)
}
