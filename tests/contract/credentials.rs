//! Spec ↔ credentials: every alternative works, and a call without any of them is not sent.

use std::collections::BTreeSet;

use contract_tests::exercise::Outcome;
use contract_tests::generated::exercise::call;
use transak_client::operations::{self, Credential};
use transak_client::{Error, Safety};
use transak_mock::httpmock::MockServer;

use crate::{client, recorder};

#[tokio::test]
async fn a_call_with_one_credential_too_few_is_refused_before_it_is_sent() {
    let server = MockServer::start_async().await;
    let (mock, _) = recorder(&server, 200, "application/json", "{}");
    let mut refused = 0;
    for operation in operations::ALL {
        for alternative in operation.alternatives() {
            let whole: BTreeSet<Credential> = alternative.headers().iter().map(|h| h.credential()).collect();
            for missing in &whole {
                let rest: BTreeSet<Credential> = whole.iter().copied().filter(|c| c != missing).collect();
                let enough = |a: &transak_client::operation::Alternative| {
                    a.headers().iter().all(|h| rest.contains(&h.credential()))
                };
                if operation.alternatives().iter().any(enough) {
                    continue;
                }
                let outcome = call(&client(&server, rest.iter().copied()), operation.id()).await;
                let Outcome::Failed(error) = outcome else {
                    panic!("{}: {outcome:?}", operation.id())
                };
                let Error::MissingCredential(error) = *error else {
                    panic!("{}: {error:?}", operation.id())
                };
                assert_eq!(error.operation(), operation.id());
                assert!(
                    error.alternatives().iter().any(|a| a.as_slice() == [missing.id()]),
                    "{error}"
                );
                assert!(error.to_string().contains(missing.id()), "{error}");
                refused += 1;
            }
        }
    }
    assert_eq!(mock.calls(), 0, "nothing may leave without its credentials");
    assert!(refused >= 30, "{refused}");
}

#[test]
fn the_two_authentication_methods_are_never_asked_for_together() {
    for operation in operations::ALL.iter().filter(|o| o.host() == operations::Host::Gateway) {
        for alternative in operation.alternatives() {
            let names: Vec<&str> = alternative.headers().iter().map(|h| h.name()).collect();
            assert!(
                !(names.contains(&"authorization") && names.contains(&"x-access-token")),
                "{}: {names:?}",
                operation.id()
            );
        }
    }
}

#[test]
fn the_table_says_what_must_never_be_repeated() {
    for id in [
        "sendUserOtp",
        "verifyUserOtp",
        "refreshAccessToken",
        "refreshUserAccessToken",
    ] {
        let operation = transak_client::Operation::find(id).unwrap();
        assert_eq!(operation.safety(), Safety::Once, "{id}");
        assert!(!operation.safety().may_retry());
    }
    for operation in operations::ALL.iter().filter(|o| o.safety() == Safety::Safe) {
        assert_eq!(operation.method(), "GET", "{}", operation.id());
    }
}
