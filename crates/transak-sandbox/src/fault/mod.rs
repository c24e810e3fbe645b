//! Faults that are injected into the next calls.

mod list;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use list::FaultList;
pub use list::{FaultError, WaitingFault};

/// A fault for the next calls of an operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// Id of the operation, such as `getUserLimits`; `None` is any operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// How many calls it hits.
    #[serde(default = "once")]
    pub times: u32,
    /// What happens to them.
    pub effect: Effect,
}

const fn once() -> u32 {
    1
}

impl Fault {
    /// A fault that hits the next call of any operation.
    #[must_use]
    pub const fn new(effect: Effect) -> Self {
        Self {
            operation: None,
            times: 1,
            effect,
        }
    }

    /// The same for one operation only.
    #[must_use]
    pub fn on(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }

    /// The same for so many calls.
    #[must_use]
    pub const fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }
}

/// What happens to a call. "The effect" is what the call does to the sandbox's state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Effect {
    /// Another answer.
    Answer {
        /// HTTP status, 200 to 599.
        status: u16,
        /// JSON body; none when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<Value>,
        /// Extra headers, such as `retry-after`.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, String>,
        /// Before or after the effect took place.
        #[serde(default)]
        when: When,
    },
    /// A page, as gateways and CDNs send them.
    Html {
        /// HTTP status, 200 to 599.
        status: u16,
        /// The page.
        #[serde(default = "page")]
        page: String,
        /// Before or after the effect took place.
        #[serde(default)]
        when: When,
    },
    /// The call waits first and is then carried out as usual.
    Delay {
        /// For how long.
        millis: u64,
    },
    /// The connection is closed without an answer, and without the effect.
    DropBefore,
    /// The connection is closed without an answer, after the effect took place.
    DropAfter,
    /// The usual answer, but its body trickles.
    SlowBody {
        /// Number of pieces.
        #[serde(default = "pieces")]
        pieces: u16,
        /// Pause before each piece.
        pause_millis: u64,
    },
}

/// When an answer is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum When {
    /// Nothing happens to the state.
    #[default]
    Before,
    /// The call is carried out; only its answer is lost.
    After,
}

fn page() -> String {
    "<html><body><h1>Bad Gateway</h1></body></html>".to_owned()
}

const fn pieces() -> u16 {
    4
}

impl Effect {
    /// A JSON answer in the effect's place.
    #[must_use]
    pub const fn answer(status: u16, body: Value) -> Self {
        Self::Answer {
            status,
            body: Some(body),
            headers: BTreeMap::new(),
            when: When::Before,
        }
    }

    /// A page in the effect's place.
    #[must_use]
    pub fn html(status: u16) -> Self {
        Self::Html {
            status,
            page: page(),
            when: When::Before,
        }
    }

    /// The same answer once the effect took place; the other effects stay as they are.
    #[must_use]
    pub fn after(mut self) -> Self {
        if let Self::Answer { when, .. } | Self::Html { when, .. } = &mut self {
            *when = When::After;
        }
        self
    }

    /// Whether it replaces the answer before or after the effect; `Neither` for the effects that do something else.
    pub(crate) const fn phase(&self) -> Phase {
        match self {
            Self::Answer { when: When::Before, .. } | Self::Html { when: When::Before, .. } => Phase::Before,
            Self::Answer { when: When::After, .. } | Self::Html { when: When::After, .. } => Phase::After,
            _ => Phase::Neither,
        }
    }
}

/// See [`Effect::phase`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Before,
    After,
    Neither,
}
