//! The credentials a client holds, and the choice among an operation's alternatives.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;

use crate::Secret;
use crate::operation::{Alternative, Operation};
use crate::operations::Credential;

/// A set of credentials. Which header each of them goes into, and on which operation, is up to the
/// operation table; nothing else is ever sent.
#[derive(Clone, Default)]
pub struct Credentials {
    values: BTreeMap<Credential, Arc<Held>>,
}

/// A credential, and the header value made of it once: a call copies neither.
struct Held {
    value: Arc<Secret>,
    /// Shares the text of `value`. `None` if no header can carry the value.
    header: Option<HeaderValue>,
    /// Sent empty, a credential would bring an answer that blames everything but the empty value, and it could win over an
    /// alternative that works.
    blank: bool,
}

impl Held {
    fn new(value: Secret) -> Self {
        let value = Arc::new(value);
        Self {
            header: sensitive(Arc::clone(&value)),
            blank: value.expose().trim().is_empty(),
            value,
        }
    }
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
        self.values.insert(credential, Arc::new(Held::new(value.into())));
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
        self.values.get(&credential).map(|held| &*held.value)
    }

    /// The header value of one credential; `None` if there is none, or if no header can carry it.
    pub(crate) fn header(&self, credential: Credential) -> Option<&HeaderValue> {
        self.values.get(&credential)?.header.as_ref()
    }

    fn holds(&self, credential: Credential) -> bool {
        self.values.get(&credential).is_some_and(|held| !held.blank)
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

/// A header value that HTTP stacks do not log or index. It and its copies hold no text of their own, so that there is none to
/// be left behind unwiped.
fn sensitive(value: Arc<Secret>) -> Option<HeaderValue> {
    struct Text(Arc<Secret>);

    impl AsRef<[u8]> for Text {
        fn as_ref(&self) -> &[u8] {
            self.0.expose().as_bytes()
        }
    }

    let text = Bytes::from_owner(Text(value));
    let mut value = HeaderValue::from_maybe_shared(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
