//! What is wanted of a user for a quote, the identity proof, and who the user is.

use super::{
    Kyc, Level,
    form::Form,
    person::{Address, Personal},
    state::IdProof,
};
use crate::world::{
    Moment, Request, World,
    auth_calls::{data, gone},
    json::{Object, array},
    quote::Quote,
    refusal::{Answer, PHONE_TAKEN, Refusal},
    rng::Rng,
    users::User,
};

/// How long a link to the identity proof works, in seconds.
const LINK_SECONDS: i64 = 1_800;

impl World {
    /// Changes the verification of the caller, and lets it take effect.
    pub(super) fn change_kyc<R>(
        &mut self,
        request: &Request<'_>,
        now: Moment,
        change: impl FnOnce(&mut Kyc, &mut Rng) -> Answer<R>,
    ) -> Answer<R> {
        let key = self.user_of(request, now)?;
        let user = self.users.by_key.get_mut(&key).ok_or_else(gone)?;
        let answer = change(&mut user.kyc, &mut self.rng)?;
        user.kyc.submitted(&self.settings, now);
        self.settle_user(&key, now);
        Ok(answer)
    }

    /// The quote a call names, however old: verification takes its time.
    pub(super) fn named_quote(&self, id: Option<&str>) -> Answer<&Quote> {
        id.and_then(|id| self.quotes.find(id))
            .ok_or_else(|| Refusal::invalid("quoteId is not the id of a quote"))
    }

    /// The caller, the level that the quote of the call needs, and whether it may be ordered.
    fn need(&mut self, request: &Request<'_>, now: Moment) -> Answer<(String, Level, bool)> {
        self.same_key_if_any(request)?;
        let key = self.user_of(request, now)?;
        let quote = self.named_quote(request.query("metadata[quoteId]"))?;
        let (usd, customer) = (quote.usd(), quote.customer.clone());
        let user = self.users.by_key.get_mut(&key).ok_or_else(gone)?;
        if let Some(customer) = customer {
            user.customer = Some(customer.clone());
            self.customers.insert(customer, key.clone(), self.settings.max_users);
        }
        let user = self.known(&key)?;
        let allowed = user
            .kyc
            .may_order(self.with_spent(user, usd, now), &self.settings)
            .is_ok();
        Ok((key, Level::for_amount(usd, &self.settings), allowed))
    }

    pub(super) fn kyc_requirement(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let (key, level, allowed) = self.need(request, now)?;
        let kyc = &self.known(&key)?.kyc;
        Ok(data(
            Object::new()
                .flag("isAllowedToPlaceOrder", allowed)
                .text("status", kyc.stage(level, &self.settings))
                .text("kycType", level.text()),
        ))
    }

    pub(super) fn additional_requirements(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let (key, level, _) = self.need(request, now)?;
        let user = self.users.by_key.get_mut(&key).ok_or_else(gone)?;
        let wanted = user.kyc.wanted(level, &self.settings);
        let run = match wanted.contains(&Form::IdProof) {
            true => Some(id_proof(&mut user.kyc, &mut self.rng, now)),
            false => None,
        };
        let run = run.map(|proof| link(&proof).finish());
        let forms = wanted
            .into_iter()
            .map(|form| form.json(run.as_deref().filter(|_| form == Form::IdProof)));
        let forms = array(forms);
        self.settle_user(&key, now);
        Ok(data(Object::new().raw("formsRequired", &forms)))
    }

    pub(super) fn id_proof_status(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let key = self.user_of(request, now)?;
        let kyc = &self.known(&key)?.kyc;
        let proof = kyc
            .id_proof
            .as_ref()
            .filter(|proof| request.query("workFlowRunId") == Some(proof.run.as_str()))
            .ok_or_else(|| Refusal::new(404, None, "There is no such identity proof"))?;
        let over = proof.began.plus_seconds(self.settings.id_proof_seconds) <= now;
        Ok(data(
            Object::new()
                .text("status", if over { "SUBMITTED" } else { "NOT_SUBMITTED" })
                .text("kycType", Level::Standard.text()),
        ))
    }

    pub(super) fn patch_user(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        self.same_key_if_any(request)?;
        let key = self.user_of(request, now)?;
        let member = |name: &str| request.body.and_then(|body| body.get(name));
        let personal = member("personalDetails").map(Personal::read).transpose()?;
        let address = member("addressDetails").map(Address::read).transpose()?;
        if personal.is_none() && address.is_none() {
            return Err(Refusal::invalid("personalDetails or addressDetails must be given"));
        }
        if let Some(personal) = &personal {
            self.free_number(&key, personal)?;
        }
        self.change_kyc(request, now, |kyc, _| {
            kyc.describe(personal, address);
            Ok(())
        })?;
        Ok(data(self.known(&key)?.details(&self.settings)))
    }

    /// Refuses a telephone number that another user has.
    pub(super) fn free_number(&self, key: &str, personal: &Personal) -> Answer<()> {
        let same = |user: &User| {
            user.kyc
                .personal
                .as_ref()
                .is_some_and(|other| other.same_number(personal))
        };
        if self.users.by_key.iter().any(|(other, user)| other != key && same(user)) {
            return Err(Refusal::new(
                400,
                Some(PHONE_TAKEN),
                "Another user has this mobileNumber",
            ));
        }
        Ok(())
    }
}

impl Kyc {
    /// Takes over who the user says to be.
    pub(super) fn describe(&mut self, personal: Option<Personal>, address: Option<Address>) {
        self.begin_anew();
        if personal.is_some() {
            self.personal = personal;
        }
        if address.is_some() {
            self.address = address;
        }
    }
}

/// The identity proof under way; a new one if there is none or its link has expired.
fn id_proof(kyc: &mut Kyc, rng: &mut Rng, now: Moment) -> IdProof {
    let live = |proof: &IdProof| proof.began <= now && now < proof.began.plus_seconds(LINK_SECONDS);
    match kyc.id_proof.take().filter(live) {
        Some(proof) => kyc.id_proof.insert(proof),
        None => kyc.id_proof.insert(IdProof {
            run: rng.uuid(),
            began: now,
        }),
    }
    .clone()
}

fn link(proof: &IdProof) -> Object {
    let expires = proof.began.plus_seconds(LINK_SECONDS);
    let expires = chrono::DateTime::from_timestamp_millis(expires.unix_millis);
    let expires = expires.map(|at| at.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
    Object::new()
        .text("kycUrl", &format!("https://id.example/l/{}", proof.run))
        .maybe("expiresAt", expires.as_deref())
        .text("sdkToken", &format!("sandbox-sdk-{}", proof.run))
        .text("workFlowRunId", &proof.run)
}
