//! What has to be refused, by the client where it can know and by the target where it cannot.

use serde_json::Value;
use transak_client::operation::{Alternative, Header};
use transak_client::operations::{Credential, Host};
use transak_client::types::ErrorCode;
use transak_client::{Error, Operation};

use super::{Stage, Tamper, calls};
use crate::exercise::Outcome;

/// What is expected of a refusal.
struct Expected {
    status: u16,
    code: Option<ErrorCode>,
}

impl Stage<'_> {
    /// Tries an alternative with each of its credentials missing and wrong, and with the other way of
    /// authenticating on top. Gives the number of refusals the target answered.
    pub(super) async fn refused(&mut self, operation: &'static Operation, alternative: &Alternative) -> usize {
        let mut refused = 0;
        for header in alternative.headers() {
            if !enough_without(operation, alternative, header) {
                self.missing_is_not_sent(operation, alternative, header).await;
                self.relay.tamper(Tamper::Drop(header.name()));
                let expected = self.without_credentials(operation);
                self.is_refused(operation, alternative, None, &expected).await;
                refused += 1;
            }
            for wrong in self.wrong_values(header.credential()) {
                if let Some(expected) = self.with_wrong(operation, header.credential()) {
                    let swap = Some((header.credential(), wrong));
                    self.is_refused(operation, alternative, swap, &expected).await;
                    refused += 1;
                }
            }
        }
        if let Some(other) = other_method(operation, alternative) {
            self.relay.tamper(Tamper::Add(other, "made-up".to_owned()));
            let both = Expected {
                status: 400,
                code: Some(ErrorCode::ValidationFailed),
            };
            self.is_refused(operation, alternative, None, &both).await;
            refused += 1;
        }
        refused
    }

    async fn missing_is_not_sent(&self, operation: &'static Operation, alternative: &Alternative, header: &Header) {
        let client = self.client(alternative).without_credential(header.credential());
        let outcome = calls::call(&client, operation, &self.live).await;
        let told = matches!(&outcome, Outcome::Failed(error) if matches!(**error, Error::MissingCredential(_)));
        assert!(told, "{} without {}", operation.id(), header.credential().id());
        assert!(self.relay.take().is_none(), "{}: sent all the same", operation.id());
    }

    async fn is_refused(
        &self,
        operation: &'static Operation,
        alternative: &Alternative,
        swap: Option<(Credential, String)>,
        expected: &Expected,
    ) {
        let mut client = self.client(alternative);
        let changed = swap.as_ref().map(|(kind, _)| kind.id());
        if let Some((kind, value)) = swap {
            client = client.with_credential(kind, value);
        }
        let outcome = calls::call(&client, operation, &self.live).await;
        let context = format!("{} with another {changed:?}", operation.id());
        let Outcome::Failed(error) = outcome else {
            panic!("{context}: was not refused")
        };
        let exchange = self.relay.take().unwrap_or_default();
        assert_eq!(exchange.status, expected.status, "{context}: {error}");
        assert_eq!(error.status().map(|s| s.as_u16()), Some(expected.status), "{context}");
        assert_eq!(error.error_code(), expected.code.as_ref(), "{context}: {error}");
        assert_eq!(error.is_unauthorized(), expected.status == 401, "{context}");
        let body: Value = serde_json::from_str(&exchange.body).expect("a refusal is JSON");
        let complaints = self.complaints(operation, exchange.status, &body);
        assert_eq!(complaints, Vec::<String>::new(), "{context}: breaks the spec");
    }

    fn lists(&self, operation: &Operation, status: u16) -> bool {
        let method = operation.method().to_ascii_lowercase();
        !self.document["paths"][operation.path()][method]["responses"][status.to_string()].is_null()
    }

    /// Where the spec lists only 403 for a caller without a key, that is what is answered.
    fn without_credentials(&self, operation: &Operation) -> Expected {
        let forbidden = self.lists(operation, 403) && !self.lists(operation, 401);
        Expected {
            status: if forbidden { 403 } else { 401 },
            code: unauthorized(operation),
        }
    }

    /// `None` where the spec leaves no way to refuse.
    fn with_wrong(&self, operation: &Operation, kind: Credential) -> Option<Expected> {
        // Addresses that are none are a mistake in the request, the rest is a matter of trust.
        let malformed = matches!(kind, Credential::UserIp | Credential::UserIdentifier);
        // And a secret that is none is a mistake, too, in the documented example of it.
        let mistake = malformed || kind == Credential::ApiSecret;
        let order = if mistake { [400, 401, 403] } else { [401, 403, 400] };
        let status = order.into_iter().find(|status| self.lists(operation, *status))?;
        let code = if malformed {
            Some(ErrorCode::ValidationFailed)
        } else {
            unauthorized(operation)
        };
        Some(Expected { status, code })
    }

    fn wrong_values(&self, kind: Credential) -> Vec<String> {
        let right = self.live.value(kind);
        let mut wrong = vec!["made-up".to_owned()];
        if let Some((claims, signature)) = right.rsplit_once('.')
            && matches!(kind, Credential::UserToken | Credential::PartnerToken)
        {
            // Right in everything but the signature.
            wrong.push(format!("{claims}.{}", signature.chars().rev().collect::<String>()));
            wrong.push(format!("Bearer {right}"));
        }
        wrong
    }
}

fn unauthorized(operation: &Operation) -> Option<ErrorCode> {
    let reliance = operation.id().starts_with("submitReliance");
    (operation.host() == Host::Gateway).then_some(match reliance {
        true => ErrorCode::RelianceTokenRejected,
        false => ErrorCode::TokenRejected,
    })
}

/// Whether what is left satisfies another alternative.
fn enough_without(operation: &Operation, alternative: &Alternative, left_out: &Header) -> bool {
    let rest = |wanted: &Header| alternative.headers().iter().any(|h| h == wanted && h != left_out);
    operation.alternatives().iter().any(|a| a.headers().iter().all(rest))
}

/// A header of the way to authenticate a user that this alternative does not use.
fn other_method(operation: &Operation, alternative: &Alternative) -> Option<&'static str> {
    let uses = |kind| alternative.headers().iter().any(|h| h.credential() == kind);
    match operation.host() {
        Host::Gateway if uses(Credential::UserToken) => Some("x-user-identifier"),
        Host::Gateway if uses(Credential::UserIdentifier) => Some("authorization"),
        _ => None,
    }
}
