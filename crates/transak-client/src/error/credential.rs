//! Calls for which the client has no credentials.

use std::fmt;

/// The client has no credentials for an operation. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingCredentialError {
    operation: &'static str,
    alternatives: Vec<Vec<&'static str>>,
}

impl MissingCredentialError {
    pub(crate) fn new(operation: &'static str, alternatives: Vec<Vec<&'static str>>) -> Self {
        Self {
            operation,
            alternatives,
        }
    }

    /// The id of the operation in the API description.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// For each way to authorize the operation, the names of the credentials that are missing.
    #[must_use]
    pub fn alternatives(&self) -> &[Vec<&'static str>] {
        &self.alternatives
    }
}

impl fmt::Display for MissingCredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} needs credentials that are not set", self.operation)?;
        for (index, names) in self.alternatives.iter().enumerate() {
            let start = if index == 0 { ": set " } else { "; or set " };
            write!(f, "{start}{}", names.join(" and "))?;
        }
        Ok(())
    }
}

impl std::error::Error for MissingCredentialError {}
