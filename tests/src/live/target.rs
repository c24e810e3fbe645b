//! Who plays Transak.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use transak_client::operations::Credential;
use transak_client::{Environment, Operation};
use transak_mock::Stub;
use transak_mock::examples::RESPONSES;
use transak_mock::httpmock::MockServer;
use transak_sandbox::Sandbox;
use transak_sandbox::world::{Moment, OrderStory, SeedKyc, SeedOrder, SeedUser};

use super::arrange;
use super::calls::Live;
use super::gate::{ORDER_ID, OTP, Staging};
use crate::exercise::credentials;

const EMAIL: &str = "ada@example.com";
/// Longer than an order of the sandbox needs to be completed.
const ORDER_SPAN: std::time::Duration = std::time::Duration::from_secs(3_600);

/// Who plays Transak.
#[allow(missing_debug_implementations)]
pub enum Target {
    /// Stubs of the spec's own examples.
    Mocks(MockServer),
    /// The local imitation.
    Sandbox(Sandbox),
    /// Transak's staging host.
    Staging(Staging),
}

impl Target {
    /// One stub per operation, each with the first of its examples of a success.
    ///
    /// # Panics
    /// When an operation has none.
    pub async fn mocks() -> Self {
        let server = MockServer::start_async().await;
        for operation in transak_client::operations::ALL {
            let example = RESPONSES
                .iter()
                .find(|e| e.operation() == *operation && (200..300).contains(&e.status()));
            Stub::of(example.expect("an example of a success")).on(&server);
        }
        Self::Mocks(server)
    }

    /// A sandbox whose clock stands still in 2027.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn sandbox() -> Self {
        let sandbox = Sandbox::builder()
            .clock_start(Moment::from_seconds(1_800_000_000))
            .frozen();
        Self::Sandbox(sandbox.start().await.expect("the sandbox starts"))
    }

    pub(super) fn environment(&self) -> Environment {
        match self {
            Self::Mocks(server) => transak_mock::environment(server),
            Self::Sandbox(sandbox) => sandbox.environment(),
            Self::Staging(staging) => staging.hosts(),
        }
    }

    /// What is known before the first call.
    pub(super) fn live(&self) -> Live {
        let (credentials, order_id) = match self {
            Self::Mocks(_) => (credentials(Credential::ALL.iter().copied()), None),
            Self::Sandbox(sandbox) => (sandbox.credentials().with(Credential::UserIdentifier, EMAIL), None),
            Self::Staging(staging) => (staging.credentials(), staging.get(ORDER_ID).map(str::to_owned)),
        };
        let mut live = Live::with(credentials);
        live.order_id = order_id;
        if let Self::Mocks(_) = self {
            // They answer to any id.
            let any = || Some("any".to_owned());
            (live.user_order, live.transaction, live.card, live.account) = (any(), any(), any(), any());
        }
        live
    }

    pub(super) fn permits(&self, operation: &Operation) -> Result<(), String> {
        match self {
            Self::Mocks(_) | Self::Sandbox(_) => Ok(()),
            Self::Staging(staging) => staging.permits(operation),
        }
    }

    /// Whether members that the spec does not name are news, not a defect.
    pub(super) const fn may_surprise(&self) -> bool {
        matches!(self, Self::Staging(_))
    }

    /// Sees to what an operation needs to exist.
    pub(super) async fn prepare(&self, operation: &Operation, live: &mut Live) -> Result<(), String> {
        match operation.id() {
            "verifyUserOtp" if live.state_token.is_none() => Err("not run: no login is under way".to_owned()),
            "verifyUserOtp" => {
                let otp = self.one_time_password();
                live.otp = Some(
                    otp.ok_or_else(|| format!("not run: no terminal to ask for {OTP}"))?
                        .into(),
                );
                Ok(())
            }
            _ if matches!(self, Self::Staging(_)) && arrange::known(operation, live).is_err() => {
                arrange::known(operation, live)
            }
            "getOrderById" if live.order_id.is_none() => Err(format!("not run: no order is known; set {ORDER_ID}")),
            "getUserDetails" | "getOrders" => {
                if let Self::Sandbox(sandbox) = self {
                    seed(sandbox, operation).await;
                }
                Ok(())
            }
            _ => {
                if let Self::Sandbox(sandbox) = self {
                    arrange::arrange(sandbox, operation, live).await;
                }
                Ok(())
            }
        }
    }

    fn one_time_password(&self) -> Option<String> {
        match self {
            Self::Mocks(_) => Some("049175".to_owned()),
            Self::Sandbox(sandbox) => sandbox.control().latest_code(EMAIL),
            Self::Staging(staging) => staging.get(OTP).map(str::to_owned).or_else(ask),
        }
    }
}

/// A user with a name and an address, and orders of every kind with their webhooks: what is empty proves little.
async fn seed(sandbox: &Sandbox, operation: &Operation) {
    let control = sandbox.control();
    if operation.id() == "getUserDetails" {
        let user = SeedUser {
            email: EMAIL.to_owned(),
            kyc: SeedKyc::Standard,
            tnc_accepted: true,
        };
        control.seed_user(user).expect("a user");
        return;
    }
    // The control API knows no such path and says so, which is an answer worth listing.
    let url = format!("{}/nothing-here", sandbox.control_url());
    control.update_settings(|settings| settings.webhook_url = Some(url));
    for story in [
        OrderStory::CardBuy,
        OrderStory::BankBuy,
        OrderStory::Sell,
        OrderStory::Failing,
    ] {
        let order = SeedOrder {
            email: EMAIL.to_owned(),
            story,
            fiat_amount: None,
            fiat_currency: None,
            crypto_currency: None,
            network: None,
            wallet_address: None,
            partner_order_id: Some("shop-417".to_owned()),
            partner_customer_id: Some("customer-77".to_owned()),
        };
        control.seed_order(order).expect("an order");
    }
    control.advance(ORDER_SPAN);
    control.webhooks_settled().await;
}

/// Asks the person in front of the terminal, where there is one.
fn ask() -> Option<String> {
    if !std::io::stdin().is_terminal() {
        return None;
    }
    say("staging has mailed a one-time password; type it:");
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).ok()?;
    let line = line.trim().to_owned();
    (!line.is_empty()).then_some(line)
}

/// Prints a line that the test harness does not swallow: it captures the print macros, not the stream itself.
pub fn say(line: &str) {
    let mut stderr = std::io::stderr().lock();
    // Nobody may be reading, which is no reason to fail.
    let _ = writeln!(stderr, "{line}");
}
