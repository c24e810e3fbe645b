//! A new operation with a new credential rule needs the spec and nothing else: the crates are copied without
//! their generated code, the spec grows, the generator runs, and a program calls the new operation.

use std::fs;
use std::path::Path;
use std::process::Command;

use contract_tests::spec::root;
use xtask::codegen::{self, Options, write};

/// The addition: another host, another credential scheme, another combination, another enum and a secret.
const PATHS: &str = r##"  /ledger/v1/payouts/{payoutId}:
    servers:
      - url: https://ledger-stg.example.com
        x-transak-host: ledger
        x-transak-environment: staging
      - url: https://ledger.example.com
        x-transak-host: ledger
        x-transak-environment: production
    put:
      operationId: approvePayout
      tags: [Partner]
      summary: Approve a payout
      description: An operation that exists in this test only.
      x-transak-safety: idempotent
      x-transak-provenance: {source: [this test], confidence: inferred, asOf: 2026-11-22}
      security:
        - apiKey: []
          ledgerSignature: []
        - partnerToken: []
          userToken: []
      parameters:
        - name: payoutId
          in: path
          required: true
          description: Which payout.
          schema: {type: string}
          example: payout-1
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: "#/components/schemas/ApprovePayoutRequest"}
            examples:
              exact: {summary: An exact amount, value: {amount: 123456789012345.123456789, state: APPROVED, pin: "0000"}}
      responses:
        "200":
          description: Approved
          content:
            application/json:
              schema: {$ref: "#/components/schemas/ApprovePayoutResponse"}
              examples:
                approved: {summary: Approved, value: {state: APPROVED}}
"##;

const SCHEMES: &str = r#"    ledgerSignature:
      type: apiKey
      in: header
      name: x-ledger-signature
      description: A credential nobody has written a line of Rust for.
      x-transak-credential: ledgerSignature
"#;

const SCHEMAS: &str = r##"    ApprovePayoutRequest:
      type: object
      description: What to approve.
      x-transak-provenance: {source: [this test], confidence: inferred, asOf: 2026-11-22}
      required: [amount, state, pin]
      properties:
        amount: {type: number, format: decimal}
        state: {$ref: "#/components/schemas/PayoutState"}
        pin: {type: string, format: password}
    ApprovePayoutResponse:
      type: object
      description: What became of it.
      x-transak-provenance: {source: [this test], confidence: inferred, asOf: 2026-11-22}
      required: [state]
      properties:
        state: {$ref: "#/components/schemas/PayoutState"}
    PayoutState:
      type: string
      description: State of a payout.
      x-transak-provenance: {source: [this test], confidence: inferred, asOf: 2026-11-22}
      enum: [APPROVED, REFUSED]
"##;

const PROGRAM: &str = r#"
use transak_client::{Client, Environment, Error, Safety, operations::{self, Credential, Host}, types::PayoutState};
use transak_mock::{MockServerExt, examples, httpmock::MockServer};

#[tokio::test]
async fn the_new_operation_works() {
    assert_eq!(operations::APPROVE_PAYOUT.safety(), Safety::Idempotent);
    assert_eq!(operations::APPROVE_PAYOUT.host(), Host::Ledger);
    let server = MockServer::start_async().await;
    let mock = server.approve_payout(|when, then| {
        when.payout_id("payout-1").x_api_key("key").x_ledger_signature("signature").authorization(None).access_token(None);
        then.ok(&serde_json::from_str(examples::approve_payout::OK_APPROVED.json()).unwrap());
    });
    let client = Client::builder().environment(Environment::single(&server.base_url()).unwrap()).build().unwrap();
    let call = |client: Client| async move {
        client.approve_payout().payout_id("payout-1")
            .body_map(|b| b.amount("123456789012345.123456789").state("APPROVED").pin("1234")).send().await
    };
    let refused = call(client.with_credential(Credential::ApiKey, "key")).await.unwrap_err();
    assert!(matches!(refused, Error::MissingCredential(_)), "{refused:?}");
    assert!(refused.to_string().contains("ledgerSignature"), "{refused}");
    let client = client.with_credential(Credential::ApiKey, "key").with_credential(Credential::LedgerSignature, "signature");
    let request = client.approve_payout().body_map(|b| b.pin("1234"));
    assert!(!format!("{request:?}").contains("1234"));
    let answer = call(client).await.unwrap();
    assert_eq!(answer.state, PayoutState::Approved);
    assert_eq!(mock.calls(), 1);
}
"#;

#[test]
fn a_new_operation_with_a_new_credential_rule_needs_no_hand_written_rust() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = folder.path();
    let spec = fs::read_to_string(root().join("spec/transak.yaml")).unwrap();
    let grown = spec
        .replacen("\npaths:\n", &format!("\npaths:\n{PATHS}"), 1)
        .replacen("  securitySchemes:\n", &format!("  securitySchemes:\n{SCHEMES}"), 1)
        .replacen("\n  schemas:\n", &format!("\n  schemas:\n{SCHEMAS}"), 1);
    fs::create_dir_all(workspace.join("spec")).unwrap();
    fs::write(workspace.join("spec/transak.yaml"), grown).unwrap();
    for name in ["transak-client", "transak-mock"] {
        copy(&root().join("crates").join(name), &workspace.join("crates").join(name));
    }
    let options = Options::workspace(workspace);
    write::write(
        &codegen::generate(&options.spec).unwrap_or_else(|e| panic!("{e}")),
        workspace,
    )
    .unwrap();
    let surface = fs::read_to_string(workspace.join("spec/surface.txt")).unwrap();
    assert!(
        surface.contains("operation approvePayout PUT ledger /ledger/v1/payouts/{payoutId}"),
        "{surface}"
    );

    // The same workspace settings, with only these two crates and one program in it.
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest = manifest.replace(
        r#"members = ["xtask", "crates/*", "tests"]"#,
        r#"members = ["crates/transak-client", "crates/transak-mock"]"#,
    );
    fs::write(workspace.join("Cargo.toml"), manifest).unwrap();
    fs::copy(root().join("Cargo.lock"), workspace.join("Cargo.lock")).unwrap();
    let program = workspace.join("crates/transak-mock/tests");
    fs::create_dir_all(&program).unwrap();
    fs::write(program.join("extra.rs"), PROGRAM).unwrap();
    let mock_manifest = workspace.join("crates/transak-mock/Cargo.toml");
    let text = fs::read_to_string(&mock_manifest).unwrap();
    let text = text.replace(
        "[lints]",
        "[dev-dependencies]\ntokio = { workspace = true, features = [\"macros\", \"rt-multi-thread\"] }\n\n[lints]",
    );
    fs::write(&mock_manifest, text).unwrap();

    // Dependencies are shared with this build; only the two crates are compiled anew.
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
    let output = Command::new(env!("CARGO"))
        .args(["test", "--offline", "--package", "transak-mock", "--test", "extra"])
        .current_dir(workspace)
        .env("CARGO_TARGET_DIR", target.join("extra-operation"))
        .output()
        .unwrap();
    let told = format!(
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{told}");
    assert!(told.contains("the_new_operation_works ... ok"), "{told}");
}

/// Copies a crate without its generated code.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() == "generated" {
            continue;
        }
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
