//! Forms that a user answers.

use super::form::{EMPLOYMENTS, Form, PROOFS, SOURCES};
use crate::world::{
    Moment, Reply, Request, World,
    auth_calls::data,
    catalogue,
    json::Object,
    refusal::{Answer, Refusal},
};

/// When the rules on consent came into force: 2024-12-30T00:00:00Z.
const MICA: Moment = Moment::from_seconds(1_735_516_800);

fn submitted() -> Reply {
    data(Object::new().text("status", "SUBMITTED"))
}

/// Nine digits, or `XXX-XX-XXXX`.
pub(super) fn is_ssn(text: &str) -> bool {
    let plain = match text.len() {
        11 => matches!((text.get(3..4), text.get(6..7)), (Some("-"), Some("-"))),
        _ => true,
    };
    let digits = text.replace('-', "");
    plain && digits.len() == 9 && digits.bytes().all(|b| b.is_ascii_digit()) && matches!(text.len(), 9 | 11)
}

/// ISO 8601 with an offset, not of the future and not from before there was anything to consent to.
pub(super) fn is_consent(text: &str, now: Moment) -> bool {
    chrono::DateTime::parse_from_rfc3339(text).is_ok_and(|at| {
        let at = Moment::from_millis(at.timestamp_millis());
        MICA <= at && at <= now
    })
}

impl World {
    pub(super) fn purpose_of_usage(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        self.change_kyc(request, now, |kyc, _| {
            kyc.given.insert(Form::Purpose);
            Ok(submitted())
        })
    }

    pub(super) fn submit_ssn(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let key = self.user_of(request, now)?;
        let kyc = &self.known(&key)?.kyc;
        if kyc.country() != Some("US") {
            return Err(Refusal::new(404, None, "Nobody asks this user for a SSN"));
        }
        self.named_quote(request.text("quoteId"))?;
        if !request.text("ssn").is_some_and(is_ssn) {
            return Err(Refusal::invalid("ssn must be nine digits or XXX-XX-XXXX"));
        }
        self.change_kyc(request, now, |kyc, _| {
            kyc.given.insert(Form::Ssn);
            Ok(submitted())
        })
    }

    pub(super) fn upload_proof(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let document = request.text("docId").unwrap_or_default();
        let (proof, _) = PROOFS
            .into_iter()
            .find(|(value, _)| *value == document)
            .ok_or_else(|| Refusal::invalid("docId is not one of documentProofOptions"))?;
        // The HTTP layer puts the name of the file in the place of its bytes.
        let name = request.text("file").unwrap_or_default().to_owned();
        self.change_kyc(request, now, |kyc, _| {
            kyc.prove(proof);
            Ok(())
        })?;
        let key = self.user_of(request, now)?;
        let id = &self.known(&key)?.id;
        Ok(data(
            Object::new()
                .text("partnerUserId", id)
                .text("docId", proof)
                .text("originalFileName", &name),
        ))
    }

    pub(super) fn source_of_income(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let key = self.user_of(request, now)?;
        if !request
            .text("sourceOfFundsType")
            .is_some_and(|source| SOURCES.contains(&source))
        {
            return Err(Refusal::invalid("sourceOfFundsType is not one of the form's values"));
        }
        if request.text("monthlyVolume").unwrap_or_default().trim().is_empty() {
            return Err(Refusal::invalid("monthlyVolume must not be empty"));
        }
        if self.known(&key)?.kyc.in_eea() {
            self.employment(request)?;
        }
        self.change_kyc(request, now, |kyc, _| {
            kyc.given.insert(Form::Income);
            Ok(submitted())
        })
    }

    pub(super) fn mica_consent(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        if !request.text("consentedAt").is_some_and(|text| is_consent(text, now)) {
            return Err(Refusal::invalid(
                "consentedAt must be a moment with an offset, not in the future and not before 2024-12-30",
            ));
        }
        self.change_kyc(request, now, |kyc, _| {
            kyc.given.insert(Form::Consent);
            Ok(submitted())
        })
    }

    pub(super) fn nationality(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        self.employment(request)?;
        self.change_kyc(request, now, |kyc, _| {
            kyc.given.insert(Form::Nationality);
            Ok(submitted())
        })
    }

    /// How somebody is employed, and of what country they are. Both names are inferred for the form on nationality.
    fn employment(&self, request: &Request<'_>) -> Answer<()> {
        let status = request.text("employmentStatus");
        if !status.is_some_and(|status| EMPLOYMENTS.contains(&status)) {
            return Err(Refusal::invalid("employmentStatus is not one of the form's values"));
        }
        let country = request.text("countryOfCitizenship").unwrap_or_default();
        if !catalogue::is_alpha2(country) {
            return Err(Refusal::invalid("countryOfCitizenship must be two capital letters"));
        }
        Ok(())
    }
}
