//! Who a session belongs to: checked, redacted and, in keys, hashed.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Why a value cannot name a user. The value itself is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// Not an e-mail address.
    #[error("not an e-mail address")]
    Email,
    /// Not an IPv4 or IPv6 address.
    #[error("not an IP address")]
    UserIp,
    /// Empty, longer than 64 characters, or with characters that no one-time password has.
    #[error("not a one-time password")]
    Otp,
}

/// An e-mail address. `Debug` does not show it; it is wiped from memory with its last clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(Arc<Zeroizing<String>>);

impl Email {
    /// Checks an address roughly: whether mail arrives there is for the one-time password to find out.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Email`].
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        let text = text.trim();
        let two_parts = text
            .rsplit_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
        let odd = |c: char| c.is_whitespace() || c.is_control();
        if !two_parts || text.len() > 254 || text.contains(odd) {
            return Err(IdentityError::Email);
        }
        Ok(Self(Arc::new(Zeroizing::new(text.to_owned()))))
    }

    /// The address as it was given, without surrounding blanks. Take care not to log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(<redacted>)")
    }
}

/// The end user's IP address, which Transak wants with every Whitelabel call and pins sessions to.
///
/// It must be the user's as the backend sees it, not the backend's or a proxy's:
/// <https://docs.transak.com/guides/mandatory-security-changes>
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct UserIp(IpAddr);

impl UserIp {
    /// Reads an address in its usual notation.
    ///
    /// # Errors
    ///
    /// [`IdentityError::UserIp`].
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        let address: IpAddr = text.trim().parse().map_err(|_| IdentityError::UserIp)?;
        Ok(Self::from(address))
    }

    /// The address. Take care not to log it.
    #[must_use]
    pub fn expose(&self) -> IpAddr {
        self.0
    }
}

/// An IPv4 address in IPv6 clothes, as dual-stack servers report it, becomes IPv4.
impl From<IpAddr> for UserIp {
    fn from(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }
}

impl fmt::Debug for UserIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserIp(<redacted>)")
    }
}

/// A user as one request shows them: the e-mail address is the person, the IP address is where they are now.
#[derive(Clone, Debug)]
pub struct UserIdentity {
    pub(crate) email: Email,
    pub(crate) ip: UserIp,
}

impl UserIdentity {
    /// Puts the two together.
    #[must_use]
    pub fn new(email: Email, ip: UserIp) -> Self {
        Self { email, ip }
    }

    /// Reads both from text.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Email`] or [`IdentityError::UserIp`].
    pub fn parse(email: &str, ip: &str) -> Result<Self, IdentityError> {
        Ok(Self::new(Email::parse(email)?, UserIp::parse(ip)?))
    }

    /// The e-mail address.
    #[must_use]
    pub fn email(&self) -> &Email {
        &self.email
    }

    /// The IP address.
    #[must_use]
    pub fn ip(&self) -> UserIp {
        self.ip
    }
}

/// A one-time password: text, because leading zeros count and its length differs between environments.
#[derive(Clone)]
pub struct Otp(Zeroizing<String>);

impl Otp {
    /// Takes what a person typed, without surrounding blanks.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Otp`].
    pub fn parse(text: &str) -> Result<Self, IdentityError> {
        let text = text.trim();
        let plain = text.bytes().all(|b| b.is_ascii_graphic());
        if text.is_empty() || text.len() > 64 || !plain {
            return Err(IdentityError::Otp);
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// The password. Take care not to log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Otp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Otp(<redacted>)")
    }
}

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
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantId({self})")
    }
}

/// The name of a record in a store: 40 bytes, of which the first 8 name the tenant; `Display` as 80 hexadecimal digits.
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
    fn checks_what_people_type() {
        for bad in ["", "@", "a@", "@b", "a b@c", "a@b\n.c", &"x".repeat(300)] {
            assert_eq!(Email::parse(bad), Err(IdentityError::Email));
        }
        assert_eq!(Email::parse(" A@b.c ").unwrap().expose(), "A@b.c");
        assert!(UserIp::parse("300.1.1.1").is_err());
        let mapped = UserIp::parse("::ffff:203.0.113.7").unwrap();
        assert_eq!(mapped, UserIp::parse("203.0.113.7").unwrap());
        assert_eq!(Otp::parse(" 0123 ").unwrap().expose(), "0123");
        assert!(Otp::parse("12 34").is_err());
    }

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
