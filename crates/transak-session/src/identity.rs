//! Who a session belongs to: checked, redacted and, in keys, hashed.

mod keys;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use zeroize::Zeroizing;

pub(crate) use keys::Tenant;
pub use keys::{RecordKey, TenantId, UserKey};

/// Why a value cannot name a user. The value itself is not repeated.
///
/// What [`UserIdentity::parse`] and [`Otp::parse`] answer.
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
///
/// Part of a [`UserIdentity`].
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
///
/// Part of a [`UserIdentity`].
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
///
/// ```
/// use transak_session::{IdentityError, UserIdentity};
///
/// let jane = UserIdentity::parse("jane@example.com", "203.0.113.7")?;
/// assert!(!format!("{jane:?}").contains("jane"));
/// assert_eq!(UserIdentity::parse("jane", "203.0.113.7").unwrap_err(), IdentityError::Email);
/// # Ok::<(), IdentityError>(())
/// ```
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
///
/// ```
/// use transak_session::Otp;
///
/// let otp = Otp::parse(" 012345 ")?;
/// assert_eq!(otp.expose(), "012345");
/// assert!(!format!("{otp:?}").contains("012345"));
/// # Ok::<(), transak_session::IdentityError>(())
/// ```
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
}
