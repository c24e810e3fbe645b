//! Users of the Whitelabel API from a quote to their crypto, told by the generated client over real TCP.

mod payment;
mod verification;

use std::time::Duration;

use crate::common::{EMAIL, client, frozen, key, login};
use serde_json::{Value, json};
use transak_client::operations::{self, Credential};
use transak_client::types;
use transak_client::{Client, Error, ResponseValue};
use transak_sandbox::Sandbox;
use transak_sandbox::world::{SeedKyc, SeedUser};

/// The operations that the stories of this file tell; `story.rs` tells the others.
pub(crate) const TOLD: &[&str] = &[
    "lookupCountries",
    "lookupCryptoCurrencies",
    "lookupFiatCurrencies",
    "getQuote",
    "getKycRequirement",
    "getAdditionalRequirements",
    "getKycIdProofStatus",
    "patchUserDetails",
    "updatePurposeOfUsage",
    "submitSsn",
    "uploadProofDocument",
    "submitSourceOfIncome",
    "submitMicaConsent",
    "submitNationality",
    "getFcaStatus",
    "getFcaRequirements",
    "submitFcaRequirements",
    "getKycRelianceStatus",
    "submitRelianceIdentity",
    "submitRelianceDocument",
    "submitRelianceBiometrics",
    "createOrder",
    "getUserOrders",
    "getUserOrder",
    "cancelOrder",
    "getActiveOrders",
    "confirmPayment",
    "requestOneTimeToken",
    "createVirtualAccount",
    "getVirtualAccountStatus",
    "getPaymentInstrumentStatus",
    "createTransactionSession",
    "createCardTransactionSession",
    "processTransaction",
    "processCardTransaction",
    "getTransactionStatus",
    "deleteSavedCard",
    "createVirtualBankAccount",
    "listVirtualBankAccounts",
    "getVirtualBankAccount",
    "updateVirtualBankAccount",
    "deleteVirtualBankAccount",
    "simulateVirtualBankTransfer",
    "updateWebhookUrl",
    "testWebhook",
    "getUserData",
    "getBusinessOrders",
    "getBusinessOrder",
];

const WALLET: &str = "0x52908400098527886E0F7030069857D2E4169EE7";

/// One user with a token, and what they are sold.
struct Buyer {
    sandbox: Sandbox,
    client: Client,
}

fn body<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// An answer as JSON; typed access is what the contract tests are about.
fn told<T: serde::Serialize>(answer: Result<ResponseValue<T>, Error>) -> Value {
    serde_json::to_value(&*answer.unwrap()).unwrap()
}

fn status<T>(answer: Result<ResponseValue<T>, Error>) -> u16 {
    match answer {
        Ok(_) => 200,
        Err(error) => error.status().unwrap().as_u16(),
    }
}

impl Buyer {
    async fn with(kyc: SeedKyc) -> Self {
        let sandbox = frozen().await;
        sandbox
            .control()
            .seed_user(SeedUser {
                email: EMAIL.to_owned(),
                kyc,
                tnc_accepted: true,
            })
            .unwrap();
        let token = login(&sandbox, EMAIL).await;
        let client = client(&sandbox).with_credential(Credential::UserToken, token.as_str());
        Self { sandbox, client }
    }

    fn pass(&self, seconds: u64) {
        self.sandbox.control().advance(Duration::from_secs(seconds));
    }

    async fn quote_of(&self, fiat: &str, payment: &str, amount: &str) -> String {
        let request = self.client.get_quote().fiat_currency(fiat).crypto_currency("ETH");
        let request = request
            .network("ethereum")
            .is_buy_or_sell("BUY")
            .payment_method(payment);
        let quote = told(
            request
                .fiat_amount(amount)
                .partner_customer_id("customer-7")
                .send()
                .await,
        );
        quote["data"]["quoteId"].as_str().unwrap().to_owned()
    }

    async fn quote(&self, payment: &str) -> String {
        self.quote_of("EUR", payment, "100").await
    }

    async fn requirement(&self, quote: &str) -> Value {
        told(self.client.get_kyc_requirement().metadata_quote_id(quote).send().await)["data"].clone()
    }

    async fn forms(&self, quote: &str) -> Value {
        let request = self.client.get_additional_requirements().metadata_quote_id(quote);
        told(request.send().await)["data"]["formsRequired"].clone()
    }

    async fn form_names(&self, quote: &str) -> Vec<String> {
        let forms = self.forms(quote).await;
        let names = forms.as_array().unwrap().iter();
        names.map(|form| form["type"].as_str().unwrap().to_owned()).collect()
    }

    async fn describe(&self, country: &str) {
        let form = body(json!({
            "personalDetails": {"firstName": "Robin", "lastName": "Sample", "mobileNumber": "+12025550143", "dob": "29-02-1988"},
            "addressDetails": {"addressLine1": "12 Sample Road", "state": "S", "city": "C", "postCode": "1", "countryCode": country},
        }));
        let form: types::PatchUserDetailsRequest = form;
        let details = told(self.client.patch_user_details().body(form).send().await);
        assert_eq!(details["data"]["dob"], "1988-02-29T00:00:00.000Z");
        assert_eq!(details["data"]["address"]["countryCode"], country);
    }

    async fn purpose(&self) {
        let form: types::UpdatePurposeOfUsageRequest = body(json!({"purposeList": ["Buying NFTs"]}));
        let answer = told(self.client.update_purpose_of_usage().body(form).send().await);
        assert_eq!(answer["data"]["status"], "SUBMITTED");
    }

    async fn order(&self, quote: &str, instrument: &str) -> Result<ResponseValue<types::UserOrderResponse>, Error> {
        let form: types::CreateOrderRequest = body(json!({
            "quoteId": quote, "paymentInstrumentId": instrument, "walletAddress": WALLET,
        }));
        self.client.create_order().body(form).send().await
    }

    async fn set_up(&self, quote: &str) {
        let form: types::CreateVirtualAccountRequest = body(json!({"quoteId": quote}));
        let answer = told(self.client.create_virtual_account().body(form).send().await);
        assert_eq!(answer["data"]["status"], "COMPLETED");
    }

    async fn order_status(&self, id: &str) -> String {
        let order = told(self.client.get_user_order().order_id(id).send().await);
        order["data"]["status"].as_str().unwrap().to_owned()
    }

    /// Whatever was said, it was what the spec allows.
    async fn done(self) -> Vec<&'static str> {
        let counts = self.sandbox.control().counts();
        assert_eq!(counts.http.violations, 0);
        self.sandbox.shutdown().await;
        counts.world.calls.into_keys().collect()
    }
}

async fn looks_around() -> Vec<&'static str> {
    let buyer = Buyer::with(SeedKyc::None).await;
    let anybody = client(&buyer.sandbox);
    let countries = told(anybody.lookup_countries().send().await);
    assert_eq!(countries["data"]["countries"][0]["alpha2"], "DE");
    let cryptos = told(anybody.lookup_crypto_currencies().send().await);
    assert!(!cryptos["data"]["cryptoCurrencies"].as_array().unwrap().is_empty());
    let fiats = told(anybody.lookup_fiat_currencies().send().await);
    assert_eq!(fiats["data"]["fiatCurrencies"][0]["symbol"], "EUR");
    assert_eq!(
        status(anybody.lookup_fiat_currencies().api_key("another").send().await),
        400
    );
    // The fee on top: the whole amount becomes crypto.
    let request = anybody
        .get_quote()
        .fiat_currency("EUR")
        .crypto_currency("ETH")
        .network("ethereum");
    let request = request
        .is_buy_or_sell("BUY")
        .fiat_amount("100")
        .is_fee_excluded_from_fiat(true);
    let quote = told(request.send().await);
    assert!(quote["data"]["fiatAmount"].as_f64().unwrap() > 100.0);
    buyer.done().await
}

async fn is_seen_by_the_partner() -> Vec<&'static str> {
    let buyer = Buyer::with(SeedKyc::Standard).await;
    let key = key(&buyer.sandbox);
    let anybody = client(&buyer.sandbox);
    let minted = anybody
        .refresh_access_token()
        .body_map(|b| b.api_key(&key))
        .send()
        .await
        .unwrap();
    let partner = anybody.with_credential(Credential::PartnerToken, minted.data.access_token.expose());
    let data = async || partner.get_user_data().partner_customer_id("customer-7").send().await;
    assert_eq!(status(data().await), 400, "no quote has named the customer yet");
    let quote = buyer.quote("sepa_bank_transfer").await;
    buyer.requirement(&quote).await;
    let seen = told(data().await);
    assert_eq!(seen["data"]["kycStatus"], "APPROVED");
    assert_eq!(seen["data"]["mobileNumber"], "+33XXXXXXXXX");

    let url = async |url: &str| {
        let form: types::UpdateWebhookUrlRequest = body(json!({"webhookURL": url}));
        status(partner.update_webhook_url().body(form).send().await)
    };
    let sent = told(partner.test_webhook().send().await);
    assert_eq!(sent["meta"], json!({"success": false}));
    assert_eq!(url("ftp://hooks.example").await, 400);
    assert_eq!(url(&format!("{}/health", buyer.sandbox.control_url())).await, 200);
    let sent = told(partner.test_webhook().send().await);
    assert_eq!(sent["meta"]["success"], true);
    assert_eq!(buyer.sandbox.control().counts().world.webhooks_queued, 1);

    let request = partner
        .get_business_orders()
        .start_date("2026-01-01T00:00:00Z")
        .end_date("2027-01-01T00:00:00Z");
    assert_eq!(told(request.send().await)["data"], json!([]));
    assert_eq!(status(partner.get_business_order().order_id("none").send().await), 400);
    buyer.done().await
}

#[tokio::test]
async fn every_whitelabel_operation_is_part_of_a_story() {
    let mut calls = looks_around().await;
    calls.extend(verification::verifies_step_by_step().await);
    calls.extend(verification::is_refused_and_begins_anew().await);
    calls.extend(verification::is_verified_elsewhere().await);
    calls.extend(verification::meets_the_british_rules().await);
    calls.extend(payment::pays_by_bank().await);
    calls.extend(payment::pays_by_card_and_telephone().await);
    calls.extend(payment::streams_money().await);
    calls.extend(is_seen_by_the_partner().await);
    let untold: Vec<&&str> = TOLD.iter().filter(|id| !calls.contains(*id)).collect();
    assert!(untold.is_empty(), "{untold:?}");
    assert!(TOLD.iter().all(|id| operations::ALL.iter().any(|o| o.id() == *id)));
}
