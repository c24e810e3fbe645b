//! User sessions and their tokens.
//!
//! A session holds no list of its tokens. Each token carries the number of its generation, hidden in its `jti`, and the
//! session holds the lowest generation that still counts: a million refreshes cost what one costs.

use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
};

use serde::Deserialize;

use super::{
    Moment, Settings,
    json::Object,
    jwt::SigningKey,
    readings::{ExpiredStatus, LogoutScope},
    refusal::{Answer, Refusal, UNAUTHORIZED},
    rng::Rng,
};

#[derive(Clone)]
struct Session {
    user: String,
    ip: Option<IpAddr>,
    /// Hides the generation in a `jti`.
    mask: u32,
    newest: u32,
    /// Tokens of an older generation are dead.
    lowest: u32,
    /// When the last of its tokens expires.
    last_expiry: i64,
}

/// All sessions by id.
#[derive(Clone)]
pub(crate) struct Sessions {
    key: SigningKey,
    by_id: HashMap<u64, Session>,
    by_expiry: BTreeSet<(i64, u64)>,
    by_user: HashMap<String, Vec<u64>>,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sessions")
            .field("len", &self.by_id.len())
            .finish_non_exhaustive()
    }
}

/// A token that was checked and found alive.
#[derive(Debug, Clone)]
pub(crate) struct Bearer {
    id: u64,
    /// Key of the user.
    pub(crate) user: String,
}

/// A token that was just made.
pub(crate) struct Issued {
    pub(crate) token: String,
    pub(crate) dropped: u64,
}

#[derive(Deserialize)]
struct Claims<'a> {
    aud: &'a str,
    jti: uuid::Uuid,
    exp: i64,
}

impl Sessions {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            key: Self::signing_key(settings),
            by_id: HashMap::new(),
            by_expiry: BTreeSet::new(),
            by_user: HashMap::new(),
        }
    }

    fn signing_key(settings: &Settings) -> SigningKey {
        SigningKey::new(format!("user-token/{}/{}", settings.seed, settings.api_key).as_bytes())
    }

    /// Follows a changed seed or API key; tokens made before are foreign then.
    pub(crate) fn rekey(&mut self, settings: &Settings) {
        self.key = Self::signing_key(settings);
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len().max(self.by_expiry.len())
    }

    /// Users that have a session.
    pub(crate) fn users(&self) -> usize {
        self.by_user.len()
    }

    /// A new session with its first token.
    pub(crate) fn open(
        &mut self,
        user: &str,
        email: &str,
        ip: Option<IpAddr>,
        rng: &mut Rng,
        settings: &Settings,
        now: Moment,
    ) -> Issued {
        let id = rng.next();
        let expiry = expiry(settings, now);
        let session = Session {
            user: user.to_owned(),
            ip,
            mask: rng.next() as u32,
            newest: 0,
            lowest: 0,
            last_expiry: expiry,
        };
        let token = self.issue(id, &session, email, true, rng, settings, now);
        self.by_id.insert(id, session);
        self.by_expiry.insert((expiry, id));
        self.by_user.entry(user.to_owned()).or_default().push(id);
        let mut dropped = 0;
        while self.by_id.len() > settings.max_sessions.max(1) {
            let Some(&(_, oldest)) = self.by_expiry.first() else {
                break;
            };
            self.end(oldest);
            dropped += 1;
        }
        Issued { token, dropped }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one private place where everything a token says meets"
    )]
    fn issue(
        &self,
        id: u64,
        session: &Session,
        email: &str,
        first: bool,
        rng: &mut Rng,
        settings: &Settings,
        now: Moment,
    ) -> String {
        let mut bytes = rng.bytes();
        bytes[..4].copy_from_slice(&(session.newest ^ session.mask).to_be_bytes());
        let jti = uuid::Builder::from_random_bytes(bytes).into_uuid();
        let issued = now.unix_seconds();
        // The sample of a refreshed token has no `partner_api_key`.
        let claims = Object::new()
            .flag("active", true)
            .raw("permissions", "[]")
            .raw("roles", "[]")
            .text("token_type", "Bearer")
            .when(first, |claims| claims.text("partner_api_key", &settings.api_key))
            .text("sub", email)
            .text("aud", &format!("{id:016x}"))
            .text("iss", "https://transak.com/auth")
            .text("jti", jti.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()))
            .int("iat", issued)
            .int("exp", expiry(settings, now));
        self.key.sign(&claims.finish())
    }

    /// Whose token this is, if it is alive.
    pub(crate) fn check(&self, token: &str, ip: Option<IpAddr>, settings: &Settings, now: Moment) -> Answer<Bearer> {
        if token
            .get(..7)
            .is_some_and(|prefix| prefix.eq_ignore_ascii_case("bearer "))
        {
            return Err(Refusal::unauthorized(
                "The user access token must be sent without a Bearer prefix",
            ));
        }
        let invalid = || Refusal::unauthorized("The user access token is invalid");
        let claims = self.key.verify(token).ok_or_else(invalid)?;
        let claims: Claims<'_> = serde_json::from_slice(&claims).map_err(|_| invalid())?;
        if now.unix_seconds() >= claims.exp {
            return Err(match settings.expired_status {
                ExpiredStatus::Unauthorized => Refusal::unauthorized("The user access token has expired"),
                ExpiredStatus::SessionExpired => Refusal::new(400, Some(UNAUTHORIZED), "Session Expired"),
            });
        }
        let revoked = || Refusal::unauthorized("The user access token is no longer valid");
        let id = u64::from_str_radix(claims.aud, 16).map_err(|_| invalid())?;
        let session = self.by_id.get(&id).ok_or_else(revoked)?;
        let [a, b, c, d, ..] = *claims.jti.as_bytes();
        let generation = u32::from_be_bytes([a, b, c, d]) ^ session.mask;
        if generation < session.lowest || generation > session.newest {
            return Err(revoked());
        }
        if settings.pin_user_ip && session.ip != ip {
            return Err(super::access::wrong_ip(settings));
        }
        Ok(Bearer {
            id,
            user: session.user.clone(),
        })
    }

    /// A new token with a full term; what becomes of the old ones is a setting.
    pub(crate) fn refresh(
        &mut self,
        bearer: &Bearer,
        email: &str,
        rng: &mut Rng,
        settings: &Settings,
        now: Moment,
    ) -> Answer<String> {
        let Some(mut session) = self.by_id.remove(&bearer.id) else {
            return Err(Refusal::unauthorized("The user access token is no longer valid"));
        };
        session.newest = session.newest.wrapping_add(1);
        if settings.refresh_revokes {
            session.lowest = session.newest;
        }
        let expiry = expiry(settings, now).max(session.last_expiry);
        if expiry != session.last_expiry {
            self.by_expiry.remove(&(session.last_expiry, bearer.id));
            self.by_expiry.insert((expiry, bearer.id));
            session.last_expiry = expiry;
        }
        let token = self.issue(bearer.id, &session, email, false, rng, settings, now);
        self.by_id.insert(bearer.id, session);
        Ok(token)
    }

    /// Ends the session, or all sessions of its user.
    pub(crate) fn logout(&mut self, bearer: &Bearer, settings: &Settings) -> u64 {
        let ids = match settings.logout_scope {
            LogoutScope::Session => vec![bearer.id],
            LogoutScope::User => self.by_user.get(&bearer.user).cloned().unwrap_or_default(),
        };
        ids.iter().for_each(|id| self.end(*id));
        ids.len() as u64
    }

    fn end(&mut self, id: u64) {
        let Some(session) = self.by_id.remove(&id) else { return };
        self.by_expiry.remove(&(session.last_expiry, id));
        if let Some(ids) = self.by_user.get_mut(&session.user) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.by_user.remove(&session.user);
            }
        }
    }

    /// Forgets sessions whose last token has expired.
    pub(crate) fn sweep(&mut self, now: Moment) {
        while let Some(&(expiry, id)) = self.by_expiry.first() {
            if expiry > now.unix_seconds() {
                break;
            }
            self.end(id);
        }
    }
}

fn expiry(settings: &Settings, now: Moment) -> i64 {
    now.unix_seconds().saturating_add(settings.user_ttl_seconds)
}
