//! Partner tokens: one at a time, and not too many in a row.

use std::collections::VecDeque;

use super::{
    Moment, Settings,
    json::Object,
    jwt::SigningKey,
    refusal::{Answer, Refusal},
    rng::Rng,
};

/// The current partner token and the mints of the current window.
#[derive(Clone)]
pub(crate) struct Partner {
    key: SigningKey,
    current: Option<Token>,
    mints: VecDeque<Moment>,
}

#[derive(Clone)]
struct Token {
    text: String,
    expiry: i64,
    /// The token's bytes are also the key of webhooks.
    webhook_key: SigningKey,
}

/// A limit from here on means no limit, and nothing is remembered for it.
const MOST_MINTS: usize = 10_000;

impl std::fmt::Debug for Partner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Partner")
            .field("minted", &self.current.is_some())
            .finish_non_exhaustive()
    }
}

impl Partner {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            key: Self::signing_key(settings),
            current: None,
            mints: VecDeque::new(),
        }
    }

    fn signing_key(settings: &Settings) -> SigningKey {
        SigningKey::new(format!("partner-token/{}/{}", settings.seed, settings.api_key).as_bytes())
    }

    /// Follows a changed API key: the token belonged to the old one.
    pub(crate) fn rekey(&mut self, settings: &Settings) {
        self.key = Self::signing_key(settings);
        self.current = None;
    }

    pub(crate) fn len(&self) -> usize {
        self.mints.len()
    }

    /// Mints a token, which kills the one before; returns it with its expiry in seconds.
    pub(crate) fn mint(&mut self, rng: &mut Rng, settings: &Settings, now: Moment) -> Answer<(&str, i64)> {
        let window = settings.mint_window_seconds.max(0);
        // Mints of a future the clock was moved back from do not count either.
        self.mints
            .retain(|minted| *minted <= now && now < minted.plus_seconds(window));
        if self.mints.len() >= settings.mint_limit as usize {
            let free = self.mints.front().map_or(now, |first| first.plus_seconds(window));
            let mut refusal = Refusal::new(429, None, "Too many requests");
            refusal.retry_after = Some(now.seconds_until(free).max(1));
            return Err(refusal);
        }
        if (settings.mint_limit as usize) < MOST_MINTS {
            self.mints.push_back(now);
        }
        let issued = now.unix_seconds();
        let expiry = issued.saturating_add(settings.partner_ttl_seconds);
        // `jti` is ours: without it two mints of one second would be the same token, and neither could be dead.
        let claims = Object::new()
            .text("API_KEY", &settings.api_key)
            .text("jti", &rng.uuid())
            .int("iat", issued)
            .int("exp", expiry);
        let text = self.key.sign(&claims.finish());
        let webhook_key = SigningKey::new(text.as_bytes());
        let token = self.current.insert(Token {
            text,
            expiry,
            webhook_key,
        });
        Ok((&token.text, token.expiry))
    }

    /// Whether this is the current token and it has not expired.
    pub(crate) fn check(&self, token: &str, now: Moment) -> Result<(), &'static str> {
        match &self.current {
            Some(current) if current.text == token => {
                if now.unix_seconds() < current.expiry {
                    Ok(())
                } else {
                    Err("The partner access token has expired")
                }
            }
            _ if token
                .get(..7)
                .is_some_and(|prefix| prefix.eq_ignore_ascii_case("bearer ")) =>
            {
                Err("The partner access token must be sent without a Bearer prefix")
            }
            _ => Err("Invalid or missing access-token."),
        }
    }

    /// Signs a webhook with the current token, expired or not; `None` before the first mint.
    pub(crate) fn sign_webhook(&self, claims: &str) -> Option<String> {
        self.current.as_ref().map(|current| current.webhook_key.sign(claims))
    }
}
