//! A challenge as text.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::identity::UserKey;
use crate::issuer::StateToken;
use crate::machine::Pause;

const SCHEMA: u16 = 1;

/// A challenge as text: a secret, because with the mailed password it logs the user in.
///
/// [`OtpChallenge`](crate::OtpChallenge) shows how it is used.
#[derive(Clone)]
pub struct StoredChallenge(Zeroizing<String>);

impl StoredChallenge {
    /// Takes a text over that [`expose`](Self::expose) gave.
    #[must_use]
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text. Keep it where the user cannot read it, and not longer than the challenge lives.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub(super) fn write(key: &UserKey, state: &StateToken, resend: Pause, expires_at: Timestamp) -> Self {
        let wire = Wire {
            schema: SCHEMA,
            user: &key.record().to_string(),
            state: Cow::Borrowed(state.expose()),
            resend: [resend.from().unix_millis(), resend.until().unix_millis()],
            expires_at: expires_at.unix_millis(),
        };
        // Numbers and strings always make JSON; an empty text would be refused by `read`.
        Self::from_text(serde_json::to_string(&wire).unwrap_or_default())
    }

    pub(super) fn read(&self, key: &UserKey) -> Result<Content, ChallengeError> {
        let wire: Wire<'_> = serde_json::from_str(&self.0).map_err(|_| ChallengeError::Unreadable)?;
        if wire.schema != SCHEMA {
            return Err(ChallengeError::Unreadable);
        }
        if wire.user != key.record().to_string() {
            return Err(ChallengeError::OtherUser);
        }
        let [from, until] = wire.resend.map(Timestamp::from_unix_millis);
        Ok(Content {
            state: StateToken::new(wire.state.into_owned()),
            resend: Pause::spanning(from, until),
            expires_at: Timestamp::from_unix_millis(wire.expires_at),
        })
    }
}

impl fmt::Debug for StoredChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredChallenge(<redacted>)")
    }
}

/// A stored challenge that cannot be gone on with. Does not repeat the text.
///
/// What [`UserSession::resume_login`](crate::UserSession::resume_login) answers; [`OtpChallenge`](crate::OtpChallenge) shows
/// how that is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChallengeError {
    /// Not a challenge, or one of a later release.
    #[error("the stored challenge cannot be read")]
    Unreadable,
    /// A challenge of another user, environment or API key.
    #[error("the stored challenge belongs to another user")]
    OtherUser,
}

pub(super) struct Content {
    pub(super) state: StateToken,
    pub(super) resend: Pause,
    pub(super) expires_at: Timestamp,
}

/// Borrows its texts, so that no copy of the secret is left behind. A state token with escapes, should Transak ever send
/// one, has to be copied; the copy moves on into the challenge.
#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    schema: u16,
    user: &'a str,
    #[serde(borrow)]
    state: Cow<'a, str>,
    resend: [i64; 2],
    expires_at: i64,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::identity::{Email, Tenant};

    #[test]
    fn every_state_token_survives() {
        let key = Tenant::new("staging", "key").user_key(&Email::parse("a@b.c").unwrap());
        for text in ["0a1b", "a/b+c==", "quote \" backslash \\ line \n"] {
            let stored = StoredChallenge::write(&key, &StateToken::new(text), Pause::OVER, Timestamp::MAX);
            let content = stored.read(&key).ok().unwrap();
            assert_eq!(content.state.expose(), text);
        }
    }
}
