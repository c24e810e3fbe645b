//! HS256 JSON web tokens.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// `{"alg":"HS256","typ":"JWT"}`.
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";

/// A key, already fed to the MAC, so that signing costs no key set-up.
#[derive(Clone)]
pub(crate) struct SigningKey {
    mac: Hmac<Sha256>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

impl SigningKey {
    pub(crate) fn new(key: &[u8]) -> Self {
        // HMAC takes keys of every length; the empty key is the unreachable fallback.
        let mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&Default::default()));
        Self { mac }
    }

    /// Signs claims given as JSON text.
    pub(crate) fn sign(&self, claims: &str) -> String {
        let mut token = String::with_capacity(HEADER.len() + claims.len() * 4 / 3 + 50);
        token.push_str(HEADER);
        token.push('.');
        BASE64.encode_string(claims, &mut token);
        let mut mac = self.mac.clone();
        mac.update(token.as_bytes());
        token.push('.');
        BASE64.encode_string(mac.finalize().into_bytes(), &mut token);
        token
    }

    /// The claims of a token signed with this key, as JSON text.
    pub(crate) fn verify(&self, token: &str) -> Option<Vec<u8>> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        if header != HEADER {
            return None;
        }
        let mut mac = self.mac.clone();
        mac.update(signed.as_bytes());
        mac.verify_slice(&BASE64.decode(signature).ok()?).ok()?;
        BASE64.decode(claims).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_key_opens_a_token() {
        let (own, other) = (SigningKey::new(b"own"), SigningKey::new(b"other"));
        let token = own.sign(r#"{"a":1}"#);
        assert_eq!(own.verify(&token).unwrap(), br#"{"a":1}"#);
        assert_eq!(other.verify(&token), None);
        assert_eq!(own.verify(&token.replace("eyJhIjox", "eyJhIjoy")), None);
        assert_eq!(own.verify("a.b"), None);
        assert_eq!(own.verify(""), None);
    }

    #[test]
    fn it_is_the_standard_mac() {
        // Made with an independent implementation (Python's hmac module).
        let token = SigningKey::new(b"synthetic-current-access-token").sign(r#"{"eventID":"ORDER_CREATED"}"#);
        assert_eq!(
            token,
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJldmVudElEIjoiT1JERVJfQ1JFQVRFRCJ9.I680DXmMC5uX8qPeH22XscGc1fe589C30ZBAXZBW91A"
        );
    }
}
