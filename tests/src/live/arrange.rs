//! What operations of the Whitelabel API need to exist: made on the sandbox, asked for on staging.

use base64::Engine as _;
use serde_json::{Value, json};
use transak_client::operations::Credential;
use transak_client::{Client, Operation, types};
use transak_sandbox::Sandbox;
use transak_sandbox::world::{SeedKyc, SeedUser};

use super::calls::{Live, body};
use super::kyc_calls::details;

/// Why an operation is not run on staging, where nothing is made for the story.
pub(super) fn known(operation: &Operation, live: &Live) -> Result<(), String> {
    let missing = match operation.id() {
        "getKycRequirement" | "getAdditionalRequirements" if live.quote.is_none() => "quote",
        "getUserOrder" if live.user_order.is_none() => "order of the user",
        "getKycIdProofStatus" if live.run.is_none() => "identity proof",
        "getKycRelianceStatus" => "share token",
        "getFcaStatus" | "getFcaRequirements" => "user in the United Kingdom",
        "getVirtualAccountStatus" | "getPaymentInstrumentStatus" => "account to pay from",
        "getTransactionStatus" => "transaction session",
        "getVirtualBankAccount" => "virtual bank account",
        "getUserData" => "customer id",
        "getBusinessOrders" | "getBusinessOrder" => "order between businesses, which staging does not have",
        _ => return Ok(()),
    };
    Err(format!("not run: no {missing} is known"))
}

/// Makes what an operation needs, with calls that are not part of the story.
pub(super) async fn arrange(sandbox: &Sandbox, operation: &Operation, live: &mut Live) {
    let id = operation.id();
    let maker = Maker::of(sandbox, live);
    match id {
        "getKycRequirement"
        | "getKycRelianceStatus"
        | "createVirtualAccount"
        | "getVirtualAccountStatus"
        | "getPaymentInstrumentStatus" => live.quote = Some(maker.quote("sepa_bank_transfer", "149.95").await),
        "getAdditionalRequirements" => {
            maker.verify(SeedKyc::Simple);
            live.quote = Some(maker.quote("sepa_bank_transfer", "1000").await);
        }
        "submitSsn" => {
            maker.live_in("US").await;
            live.quote = Some(maker.quote("sepa_bank_transfer", "149.95").await);
        }
        "getFcaStatus" | "getFcaRequirements" | "submitFcaRequirements" => {
            maker.verify(SeedKyc::Simple);
            maker.live_in("GB").await;
        }
        "createOrder" | "cancelOrder" => {
            maker.verify(SeedKyc::Standard);
            maker.clear().await;
            live.quote = Some(maker.quote("sepa_bank_transfer", "149.95").await);
            if id == "cancelOrder" {
                live.user_order = Some(maker.order(live.quote.as_deref().unwrap_or_default()).await);
            }
        }
        "createTransactionSession" => live.quote = Some(maker.quote("apple_pay", "149.95").await),
        "createCardTransactionSession" => live.quote = Some(maker.quote("credit_debit_card", "149.95").await),
        "processTransaction" | "processCardTransaction" => {
            maker.clear().await;
            live.transaction = Some(maker.session(id == "processCardTransaction").await);
        }
        "deleteSavedCard" if live.card.is_none() => live.card = maker.card().await,
        _ => {}
    }
}

/// Somebody with the user's token who makes what is needed.
struct Maker<'s> {
    sandbox: &'s Sandbox,
    client: Client,
    email: String,
}

impl<'s> Maker<'s> {
    fn of(sandbox: &'s Sandbox, live: &Live) -> Self {
        let client = Client::builder().environment(sandbox.environment());
        let kinds = [Credential::ApiKey, Credential::UserIp, Credential::UserToken];
        let credentials = kinds.into_iter().fold(transak_client::Credentials::new(), |all, kind| {
            all.with(kind, live.value(kind))
        });
        Self {
            sandbox,
            client: client.credentials(credentials).build().expect("a client"),
            email: live.value(Credential::UserIdentifier).to_owned(),
        }
    }

    /// Begins anew with the user's verification.
    fn verify(&self, kyc: SeedKyc) {
        let user = SeedUser {
            email: self.email.clone(),
            kyc,
            tnc_accepted: true,
        };
        self.sandbox.control().seed_user(user).expect("a user");
    }

    async fn live_in(&self, country: &str) {
        let form: types::PatchUserDetailsRequest = body(details(country));
        let patched = self.client.patch_user_details().body(form).send().await;
        patched.expect("details are taken");
    }

    async fn quote(&self, payment: &str, amount: &str) -> String {
        let request = self
            .client
            .get_quote()
            .fiat_currency("EUR")
            .crypto_currency("ETH")
            .network("ethereum");
        let request = request
            .is_buy_or_sell("BUY")
            .payment_method(payment)
            .fiat_amount(amount);
        request.send().await.expect("a quote").data.quote_id.to_string()
    }

    async fn order(&self, quote: &str) -> String {
        let form: types::CreateOrderRequest = body(json!({
            "quoteId": quote, "paymentInstrumentId": "sepa_bank_transfer",
            "walletAddress": "0x52908400098527886E0F7030069857D2E4169EE7",
        }));
        let order = self.client.create_order().body(form).send().await.expect("an order");
        order.data.order_id.clone().expect("an id").to_string()
    }

    /// Brings all orders of the user to an end.
    async fn clear(&self) {
        let active = self.client.get_active_orders().send().await.expect("orders");
        let all: Value = serde_json::to_value(&*active).expect("JSON");
        for order in all["data"].as_array().into_iter().flatten() {
            let id = order["orderId"].as_str().unwrap_or_default();
            if matches!(
                order["status"].as_str(),
                Some("AWAITING_PAYMENT_FROM_USER" | "PAYMENT_DONE_MARKED_BY_USER")
            ) {
                let cancelled = self.client.cancel_order().order_id(id).cancel_reason("clearing up");
                cancelled.send().await.expect("it can be cancelled");
            }
        }
    }

    /// A transaction session; gives the id that its token names.
    async fn session(&self, card: bool) -> String {
        let quote = self
            .quote(if card { "credit_debit_card" } else { "apple_pay" }, "149.95")
            .await;
        let form = json!({
            "quoteId": quote, "walletAddress": "0x52908400098527886E0F7030069857D2E4169EE7",
            "successUrl": "https://app.example.com/paid", "failureUrl": "https://app.example.com/not-paid",
        });
        let created = if card {
            let form: types::CreateCardTransactionSessionRequest = body(form);
            self.client.create_card_transaction_session().body(form).send().await
        } else {
            let form: types::CreateTransactionSessionRequest = body(form);
            self.client.create_transaction_session().body(form).send().await
        };
        let session = created.expect("a session").data.session_id.expose().to_owned();
        let claims = session.split('.').nth(1).expect("a JWT");
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims);
        let claims: Value = serde_json::from_slice(&claims.expect("base64")).expect("JSON");
        claims["requestId"].as_str().expect("an id").to_owned()
    }

    async fn card(&self) -> Option<String> {
        let request = self.client.get_payment_instrument_status();
        let cards = request
            .payment_instrument_id("credit_debit_card")
            .send()
            .await
            .expect("cards");
        let cards: Value = serde_json::to_value(&*cards).expect("JSON");
        cards
            .pointer("/data/cards/0/paymentIdentifierId")?
            .as_str()
            .map(str::to_owned)
    }
}
