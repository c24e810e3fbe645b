//! Lookups, verification, and what else concerns who a user is.

use serde_json::json;
use transak_client::upload::{ProofFile, ProofFileKind};
use transak_client::{Client, types};

use super::calls::{Live, body};
use crate::exercise::{Outcome, finish};

/// A picture that shows nothing.
const IMAGE: &str = "data:image/png;base64,iVBORw0=";

/// Calls an operation of this kind; `None` if it is not one.
pub(super) async fn call(client: &Client, operation: &str, live: &Live) -> Option<Outcome> {
    let quote = live.quote.as_deref().unwrap_or_default();
    Some(match operation {
        "lookupCountries" => finish(client.lookup_countries().send().await),
        "lookupCryptoCurrencies" => finish(client.lookup_crypto_currencies().send().await),
        "lookupFiatCurrencies" => finish(client.lookup_fiat_currencies().send().await),
        "getQuote" => {
            let request = client
                .get_quote()
                .fiat_currency("EUR")
                .crypto_currency("ETH")
                .network("ethereum");
            let request = request.is_buy_or_sell("BUY").payment_method("sepa_bank_transfer");
            finish(request.fiat_amount("149.95").send().await)
        }
        "getKycRequirement" => finish(client.get_kyc_requirement().metadata_quote_id(quote).send().await),
        "getAdditionalRequirements" => finish(
            client
                .get_additional_requirements()
                .metadata_quote_id(quote)
                .send()
                .await,
        ),
        "getKycIdProofStatus" => {
            let run = live.run.as_deref().unwrap_or_default();
            finish(client.get_kyc_id_proof_status().work_flow_run_id(run).send().await)
        }
        "patchUserDetails" => {
            let form: types::PatchUserDetailsRequest = body(details("US"));
            finish(client.patch_user_details().body(form).send().await)
        }
        "updatePurposeOfUsage" => {
            let form: types::UpdatePurposeOfUsageRequest = body(json!({"purposeList": ["Buying NFTs"]}));
            finish(client.update_purpose_of_usage().body(form).send().await)
        }
        "submitSsn" => {
            let form: types::SubmitSsnRequest = body(json!({"ssn": "000-12-3456", "quoteId": quote}));
            finish(client.submit_ssn().body(form).send().await)
        }
        "submitSourceOfIncome" => {
            let form: types::SubmitSourceOfIncomeRequest = body(json!({
                "monthlyVolume": "1000-5000 EUR", "sourceOfFundsType": "salary",
                "employmentStatus": "employed", "countryOfCitizenship": "PT",
            }));
            finish(client.submit_source_of_income().body(form).send().await)
        }
        "uploadProofDocument" => {
            let file = ProofFile::from_bytes(ProofFileKind::Pdf, "november.pdf", "%PDF-1.7");
            finish(client.upload_proof_document().doc_id("PAYSLIP").file(file).send().await)
        }
        "submitMicaConsent" => {
            let form: types::SubmitMicaConsentRequest = body(json!({"consentedAt": "2026-11-02T10:15:30+01:00"}));
            finish(client.submit_mica_consent().body(form).send().await)
        }
        "submitNationality" => {
            let form: types::SubmitNationalityRequest =
                body(json!({"employmentStatus": "employed", "countryOfCitizenship": "PT"}));
            finish(client.submit_nationality().body(form).send().await)
        }
        "getKycRelianceStatus" => {
            let request = client
                .get_kyc_reliance_status()
                .quote_id(quote)
                .kyc_share_token_provider("SUMSUB");
            finish(request.kyc_share_token("_act-sbx-jwt-example").send().await)
        }
        "submitRelianceIdentity" => {
            let mut form = details("FR");
            form["purposeList"] = json!(["Buying NFTs"]);
            let form: types::SubmitRelianceIdentityRequest = body(form);
            finish(client.submit_reliance_identity().body(form).send().await)
        }
        "submitRelianceDocument" => {
            let form: types::SubmitRelianceDocumentRequest = body(json!({"documentProof": {
                "idType": "PASSPORT", "idCountryCode": "FR", "idNumber": "X0000001", "frontImage": IMAGE,
            }}));
            finish(client.submit_reliance_document().body(form).send().await)
        }
        "submitRelianceBiometrics" => {
            let form: types::SubmitRelianceBiometricsRequest = body(json!({"selfie": IMAGE}));
            finish(client.submit_reliance_biometrics().body(form).send().await)
        }
        "getFcaStatus" => finish(client.get_fca_status().send().await),
        "getFcaRequirements" => finish(
            client
                .get_fca_requirements()
                .status("CATEGORIZATION_PENDING")
                .send()
                .await,
        ),
        "submitFcaRequirements" => {
            let form: types::SubmitFcaRequirementsRequest = body(json!({
                "status": "CATEGORIZATION_PENDING",
                "data": {"answers": [{"questionId": "HNI_Q1", "answerId": "A"}]},
            }));
            finish(client.submit_fca_requirements().body(form).send().await)
        }
        _ => return None,
    })
}

/// Somebody who lives in this country.
pub(super) fn details(country: &str) -> serde_json::Value {
    json!({
        "personalDetails": {
            "firstName": "Robin", "lastName": "Sample", "mobileNumber": "+12025550143", "dob": "1988-02-29",
        },
        "addressDetails": {
            "addressLine1": "12 Sample Road", "addressLine2": "Flat 2", "state": "Sample", "city": "Sampleton",
            "postCode": "97201", "countryCode": country,
        },
    })
}
