//! Access tokens, their fingerprints and their expiry.

mod jwt;

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::clock::Timestamp;

/// An access token. Cloning shares the text, which is wiped from memory with the last clone.
///
/// `Debug` shows the fingerprint only, and there is no `Display`, `Serialize` or comparison by text.
///
/// ```
/// use transak_session::AccessToken;
///
/// let token = AccessToken::new("the token's text");
/// assert_eq!(token.expose(), "the token's text");
/// assert!(!format!("{token:?}").contains("text"));
/// assert_eq!(token.fingerprint(), AccessToken::new("the token's text").fingerprint());
/// ```
#[derive(Clone)]
pub struct AccessToken {
    inner: Arc<Inner>,
}

struct Inner {
    text: Zeroizing<String>,
    fingerprint: TokenFingerprint,
}

impl AccessToken {
    /// Takes a token's text over.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        let text = Zeroizing::new(text.into());
        let fingerprint = TokenFingerprint::of(&text);
        Self {
            inner: Arc::new(Inner { text, fingerprint }),
        }
    }

    /// Stands where there is no token.
    pub(crate) fn none() -> Self {
        static NONE: LazyLock<AccessToken> = LazyLock::new(|| AccessToken::new(String::new()));
        NONE.clone()
    }

    /// The text, to be sent as it is, without a `Bearer ` prefix
    /// (<https://docs.transak.com/features/authentication>). Take care not to log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.inner.text
    }

    /// What the token may be called in logs and in reports of its rejection.
    #[must_use]
    pub fn fingerprint(&self) -> TokenFingerprint {
        self.inner.fingerprint
    }
}

/// Tokens are compared by fingerprint, so the time it takes tells nothing about the text.
impl PartialEq for AccessToken {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint() == other.fingerprint()
    }
}

impl Eq for AccessToken {}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessToken({})", self.fingerprint())
    }
}

/// A short name for a token: the first half of its SHA-256. The token cannot be found from it.
///
/// See [`AccessToken::fingerprint`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenFingerprint([u8; 16]);

impl TokenFingerprint {
    /// The fingerprint of a token's text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let digest = Sha256::digest(text.as_bytes());
        let mut half = [0; 16];
        half.copy_from_slice(&digest[..16]);
        Self(half)
    }

    /// A number that is uniform over tokens and the same in every process that sees this one.
    ///
    /// It replaces a random draw: nothing has to be agreed on between processes, and tests need no seed.
    pub(crate) fn draw(self, salt: u32) -> u64 {
        let digest = Sha256::new()
            .chain_update(self.0)
            .chain_update(salt.to_be_bytes())
            .finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        u64::from_be_bytes(first)
    }
}

impl fmt::Display for TokenFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..6].iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for TokenFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A token as an issuer gave it: with as much about its life as the answer said.
///
/// [`Issuer`](crate::issuer::Issuer) shows its use.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The token.
    pub token: AccessToken,
    /// When it expires, if the answer said so (`expiresAt` of a partner token; `created` + `ttl` of a login).
    pub expires_at: Option<Timestamp>,
}

impl Grant {
    /// A token whose answer said nothing about its life.
    #[must_use]
    pub fn new(token: AccessToken) -> Self {
        Self {
            token,
            expires_at: None,
        }
    }

    /// States the expiry.
    #[must_use]
    pub fn expires_at(mut self, at: Timestamp) -> Self {
        self.expires_at = Some(at);
        self
    }
}

/// Where an expiry was read.
///
/// See [`Issued::expiry_source`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpirySource {
    /// The issuer's answer.
    Answer,
    /// The claim `exp` of the token itself, read without a check of the signature (the issuer is the judge of that).
    Claim,
    /// Nothing said it, or what was said cannot be true: time of receipt plus the documented lifetime.
    Assumed,
}

/// A token with its life. Expiry is not optional: a token without one would never be renewed.
///
/// [`MemoryStore`](crate::store::MemoryStore) shows how one is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    pub(crate) token: AccessToken,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) due_at: Timestamp,
    pub(crate) source: ExpirySource,
}

impl Issued {
    /// Puts a token that was just received together with its life.
    ///
    /// Of the answer and the claim `exp` the earlier one decides; if neither is there, the assumption. A *fresh* token
    /// that seems to have expired already, or to live for more than a year, says that a clock is wrong, not that the token
    /// is: such a time is passed over.
    pub(crate) fn from_grant(
        grant: Grant,
        received_at: Timestamp,
        assumed_life: Duration,
        due_at: impl Fn(Timestamp, Timestamp, u64) -> Timestamp,
    ) -> Self {
        const LONGEST: Duration = Duration::from_secs(366 * 86_400);
        let claims = jwt::times(grant.token.expose());
        let plausible = |at: &Timestamp| *at > received_at && at.since(received_at) <= LONGEST;
        let claimed = claims.exp.filter(plausible);
        let stated = grant.expires_at.filter(plausible);
        let (expires_at, source) = match (claimed, stated) {
            (Some(claim), Some(answer)) if answer < claim => (answer, ExpirySource::Answer),
            (Some(claim), _) => (claim, ExpirySource::Claim),
            (None, Some(answer)) => (answer, ExpirySource::Answer),
            (None, None) => (received_at + assumed_life, ExpirySource::Assumed),
        };
        let issued_at = claims
            .iat
            .filter(|at| source != ExpirySource::Assumed && *at < expires_at)
            .filter(|at| expires_at.since(*at) <= LONGEST)
            .unwrap_or(received_at);
        let draw = grant.token.fingerprint().draw(0);
        let mut due = due_at(issued_at, expires_at, draw);
        if due <= received_at {
            // An `iat` of long ago. A token that is due at birth would be renewed by each call, and so would the next one.
            due = due_at(received_at, expires_at, draw);
        }
        Self {
            token: grant.token,
            issued_at,
            expires_at,
            due_at: due,
            source,
        }
    }

    /// A token as it was stored.
    #[must_use]
    pub fn restore(token: AccessToken, issued_at: Timestamp, expires_at: Timestamp, due_at: Timestamp) -> Self {
        Self {
            token,
            issued_at,
            expires_at,
            due_at,
            source: ExpirySource::Answer,
        }
    }

    /// The token.
    #[must_use]
    pub fn token(&self) -> &AccessToken {
        &self.token
    }

    /// When it was issued: its claim `iat`, else when it was received.
    #[must_use]
    pub fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// From when on it is of no use.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// From when on it is to be renewed.
    #[must_use]
    pub fn due_at(&self) -> Timestamp {
        self.due_at
    }

    /// Where the expiry was read.
    #[must_use]
    pub fn expiry_source(&self) -> ExpirySource {
        self.source
    }

    pub(crate) fn fingerprint(&self) -> TokenFingerprint {
        self.token.fingerprint()
    }

    pub(crate) fn usable(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    /// The same, known to have been issued after `former`, whatever the two say of their age: the claim `iat` is cut to whole
    /// seconds, and without one the age is the reading of a clock that may be wrong. So that issue order tells everybody.
    pub(crate) fn following(self, former: &Self) -> Self {
        if self.fingerprint() == former.fingerprint() {
            return self;
        }
        self.issued_after(former.issued_at)
    }

    /// The same, known to have been issued after that.
    pub(crate) fn issued_after(mut self, floor: Timestamp) -> Self {
        if self.issued_at <= floor {
            self.issued_at = floor + Duration::from_millis(1);
        }
        self
    }

    /// Issue order: not who wrote last, but whose token was issued last decides.
    pub(crate) fn order(&self) -> (Timestamp, Timestamp) {
        (self.issued_at, self.expires_at)
    }

    /// Whether this is the same token as `other` or a later one: issue order, not who wrote last, decides.
    pub(crate) fn at_least_as_new_as(&self, other: &Self) -> bool {
        (self.issued_at, self.expires_at) >= (other.issued_at, other.expires_at)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::policy::RefreshWindow;

    #[test]
    fn no_fresh_token_is_due_at_birth() {
        let day = Duration::from_secs(86_400);
        let now = Timestamp::from_unix_seconds(1_800_000_000);
        // A renewal that keeps the `iat` of the login: 29 of 30 days are over, or the clock is far ahead.
        for age in [29, 335] {
            let (iat, exp) = ((now - day * age).unix_seconds(), (now + day).unix_seconds());
            let claims = URL_SAFE_NO_PAD.encode(format!(r#"{{"iat":{iat},"exp":{exp}}}"#));
            let grant = Grant::new(AccessToken::new(format!("e30.{claims}.x")));
            let issued = Issued::from_grant(grant, now, day * 30, |from, until, draw| {
                RefreshWindow::default().due_at(from, until, draw)
            });
            assert_eq!(issued.expires_at(), now + day);
            assert!(issued.due_at() > now && issued.due_at() < now + day);
        }
    }
}
