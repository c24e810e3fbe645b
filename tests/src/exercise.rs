//! The hand-written half of [`crate::generated::exercise`].

use serde::Serialize;
use serde::de::DeserializeOwned;
use transak_client::operation::Operation;
use transak_client::operations::Credential;
use transak_client::upload::{ProofFile, ProofFileKind};
use transak_client::{Client, Credentials, Error, ResponseValue};
use transak_mock::examples::RESPONSES;
use transak_mock::httpmock::{Mock, MockServer};

/// How one operation's call must look on the wire when it is made with the spec's example values.
#[derive(Debug)]
pub struct Exercise {
    /// The operation.
    pub operation: &'static Operation,
    /// Path with its parameters filled in.
    pub path: &'static str,
    /// Query pairs, decoded.
    pub query: &'static [(&'static str, &'static str)],
    /// Header parameters of the operation itself.
    pub headers: &'static [(&'static str, &'static str)],
    /// JSON body.
    pub body: Option<&'static str>,
    /// Fields of a form that is sent instead of JSON.
    pub form: &'static [(&'static str, &'static str)],
}

/// What came of a call.
#[derive(Debug)]
pub enum Outcome {
    /// The answer, encoded again.
    Answer {
        /// HTTP status.
        status: u16,
        /// The decoded value as JSON text.
        json: String,
    },
    /// The call failed.
    Failed(Box<Error>),
    /// The generated code knows no such operation.
    Unknown(String),
}

/// The value the tests give to a credential; the generated stubs demand the same.
#[must_use]
pub fn credential_value(credential: Credential) -> String {
    format!("planted-{}", credential.id())
}

/// These credentials with their test values.
#[must_use]
pub fn credentials(kinds: impl IntoIterator<Item = Credential>) -> Credentials {
    kinds
        .into_iter()
        .fold(Credentials::new(), |all, kind| all.with(kind, credential_value(kind)))
}

/// Encodes an answer again, or keeps the error.
///
/// # Panics
/// When a decoded value cannot be encoded, which is what a test wants to know.
pub fn finish<T: Serialize>(result: Result<ResponseValue<T>, Error>) -> Outcome {
    match result {
        Ok(response) => Outcome::Answer {
            status: response.status().as_u16(),
            json: serde_json::to_string(&*response).expect("a decoded answer encodes"),
        },
        Err(error) => Outcome::Failed(Box::new(error)),
    }
}

/// Calls an operation whose body is a form: the client has a call of its own for it.
pub async fn form(client: &Client, operation: &str, fields: &[(&str, &str)]) -> Outcome {
    let value = |name: &str| {
        fields
            .iter()
            .find(|(n, _)| *n == name)
            .map_or("", |(_, value)| value)
            .to_owned()
    };
    match operation {
        "uploadProofDocument" => {
            let file = ProofFile::from_bytes(ProofFileKind::Pdf, "example.pdf", value("file"));
            let request = client.upload_proof_document().doc_id(value("docId"));
            finish(request.file(file).send().await)
        }
        other => Outcome::Unknown(other.to_owned()),
    }
}

/// Stubs such an operation with its first example of a success, demanding the credentials its exercise sends.
///
/// # Panics
/// When it has no example.
#[must_use]
pub fn form_stub<'s>(server: &'s MockServer, operation: &'static Operation) -> Mock<'s> {
    let example = RESPONSES
        .iter()
        .find(|e| e.operation() == operation && e.status() / 100 == 2);
    let example = example.expect("an example of a success");
    server.mock(|when, then| {
        let mut when = when.method(operation.method()).path(operation.path());
        for header in operation.alternatives().first().into_iter().flat_map(|a| a.headers()) {
            when = when.header(header.name(), credential_value(header.credential()));
        }
        let _ = when;
        then.status(example.status())
            .header("content-type", "application/json")
            .body(example.json());
    })
}

/// Decodes an example of the spec.
///
/// # Panics
/// When the example does not fit its type.
#[must_use]
pub fn decoded<T: DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).expect("the spec's example fits its generated type")
}

/// Parses an example of a parameter.
///
/// # Panics
/// When the example does not fit its type.
#[must_use]
pub fn parsed<T: for<'a> TryFrom<&'a str>>(text: &str) -> T {
    T::try_from(text)
        .ok()
        .expect("the spec's example fits its parameter's type")
}

/// Decodes and encodes.
///
/// # Errors
/// What serde says.
pub fn round_trip<T: DeserializeOwned + Serialize>(json: &str) -> Result<String, String> {
    let value: T = serde_json::from_str(json).map_err(|e| e.to_string())?;
    serde_json::to_string(&value).map_err(|e| e.to_string())
}

/// Decodes and prints with `{:?}`.
///
/// # Errors
/// What serde says.
pub fn printed<T: DeserializeOwned + std::fmt::Debug>(json: &str) -> Result<String, String> {
    let value: T = serde_json::from_str(json).map_err(|e| e.to_string())?;
    Ok(format!("{value:?} {value:#?}"))
}
