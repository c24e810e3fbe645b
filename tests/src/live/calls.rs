//! What is known of a live target, and a call of every operation made from it.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use transak_client::operations::Credential;
use transak_client::{Client, Credentials, Operation, types};

use super::{kyc_calls, money_calls};
use crate::exercise::{Outcome, finish};

/// What the story has learned so far. Prints no values.
#[derive(Clone, Debug)]
pub struct Live {
    /// Everything that authenticates.
    pub credentials: Credentials,
    /// An order that exists.
    pub order_id: Option<String>,
    /// A quote whose price holds.
    pub quote: Option<String>,
    /// An order of the user.
    pub user_order: Option<String>,
    /// An identity proof under way.
    pub run: Option<String>,
    /// A transaction session.
    pub transaction: Option<String>,
    /// A saved card.
    pub card: Option<String>,
    /// A virtual bank account.
    pub account: Option<String>,
    /// Of the login under way.
    pub state_token: Option<transak_client::Secret>,
    /// Of the login under way.
    pub otp: Option<transak_client::Secret>,
}

impl Live {
    /// Knows nothing but these.
    #[must_use]
    pub fn with(credentials: Credentials) -> Self {
        Self {
            credentials,
            order_id: None,
            quote: None,
            user_order: None,
            run: None,
            transaction: None,
            card: None,
            account: None,
            state_token: None,
            otp: None,
        }
    }

    /// A credential's value; empty when it is not known.
    #[must_use]
    pub fn value(&self, credential: Credential) -> &str {
        self.credentials.get(credential).map_or("", |value| value.expose())
    }

    /// Remembers what later calls need of an answer.
    pub fn learn(&mut self, operation: &Operation, answer: &Value) {
        let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let token = match operation.id() {
            "sendUserOtp" => {
                self.state_token = text("/data/stateToken").map(Into::into);
                None
            }
            "getOrders" => {
                self.order_id = self.order_id.take().or_else(|| text("/data/0/id"));
                None
            }
            "getQuote" => {
                self.quote = text("/data/quoteId");
                None
            }
            "getAdditionalRequirements" => {
                self.run = text("/data/formsRequired/0/metadata/workFlowRunId").or_else(|| self.run.take());
                None
            }
            "createOrder" => {
                self.user_order = text("/data/orderId");
                None
            }
            "getUserOrders" => {
                self.user_order = self.user_order.take().or_else(|| text("/data/0/orderId"));
                None
            }
            "createVirtualBankAccount" => {
                self.account = text("/data/id");
                None
            }
            "verifyUserOtp" | "refreshUserAccessToken" => Some(Credential::UserToken),
            "refreshAccessToken" => Some(Credential::PartnerToken),
            _ => None,
        };
        if let (Some(kind), Some(value)) = (token, text("/data/accessToken")) {
            self.credentials = self.credentials.clone().with(kind, value);
        }
    }
}

/// A body of the spec's own shape.
pub(super) fn body<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("a body")
}

/// Calls an operation with live values. Only ids and credentials are live: what is quoted and asked stands here.
///
/// # Panics
/// When the values do not make a request.
pub async fn call(client: &Client, operation: &Operation, live: &Live) -> Outcome {
    let key = live.value(Credential::ApiKey);
    let email = live.value(Credential::UserIdentifier);
    match operation.id() {
        "createWidgetUrl" => {
            let params = json!({ "widgetParams": {
                "apiKey": key, "referrerDomain": "app.example.com", "fiatCurrency": "EUR", "fiatAmount": 149.95,
            }});
            let form: types::CreateWidgetUrlRequest = body(params);
            finish(client.create_widget_url().body(form).send().await)
        }
        "getCountries" => finish(client.get_countries().send().await),
        "getCryptoCurrencies" => finish(client.get_crypto_currencies().send().await),
        "getFiatCurrencies" => finish(client.get_fiat_currencies().api_key(key).send().await),
        "getOrderById" => {
            let id = live.order_id.as_deref().unwrap_or_default();
            finish(client.get_order_by_id().order_id(id).send().await)
        }
        "getOrders" => finish(client.get_orders().limit(5_i64).send().await),
        "getPrice" => {
            let request = client.get_price().partner_api_key(key);
            let request = request.fiat_currency("EUR").crypto_currency("ETH").network("ethereum");
            finish(request.is_buy_or_sell("BUY").fiat_amount("149.95").send().await)
        }
        "getUserDetails" => finish(client.get_user_details().api_key(key).send().await),
        "getUserLimits" => {
            let request = client.get_user_limits().is_buy_or_sell("BUY").kyc_type("SIMPLE");
            let request = request.payment_category("credit_debit_card").fiat_currency("EUR");
            finish(request.send().await)
        }
        "getWebhooks" => finish(client.get_webhooks().limit(5_i64).send().await),
        "logoutUser" => finish(client.logout_user().send().await),
        "onboardUser" => finish(client.onboard_user().send().await),
        "refreshAccessToken" => {
            let request = client.refresh_access_token().body_map(|b| b.api_key(key));
            finish(request.send().await)
        }
        "refreshUserAccessToken" => finish(client.refresh_user_access_token().send().await),
        "sendUserOtp" => {
            let request = client.send_user_otp().body_map(|b| b.api_key(key).email(email));
            finish(request.send().await)
        }
        "verifyUserOtp" => {
            let otp = live.otp.as_ref().map_or("", |otp| otp.expose());
            let state = live.state_token.as_ref().map_or("", |token| token.expose());
            let request = client.verify_user_otp();
            let request = request.body_map(|b| b.api_key(key).email(email).otp(otp).state_token(state));
            finish(request.send().await)
        }
        "verifyWalletAddress" => {
            let request = client
                .verify_wallet_address()
                .crypto_currency("ETH")
                .network("ethereum");
            let request = request.wallet_address("0x52908400098527886E0F7030069857D2E4169EE7");
            finish(request.send().await)
        }
        other => match kyc_calls::call(client, other, live).await {
            Some(outcome) => outcome,
            None => match money_calls::call(client, other, live).await {
                Some(outcome) => outcome,
                None => Outcome::Unknown(other.to_owned()),
            },
        },
    }
}
