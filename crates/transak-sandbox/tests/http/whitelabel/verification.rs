//! How users are verified.

use serde_json::{Value, json};
use transak_client::operations::Credential;
use transak_client::types::{self, ErrorCode};
use transak_client::upload::{ProofFile, ProofFileKind};
use transak_sandbox::world::{KycVerdict, SeedKyc};

use super::{Buyer, body, status, told};
use crate::common::{key, login};

pub(super) async fn verifies_step_by_step() -> Vec<&'static str> {
    let buyer = Buyer::with(SeedKyc::None).await;
    let small = buyer.quote("sepa_bank_transfer").await;
    let stage = buyer.requirement(&small).await;
    assert_eq!(
        (&stage["status"], &stage["isAllowedToPlaceOrder"]),
        (&json!("NOT_SUBMITTED"), &json!(false))
    );
    buyer.describe("US").await;
    assert_eq!(buyer.form_names(&small).await, ["PURPOSE_OF_USAGE", "US_SSN"]);
    assert_eq!(buyer.requirement(&small).await["status"], "ADDITIONAL_FORMS_REQUIRED");
    buyer.purpose().await;
    let ssn = async |ssn: &str, quote: &str| {
        let form: types::SubmitSsnRequest = body(json!({"ssn": ssn, "quoteId": quote}));
        status(buyer.client.submit_ssn().body(form).send().await)
    };
    assert_eq!(ssn("12-345-6789", &small).await, 400);
    assert_eq!(ssn("000-12-3456", "no quote").await, 400);
    assert_eq!(ssn("000-12-3456", &small).await, 200);
    assert_eq!(buyer.requirement(&small).await["status"], "SUBMITTED");
    buyer.pass(31);
    let stage = buyer.requirement(&small).await;
    assert_eq!(
        (&stage["status"], &stage["isAllowedToPlaceOrder"]),
        (&json!("APPROVED"), &json!(true))
    );

    // More money, more questions: first who the user is.
    let large = buyer.quote_of("EUR", "sepa_bank_transfer", "50000").await;
    let forms = buyer.forms(&large).await;
    assert_eq!(
        buyer.form_names(&large).await,
        ["IDPROOF", "SOURCE_OF_INCOME", "DOCUMENT_PROOF"]
    );
    let run = forms[0]["metadata"]["workFlowRunId"].as_str().unwrap().to_owned();
    let proof = async |run: &str| {
        buyer
            .client
            .get_kyc_id_proof_status()
            .work_flow_run_id(run)
            .send()
            .await
    };
    assert_eq!(told(proof(&run).await)["data"]["status"], "NOT_SUBMITTED");
    assert_eq!(status(proof("another run").await), 404);
    buyer.pass(31);
    assert_eq!(told(proof(&run).await)["data"]["status"], "SUBMITTED");
    buyer.pass(31);

    // Then where the money comes from, and proofs of it.
    let income = async |source: &str| {
        let form: types::SubmitSourceOfIncomeRequest =
            body(json!({"monthlyVolume": "5000-10000 USD", "sourceOfFundsType": source}));
        status(buyer.client.submit_source_of_income().body(form).send().await)
    };
    assert_eq!(income("a dragon's cave").await, 400);
    assert_eq!(income("salary").await, 200);
    for name in ["PAYSLIP", "BANK_STATEMENT_RECENT", "RESIDENTIAL_ADDRESS"] {
        assert_eq!(buyer.form_names(&large).await, ["DOCUMENT_PROOF"]);
        let file = ProofFile::from_bytes(ProofFileKind::Pdf, "proof.pdf", vec![b'%'; 2_000_000]);
        let stored = told(
            buyer
                .client
                .upload_proof_document()
                .doc_id(name)
                .file(file)
                .send()
                .await,
        );
        assert_eq!(stored["data"]["originalFileName"], "proof.pdf");
    }
    assert_eq!(buyer.requirement(&large).await["status"], "SUBMITTED");
    buyer.pass(31);
    let stage = buyer.requirement(&large).await;
    assert_eq!(
        (&stage["status"], &stage["kycType"]),
        (&json!("APPROVED"), &json!("ENHANCED"))
    );
    buyer.done().await
}

pub(super) async fn is_refused_and_begins_anew() -> Vec<&'static str> {
    let buyer = Buyer::with(SeedKyc::None).await;
    let control = buyer.sandbox.control();
    control.update_settings(|settings| settings.kyc_verdict = KycVerdict::Reject);
    let quote = buyer.quote("sepa_bank_transfer").await;
    buyer.describe("FR").await;
    buyer.purpose().await;
    buyer.pass(31);
    assert_eq!(buyer.requirement(&quote).await["status"], "NOT_SUBMITTED");
    let details = told(
        buyer
            .client
            .get_user_details()
            .api_key(key(&buyer.sandbox))
            .send()
            .await,
    );
    assert_eq!(details["data"]["kyc"]["status"], "REJECTED");

    control.update_settings(|settings| settings.kyc_verdict = KycVerdict::Approve);
    buyer.describe("FR").await;
    assert_eq!(buyer.form_names(&quote).await, ["PURPOSE_OF_USAGE"]);
    buyer.purpose().await;
    buyer.pass(31);
    assert_eq!(buyer.requirement(&quote).await["status"], "APPROVED");

    // Rules that came later concern those who are verified already.
    control.update_settings(|settings| settings.mica = true);
    assert_eq!(
        buyer.form_names(&quote).await,
        ["CONSENT", "ADDITIONAL_DETAILS_NATIONALITY"]
    );
    assert_eq!(buyer.requirement(&quote).await["isAllowedToPlaceOrder"], false);
    let consent = async |at: &str| {
        let form: types::SubmitMicaConsentRequest = body(json!({"consentedAt": at}));
        status(buyer.client.submit_mica_consent().body(form).send().await)
    };
    assert_eq!(consent("2035-01-01T00:00:00Z").await, 400, "the future");
    assert_eq!(consent("2020-01-01T00:00:00Z").await, 400, "before the rules");
    assert_eq!(consent("2026-12-01T10:15:30+01:00").await, 200);
    let nationality = async |status_: &str| {
        let form: types::SubmitNationalityRequest =
            body(json!({"employmentStatus": status_, "countryOfCitizenship": "PT"}));
        status(buyer.client.submit_nationality().body(form).send().await)
    };
    assert_eq!(nationality("pirate").await, 400);
    assert_eq!(nationality("employed").await, 200);
    assert_eq!(buyer.requirement(&quote).await["status"], "APPROVED");

    // One telephone belongs to one person.
    let token = login(&buyer.sandbox, "grace@example.com").await;
    let grace = buyer.client.with_credential(Credential::UserToken, token.as_str());
    let form: types::PatchUserDetailsRequest = body(json!({"personalDetails": {
        "firstName": "Grace", "lastName": "Sample", "mobileNumber": "+12025550143", "dob": "1990-01-01"}}));
    let error = grace.patch_user_details().body(form).send().await.unwrap_err();
    assert_eq!(error.error_code(), Some(&ErrorCode::PhoneNumberTaken));
    buyer.done().await
}

pub(super) async fn is_verified_elsewhere() -> Vec<&'static str> {
    let buyer = Buyer::with(SeedKyc::None).await;
    let quote = buyer.quote_of("EUR", "sepa_bank_transfer", "1000").await;
    let share = async |token: &str| {
        let request = buyer.client.get_kyc_reliance_status().quote_id(&quote);
        let answer = told(
            request
                .kyc_share_token_provider("SUMSUB")
                .kyc_share_token(token)
                .send()
                .await,
        );
        answer["data"]["shareTokenStatus"].as_str().unwrap().to_owned()
    };
    assert_eq!(share("made up").await, "FAILED");
    for stage in ["INITIALIZED", "IMPORTED", "VALIDATED", "DONE"] {
        buyer.pass(if stage == "DONE" { 10 } else { 5 });
        if stage == "INITIALIZED" {
            assert_eq!(share("_act-sbx-jwt-1").await, stage);
            continue;
        }
        assert_eq!(share("_act-sbx-jwt-1").await, stage);
    }
    assert_eq!(buyer.form_names(&quote).await, ["PURPOSE_OF_USAGE"]);
    buyer.purpose().await;
    // Who was verified elsewhere waits for nobody.
    assert_eq!(buyer.requirement(&quote).await["status"], "APPROVED");
    let mut calls = buyer.done().await;

    let buyer = Buyer::with(SeedKyc::None).await;
    let quote = buyer.quote_of("EUR", "sepa_bank_transfer", "1000").await;
    let document = async |kind: &str, image: &str| {
        let form: types::SubmitRelianceDocumentRequest = body(json!({"documentProof": {
            "idType": kind, "idCountryCode": "FR", "idNumber": "X1", "frontImage": image}}));
        status(buyer.client.submit_reliance_document().body(form).send().await)
    };
    let biometrics = async |form: Value| {
        let form: types::SubmitRelianceBiometricsRequest = body(form);
        status(buyer.client.submit_reliance_biometrics().body(form).send().await)
    };
    let image = "data:image/png;base64,iVBORw0=";
    assert_eq!(document("PASSPORT", image).await, 404, "the identity comes first");
    assert_eq!(biometrics(json!({"selfie": image})).await, 404);
    let form: types::SubmitRelianceIdentityRequest = body(json!({
        "personalDetails": {"firstName": "Camille", "lastName": "Exemple", "dob": "1991-03-14", "mobileNumber": "+33100000000"},
        "addressDetails": {"addressLine1": "1 rue", "state": "Rhone", "city": "Lyon", "countryCode": "FR", "postCode": "69000"},
        "purposeList": ["Buying NFTs"],
    }));
    let answer = told(buyer.client.submit_reliance_identity().body(form).send().await);
    assert_eq!(
        (&answer["data"]["status"], &answer["data"]["kycType"]),
        (&json!("INITIALIZED"), &json!("STANDARD"))
    );
    assert_eq!(biometrics(json!({"selfie": image})).await, 404, "then the document");
    assert_eq!(document("PASSPORT", "an image").await, 400);
    assert_eq!(document("DRIVING_LICENCE", image).await, 400, "not in the EEA");
    assert_eq!(document("PASSPORT", image).await, 200);
    assert_eq!(biometrics(json!({})).await, 400);
    // Larger than an ordinary body may be.
    let large = format!("data:video/mp4;base64,{}", "A".repeat(3 * 1024 * 1024));
    assert_eq!(biometrics(json!({"liveness": large})).await, 200);
    buyer.pass(31);
    assert_eq!(buyer.requirement(&quote).await["status"], "APPROVED");
    calls.extend(buyer.done().await);
    calls
}

pub(super) async fn meets_the_british_rules() -> Vec<&'static str> {
    let buyer = Buyer::with(SeedKyc::None).await;
    let quote = buyer.quote_of("GBP", "gbp_bank_transfer", "100").await;
    assert_eq!(
        status(buyer.client.get_fca_status().send().await),
        404,
        "nobody knows where they live"
    );
    buyer.describe("GB").await;
    buyer.purpose().await;
    buyer.pass(31);
    assert_eq!(buyer.requirement(&quote).await["isAllowedToPlaceOrder"], false);
    let at = async || told(buyer.client.get_fca_status().send().await)["data"]["status"].clone();
    let wanted = async |step: &str| buyer.client.get_fca_requirements().status(step).send().await;
    let submit = async |step: &str, data: Value| {
        let form: types::SubmitFcaRequirementsRequest = body(json!({"status": step, "data": data}));
        buyer.client.submit_fca_requirements().body(form).send().await
    };
    let answers = |answer: &str| json!({"answers": [{"questionId": "HNI_Q1", "answerId": answer}]});
    let first = "CATEGORIZATION_PENDING";
    assert_eq!(at().await, first);
    assert_eq!(told(wanted(first).await)["data"]["questions"][0]["id"], "HNI_Q1");
    assert_eq!(status(wanted("AGREEMENT_PENDING").await), 400, "not there yet");
    assert_eq!(
        status(submit("AGREEMENT_PENDING", json!({"signature": "R"})).await),
        400
    );
    assert_eq!(told(submit(first, answers("B")).await)["data"], json!({}));
    assert_eq!(at().await, "BLOCKED_RETRY");
    assert!(told(wanted("BLOCKED_RETRY").await)["data"]["until"].is_string());
    buyer.pass(86_400);
    assert_eq!(
        told(submit(first, answers("A")).await)["data"]["result"],
        "HIGH_NET_WORTH_INVESTOR"
    );
    for step in ["AGREEMENT_PENDING", "RISK_ASSESSMENT_PENDING"] {
        assert_eq!(at().await, step);
        told(wanted(step).await);
        assert_eq!(status(submit(step, json!({})).await), 400);
        assert_eq!(status(submit(step, json!({"signature": "R. Sample"})).await), 200);
    }
    assert_eq!(at().await, "COOLING_PERIOD");
    buyer.pass(86_400);
    assert_eq!(at().await, Value::Null);
    assert_eq!(buyer.requirement(&quote).await["isAllowedToPlaceOrder"], true);
    buyer.done().await
}
