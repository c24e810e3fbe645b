//! The people.

use super::{Moment, Settings, bounded::Bounded, json::Object, kyc::Kyc, money::Purse, rng::Rng};

/// One person, as this partner sees them.
#[derive(Clone)]
pub(crate) struct User {
    /// `partnerUserId`.
    pub(crate) id: String,
    /// The address as it was first written.
    pub(crate) email: String,
    pub(crate) kyc: Kyc,
    pub(crate) tnc_accepted: bool,
    pub(crate) created: Moment,
    /// The partner's own id of this customer, as the last quote that was used for them gave it.
    pub(crate) customer: Option<String>,
    /// What the user pays with.
    pub(crate) purse: Purse,
    /// Sequence numbers of the user's orders, oldest first.
    pub(crate) orders: Vec<u64>,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("id", &self.id).finish_non_exhaustive()
    }
}

/// All users by the key of their address.
#[derive(Debug)]
pub(crate) struct Users {
    pub(crate) by_key: Bounded<String, User>,
}

/// The key two spellings of one address share. `None` when it is not an address.
pub(crate) fn key(email: &str, settings: &Settings) -> Option<String> {
    let email = email.trim();
    let (local, domain) = email.rsplit_once('@')?;
    let plain =
        |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control() || c == '@');
    if email.len() > 254 || !plain(local) || !plain(domain) {
        return None;
    }
    Some(if settings.email_case_sensitive {
        email.to_owned()
    } else {
        email.to_lowercase()
    })
}

impl Users {
    pub(crate) fn new() -> Self {
        Self { by_key: Bounded::new() }
    }

    /// The user of this key, created when unknown; with it the number of users that had to go.
    pub(crate) fn ensure(
        &mut self,
        key: &str,
        email: &str,
        rng: &mut Rng,
        settings: &Settings,
        now: Moment,
    ) -> (Option<&mut User>, u64) {
        let mut dropped = 0;
        if self.by_key.get(key).is_none() {
            let user = User {
                id: rng.uuid(),
                email: email.trim().to_owned(),
                kyc: Kyc::default(),
                tnc_accepted: false,
                created: now,
                customer: None,
                purse: Purse::default(),
                orders: Vec::new(),
            };
            dropped = self.by_key.insert(key.to_owned(), user, settings.max_users).len() as u64;
        }
        (self.by_key.get_mut(key), dropped)
    }
}

impl User {
    /// The answer of Onboard User.
    pub(crate) fn onboarded(&self) -> Object {
        Object::new()
            .text("partnerUserId", &self.id)
            .text("email", &self.email)
            .text("status", "ACTIVE")
            .object("kyc", self.kyc.json())
    }

    /// The answer of Get User Details.
    pub(crate) fn details(&self, settings: &Settings) -> Object {
        self.kyc.members(self.onboarded(), self.created, settings)
    }
}
