//! Webhook deliveries, as the HTTP layer posts and reports them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One webhook to POST with content type `application/json`.
#[derive(Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Id of the delivery, 24 hex digits; hand it back with the outcome.
    pub id: String,
    /// Where to post it.
    pub url: String,
    /// The exact JSON text of the body.
    pub body: String,
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery").field("id", &self.id).finish_non_exhaustive()
    }
}

/// How a delivery went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DeliveryOutcome {
    /// The partner's server answered, with whatever status.
    Answered {
        /// HTTP status.
        status: u16,
        /// Reason phrase, such as `OK`.
        message: String,
        /// The body: JSON as it came, or a text.
        body: Value,
    },
    /// There was no answer.
    Unreachable {
        /// What went wrong, in a few words.
        reason: String,
    },
}
