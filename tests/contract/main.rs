//! Contract tests: one file per pair of things that must agree.

mod codegen;
mod credentials;
mod events;
mod examples;
mod extra_operation;
mod hostile;
mod known_shapes;
mod live;
mod mocks;
mod openness;
mod pipeline;
mod readme;
mod redaction;
mod seam;
mod shapes;
mod top_level;
mod wire;

use std::sync::{Arc, Mutex};

use contract_tests::exercise::credentials;
use transak_client::Client;
use transak_client::operations::Credential;
use transak_mock::httpmock::{Mock, MockServer};

/// What a server saw of a request.
#[derive(Debug, Clone)]
struct Seen {
    method: String,
    path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    body: String,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// Answers every request alike and remembers what it saw.
fn recorder<'s>(
    server: &'s MockServer,
    status: u16,
    content_type: &str,
    body: &str,
) -> (Mock<'s>, Arc<Mutex<Vec<Seen>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let mock = server.mock(|when, then| {
        when.is_true(move |request| {
            let record = Seen {
                method: request.method().to_string(),
                path: request.uri().path().to_owned(),
                query: request
                    .query_params()
                    .iter()
                    .map(|(k, v)| (k.to_string(), v.to_string()))
                    .collect(),
                headers: request
                    .headers()
                    .iter()
                    .map(|(k, v)| (k.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned()))
                    .collect(),
                body: String::from_utf8_lossy(request.body().as_ref()).into_owned(),
            };
            log.lock().unwrap().push(record);
            true
        });
        then.status(status).header("content-type", content_type).body(body);
    });
    (mock, seen)
}

/// A client of one mock server with these credentials.
fn client(server: &MockServer, kinds: impl IntoIterator<Item = Credential>) -> Client {
    Client::builder()
        .environment(transak_mock::environment(server))
        .credentials(credentials(kinds))
        .build()
        .expect("the settings make a client")
}

/// Every credential there is.
fn everything() -> impl Iterator<Item = Credential> {
    Credential::ALL.iter().copied()
}
