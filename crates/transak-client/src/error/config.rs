//! Settings that do not make a client.

use std::error::Error as StdError;
use std::fmt;

/// The client cannot be built from its settings.
#[derive(Debug)]
pub struct ConfigError {
    setting: &'static str,
    problem: &'static str,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

impl ConfigError {
    /// Both texts are constants, so that no setting can be repeated.
    pub(crate) fn new(setting: &'static str, problem: &'static str) -> Self {
        Self {
            setting,
            problem,
            cause: None,
        }
    }

    /// The cause is printed by whoever prints chains of errors: it must not show the setting.
    #[must_use]
    pub(crate) fn caused_by(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The name of the setting.
    #[must_use]
    pub fn setting(&self) -> &'static str {
        self.setting
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the setting {} {}", self.setting, self.problem)
    }
}

impl StdError for ConfigError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}
