//! The names under which tokens are stored: keyed hashes, which tell nothing to those without the API key.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::Email;

/// One customer of Transak's in one environment: the space in which users and tokens have their keys.
///
/// It is the secret key of the hashes below, so a key found in a log or a store does not tell the e-mail address to
/// someone without the API key.
#[derive(Clone)]
pub(crate) struct Tenant {
    /// The hash, ready to take values: a lookup of a user is a hot path.
    mac: Arc<Hmac<Sha256>>,
    id: TenantId,
}

impl Tenant {
    pub(crate) fn new(environment: &str, api_key: &str) -> Self {
        let key = Zeroizing::new(digest(mac(api_key.as_bytes()), "tenant", environment.as_bytes()));
        let mac = mac(&key[..]);
        let mut id = [0; 8];
        id.copy_from_slice(&digest(mac.clone(), "id", b"")[..8]);
        Self {
            mac: Arc::new(mac),
            id: TenantId(id),
        }
    }

    /// The tenant's public name, which all its record keys begin with.
    pub(crate) fn id(&self) -> TenantId {
        self.id
    }

    pub(crate) fn partner_key(&self) -> RecordKey {
        self.key("partner", b"")
    }

    fn key(&self, label: &str, value: &[u8]) -> RecordKey {
        RecordKey::new(self.id, digest(Hmac::clone(&self.mac), label, value))
    }

    pub(crate) fn user_key(&self, email: &Email) -> UserKey {
        // Nobody says whether Transak folds case; two spellings of one mailbox must not become two sessions here.
        let folded = Zeroizing::new(email.expose().to_lowercase());
        UserKey(self.key("user", folded.as_bytes()))
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tenant(<redacted>)")
    }
}

fn mac(key: &[u8]) -> Hmac<Sha256> {
    // HMAC is defined for keys of every length; the empty fallback is never met.
    Hmac::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&Default::default()))
}

/// HMAC-SHA256 over a label and a value.
fn digest(mac: Hmac<Sha256>, label: &str, value: &[u8]) -> [u8; 32] {
    mac.chain_update(label.as_bytes())
        .chain_update([0])
        .chain_update(value)
        .finalize()
        .into_bytes()
        .into()
}

/// The name of a user in stores and logs: a keyed hash (HMAC-SHA256) of environment, API key and lower-case e-mail address.
///
/// What [`UserSession::key`](crate::UserSession::key) and [`SessionEvent::subject`](crate::SessionEvent::subject) name a user by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserKey(RecordKey);

impl UserKey {
    /// The name under which the user's session is stored.
    #[must_use]
    pub fn record(&self) -> RecordKey {
        self.0
    }

    /// A uniform number that tells users apart roughly.
    pub(crate) fn shard(&self) -> usize {
        usize::from(self.0.0[8])
    }

    /// The user whose record has this key, as a store or an event names it.
    #[must_use]
    pub fn of_record(key: RecordKey) -> Self {
        Self(key)
    }
}

/// Short, for logs.
impl fmt::Display for UserKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.name().iter().take(6).try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for UserKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserKey({self})")
    }
}

/// The public name of one environment and API key: a keyed hash, 8 bytes, `Display` as 16 hexadecimal digits.
///
/// See [`Transak::tenant`](crate::Transak::tenant).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId([u8; 8]);

impl TenantId {
    /// A name from its bytes, as a store keeps them.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantId({self})")
    }
}

/// The name of a record in a store: 40 bytes, of which the first 8 name the tenant; `Display` as 80 hexadecimal digits.
///
/// [`MemoryStore`](crate::store::MemoryStore) shows how a record is read and written under its key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordKey([u8; 40]);

impl RecordKey {
    fn new(tenant: TenantId, name: [u8; 32]) -> Self {
        let mut bytes = [0; 40];
        bytes[..8].copy_from_slice(&tenant.0);
        bytes[8..].copy_from_slice(&name);
        Self(bytes)
    }

    /// A key from its bytes, as a store keeps them.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 40]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 40] {
        &self.0
    }

    /// Whose record it is.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        let mut id = [0; 8];
        id.copy_from_slice(&self.0[..8]);
        TenantId(id)
    }

    fn name(&self) -> &[u8] {
        &self.0[8..]
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordKey({self})")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn keys_separate_tenants_and_fold_case() {
        let email = |s| Email::parse(s).unwrap();
        let tenant = Tenant::new("staging", "key");
        let key = tenant.user_key(&email("a@b.c"));
        assert_eq!(key, tenant.user_key(&email("A@B.c")));
        assert_ne!(key, tenant.user_key(&email("a@b.d")));
        assert_ne!(key, Tenant::new("production", "key").user_key(&email("a@b.c")));
        assert_ne!(key, Tenant::new("staging", "key2").user_key(&email("a@b.c")));
        assert_ne!(key.record(), tenant.partner_key());
        assert_eq!(key.record().to_string().len(), 80);
        assert_eq!(key.record().tenant(), tenant.partner_key().tenant());
        assert_ne!(tenant.id(), Tenant::new("production", "key").id());
    }
}
