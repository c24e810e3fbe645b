//! The life of a partner and a user, told through every operation; the same story against mocks, the
//! sandbox and the real staging host.

mod arrange;
pub mod calls;
pub mod gate;
mod kyc_calls;
mod money_calls;
mod refusals;
pub mod relay;
pub mod target;

use serde_json::Value;
use transak_client::operation::Alternative;
use transak_client::operations::{self, Credential};
use transak_client::{Client, Credentials, Operation};

use crate::exercise::Outcome;
use crate::json::{canonical, losses};
use crate::spec::{Schemas, document};

pub use calls::Live;
pub use relay::{Relay, Tamper};
pub use target::Target;

/// In this order each operation finds what it needs.
pub const ORDER: [&Operation; 65] = [
    &operations::GET_COUNTRIES,
    &operations::GET_CRYPTO_CURRENCIES,
    &operations::GET_FIAT_CURRENCIES,
    &operations::GET_PRICE,
    &operations::VERIFY_WALLET_ADDRESS,
    &operations::LOOKUP_COUNTRIES,
    &operations::LOOKUP_CRYPTO_CURRENCIES,
    &operations::LOOKUP_FIAT_CURRENCIES,
    &operations::GET_QUOTE,
    &operations::SEND_USER_OTP,
    &operations::VERIFY_USER_OTP,
    &operations::REFRESH_ACCESS_TOKEN,
    &operations::ONBOARD_USER,
    &operations::GET_USER_DETAILS,
    &operations::GET_USER_LIMITS,
    &operations::GET_ORDERS,
    &operations::GET_ORDER_BY_ID,
    &operations::GET_WEBHOOKS,
    &operations::GET_USER_DATA,
    &operations::GET_BUSINESS_ORDERS,
    &operations::GET_BUSINESS_ORDER,
    &operations::CREATE_WIDGET_URL,
    &operations::GET_KYC_REQUIREMENT,
    &operations::GET_ADDITIONAL_REQUIREMENTS,
    &operations::GET_KYC_ID_PROOF_STATUS,
    &operations::PATCH_USER_DETAILS,
    &operations::UPDATE_PURPOSE_OF_USAGE,
    &operations::SUBMIT_SSN,
    &operations::SUBMIT_SOURCE_OF_INCOME,
    &operations::UPLOAD_PROOF_DOCUMENT,
    &operations::SUBMIT_MICA_CONSENT,
    &operations::SUBMIT_NATIONALITY,
    &operations::GET_KYC_RELIANCE_STATUS,
    &operations::SUBMIT_RELIANCE_IDENTITY,
    &operations::SUBMIT_RELIANCE_DOCUMENT,
    &operations::SUBMIT_RELIANCE_BIOMETRICS,
    &operations::GET_FCA_STATUS,
    &operations::GET_FCA_REQUIREMENTS,
    &operations::SUBMIT_FCA_REQUIREMENTS,
    &operations::CREATE_VIRTUAL_ACCOUNT,
    &operations::GET_VIRTUAL_ACCOUNT_STATUS,
    &operations::GET_PAYMENT_INSTRUMENT_STATUS,
    &operations::CREATE_ORDER,
    &operations::GET_USER_ORDERS,
    &operations::GET_USER_ORDER,
    &operations::GET_ACTIVE_ORDERS,
    &operations::CONFIRM_PAYMENT,
    &operations::CANCEL_ORDER,
    &operations::REQUEST_ONE_TIME_TOKEN,
    &operations::CREATE_TRANSACTION_SESSION,
    &operations::PROCESS_TRANSACTION,
    &operations::GET_TRANSACTION_STATUS,
    &operations::CREATE_CARD_TRANSACTION_SESSION,
    &operations::PROCESS_CARD_TRANSACTION,
    &operations::DELETE_SAVED_CARD,
    &operations::CREATE_VIRTUAL_BANK_ACCOUNT,
    &operations::LIST_VIRTUAL_BANK_ACCOUNTS,
    &operations::GET_VIRTUAL_BANK_ACCOUNT,
    &operations::UPDATE_VIRTUAL_BANK_ACCOUNT,
    &operations::SIMULATE_VIRTUAL_BANK_TRANSFER,
    &operations::DELETE_VIRTUAL_BANK_ACCOUNT,
    &operations::UPDATE_WEBHOOK_URL,
    &operations::TEST_WEBHOOK,
    &operations::REFRESH_USER_ACCESS_TOKEN,
    &operations::LOGOUT_USER,
];

/// Whether the story also tries what has to be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusals {
    /// Missing and wrong credentials go before each call.
    Tried,
    /// Only what has to work.
    Skipped,
}

/// What became of one alternative of one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The operation.
    pub operation: &'static str,
    /// Which of its alternatives.
    pub alternative: usize,
    /// How it ended.
    pub end: End,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It worked. Where the answer held members that the client does not know, their places.
    Done {
        /// JSON pointers.
        unknown: Vec<String>,
        /// Requests that were refused as they should be.
        refused: usize,
    },
    /// Not tried, and why.
    NotRun(String),
    /// Something is not as the spec says. Holds no value of an answer: on staging they are secrets.
    Broken(String),
}

/// A story under way.
#[allow(missing_debug_implementations)]
pub struct Stage<'t> {
    target: &'t Target,
    /// Between client and target.
    pub relay: Relay,
    /// What is known.
    pub live: Live,
    client: Client,
    document: Value,
    schemas: Schemas,
}

/// Plays the whole story.
///
/// # Panics
/// When something is not refused as it should be.
pub async fn play(target: &Target, refusals: Refusals) -> Vec<Step> {
    let mut stage = Stage::open(target).await;
    let mut steps = Vec::new();
    for operation in ORDER {
        steps.extend(stage.run(operation, refusals).await);
    }
    steps
}

impl<'t> Stage<'t> {
    /// Sets the stage.
    ///
    /// # Panics
    /// When there are no ports to be had.
    pub async fn open(target: &'t Target) -> Self {
        let relay = Relay::to(&target.environment()).await;
        let client = Client::builder().environment(relay.environment()).build();
        let document = document();
        Self {
            target,
            relay,
            live: target.live(),
            client: client.expect("a client"),
            schemas: Schemas::of(&document),
            document,
        }
    }

    /// Runs one operation with each of its alternatives.
    pub async fn run(&mut self, operation: &'static Operation, refusals: Refusals) -> Vec<Step> {
        let mut steps = Vec::new();
        for (number, alternative) in operation.alternatives().iter().enumerate() {
            let end = match self.ready(operation, alternative).await {
                Err(reason) => End::NotRun(reason),
                Ok(()) => {
                    let refused = match refusals {
                        Refusals::Tried => self.refused(operation, alternative).await,
                        Refusals::Skipped => 0,
                    };
                    match self.succeeds(operation, alternative).await {
                        Ok(unknown) => End::Done { unknown, refused },
                        Err(problem) => End::Broken(problem),
                    }
                }
            };
            steps.push(Step {
                operation: operation.id(),
                alternative: number,
                end,
            });
        }
        steps
    }

    /// Sees to what an operation needs to exist.
    ///
    /// # Errors
    /// Why it cannot be run.
    pub async fn prepare(&mut self, operation: &Operation) -> Result<(), String> {
        self.target.prepare(operation, &mut self.live).await
    }

    async fn ready(&mut self, operation: &'static Operation, alternative: &Alternative) -> Result<(), String> {
        self.target.permits(operation)?;
        for header in alternative.headers() {
            if self.live.value(header.credential()).is_empty() {
                return Err(format!("not run: no {} is known", header.credential().id()));
            }
        }
        self.target.prepare(operation, &mut self.live).await
    }

    /// A client with the credentials of one alternative and no others.
    fn client(&self, alternative: &Alternative) -> Client {
        let kinds = alternative.headers().iter().map(|header| header.credential());
        self.client
            .with_credentials(kinds.fold(Credentials::new(), |all, kind: Credential| {
                all.with(kind, self.live.value(kind))
            }))
    }

    /// The call works, its answer fits the spec, and the typed value is the answer to the last digit. Gives the
    /// places of members the client does not know.
    async fn succeeds(
        &mut self,
        operation: &'static Operation,
        alternative: &Alternative,
    ) -> Result<Vec<String>, String> {
        let outcome = calls::call(&self.client(alternative), operation, &self.live).await;
        let exchange = self.relay.take().unwrap_or_default();
        let json = match outcome {
            Outcome::Answer { json, .. } => json,
            Outcome::Failed(error) => return Err(error.to_string()),
            Outcome::Unknown(_) => return Err("teach it to tests/src/live/calls.rs".to_owned()),
        };
        let value: Value = serde_json::from_str(&exchange.body).map_err(|_| "what was decoded is no JSON")?;
        let complaints = self.complaints(operation, exchange.status, &value);
        if !complaints.is_empty() {
            return Err(format!("breaks the spec at {complaints:?}"));
        }
        let texts = (canonical(&exchange.body), canonical(&json));
        let (Ok(before), Ok(after)) = texts else {
            return Err("what was decoded is no JSON".to_owned());
        };
        let unknown = losses(&before, &after).map_err(|place| format!("`{place}` is not what was received"))?;
        if !unknown.is_empty() && !self.target.may_surprise() {
            return Err(format!("lost on the way: {unknown:?}"));
        }
        self.live.learn(operation, &value);
        Ok(unknown)
    }

    /// Places at which a body breaks the schema that the spec gives for its status.
    fn complaints(&self, operation: &Operation, status: u16, body: &Value) -> Vec<String> {
        let method = operation.method().to_ascii_lowercase();
        let mut answer = &self.document["paths"][operation.path()][method]["responses"][status.to_string()];
        if let Some(reference) = answer["$ref"].as_str() {
            answer = self
                .document
                .pointer(&reference[1..])
                .expect("a reference leads somewhere");
        }
        let schema = &answer["content"]["application/json"]["schema"]["$ref"];
        // Statuses the spec does not list, or lists without a reference, are errors of the one shape.
        let schema = schema.as_str().and_then(|reference| reference.rsplit('/').next());
        let complaints = self.schemas.complaints(schema.unwrap_or("ErrorResponse"), body);
        let place = |complaint: String| complaint.split(": ").next().unwrap_or_default().to_owned();
        complaints.into_iter().map(place).collect()
    }
}
