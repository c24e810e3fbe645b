//! What the spec asks of requests and answers. There is no second list: everything here is read out of the
//! spec's own JSON, and operations come from the generated operation table.

mod document;
mod field;
mod parameter;
mod reply;
mod rules;
mod schema;

pub(crate) use parameter::query_pairs;
pub(crate) use reply::Said;
pub(crate) use rules::{OperationRules, Parts, Rules};

/// Why the spec inside this crate cannot be used; a defect of the build, found by its tests.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the spec cannot be used at {at}: {problem}")]
pub struct SpecError {
    at: String,
    problem: String,
}

impl SpecError {
    fn new(at: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            at: at.into(),
            problem: problem.into(),
        }
    }
}
