//! One-time passwords: challenges, and what can go wrong with them.

use std::{collections::HashMap, net::IpAddr};

use super::{
    Moment, Settings,
    bounded::Bounded,
    readings::{LockedStatus, WrongOtpStatus},
    refusal::{Answer, Refusal, TOO_EARLY, UNAUTHORIZED},
    rng::Rng,
};

/// Where a challenge stands. Expiry and attempts are looked at when it is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Used,
    /// A newer challenge of the same address took its place.
    Replaced,
}

#[derive(Clone)]
struct Challenge {
    user: String,
    code: String,
    sent: Moment,
    wrong: u32,
    state: State,
    ip: Option<IpAddr>,
}

/// All challenges by state token, and the newest one of each address.
#[derive(Clone)]
pub(crate) struct Challenges {
    by_token: Bounded<String, Challenge>,
    newest: HashMap<String, String>,
}

impl std::fmt::Debug for Challenges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Challenges")
            .field("len", &self.by_token.len())
            .finish_non_exhaustive()
    }
}

/// A challenge that was just made.
pub(crate) struct Sent {
    pub(crate) code: String,
    pub(crate) state_token: String,
    pub(crate) dropped: u64,
}

impl Challenges {
    pub(crate) fn new() -> Self {
        Self {
            by_token: Bounded::new(),
            newest: HashMap::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_token.len().max(self.newest.len())
    }

    /// A new challenge, unless the address got one a moment ago.
    pub(crate) fn send(
        &mut self,
        user: &str,
        ip: Option<IpAddr>,
        rng: &mut Rng,
        settings: &Settings,
        now: Moment,
    ) -> Answer<Sent> {
        if let Some(previous) = self.newest.get(user).and_then(|token| self.by_token.get_mut(token)) {
            let free = previous.sent.plus_seconds(settings.otp_resend_seconds);
            // A clock that was moved back must not lock an address out.
            if previous.sent <= now && now < free {
                let wait = now.seconds_until(free);
                return Err(
                    Refusal::new(400, Some(TOO_EARLY), "A new one-time password cannot be requested yet")
                        .with_detail(format!("Try again in {wait} seconds.")),
                );
            }
            if settings.otp_resend_invalidates && previous.state == State::Open {
                previous.state = State::Replaced;
            }
        }
        let code = rng.code(settings.otp_digits);
        let state_token = rng.hex(32);
        let challenge = Challenge {
            user: user.to_owned(),
            code: code.clone(),
            sent: now,
            wrong: 0,
            state: State::Open,
            ip,
        };
        let gone = self
            .by_token
            .insert(state_token.clone(), challenge, settings.max_challenges);
        self.newest.insert(user.to_owned(), state_token.clone());
        for (token, challenge) in &gone {
            if self.newest.get(&challenge.user) == Some(token) {
                self.newest.remove(&challenge.user);
            }
        }
        Ok(Sent {
            code,
            state_token,
            dropped: gone.len() as u64,
        })
    }

    /// Uses a challenge up, or says why not.
    pub(crate) fn verify(
        &mut self,
        user: &str,
        code: &str,
        state_token: &str,
        ip: Option<IpAddr>,
        settings: &Settings,
        now: Moment,
    ) -> Answer<()> {
        let wrong = |message| {
            let status = match settings.wrong_otp_status {
                WrongOtpStatus::Unauthorized => 401,
                WrongOtpStatus::BadRequest => 400,
            };
            Refusal::new(status, Some(UNAUTHORIZED), message)
        };
        let challenge = self
            .by_token
            .get_mut(state_token)
            .filter(|challenge| challenge.user == user)
            .ok_or_else(|| wrong("The state token is not valid for this e-mail address"))?;
        match challenge.state {
            State::Used => return Err(wrong("The one-time password has already been used")),
            State::Replaced => return Err(wrong("The one-time password was replaced by a newer one")),
            State::Open => {}
        }
        if now >= challenge.sent.plus_seconds(settings.otp_ttl_seconds) {
            return Err(wrong("The one-time password has expired"));
        }
        if challenge.wrong >= settings.otp_attempts {
            let message = "Too many attempts; request a new one-time password";
            return Err(match settings.locked_otp_status {
                LockedStatus::TooManyRequests => Refusal::new(429, Some(UNAUTHORIZED), message),
                LockedStatus::LikeWrongOtp => wrong(message),
            });
        }
        if challenge.code != code {
            challenge.wrong += 1;
            return Err(wrong("The one-time password is wrong"));
        }
        if settings.pin_user_ip && challenge.ip != ip {
            return Err(super::access::wrong_ip(settings));
        }
        challenge.state = State::Used;
        Ok(())
    }
}
