//! Login, verify, refresh, logout and the partner token.

use super::{
    Mail, Moment, Reply, Request, World,
    access::user_ip,
    json::{Object, timestamp},
    readings::LogoutForm,
    refusal::{Answer, Refusal},
    users,
};

/// Wraps `data` into the envelope of most answers.
pub(crate) fn data(object: Object) -> Reply {
    Reply::json(200, Object::new().object("data", object).finish())
}

impl World {
    pub(crate) fn send_user_otp(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        self.same_key(request.text("apiKey"), "apiKey must be the same as x-api-key")?;
        let email = request.text("email").unwrap_or_default().trim();
        let user = users::key(email, &self.settings)
            .ok_or_else(|| Refusal::invalid("email must be a valid e-mail address"))?;
        let sent = self
            .challenges
            .send(&user, user_ip(request)?, &mut self.rng, &self.settings, now)?;
        self.counters.otps_sent += 1;
        self.counters.evicted("challenges", sent.dropped);
        let tnc = self.users.by_key.get(&user).is_some_and(|user| user.tnc_accepted);
        let dropped = self.mailbox.push(
            Mail {
                to: email.to_owned(),
                code: sent.code,
                state_token: Some(sent.state_token.clone()),
                sent_at: now,
            },
            self.settings.max_mails,
        );
        self.counters.evicted("mails", dropped);
        Ok(data(
            Object::new()
                .flag("isTncAccepted", tnc)
                .text("stateToken", &sent.state_token)
                .text("email", email)
                .int("expiresIn", self.settings.otp_ttl_seconds),
        ))
    }

    pub(crate) fn verify_user_otp(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        self.same_key(request.text("apiKey"), "apiKey must be the same as x-api-key")?;
        let email = request.text("email").unwrap_or_default().trim();
        let key = users::key(email, &self.settings)
            .ok_or_else(|| Refusal::invalid("email must be a valid e-mail address"))?;
        let code = request.text("otp").unwrap_or_default();
        let state_token = request.text("stateToken").unwrap_or_default();
        let ip = user_ip(request)?;
        self.challenges
            .verify(&key, code, state_token, ip, &self.settings, now)?;
        let (user, dropped) = self.users.ensure(&key, email, &mut self.rng, &self.settings, now);
        let email = user.map_or_else(
            || email.to_owned(),
            |user| {
                user.tnc_accepted = true;
                user.email.clone()
            },
        );
        self.counters.evicted("users", dropped);
        let issued = self.sessions.open(&key, &email, ip, &mut self.rng, &self.settings, now);
        self.counters.evicted("sessions", issued.dropped);
        self.counters.logins += 1;
        Ok(data(
            Object::new()
                .int("ttl", self.settings.user_ttl_seconds)
                .text("created", &timestamp(now))
                .text("accessToken", &issued.token),
        ))
    }

    pub(crate) fn refresh_user_token(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let bearer = self.bearer(request, now)?;
        let user = self.users.by_key.get(&bearer.user).ok_or_else(gone)?;
        let token = self
            .sessions
            .refresh(&bearer, &user.email, &mut self.rng, &self.settings, now)?;
        self.counters.refreshes += 1;
        Ok(data(Object::new().text("accessToken", &token)))
    }

    pub(crate) fn logout_user(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let bearer = self.bearer(request, now)?;
        self.counters.logouts += self.sessions.logout(&bearer, &self.settings);
        let message = "User logged out successfully";
        Ok(match self.settings.logout_form {
            LogoutForm::Object => data(Object::new().text("message", message)),
            LogoutForm::Text => Reply::json(200, Object::new().text("data", "success").finish()),
        })
    }

    pub(crate) fn refresh_access_token(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        self.same_key(request.text("apiKey"), "apiKey must be the same as x-api-key")?;
        if request.header("api-secret") != Some(&self.settings.api_secret) {
            return Err(Refusal::invalid(
                "Invalid api-secret. Please generate new api-secret from Partner Dashboard",
            ));
        }
        let (token, expiry) = self.partner.mint(&mut self.rng, &self.settings, now)?;
        let object = Object::new().text("accessToken", token).int("expiresAt", expiry);
        self.counters.mints += 1;
        Ok(data(object))
    }
}

/// The user of a live session was dropped to make room.
pub(crate) const fn gone() -> Refusal {
    Refusal::unauthorized("The user access token is no longer valid")
}
