//! KYC that somebody else has done: a token that Sumsub shares, or the details themselves.

use serde_json::Value;

use super::{
    Level,
    form::{EMPLOYMENTS, Form},
    person::{Address, Personal},
    submissions::{is_consent, is_ssn},
};
use crate::world::{
    Moment, Request, World,
    auth_calls::data,
    json::Object,
    refusal::{Answer, Refusal},
    rng::mix,
};

/// A share token under way. Of the token itself only a hash is kept.
#[derive(Clone)]
pub(crate) struct Share {
    token: u64,
    since: Moment,
}

/// Seconds after which a share token is fetched, being checked, and done.
const STAGES: [(i64, &str); 3] = [(IMPORT_SECONDS, "DONE"), (10, "VALIDATED"), (5, "IMPORTED")];
const IMPORT_SECONDS: i64 = 20;

impl Share {
    pub(super) fn imported_at(&self) -> Moment {
        self.since.plus_seconds(IMPORT_SECONDS)
    }

    pub(super) fn is_imported(&self, now: Moment) -> bool {
        self.imported_at() <= now
    }

    fn stage(&self, now: Moment) -> &'static str {
        let reached = STAGES
            .into_iter()
            .find(|(seconds, _)| self.since.plus_seconds(*seconds) <= now);
        reached.map_or("INITIALIZED", |(_, stage)| stage)
    }
}

fn hash(token: &str) -> u64 {
    token.bytes().fold(0, |hash, byte| mix(hash ^ u64::from(byte)))
}

/// Largest image and video after decoding, as the page has them, in bytes.
const LARGEST_IMAGE: usize = 5 * 1024 * 1024;
const LARGEST_VIDEO: usize = 20 * 1024 * 1024;
const IMAGES: [&str; 3] = ["image/jpeg", "image/png", "image/webp"];

/// Whether a text is a data URI of one of these types, and not too large.
fn is_data_uri(text: &str, kinds: &[&str], largest: usize) -> bool {
    let Some((kind, data)) = text.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")) else {
        return false;
    };
    let base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    kinds.contains(&kind) && !data.is_empty() && data.bytes().all(base64) && data.len() / 4 * 3 <= largest
}

fn answer(status: &str) -> crate::world::Reply {
    data(
        Object::new()
            .text("status", status)
            .text("kycType", Level::Standard.text()),
    )
}

impl World {
    pub(super) fn share_token_status(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        self.named_quote(request.query("quoteId"))?;
        let token = request.query("kycShareToken").unwrap_or_default();
        // What tokens look like is known from vendor code; any other one Sumsub cannot have made.
        if !token.starts_with("_act-") {
            self.user_of(request, now)?;
            return Ok(data(Object::new().text("shareTokenStatus", "FAILED")));
        }
        let token = hash(token);
        let stage = self.change_kyc(request, now, |kyc, _| {
            let share = match kyc.share.take().filter(|share| share.token == token) {
                Some(share) => kyc.share.insert(share),
                None => kyc.share.insert(Share { token, since: now }),
            };
            Ok(share.stage(now))
        })?;
        Ok(data(Object::new().text("shareTokenStatus", stage)))
    }

    pub(super) fn reliance_identity(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let key = self.user_of(request, now)?;
        let empty = Value::Null;
        let member = |name: &str| request.body.and_then(|body| body.get(name)).unwrap_or(&empty);
        let personal = Personal::read(member("personalDetails"))?;
        let address = Address::read(member("addressDetails"))?;
        self.free_number(&key, &personal)?;
        let number = member("tinDetails").get("documentNumber").and_then(Value::as_str);
        if number.is_some_and(|number| !is_ssn(number)) {
            return Err(Refusal::invalid("tinDetails.documentNumber must be a SSN"));
        }
        let consented = member("consent").get("consentedAt").and_then(Value::as_str);
        if consented.is_some_and(|text| !is_consent(text, now)) {
            return Err(Refusal::invalid("consent.consentedAt is not a moment to consent at"));
        }
        let employment = member("additionalDetails")
            .get("employmentStatus")
            .and_then(Value::as_str);
        if employment.is_some_and(|status| !EMPLOYMENTS.contains(&status)) {
            return Err(Refusal::invalid("additionalDetails.employmentStatus is not known"));
        }
        let brought = [
            (Form::Purpose, true),
            (Form::Ssn, number.is_some()),
            (Form::Income, !member("sourceOfIncome").is_null()),
            (Form::Nationality, !member("additionalDetails").is_null()),
            (Form::Consent, consented.is_some()),
        ];
        self.change_kyc(request, now, |kyc, _| {
            kyc.describe(Some(personal), Some(address));
            kyc.reliance = true;
            kyc.given
                .extend(brought.into_iter().filter(|(_, is)| *is).map(|(form, _)| form));
            Ok(answer("INITIALIZED"))
        })
    }

    /// The other two steps come after the first.
    fn identity_first(&mut self, request: &Request<'_>, now: Moment) -> Answer<()> {
        let key = self.user_of(request, now)?;
        match self.known(&key)?.kyc.reliance {
            true => Ok(()),
            false => Err(Refusal::new(404, None, "Submit the identity details first")),
        }
    }

    pub(super) fn reliance_document(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        self.identity_first(request, now)?;
        let proof = request.body.and_then(|body| body.get("documentProof"));
        let member = |name: &str| proof.and_then(|proof| proof.get(name)).and_then(Value::as_str);
        let image = |name| member(name).is_none_or(|text| is_data_uri(text, &IMAGES, LARGEST_IMAGE));
        if !image("frontImage") || !image("backImage") {
            return Err(Refusal::invalid(
                "frontImage and backImage must be data URIs of JPEG, PNG or WEBP images of up to 5 MB",
            ));
        }
        if member("idNumber").unwrap_or_default().trim().is_empty() {
            return Err(Refusal::invalid("documentProof.idNumber must not be empty"));
        }
        let licence = member("idType") == Some("DRIVING_LICENCE");
        self.change_kyc(request, now, |kyc, _| {
            if licence && kyc.in_eea() {
                return Err(Refusal::invalid(
                    "documentProof.idType must not be DRIVING_LICENCE for users of the EEA",
                ));
            }
            kyc.document = true;
            Ok(answer("INITIALIZED"))
        })
    }

    pub(super) fn reliance_biometrics(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        self.identity_first(request, now)?;
        let (selfie, liveness) = (request.text("selfie"), request.text("liveness"));
        if selfie.is_none() && liveness.is_none() {
            return Err(Refusal::invalid("selfie or liveness must be given"));
        }
        if selfie.is_some_and(|text| !is_data_uri(text, &IMAGES, LARGEST_IMAGE)) {
            return Err(Refusal::invalid(
                "selfie must be a data URI of a JPEG, PNG or WEBP image of up to 5 MB",
            ));
        }
        if liveness.is_some_and(|text| !is_data_uri(text, &["video/mp4"], LARGEST_VIDEO)) {
            return Err(Refusal::invalid(
                "liveness must be a data URI of an MP4 video of up to 20 MB",
            ));
        }
        self.change_kyc(request, now, |kyc, _| {
            if !kyc.document {
                return Err(Refusal::new(404, None, "Submit the document first"));
            }
            kyc.given.insert(Form::IdProof);
            Ok(answer("SUBMITTED"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_uris_are_told_from_others() {
        let image = |text: &str| is_data_uri(text, &IMAGES, 6);
        assert!(image("data:image/png;base64,iVBORw0="));
        for bad in [
            "",
            "iVBORw0=",
            "data:image/gif;base64,iVBORw0=",
            "data:image/png;base64,",
            "data:image/png;base64,<>",
            "data:image/png;base64,iVBORw0iVBORw0=",
        ] {
            assert!(!image(bad), "{bad}");
        }
    }
}
