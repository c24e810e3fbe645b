//! Client ↔ who plays Transak: one story of every operation, against mocks, the sandbox and, when credentials are
//! given, the real staging host.

use std::collections::BTreeMap;

use contract_tests::exercise::Outcome;
use contract_tests::json::losses;
use contract_tests::live::gate::{self, Staging};
use contract_tests::live::target::say;
use contract_tests::live::{End, ORDER, Refusals, Stage, Step, Target, calls, play};
use transak_client::operations::{self, Credential, Host};
use transak_client::{Client, Operation, Safety};
use transak_sandbox::Sandbox;
use transak_sandbox::world::{SeedKyc, SeedUser};

fn all() -> Vec<&'static str> {
    let mut all: Vec<&str> = operations::ALL.iter().map(|o| o.id()).collect();
    all.sort_unstable();
    all
}

fn all_done(steps: &[Step]) -> usize {
    let mut refused = 0;
    for operation in operations::ALL {
        let ends = steps.iter().filter(|s| s.operation == operation.id());
        let mut alternatives = 0;
        for step in ends {
            let End::Done { unknown, refused: more } = &step.end else {
                panic!("{step:?}")
            };
            assert!(unknown.is_empty(), "{step:?}");
            refused += more;
            alternatives += 1;
        }
        assert_eq!(alternatives, operation.alternatives().len(), "{}", operation.id());
    }
    refused
}

#[test]
fn the_story_knows_every_operation() {
    let mut told: Vec<&str> = ORDER.iter().map(|o| o.id()).collect();
    told.sort_unstable();
    assert_eq!(told, all());
}

#[tokio::test]
async fn the_mocks_play_every_operation_with_every_alternative() {
    let target = Target::mocks().await;
    all_done(&play(&target, Refusals::Skipped).await);
}

#[tokio::test]
async fn the_sandbox_plays_every_operation_with_every_alternative() {
    let target = Target::sandbox().await;
    all_done(&play(&target, Refusals::Skipped).await);
    let Target::Sandbox(sandbox) = &target else { return };
    let counts = sandbox.control().counts();
    assert_eq!(
        (counts.http.violations, counts.world.refusals.len()),
        (0, 0),
        "{counts:?}"
    );
    assert_eq!(
        (counts.world.mints, counts.world.otps_sent, counts.world.logins),
        (1, 1, 1)
    );
    assert_eq!((counts.world.refreshes, counts.world.logouts), (1, 1));
    let called: Vec<&str> = counts.world.calls.keys().copied().collect();
    assert_eq!(called, all());
}

#[tokio::test]
async fn every_missing_or_wrong_credential_is_refused_by_the_sandbox() {
    let target = Target::sandbox().await;
    let refused = all_done(&play(&target, Refusals::Tried).await);
    assert!(refused >= 120, "{refused}");
    let Target::Sandbox(sandbox) = &target else { return };
    let counts = sandbox.control().counts();
    // None of the refused calls had an effect.
    assert_eq!(
        (counts.world.mints, counts.world.otps_sent, counts.world.logins),
        (1, 1, 1)
    );
    assert_eq!((counts.world.refreshes, counts.world.logouts), (1, 1));
    assert_eq!(counts.http.violations, 0);
}

#[tokio::test]
async fn a_client_that_holds_everything_sends_one_method_only() {
    let target = Target::sandbox().await;
    let mut stage = Stage::open(&target).await;
    let mut checked = 0;
    for operation in ORDER {
        if operation.safety() == Safety::Once || operation.host() == Host::Api {
            stage.run(operation, Refusals::Skipped).await;
        } else {
            stage.prepare(operation).await.unwrap();
            // What the client holds is more than any alternative asks for.
            let client = Client::builder().environment(stage.relay.environment());
            let client = client.credentials(stage.live.credentials.clone()).build().unwrap();
            let outcome = calls::call(&client, operation, &stage.live).await;
            let exchange = stage.relay.take().unwrap();
            let sent = |name: &str| exchange.headers.iter().any(|header| header == name);
            assert!(
                !(sent("authorization") && (sent("x-access-token") || sent("x-user-identifier"))),
                "{}",
                operation.id()
            );
            if let Ok(answer) = serde_json::from_str(&exchange.body) {
                stage.live.learn(operation, &answer);
            }
            checked += usize::from(sent("authorization") || sent("x-user-identifier"));
            assert!(
                matches!(outcome, Outcome::Answer { status: 200, .. }),
                "{}: {outcome:?}",
                operation.id()
            );
        }
    }
    assert!(checked >= 5, "{checked}");
}

#[tokio::test]
async fn staging_plays_what_the_environment_allows() {
    let staging = match Staging::of(|name| std::env::var(name).ok()) {
        Ok(staging) => staging,
        Err(instead) => return say(&instead),
    };
    let mut broken = Vec::new();
    for step in play(&Target::Staging(staging), Refusals::Skipped).await {
        let (name, number) = (step.operation, step.alternative);
        match step.end {
            End::Done { unknown, .. } if unknown.is_empty() => say(&format!("staging: {name}[{number}]: fits")),
            End::Done { unknown, .. } => say(&format!("staging: {name}[{number}]: fits; new: {unknown:?}")),
            End::NotRun(reason) => say(&format!("staging: {name}[{number}]: {reason}")),
            End::Broken(problem) => {
                say(&format!("staging: {name}[{number}]: FAILED: {problem}"));
                broken.push(name);
            }
        }
    }
    assert!(broken.is_empty(), "not as the spec says: {broken:?}");
}

/// A sandbox in staging's place shows what would be sent there.
#[tokio::test]
async fn staging_gets_no_call_that_the_environment_does_not_allow() {
    let sandbox = Sandbox::start().await.unwrap();
    let (key, given) = (sandbox.control().settings().api_key, sandbox.credentials());
    let secret = given.get(Credential::ApiSecret).unwrap().expose();
    let mut values = vec![
        (gate::API_KEY, key.as_str()),
        (gate::API_SECRET, secret),
        (gate::USER_EMAIL, "ada@example.com"),
        (gate::USER_IP, "203.0.113.7"),
        (gate::OTP, "000000"),
    ];
    let plays = async |values: &[(&str, &str)]| {
        sandbox.control().reset();
        let user = SeedUser {
            email: "ada@example.com".to_owned(),
            kyc: SeedKyc::Simple,
            tnc_accepted: true,
        };
        sandbox.control().seed_user(user).unwrap();
        let target = Target::Staging(staging(values).unwrap().hosted_by(sandbox.environment()));
        let mut stage = Stage::open(&target).await;
        let mut done = Vec::new();
        // Not the login itself: its password is none of the environment's.
        for operation in ORDER.into_iter().filter(|o| o.id() != "verifyUserOtp") {
            for step in stage.run(operation, Refusals::Skipped).await {
                assert!(!matches!(step.end, End::Broken(_)), "{step:?}");
                done.extend(matches!(step.end, End::Done { .. }).then_some(step.operation));
            }
        }
        let called: Vec<&str> = sandbox.control().counts().world.calls.keys().copied().collect();
        done.sort_unstable();
        done.dedup();
        assert_eq!(done, called, "what was said and what was sent");
        called
    };
    let public = [
        "getCountries",
        "getCryptoCurrencies",
        "getFiatCurrencies",
        "getPrice",
        "getQuote",
        "lookupCountries",
        "lookupCryptoCurrencies",
        "lookupFiatCurrencies",
        "verifyWalletAddress",
    ];
    assert_eq!(plays(&values).await, public);
    values.push((gate::ALLOW_ONCE, "1"));
    let mut more = public.to_vec();
    more.extend(["getOrders", "getWebhooks", "refreshAccessToken", "sendUserOtp"]);
    // As a user the partner vouches for, with the token just minted.
    more.extend([
        "getUserDetails",
        "getUserLimits",
        "getKycRequirement",
        "getAdditionalRequirements",
    ]);
    more.extend(["getUserOrders", "getActiveOrders", "listVirtualBankAccounts"]);
    more.sort_unstable();
    assert_eq!(plays(&values).await, more);
}

fn staging(values: &[(&str, &str)]) -> Result<Staging, String> {
    let values: BTreeMap<&str, &str> = values.iter().copied().collect();
    Staging::of(|name| values.get(name).map(|value| (*value).to_owned()))
}

fn allowed(values: &[(&str, &str)]) -> Vec<&'static str> {
    let mut values = values.to_vec();
    values.push((gate::API_KEY, "key"));
    let staging = staging(&values).unwrap();
    let allowed = |o: &&&'static Operation| o.safety() != Safety::Safe && staging.permits(o).is_ok();
    assert!(
        operations::ALL
            .iter()
            .filter(|o| o.safety() == Safety::Safe)
            .all(|o| staging.permits(o).is_ok())
    );
    operations::ALL.iter().filter(allowed).map(|o| o.id()).collect()
}

#[test]
fn without_an_api_key_nothing_is_run_and_that_is_said() {
    for values in [
        &[][..],
        &[(gate::API_KEY, " ")],
        &[(gate::ALLOW_ONCE, "1"), (gate::USER_TOKEN, "token")],
    ] {
        let told = staging(values).unwrap_err();
        assert!(
            told.starts_with("NOT RUN against staging: set TRANSAK_STAGING_API_KEY"),
            "{told}"
        );
        assert!(told.contains(gate::USER_TOKEN) && !told.contains("\"token\""), "{told}");
    }
}

#[test]
fn nothing_but_reading_is_allowed_without_the_switch() {
    let everything = [
        (gate::API_SECRET, "secret"),
        (gate::USER_EMAIL, "user@example.com"),
        (gate::USER_IP, "203.0.113.7"),
        (gate::OTP, "123456"),
    ];
    assert_eq!(allowed(&everything), Vec::<&str>::new());
    for no in ["0", "true", "yes", "", "11"] {
        let mut values = everything.to_vec();
        values.push((gate::ALLOW_ONCE, no));
        assert_eq!(allowed(&values), Vec::<&str>::new(), "{no}");
    }
}

#[test]
fn the_switch_allows_login_and_mint_and_nothing_else() {
    let switch = (gate::ALLOW_ONCE, "1");
    let email = (gate::USER_EMAIL, "user@example.com");
    assert_eq!(
        allowed(&[switch, email]),
        ["refreshAccessToken", "sendUserOtp", "verifyUserOtp"]
    );
    assert_eq!(allowed(&[switch]), ["refreshAccessToken"], "nobody to mail to");
    // A token that was given is not killed by a mint.
    assert_eq!(
        allowed(&[switch, email, (gate::PARTNER_TOKEN, "t")]),
        ["sendUserOtp", "verifyUserOtp"]
    );
}

#[test]
fn the_gate_prints_names_and_no_values() {
    let staging = staging(&[(gate::API_KEY, "sesame-1"), (gate::USER_EMAIL, "sesame-2")]).unwrap();
    let told = format!("{staging:?} {:?}", staging.credentials());
    assert!(told.contains(gate::API_KEY) && !told.contains("sesame"), "{told}");
    let refusal = staging.permits(&operations::SEND_USER_OTP).unwrap_err();
    assert!(refusal.contains("TRANSAK_STAGING_ALLOW_ONCE=1"), "{refusal}");
}

#[test]
fn what_was_lost_or_changed_between_two_texts_is_placed() {
    assert_eq!(
        losses(r#"{"a":[{"b":1.10,"c":[],"d":null}]}"#, r#"{"a":[{"b":1.10}]}"#),
        Ok(vec!["/a/0/c".to_owned()])
    );
    assert_eq!(losses(r#"{"a":1.10}"#, r#"{"a":1.1}"#), Err("/a".to_owned()));
    assert_eq!(losses(r#"{"a":1}"#, r#"{"a":1,"b":2}"#), Err("/b".to_owned()));
    assert_eq!(losses("[1,2]", "[1]"), Err(String::new()));
    assert_eq!(losses("[1,2]", "[1,2]"), Ok(vec![]));
}
