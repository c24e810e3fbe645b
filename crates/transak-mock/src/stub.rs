//! One-line stubs that answer with an example of the document.

use httpmock::{Mock, MockServer};
use regex::Regex;
use transak_client::environment::Environment;
use transak_client::operation::Operation;
use transak_client::operations::Credential;

use crate::example::ResponseExample;

/// An answer for one operation, with what a call must bring to get it.
///
/// ```
/// use transak_mock::{Stub, examples, httpmock::MockServer};
///
/// let server = MockServer::start();
/// let stub = Stub::of(&examples::get_countries::OK_DOCUMENTED).on(&server);
/// // … call the client …
/// assert_eq!(stub.calls(), 0);
/// ```
#[derive(Debug, Clone)]
pub struct Stub {
    operation: &'static Operation,
    status: u16,
    body: String,
    headers: Vec<(&'static str, String)>,
    demands: Vec<(Credential, String)>,
}

impl Stub {
    /// Answers the example's operation with the example.
    #[must_use]
    pub fn of(example: &'static ResponseExample) -> Self {
        Self {
            operation: example.operation(),
            status: example.status(),
            body: example.json().to_owned(),
            headers: vec![("content-type", "application/json".to_owned())],
            demands: Vec::new(),
        }
    }

    /// Answers an operation with any status and body, documented or not.
    #[must_use]
    pub fn raw(operation: &'static Operation, status: u16, content_type: &str, body: impl Into<String>) -> Self {
        Self {
            operation,
            status,
            body: body.into(),
            headers: vec![("content-type", content_type.to_owned())],
            demands: Vec::new(),
        }
    }

    /// Replaces the body, with JSON of your own.
    #[must_use]
    pub fn body(mut self, json: impl Into<String>) -> Self {
        self.body = json.into();
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Answers only calls that bring this value in the header the operation's table entry names for the
    /// credential; a credential the operation never asks for can never be brought.
    #[must_use]
    pub fn demanding(mut self, credential: Credential, value: impl Into<String>) -> Self {
        self.demands.push((credential, value.into()));
        self
    }

    /// Puts the stub on a server.
    pub fn on(self, server: &MockServer) -> Mock<'_> {
        server.mock(|mut when, mut then| {
            when = when
                .method(self.operation.method())
                .path_matches(path_pattern(self.operation.path()));
            for (credential, value) in &self.demands {
                let header = header_of(self.operation, *credential).unwrap_or("x-no-such-credential");
                when = when.header(header, value);
            }
            then = then.status(self.status);
            for (name, value) in &self.headers {
                then = then.header(*name, value);
            }
            let _ = then.body(&self.body);
            let _ = when;
        })
    }
}

/// The environment in which one mock server plays every host.
///
/// # Panics
/// Never for a server of httpmock, which listens on loopback.
#[must_use]
#[expect(
    clippy::expect_used,
    reason = "a test helper; a mock server's own URL is loopback http"
)]
pub fn environment(server: &MockServer) -> Environment {
    Environment::single(&server.base_url()).expect("a mock server listens on loopback")
}

fn header_of(operation: &Operation, credential: Credential) -> Option<&'static str> {
    let headers = operation.alternatives().iter().flat_map(|a| a.headers());
    headers
        .copied()
        .find(|h| h.credential() == credential)
        .map(|h| h.name())
}

#[expect(clippy::expect_used, reason = "every literal part is escaped")]
fn path_pattern(template: &str) -> Regex {
    let mut pattern = String::from("^");
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        pattern.push_str(&regex::escape(before));
        pattern.push_str("[^/]+");
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    pattern.push_str(&regex::escape(rest));
    pattern.push('$');
    Regex::new(&pattern).expect("escaped parts form a valid pattern")
}

#[cfg(test)]
mod tests {
    use super::path_pattern;

    #[test]
    fn a_parameter_may_be_a_part_of_a_segment() {
        let pattern = path_pattern("/a.b/v{major}/{id}.json");
        assert!(pattern.is_match("/a.b/v2/x%2Fy.json"));
        for other in [
            "/a-b/v2/x.json",
            "/a.b/v/x.json",
            "/a.b/v2/x/y.json",
            "/a.b/v2/x.json/",
            "/z/a.b/v2/x.json",
        ] {
            assert!(!pattern.is_match(other), "{other}");
        }
    }
}
