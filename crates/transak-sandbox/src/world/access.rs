//! Who calls, and may they: API key, caller's address, user's address, tokens.

use std::net::IpAddr;

use transak_client::{Operation, operations::Host};

use super::{
    Moment, Request, Settings, World,
    readings::{AllowListScope, ApiErrorStatus},
    refusal::{Answer, Refusal, UNAUTHORIZED, refusable},
    sessions::Bearer,
    users,
};

/// Who a Whitelabel call is about.
pub(crate) enum Caller {
    /// Logged in with a one-time password.
    User(Bearer),
    /// Vouched for by the partner; key of the user, who need not exist, and the address as sent.
    Vouched { user: String, email: String },
}

impl Caller {
    pub(crate) fn user(&self) -> &str {
        match self {
            Self::User(bearer) => &bearer.user,
            Self::Vouched { user, .. } => user,
        }
    }
}

const fn gate(answer: ApiErrorStatus, message: &'static str) -> Refusal {
    let status = match answer {
        ApiErrorStatus::Unauthorized => 401,
        ApiErrorStatus::Forbidden => 403,
    };
    Refusal::new(status, Some(UNAUTHORIZED), message)
}

/// Answer to a token that is used from somewhere else.
pub(crate) const fn wrong_ip(settings: &Settings) -> Refusal {
    gate(settings.pinned_answer, "The session belongs to another x-user-ip")
}

impl World {
    /// The checks that come before every operation.
    pub(crate) fn admit(&self, operation: &Operation, request: &Request<'_>) -> Answer<()> {
        if !refusable(operation.id()) {
            return Ok(());
        }
        let guarded = operation.host() == Host::Gateway || self.settings.allow_list_scope == AllowListScope::Everything;
        if let Some(list) = self.settings.ip_allow_list.as_ref().filter(|_| guarded)
            // A listener on `::` sees IPv4 callers as `::ffff:a.b.c.d`.
            && !list.iter().any(|ip| ip.to_canonical() == request.peer.to_canonical())
        {
            return Err(gate(
                self.settings.not_listed_answer,
                "The caller's IP address is not allow-listed",
            ));
        }
        if request.header("x-api-key") != Some(&self.settings.api_key) {
            return Err(match operation.host() {
                Host::Api => Refusal::unauthorized("Authorization Required"),
                _ => Refusal::unauthorized("Invalid or missing x-api-key"),
            });
        }
        if operation.host() == Host::Gateway {
            user_ip(request)?;
        }
        Ok(())
    }

    /// A partner operation's token.
    pub(crate) fn partner(&self, request: &Request<'_>, now: Moment) -> Answer<()> {
        let token = request.header("access-token").unwrap_or_default();
        self.partner
            .check(token, now)
            .map_err(|_| Refusal::unauthorized("Authorization Required"))
    }

    /// The user token of a request.
    pub(crate) fn bearer(&self, request: &Request<'_>, now: Moment) -> Answer<Bearer> {
        let token = request.header("authorization").unwrap_or_default();
        self.sessions.check(token, user_ip(request)?, &self.settings, now)
    }

    /// A user the partner vouches for.
    pub(crate) fn vouched(&self, request: &Request<'_>, now: Moment) -> Answer<Caller> {
        let token = request.header("x-access-token").unwrap_or_default();
        self.partner.check(token, now).map_err(Refusal::unauthorized)?;
        let email = request.header("x-user-identifier").unwrap_or_default();
        let user = users::key(email, &self.settings)
            .ok_or_else(|| Refusal::invalid("x-user-identifier must be an e-mail address"))?;
        Ok(Caller::Vouched {
            user,
            email: email.to_owned(),
        })
    }

    /// Either way of saying who the user is.
    pub(crate) fn caller(&self, request: &Request<'_>, now: Moment) -> Answer<Caller> {
        if request.brings("authorization") {
            self.bearer(request, now).map(Caller::User)
        } else {
            self.vouched(request, now)
        }
    }

    /// The key in the body or the query must be the one in the header.
    pub(crate) fn same_key(&self, value: Option<&str>, message: &'static str) -> Answer<()> {
        if value == Some(&self.settings.api_key) {
            Ok(())
        } else {
            Err(Refusal::invalid(message))
        }
    }
}

/// The end user's address, which the gateway wants to be one.
pub(crate) fn user_ip(request: &Request<'_>) -> Answer<Option<IpAddr>> {
    request
        .header("x-user-ip")
        .map(|text| {
            text.trim()
                .parse()
                .map_err(|_| Refusal::invalid("x-user-ip must be one IPv4 or IPv6 address"))
        })
        .transpose()
}
