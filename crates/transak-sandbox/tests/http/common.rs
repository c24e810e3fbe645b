//! What the HTTP tests share: requests made from the spec's own examples, sent over real TCP.

use serde_json::Value;
use transak_client::operation::{Alternative, Operation};
use transak_client::operations::{Credential, Host};
use transak_sandbox::Sandbox;
use transak_sandbox::world::Moment;

/// 2027-01-15T08:00:00Z.
pub(crate) const START: Moment = Moment::from_seconds(1_800_000_000);
pub(crate) const EMAIL: &str = "ada@example.com";
pub(crate) const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);

/// A sandbox whose clock stands still at [`START`].
pub(crate) async fn frozen() -> Sandbox {
    Sandbox::builder()
        .seed(7)
        .clock_start(START)
        .frozen()
        .start()
        .await
        .expect("the sandbox starts")
}

pub(crate) fn client(sandbox: &Sandbox) -> transak_client::Client {
    transak_client::Client::builder()
        .environment(sandbox.environment())
        .credentials(sandbox.credentials())
        .build()
        .expect("a client")
}

pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("an HTTP client")
}

pub(crate) fn key(sandbox: &Sandbox) -> String {
    sandbox.control().settings().api_key
}

/// Logs a user in over HTTP and gives the access token.
pub(crate) async fn login(sandbox: &Sandbox, email: &str) -> String {
    let client = client(sandbox);
    let key = key(sandbox);
    let sent = client
        .send_user_otp()
        .body_map(|b| b.api_key(&key).email(email))
        .send()
        .await
        .expect("an OTP is sent");
    let code = sandbox.control().latest_code(email).expect("a mail");
    let state = sent.data.state_token.expose().to_owned();
    let verified = client
        .verify_user_otp()
        .body_map(|b| {
            b.api_key(&key)
                .email(email)
                .otp(code.as_str())
                .state_token(state.as_str())
        })
        .send()
        .await
        .expect("the code is right");
    verified.data.access_token.expose().to_owned()
}

/// The spec.
pub(crate) fn spec() -> Value {
    serde_json::from_str(include_str!("../../src/generated/openapi.json")).expect("the spec is JSON")
}

fn resolve<'a>(spec: &'a Value, value: &'a Value) -> &'a Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(reference) => resolve(
            spec,
            spec.pointer(&reference[1..]).expect("the reference leads somewhere"),
        ),
        None => value,
    }
}

/// One request that can be changed before it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) operation: &'static Operation,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Value>,
}

/// A required field of a body.
pub(crate) struct Field {
    pub(crate) pointer: String,
    /// As it is named in messages.
    pub(crate) path: String,
    /// A value it must not have; `None` if it may have any.
    pub(crate) wrong: Option<Value>,
}

/// The media type of a body and what the spec says of it.
fn content<'a>(spec: &'a Value, object: &'a Value) -> Option<(&'a str, &'a Value)> {
    let body = resolve(spec, object.get("requestBody")?);
    let (kind, content) = body["content"].as_object()?.iter().next()?;
    Some((kind, content))
}

impl Call {
    /// A request that breaks no rule of the spec; tokens are made up.
    pub(crate) fn valid(spec: &Value, operation: &'static Operation, alternative: &Alternative) -> Self {
        let object = Self::object(spec, operation);
        let example = |parameter: &Value| match &parameter["example"] {
            Value::String(text) => text.clone(),
            Value::Null => panic!("{parameter} has no example"),
            other => other.to_string(),
        };
        let mut path = operation.path().to_owned();
        let mut query = Vec::new();
        for parameter in parameters(spec, object) {
            let name = parameter["name"].as_str().expect("a name");
            match parameter["in"].as_str() {
                Some("path") => path = path.replace(&format!("{{{name}}}"), &example(parameter)),
                Some("query") => query.push((name.to_owned(), example(parameter))),
                other => panic!("{other:?}"),
            }
        }
        let headers = alternative.headers().iter().map(|header| {
            let value = match header.credential() {
                Credential::UserIp => "203.0.113.7",
                Credential::UserIdentifier => "user@example.com",
                _ => "made-up",
            };
            (header.name().to_owned(), value.to_owned())
        });
        let body = content(spec, object).map(|(_, content)| {
            content["examples"]
                .as_object()
                .expect("examples")
                .values()
                .next()
                .expect("an example")["value"]
                .clone()
        });
        Self {
            operation,
            path,
            query,
            headers: headers.collect(),
            body,
        }
    }

    pub(crate) fn object<'a>(spec: &'a Value, operation: &Operation) -> &'a Value {
        &spec["paths"][operation.path()][operation.method().to_lowercase()]
    }

    /// Whether the body is a form; then its members are parts, and `file` is a file of that content.
    pub(crate) fn is_form(&self) -> bool {
        self.operation.id() == "uploadProofDocument"
    }

    pub(crate) async fn send(&self, sandbox: &Sandbox) -> Answer {
        let base = match self.operation.host() {
            Host::Api => sandbox.api_url(),
            _ => sandbox.gateway_url(),
        };
        let mut request = http()
            .request(
                self.operation.method().parse().expect("a method"),
                format!("{base}{}", self.path),
            )
            .query(&self.query);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request = match &self.body {
            Some(form) if self.is_form() => {
                let (kind, body) = multipart(form);
                request.header("content-type", kind).body(body)
            }
            Some(body) => request.json(body),
            None => request,
        };
        Answer::of(request.send().await.expect("an answer")).await
    }
}

pub(crate) fn parameters<'a>(spec: &'a Value, object: &'a Value) -> impl Iterator<Item = &'a Value> {
    object
        .get("parameters")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(move |one| resolve(spec, one))
}

/// The schema a parameter or a body has.
pub(crate) fn schema<'a>(spec: &'a Value, holder: &'a Value) -> &'a Value {
    resolve(spec, &holder["schema"])
}

/// Every required member of the operation's body, members of required members included.
pub(crate) fn required_fields(spec: &Value, operation: &Operation) -> Vec<Field> {
    let object = Call::object(spec, operation);
    let mut fields = Vec::new();
    if let Some((_, content)) = content(spec, object) {
        collect(spec, schema(spec, content), "", "", &mut fields);
    }
    fields
}

fn collect(spec: &Value, schema: &Value, pointer: &str, path: &str, fields: &mut Vec<Field>) {
    for name in schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        let pointer = format!("{pointer}/{name}");
        let path = if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        };
        let member = resolve(spec, &schema["properties"][name]);
        collect(spec, member, &pointer, &path, fields);
        let wrong = match member["type"].as_str() {
            Some("array") => Some(Value::from(17)),
            Some(_) => Some(serde_json::json!([17])),
            None => None,
        };
        fields.push(Field { pointer, path, wrong });
    }
}

/// A form with these parts, and its content type. What is no text is a part of other bytes.
fn multipart(form: &Value) -> (&'static str, String) {
    let mut body = String::new();
    for (name, value) in form.as_object().expect("members") {
        let file = if name == "file" { "; filename=\"proof.pdf\"" } else { "" };
        let value = value.as_str().expect("a text");
        body += &format!("--parts\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{value}\r\n");
    }
    ("multipart/form-data; boundary=parts", body + "--parts--\r\n")
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self {
            status,
            headers,
            text: response.text().await.expect("a body"),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub(crate) fn code(&self) -> Option<u64> {
        self.json()["error"]["errorCode"].as_u64()
    }

    pub(crate) fn message(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap_or_default().to_owned()
    }
}
