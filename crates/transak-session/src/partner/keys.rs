//! What signatures are verified with.

use std::fmt;

use crate::token::AccessToken;

/// Partner tokens with which Transak may have signed a webhook: the current one first, then the retired ones, the latest
/// first, each until its own expiry; the current one also after it, as long as there is no newer one. A snapshot: it does not change when a token is minted.
///
/// Transak signs webhooks with the partner token that is current when it sends them:
/// <https://docs.transak.com/docs/webhooks>
///
/// ```no_run
/// # fn signed_with(_key: &str, _body: &str) -> bool { false }
/// use transak_session::{PartnerHandle, TokenError};
///
/// /// Whether one of our tokens signed a webhook.
/// async fn genuine(partner: &PartnerHandle, body: &str) -> Result<bool, TokenError> {
///     let known = partner.verification_keys();
///     if known.iter().any(|key| signed_with(key.expose(), body)) {
///         return Ok(true);
///     }
///     // Another process may have minted since.
///     let fresh = partner.verification_keys_fresh().await?;
///     Ok(fresh.iter().any(|key| signed_with(key.expose(), body)))
/// }
/// ```
#[derive(Clone)]
pub struct VerificationKeys(Vec<AccessToken>);

impl VerificationKeys {
    pub(super) fn new(keys: Vec<AccessToken>) -> Self {
        Self(keys)
    }

    /// The tokens, the likeliest first.
    pub fn iter(&self) -> impl Iterator<Item = &AccessToken> {
        self.0.iter()
    }

    /// How many there are: 9 at most.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none, as in a process that has not asked the store yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Fingerprints only.
impl fmt::Debug for VerificationKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}
