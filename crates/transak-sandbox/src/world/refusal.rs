//! Every way to say no, and what it looks like on the wire.

use transak_client::{Operation, operations::Host};

use super::{Body, Reply, Settings, json::Object};

/// A refusal; which shape it takes depends on the operation's family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: Option<u16>,
    pub(crate) message: &'static str,
    pub(crate) detail: Option<String>,
    pub(crate) retry_after: Option<i64>,
}

/// What the domain's operations return.
pub(crate) type Answer<T = Reply> = Result<T, Refusal>;

/// Family of authentication errors.
pub(crate) const UNAUTHORIZED: u16 = 1002;
/// The same on the operations of KYC reliance.
const RELIANCE_UNAUTHORIZED: u16 = 1010;

/// The code of a token that is missing or no longer good.
pub(crate) fn rejected(operation: &str) -> u16 {
    match operation {
        "submitRelianceIdentity" | "submitRelianceDocument" | "submitRelianceBiometrics" => RELIANCE_UNAUTHORIZED,
        _ => UNAUTHORIZED,
    }
}

/// Another password was asked for too early.
pub(crate) const TOO_EARLY: u16 = 1019;
/// A request breaks the rules.
pub(crate) const INVALID: u16 = 9001;
/// Another user has this telephone number.
pub(crate) const PHONE_TAKEN: u16 = 2020;
/// Another order is active.
pub(crate) const ACTIVE_ORDER: u16 = 4005;
/// A wallet address is wrong.
pub(crate) const BAD_WALLET: u16 = 4001;

impl Refusal {
    pub(crate) const fn new(status: u16, code: Option<u16>, message: &'static str) -> Self {
        Self {
            status,
            code,
            message,
            detail: None,
            retry_after: None,
        }
    }

    /// 401 with 1002.
    pub(crate) const fn unauthorized(message: &'static str) -> Self {
        Self::new(401, Some(UNAUTHORIZED), message)
    }

    /// 400 with 9001.
    pub(crate) const fn invalid(message: &'static str) -> Self {
        Self::new(400, Some(INVALID), message)
    }

    pub(crate) fn with_detail(mut self, detail: String) -> Self {
        self.detail = Some(detail);
        self
    }

    /// The reply. A status the operation does not document becomes the closest one that it does.
    pub(crate) fn reply(self, operation: &Operation, settings: &Settings) -> Reply {
        let status = documented(operation.id(), self.status);
        if status == 429 && settings.html_429 {
            let page = "<html><head><title>429 Too Many Requests</title></head>\
                <body><center><h1>429 Too Many Requests</h1></center></body></html>";
            return Reply {
                status,
                headers: self.headers(settings),
                body: Body::Html(page.to_owned()),
            };
        }
        let headers = self.headers(settings);
        let mut error = Object::new().int("statusCode", i64::from(status));
        // Two generations of errors: the gateway's carries a code, the older one a name.
        let gateway = operation.host() == Host::Gateway;
        if !gateway {
            error = error.text("name", name(status));
        }
        error = match &self.detail {
            Some(detail) if !gateway => error.text("message", &format!("{}: {detail}", self.message)),
            _ => error.text("message", self.message),
        };
        if gateway {
            let code = self.code.map(|code| match code {
                UNAUTHORIZED => rejected(operation.id()),
                code => code,
            });
            if let Some(code) = code {
                error = error.int("errorCode", i64::from(code));
            }
            error = error.maybe("additionalMessage", self.detail.as_deref());
        }
        Reply {
            status,
            headers,
            body: Body::Json(Object::new().object("error", error).finish()),
        }
    }

    fn headers(&self, settings: &Settings) -> Vec<(&'static str, String)> {
        match self.retry_after {
            Some(seconds) if settings.retry_after => vec![("retry-after", seconds.to_string())],
            _ => Vec::new(),
        }
    }
}

const fn name(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        429 => "Too Many Requests",
        _ => "Error",
    }
}

/// The refusals the spec lists for an operation, the general one first; a test compares this with the spec.
pub(crate) fn refusals(operation: &str) -> &'static [u16] {
    match operation {
        "getOrders"
        | "getOrderById"
        | "getWebhooks"
        | "getPrice"
        | "verifyWalletAddress"
        | "refreshUserAccessToken"
        | "logoutUser"
        | "onboardUser"
        | "lookupCountries"
        | "lookupCryptoCurrencies"
        | "lookupFiatCurrencies"
        | "getQuote"
        | "getKycRequirement"
        | "getAdditionalRequirements"
        | "patchUserDetails"
        | "updatePurposeOfUsage"
        | "uploadProofDocument"
        | "submitMicaConsent"
        | "submitNationality"
        | "getKycRelianceStatus"
        | "submitRelianceIdentity"
        | "getUserOrders"
        | "confirmPayment"
        | "requestOneTimeToken"
        | "updateWebhookUrl"
        | "getUserData" => &[401, 400],
        "refreshAccessToken" | "sendUserOtp" | "verifyUserOtp" => &[401, 400, 429],
        "getCountries" | "testWebhook" => &[401],
        "getCryptoCurrencies" => &[403],
        "getFiatCurrencies" => &[403, 400],
        "createWidgetUrl" | "deleteSavedCard" | "getBusinessOrders" | "getBusinessOrder" => &[401, 400, 403],
        "getUserLimits"
        | "getUserDetails"
        | "getKycIdProofStatus"
        | "submitSsn"
        | "submitSourceOfIncome"
        | "getFcaStatus"
        | "getFcaRequirements"
        | "submitFcaRequirements"
        | "submitRelianceDocument"
        | "submitRelianceBiometrics"
        | "getUserOrder"
        | "cancelOrder"
        | "getActiveOrders"
        | "getVirtualAccountStatus"
        | "getPaymentInstrumentStatus"
        | "getTransactionStatus"
        | "createVirtualBankAccount"
        | "listVirtualBankAccounts"
        | "getVirtualBankAccount"
        | "updateVirtualBankAccount"
        | "deleteVirtualBankAccount" => &[401, 400, 404],
        "createOrder" => &[401, 400, 404, 409, 422],
        "createVirtualAccount" | "simulateVirtualBankTransfer" => &[401, 400, 403, 404],
        "createTransactionSession" | "createCardTransactionSession" => &[401, 400, 422],
        "processTransaction" | "processCardTransaction" => &[401, 400, 404, 422],
        _ => &[],
    }
}

/// Whether the operation can be refused at all without leaving the spec.
pub(crate) fn refusable(operation: &str) -> bool {
    !refusals(operation).is_empty()
}

fn documented(operation: &str, status: u16) -> u16 {
    let listed = refusals(operation);
    if listed.contains(&status) {
        status
    } else {
        listed.first().copied().unwrap_or(status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_refusals_is_the_specs() {
        let spec: serde_json::Value = serde_json::from_str(include_str!("../generated/openapi.json")).unwrap();
        for operation in transak_client::operations::ALL {
            let path = operation.path().replace('/', "~1");
            let pointer = format!("/paths/{path}/{}/responses", operation.method().to_lowercase());
            let listed = spec.pointer(&pointer).and_then(serde_json::Value::as_object).unwrap();
            let mut expected: Vec<u16> = listed.keys().map(|status| status.parse().unwrap()).collect();
            expected.retain(|status| (400..500).contains(status));
            let mut ours = refusals(operation.id()).to_vec();
            expected.sort_unstable();
            ours.sort_unstable();
            assert_eq!(ours, expected, "{}", operation.id());
        }
    }

    #[test]
    fn a_refusal_stays_within_the_spec() {
        let settings = Settings::default();
        for operation in transak_client::operations::ALL {
            for status in [400, 401, 403, 404, 429] {
                let reply = Refusal::new(status, None, "no").reply(operation, &settings);
                let listed = refusals(operation.id());
                assert!(
                    listed.is_empty() || listed.contains(&reply.status),
                    "{} {status}",
                    operation.id()
                );
            }
        }
    }
}
