//! Verification of users: what is wanted of them, what they have given, and what became of it.

mod calls;
mod fca;
mod form;
mod level;
mod person;
mod reliance;
mod review;
mod state;
mod submissions;

pub(crate) use level::Level;
pub(crate) use review::Reviews;
pub(crate) use state::Kyc;

use transak_client::Operation;

use super::{Moment, Request, World, refusal::Answer};

/// Answers an operation of this module; `None` for any other.
pub(crate) fn dispatch(world: &mut World, operation: &Operation, request: &Request<'_>, now: Moment) -> Option<Answer> {
    Some(match operation.id() {
        "getKycRequirement" => world.kyc_requirement(request, now),
        "getAdditionalRequirements" => world.additional_requirements(request, now),
        "getKycIdProofStatus" => world.id_proof_status(request, now),
        "patchUserDetails" => world.patch_user(request, now),
        "updatePurposeOfUsage" => world.purpose_of_usage(request, now),
        "submitSsn" => world.submit_ssn(request, now),
        "uploadProofDocument" => world.upload_proof(request, now),
        "submitSourceOfIncome" => world.source_of_income(request, now),
        "submitMicaConsent" => world.mica_consent(request, now),
        "submitNationality" => world.nationality(request, now),
        "getFcaStatus" => world.fca_status(request, now),
        "getFcaRequirements" => world.fca_requirements(request, now),
        "submitFcaRequirements" => world.submit_fca(request, now),
        "getKycRelianceStatus" => world.share_token_status(request, now),
        "submitRelianceIdentity" => world.reliance_identity(request, now),
        "submitRelianceDocument" => world.reliance_document(request, now),
        "submitRelianceBiometrics" => world.reliance_biometrics(request, now),
        _ => return None,
    })
}
