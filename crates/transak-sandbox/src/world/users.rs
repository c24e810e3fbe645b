//! The people.

use super::{
    Moment, Settings,
    bounded::Bounded,
    json::{Object, timestamp},
    rng::Rng,
    seed::SeedKyc,
};

/// One person, as this partner sees them.
#[derive(Clone)]
pub(crate) struct User {
    /// `partnerUserId`.
    pub(crate) id: String,
    /// The address as it was first written.
    pub(crate) email: String,
    pub(crate) kyc: SeedKyc,
    pub(crate) tnc_accepted: bool,
    pub(crate) created: Moment,
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
                kyc: SeedKyc::None,
                tnc_accepted: false,
                created: now,
                orders: Vec::new(),
            };
            dropped = self.by_key.insert(key.to_owned(), user, settings.max_users).len() as u64;
        }
        (self.by_key.get_mut(key), dropped)
    }
}

impl User {
    /// `kyc` of every answer that shows a user.
    fn kyc(&self) -> Object {
        let (status, level) = match self.kyc {
            SeedKyc::None => ("NOT_SUBMITTED", None),
            SeedKyc::Submitted => ("SUBMITTED", Some("SIMPLE")),
            SeedKyc::Simple => ("APPROVED", Some("SIMPLE")),
            SeedKyc::Standard => ("APPROVED", Some("STANDARD")),
            SeedKyc::Rejected => ("REJECTED", Some("SIMPLE")),
        };
        let object = Object::new().text("status", status);
        match level {
            Some(level) => object.text("type", level),
            None => object.null("type"),
        }
    }

    /// The answer of Onboard User.
    pub(crate) fn onboarded(&self) -> Object {
        Object::new()
            .text("partnerUserId", &self.id)
            .text("email", &self.email)
            .text("status", "ACTIVE")
            .object("kyc", self.kyc())
    }

    /// The answer of Get User Details.
    pub(crate) fn details(&self, settings: &Settings) -> Object {
        use super::readings::UnsetFields;
        let object = self.onboarded();
        if self.kyc == SeedKyc::None {
            // An address is an object or absent in the spec, never null.
            return object
                .when(settings.unset_fields == UnsetFields::Null, |object| {
                    object
                        .null("firstName")
                        .null("lastName")
                        .null("mobileNumber")
                        .null("dob")
                })
                .text("createdAt", &timestamp(self.created));
        }
        let address = Object::new()
            .text("addressLine1", "170 Rue de l'Exemple")
            .text("addressLine2", "")
            .text("state", "Ile-de-France")
            .text("city", "Paris")
            .text("postCode", "75010")
            .text("country", "France")
            .text("countryCode", "FR");
        object
            .text("firstName", "Camille")
            .text("lastName", "Sample")
            .text("mobileNumber", "+33600000000")
            .text("dob", "1990-05-15T00:00:00.000Z")
            .object("address", address)
            .text("createdAt", &timestamp(self.created))
    }
}
