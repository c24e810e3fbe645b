//! What is known about one user, and what has been decided.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::{
    Level,
    fca::Fca,
    form::{Form, PROOFS},
    person::{Address, Personal},
    reliance::Share,
};
use crate::world::{
    Moment, Settings,
    json::{Object, timestamp},
    readings::{KycVerdict, UnsetFields},
    seed::SeedKyc,
};

/// Verification of one user. Personal data: no `Debug`.
#[derive(Clone, Default)]
pub(crate) struct Kyc {
    pub(super) personal: Option<Personal>,
    pub(super) address: Option<Address>,
    pub(super) given: BTreeSet<Form>,
    pub(super) proofs: BTreeSet<&'static str>,
    pub(super) id_proof: Option<IdProof>,
    pub(super) share: Option<Share>,
    /// Somebody else has verified the user, whom Transak trusts.
    pub(super) trusted: bool,
    /// The identity details came by the reliance API, and the document after them.
    pub(super) reliance: bool,
    pub(super) document: bool,
    pub(super) fca: Fca,
    approved: Option<Level>,
    /// The level that was refused.
    rejected: Option<Level>,
    review: Option<Review>,
    news: Vec<Verdict>,
}

/// An identity proof that the user was asked to give elsewhere.
#[derive(Clone)]
pub(super) struct IdProof {
    pub(super) run: String,
    pub(super) began: Moment,
}

/// Somebody looks at what was submitted.
#[derive(Clone, Copy)]
struct Review {
    level: Level,
    /// `None`: for as long as the settings let it wait.
    ends: Option<Moment>,
}

/// What partners are told about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Submitted,
    Approved,
    Rejected,
}

/// Countries of the European Economic Area that the catalogue has.
const EEA: [&str; 4] = ["DE", "ES", "FR", "NL"];

impl Kyc {
    /// How far a seeded user is.
    pub(crate) fn seeded(seed: SeedKyc) -> Self {
        if seed == SeedKyc::None {
            return Self::default();
        }
        let mut given = BTreeSet::from([Form::Purpose]);
        if seed == SeedKyc::Standard {
            given.insert(Form::IdProof);
        }
        Self {
            personal: Some(Personal::sample()),
            address: Some(Address::sample()),
            given,
            approved: match seed {
                SeedKyc::Simple => Some(Level::Simple),
                SeedKyc::Standard => Some(Level::Standard),
                SeedKyc::None | SeedKyc::Submitted | SeedKyc::Rejected => None,
            },
            rejected: (seed == SeedKyc::Rejected).then_some(Level::Simple),
            review: (seed == SeedKyc::Submitted).then_some(Review {
                level: Level::Simple,
                ends: None,
            }),
            ..Self::default()
        }
    }

    /// The highest level that was approved.
    pub(crate) fn approved(&self) -> Option<Level> {
        self.approved.filter(|_| self.rejected.is_none())
    }

    /// Country of the address, ISO 3166-1 alpha-2 in capitals.
    pub(crate) fn country(&self) -> Option<&str> {
        self.address.as_ref().map(|address| address.country.as_str())
    }

    pub(super) fn in_eea(&self) -> bool {
        self.country().is_some_and(|country| EEA.contains(&country))
    }

    /// What is still wanted before a level can be approved, or used.
    pub(super) fn wanted(&self, level: Level, settings: &Settings) -> Vec<Form> {
        let done = self.approved() >= Some(level);
        let mica = settings.mica && self.in_eea() && self.approved().is_some();
        let forms = [
            (Form::Purpose, !done),
            (Form::Ssn, !done && self.country() == Some("US")),
            (Form::IdProof, !done && level >= Level::Standard),
            (Form::Income, !done && level >= Level::Enhanced),
            (Form::Documents, !done && level >= Level::Enhanced),
            (Form::Consent, mica),
            (Form::Nationality, mica),
        ];
        let open = forms
            .into_iter()
            .filter(|(form, applies)| *applies && !self.given.contains(form));
        open.map(|(form, _)| form).collect()
    }

    /// Whether all is there that a level takes.
    fn complete(&self, level: Level, settings: &Settings) -> bool {
        self.personal.is_some() && self.address.is_some() && self.wanted(level, settings).is_empty()
    }

    /// `status` of a requirement: how far the user is for a level.
    pub(super) fn stage(&self, level: Level, settings: &Settings) -> &'static str {
        if self.rejected.is_some() || self.personal.is_none() || self.address.is_none() {
            "NOT_SUBMITTED"
        } else if !self.wanted(level, settings).is_empty() {
            "ADDITIONAL_FORMS_REQUIRED"
        } else if self.approved() >= Some(level) {
            "APPROVED"
        } else {
            "SUBMITTED"
        }
    }

    /// Whether the user may place an order of so many US dollars; if not, why.
    pub(crate) fn may_order(&self, usd: Decimal, settings: &Settings) -> Result<(), &'static str> {
        let need = Level::for_amount(usd, settings);
        if self.rejected.is_some() {
            return Err("The user's KYC was rejected");
        }
        match self.approved() {
            None => Err("The user's KYC is not approved"),
            Some(level) if level < need => Err("The amount is above the daily limit of the user's KYC level"),
            Some(_) if !self.wanted(need, settings).is_empty() => Err("The user has additional forms to submit"),
            Some(_) if self.country() == Some("GB") && !self.fca.is_done() => {
                Err("The user has not met the requirements of the FCA")
            }
            Some(_) => Ok(()),
        }
    }

    /// Something was given: whatever is complete now goes to review.
    pub(super) fn submitted(&mut self, settings: &Settings, now: Moment) {
        if self.rejected.is_some() {
            return;
        }
        let levels = [Level::Enhanced, Level::Standard, Level::Simple];
        let under_way = self.review.map(|review| review.level).max(self.approved);
        let Some(level) = levels.into_iter().find(|level| self.complete(*level, settings)) else {
            return;
        };
        if Some(level) <= under_way {
            return;
        }
        self.news.push(Verdict::Submitted);
        if self.trusted && level <= Level::Standard {
            self.review = None;
            self.approved = Some(level);
            self.news.push(Verdict::Approved);
            return;
        }
        self.review = Some(Review {
            level,
            ends: Some(now.plus_seconds(settings.kyc_review_seconds)),
        });
    }

    /// Lets what has come to its end by now take effect.
    pub(crate) fn settle(&mut self, settings: &Settings, now: Moment) {
        let over = |began: Moment| began.plus_seconds(settings.id_proof_seconds) <= now;
        if self.id_proof.as_ref().is_some_and(|proof| over(proof.began)) && self.given.insert(Form::IdProof) {
            self.submitted(settings, now);
        }
        if self.share.as_ref().is_some_and(|share| share.is_imported(now)) && !self.trusted {
            self.trusted = true;
            self.personal.get_or_insert_with(Personal::sample);
            self.address.get_or_insert_with(Address::sample);
            self.given.insert(Form::IdProof);
            self.submitted(settings, now);
        }
        self.fca.settle(now);
        let Some(review) = self.review else { return };
        if review.ends.is_none_or(|ends| ends > now) {
            return;
        }
        match settings.kyc_verdict {
            KycVerdict::Approve => {
                self.review = None;
                self.approved = Some(review.level);
                self.news.push(Verdict::Approved);
            }
            KycVerdict::Reject => {
                self.review = None;
                self.rejected = Some(review.level);
                self.news.push(Verdict::Rejected);
            }
            // Whoever looks finds it waiting; the first look after a change of the setting decides.
            KycVerdict::Wait => {}
        }
    }

    /// The moments at which something of this takes effect by itself.
    pub(super) fn moments(&self, settings: &Settings) -> [Option<Moment>; 4] {
        let open = !self.given.contains(&Form::IdProof);
        let proof = self.id_proof.as_ref().filter(|_| open);
        [
            proof.map(|proof| proof.began.plus_seconds(settings.id_proof_seconds)),
            self.share.as_ref().filter(|_| !self.trusted).map(Share::imported_at),
            self.review
                .filter(|_| settings.kyc_verdict != KycVerdict::Wait)
                .and_then(|review| review.ends),
            self.fca.until(),
        ]
    }

    pub(super) fn take_news(&mut self) -> Vec<Verdict> {
        std::mem::take(&mut self.news)
    }

    /// A user who was refused begins anew.
    pub(super) fn begin_anew(&mut self) {
        if self.rejected.take().is_some() {
            self.given.clear();
            self.proofs.clear();
            self.id_proof = None;
            self.share = None;
            self.trusted = false;
            self.reliance = false;
            self.document = false;
            self.approved = None;
        }
    }

    /// Takes one more proof; all of them together answer the form.
    pub(super) fn prove(&mut self, proof: &'static str) {
        self.proofs.insert(proof);
        if self.proofs.len() == PROOFS.len() {
            self.given.insert(Form::Documents);
        }
    }

    fn verdict(&self) -> (&'static str, Option<Level>) {
        match (self.rejected, self.approved, self.review) {
            (Some(level), ..) => ("REJECTED", Some(level)),
            (None, Some(level), _) => ("APPROVED", Some(level)),
            (None, None, Some(review)) => ("SUBMITTED", Some(review.level)),
            (None, None, None) => ("NOT_SUBMITTED", None),
        }
    }

    /// `kyc` of every answer that shows a user.
    pub(crate) fn json(&self) -> Object {
        let (status, level) = self.verdict();
        let object = Object::new().text("status", status);
        match level {
            Some(level) => object.text("type", level.text()),
            None => object.null("type"),
        }
    }

    /// The members of a partner's data of a user. Part of the telephone number is hidden.
    pub(crate) fn partner_members(&self, object: Object, created: Moment) -> Object {
        let (status, _) = self.verdict();
        let object = object.text("kycStatus", status);
        let object = match &self.personal {
            Some(personal) => personal.partner_members(object),
            None => object,
        };
        let object = match &self.address {
            Some(address) => object.object("address", address.json()),
            None => object,
        };
        object.text("createdAt", &timestamp(created))
    }

    /// The members of a user's details that come from here.
    pub(crate) fn members(&self, object: Object, created: Moment, settings: &Settings) -> Object {
        let object = match &self.personal {
            Some(personal) => personal.members(object),
            None => object.when(settings.unset_fields == UnsetFields::Null, |object| {
                object
                    .null("firstName")
                    .null("lastName")
                    .null("mobileNumber")
                    .null("dob")
            }),
        };
        // An address is an object or absent in the spec, never null.
        let object = match &self.address {
            Some(address) => object.object("address", address.json()),
            None => object,
        };
        object.text("createdAt", &timestamp(created))
    }
}
