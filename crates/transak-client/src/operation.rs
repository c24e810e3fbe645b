//! What the operation table says of one operation.

use crate::operations::{Credential, Host};

/// Whether a call may be repeated when its outcome is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Safety {
    /// Changes nothing; may be repeated.
    Safe,
    /// Repeating it leaves the same state.
    Idempotent,
    /// Must never be repeated automatically: it sends mail, spends a one-time value, moves money or
    /// replaces a token.
    Once,
}

impl Safety {
    /// Whether an automatic retry is allowed.
    #[must_use]
    pub const fn may_retry(self) -> bool {
        matches!(self, Self::Safe | Self::Idempotent)
    }
}

/// One credential header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    name: &'static str,
    credential: Credential,
}

impl Header {
    pub(crate) const fn new(name: &'static str, credential: Credential) -> Self {
        Self { name, credential }
    }

    /// Header name, in lower case.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What it carries.
    #[must_use]
    pub const fn credential(&self) -> Credential {
        self.credential
    }
}

/// One set of credential headers that an operation accepts; all of them are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alternative {
    headers: &'static [Header],
}

impl Alternative {
    pub(crate) const fn new(headers: &'static [Header]) -> Self {
        Self { headers }
    }

    /// The headers of this set.
    #[must_use]
    pub const fn headers(&self) -> &'static [Header] {
        self.headers
    }
}

/// One row of the operation table. The table is generated; see [`crate::operations`].
#[derive(Debug, PartialEq, Eq)]
pub struct Operation {
    id: &'static str,
    method: &'static str,
    path: &'static str,
    host: Host,
    safety: Safety,
    alternatives: &'static [Alternative],
}

impl Operation {
    pub(crate) const fn new(
        id: &'static str,
        method: &'static str,
        path: &'static str,
        host: Host,
        safety: Safety,
        alternatives: &'static [Alternative],
    ) -> Self {
        Self {
            id,
            method,
            path,
            host,
            safety,
            alternatives,
        }
    }

    /// The operation's id in the spec, such as `getOrders`.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// HTTP method, in upper case.
    #[must_use]
    pub const fn method(&self) -> &'static str {
        self.method
    }

    /// Path template, such as `/partners/api/v2/order/{orderId}`.
    #[must_use]
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// The host that serves it.
    #[must_use]
    pub const fn host(&self) -> Host {
        self.host
    }

    /// Whether it may be repeated.
    #[must_use]
    pub const fn safety(&self) -> Safety {
        self.safety
    }

    /// The sets of credentials it accepts, preferred one first; empty when it needs none.
    #[must_use]
    pub const fn alternatives(&self) -> &'static [Alternative] {
        self.alternatives
    }

    /// The row with this id.
    #[must_use]
    pub fn find(id: &str) -> Option<&'static Self> {
        crate::operations::ALL.iter().copied().find(|o| o.id == id)
    }
}
