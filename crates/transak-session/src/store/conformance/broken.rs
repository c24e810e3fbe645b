//! What a rule finds.

use crate::store::StoreError;

/// Why a rule did not pass.
///
/// The [suite](crate::store::conformance) shows its use.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Broken {
    /// The store breaks the rule; how it was seen.
    Rule(String),
    /// The rule cannot be tried on this test bed; what it lacks.
    Untried(&'static str),
}

/// What a rule comes to.
pub type Outcome = Result<(), Broken>;

/// A store must not fail in any of the rules.
impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        let mut text = format!("a call failed: {error}");
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        Self::Rule(text)
    }
}

/// Ends the rule with these words if the condition does not hold.
macro_rules! ensure {
    ($condition:expr, $($words:tt)+) => {
        if !$condition {
            return Err($crate::store::conformance::Broken::Rule(format!($($words)+)));
        }
    };
}

pub(super) use ensure;
