//! Spec ↔ opaque JSON: the shapes the spec lists for it are types, and lose nothing of the examples.

use contract_tests::json::canonical;
use serde::Serialize;
use serde::de::DeserializeOwned;
use transak_client::enums::KycFormType;
use transak_client::{OpaqueJson, types};
use transak_mock::examples::{get_additional_requirements, submit_fca_requirements};

/// Decodes opaque JSON, and checks that it comes back as it was.
fn known<T: DeserializeOwned + Serialize>(opaque: &OpaqueJson) -> T {
    let value: T = opaque.decode().expect("the shape is known");
    let again = OpaqueJson::from_serialize(&value).expect("a decoded value encodes");
    assert_eq!(
        canonical(again.as_str()).unwrap(),
        canonical(opaque.as_str()).unwrap(),
        "something was lost"
    );
    value
}

fn forms(json: &str) -> Vec<types::KycForm> {
    let response: types::GetAdditionalRequirementsResponse = serde_json::from_str(json).unwrap();
    response.data.forms_required
}

#[test]
fn metadata_of_forms_is_what_the_spec_says_of_their_type() {
    let (mut runs, mut urls, mut choices) = (0, 0, 0);
    for example in [
        &get_additional_requirements::OK_IDENTITY_PROOF,
        &get_additional_requirements::OK_WITH_RUN,
        &get_additional_requirements::OK_DOCUMENT_PROOF,
    ] {
        for form in forms(example.json()) {
            match (form.type_, form.metadata) {
                (KycFormType::Idproof, Some(metadata)) => {
                    let proof: types::KycIdProofMetadata = known(&metadata);
                    runs += usize::from(proof.work_flow_run_id.is_some());
                    urls += usize::from(proof.kyc_url.is_some());
                    // Whoever has the address or the token can act for the user.
                    let printed = format!("{proof:?}");
                    assert!(!printed.contains("id.example") && !printed.contains("eyJ"), "{printed}");
                }
                (KycFormType::DocumentProof, Some(metadata)) => {
                    let proof: types::KycDocumentProofMetadata = known(&metadata);
                    choices += proof.document_proof_options.len();
                }
                (_, metadata) => assert!(metadata.is_none()),
            }
        }
    }
    assert_eq!((runs, urls, choices), (1, 2, 2));
}

#[test]
fn answers_for_the_fca_are_written_as_the_spec_says() {
    let example: types::SubmitFcaRequirementsRequest =
        serde_json::from_str(submit_fca_requirements::REQUEST_CATEGORIZATION.json()).unwrap();
    let categorization: types::FcaCategorization = known(&example.data);
    assert_eq!(categorization.answers.len(), 2);
}
