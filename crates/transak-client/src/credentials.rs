//! The credentials a client holds, and the choice among an operation's alternatives.

use std::collections::BTreeMap;
use std::fmt;

use http::HeaderValue;

use crate::Secret;
use crate::operation::{Alternative, Operation};
use crate::operations::Credential;

/// A set of credentials. Which header each of them goes into, and on which operation, is up to the
/// operation table; nothing else is ever sent.
#[derive(Clone, Default)]
pub struct Credentials {
    values: BTreeMap<Credential, Secret>,
}

impl Credentials {
    /// No credentials.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces one credential. One without any text, as an unset variable of the environment gives, counts as
    /// missing.
    #[must_use]
    pub fn with(mut self, credential: Credential, value: impl Into<Secret>) -> Self {
        self.values.insert(credential, value.into());
        self
    }

    /// Takes one credential away.
    #[must_use]
    pub fn without(mut self, credential: Credential) -> Self {
        self.values.remove(&credential);
        self
    }

    /// The value of one credential.
    #[must_use]
    pub fn get(&self, credential: Credential) -> Option<&Secret> {
        self.values.get(&credential)
    }

    /// Sent empty, a credential would bring an answer that blames everything but the empty value, and it could win over an
    /// alternative that works.
    fn holds(&self, credential: Credential) -> bool {
        self.get(credential)
            .is_some_and(|value| !value.expose().trim().is_empty())
    }

    /// The first alternative of the operation that these credentials satisfy. `None` when there is none;
    /// an operation without alternatives needs no credentials and yields an empty set.
    pub(crate) fn choose(&self, operation: &'static Operation) -> Option<Alternative> {
        if operation.alternatives().is_empty() {
            return Some(Alternative::new(&[]));
        }
        let satisfied = |a: &&Alternative| a.headers().iter().all(|h| self.holds(h.credential()));
        operation.alternatives().iter().find(satisfied).copied()
    }

    /// For each alternative of the operation, the ids of the credentials that are missing.
    pub(crate) fn missing(&self, operation: &'static Operation) -> Vec<Vec<&'static str>> {
        let missing = |a: &Alternative| {
            let absent = a.headers().iter().map(|h| h.credential()).filter(|c| !self.holds(*c));
            absent.map(Credential::id).collect()
        };
        operation.alternatives().iter().map(missing).collect()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

/// A header value that HTTP stacks do not log or index.
pub(crate) fn sensitive(value: &Secret) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value.expose()).ok()?;
    value.set_sensitive(true);
    Some(value)
}
