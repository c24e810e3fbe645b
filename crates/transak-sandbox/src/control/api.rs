//! The control API over HTTP: the typed handle, method by method.

use std::net::IpAddr;

use ::http::header::{ALLOW, CONTENT_TYPE, ORIGIN};
use ::http::{HeaderMap, HeaderValue, Method, StatusCode, request};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use url::Url;

use super::wire::{ClockChange, Health, MailView, Mailbox, Opened};
use super::{CONTROL_OPENAPI, Control};
use crate::fault::{Fault, FaultError};
use crate::http::{BodyProblem, BodyReader, Dropped, Handler, Incoming, Outgoing, json_response, text_response};
use crate::sandbox::url;
use crate::validate::query_pairs;
use crate::webhooks::is_loopback;
use crate::world::{Moment, SeedOrder, SeedUser, Settings, WidgetRefusal};

/// Every path with its methods.
const PATHS: &[(&str, &[Method])] = &[
    ("/health", &[Method::GET]),
    ("/openapi.yaml", &[Method::GET]),
    ("/clock", &[Method::GET, Method::POST]),
    ("/mailbox", &[Method::GET]),
    ("/faults", &[Method::GET, Method::POST, Method::DELETE]),
    ("/faults/{id}", &[Method::DELETE]),
    ("/users", &[Method::POST]),
    ("/orders", &[Method::POST]),
    ("/widget-sessions/{id}/open", &[Method::POST]),
    ("/counters", &[Method::GET]),
    ("/settings", &[Method::GET, Method::PUT]),
    ("/reset", &[Method::POST]),
];

/// The control API.
pub(crate) struct ControlApi {
    control: Control,
    bodies: BodyReader,
}

/// An answer: status, and JSON unless there is nothing to say.
type Answer = Result<(StatusCode, Option<String>), Problem>;

/// A request that cannot be carried out.
struct Problem {
    status: StatusCode,
    text: String,
}

impl Problem {
    fn new(status: StatusCode, text: impl ToString) -> Self {
        Self {
            status,
            text: text.to_string(),
        }
    }

    fn bad(text: impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }
}

impl Handler for ControlApi {
    async fn handle(&self, request: Incoming, _peer: IpAddr) -> Result<Outgoing, Dropped> {
        let (head, body) = request.into_parts();
        let body = self.bodies.read(&head, body, crate::http::Room::Ordinary).await;
        Ok(self.respond(&head, body))
    }
}

impl ControlApi {
    pub(crate) const fn new(control: Control, bodies: BodyReader) -> Self {
        Self { control, bodies }
    }

    fn respond(&self, head: &request::Parts, body: Result<Bytes, BodyProblem>) -> Outgoing {
        let now = self.control.now();
        let path: Vec<&str> = head.uri.path().split('/').skip(1).collect();
        let Some(methods) = methods(&path) else {
            return failed(
                &Problem::new(StatusCode::NOT_FOUND, "no such path; see /openapi.yaml"),
                now,
            );
        };
        if !methods.contains(&head.method) {
            let mut response = failed(
                &Problem::new(StatusCode::METHOD_NOT_ALLOWED, "no such method here"),
                now,
            );
            let allowed: Vec<&str> = methods.iter().map(Method::as_str).collect();
            if let Ok(allowed) = HeaderValue::from_str(&allowed.join(", ")) {
                response.headers_mut().insert(ALLOW, allowed);
            }
            return response;
        }
        if is_foreign_page(&head.headers) {
            let problem = Problem::new(
                StatusCode::FORBIDDEN,
                "pages of other machines may not control the sandbox",
            );
            return failed(&problem, now);
        }
        if path == ["openapi.yaml"] {
            return text_response(StatusCode::OK, "application/yaml", CONTROL_OPENAPI.to_owned(), now);
        }
        let answer = match body {
            Ok(body) => self.carry_out(head, &path, &body),
            Err(_) => Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "the body is too long, too slow or broken",
            )),
        };
        match answer {
            Ok((status, Some(text))) => json_response(status, text, now),
            Ok((status, None)) => text_response(status, "", String::new(), now),
            Err(problem) => failed(&problem, now),
        }
    }

    fn carry_out(&self, head: &request::Parts, path: &[&str], body: &Bytes) -> Answer {
        let control = &self.control;
        match (head.method.as_str(), path) {
            ("GET", ["health"]) => {
                let addresses = control.addresses();
                said(&Health {
                    status: "ok",
                    version: env!("CARGO_PKG_VERSION"),
                    api_url: url(addresses.api),
                    gateway_url: url(addresses.gateway),
                })
            }
            ("GET", ["clock"]) => said(&control.clock()),
            ("POST", ["clock"]) => self.change_clock(given(head, body)?),
            ("GET", ["mailbox"]) => {
                let pairs = query_pairs(head.uri.query());
                let mails = match pairs.iter().find(|(name, _)| name == "email") {
                    Some((_, email)) => control.mailbox_of(email),
                    None => control.mailbox(),
                };
                said(&Mailbox {
                    mails: mails.iter().map(MailView::from).collect(),
                })
            }
            ("GET", ["faults"]) => said(&json!({ "faults": control.faults() })),
            ("POST", ["faults"]) => {
                let id = control
                    .inject(given::<Fault>(head, body)?)
                    .map_err(|error| match error {
                        FaultError::TooMany => Problem::new(StatusCode::CONFLICT, error),
                        error => Problem::bad(error),
                    })?;
                created(&json!({ "id": id }))
            }
            ("DELETE", ["faults"]) => said(&json!({ "removed": control.clear_faults() })),
            ("DELETE", ["faults", id]) => match id.parse() {
                Ok(id) if control.remove_fault(id) => Ok((StatusCode::NO_CONTENT, None)),
                _ => Err(Problem::new(StatusCode::NOT_FOUND, "no such fault is waiting")),
            },
            ("POST", ["users"]) => {
                let id = control
                    .seed_user(given::<SeedUser>(head, body)?)
                    .map_err(Problem::bad)?;
                created(&json!({ "userId": id }))
            }
            ("POST", ["orders"]) => {
                let id = control
                    .seed_order(given::<SeedOrder>(head, body)?)
                    .map_err(Problem::bad)?;
                created(&json!({ "orderId": id }))
            }
            ("POST", ["widget-sessions", id, "open"]) => match control.open_widget_session(id) {
                Ok(opened) => said(&Opened::from(opened)),
                Err(refusal @ WidgetRefusal::Unknown) => Err(Problem::new(StatusCode::NOT_FOUND, refusal)),
                Err(refusal) => Err(Problem::new(StatusCode::GONE, refusal)),
            },
            ("GET", ["counters"]) => said(&control.counts()),
            ("GET", ["settings"]) => said(&control.settings()),
            ("PUT", ["settings"]) => {
                control.set_settings(given::<Settings>(head, body)?);
                said(&control.settings())
            }
            ("POST", ["reset"]) => {
                control.reset();
                Ok((StatusCode::NO_CONTENT, None))
            }
            _ => Err(Problem::new(StatusCode::NOT_FOUND, "no such path; see /openapi.yaml")),
        }
    }

    fn change_clock(&self, change: ClockChange) -> Answer {
        let reading = match change {
            ClockChange::Advance { millis } => self.control.advance(std::time::Duration::from_millis(millis)),
            ClockChange::Set { unix_millis } => self
                .control
                .set_clock(Moment::from_millis(unix_millis))
                .map_err(Problem::bad)?,
            ClockChange::Freeze => self.control.freeze(),
            ClockChange::Run => self.control.run(),
        };
        said(&reading)
    }
}

fn methods(path: &[&str]) -> Option<&'static [Method]> {
    let fits = |template: &str| {
        let parts: Vec<&str> = template.split('/').skip(1).collect();
        parts.len() == path.len()
            && parts
                .iter()
                .zip(path)
                .all(|(part, given)| part == given || (*part == "{id}" && !given.is_empty()))
    };
    PATHS
        .iter()
        .find(|(template, _)| fits(template))
        .map(|(_, methods)| *methods)
}

fn said(value: &impl Serialize) -> Answer {
    let text = serde_json::to_string(value)
        .map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the answer cannot be written down"))?;
    Ok((StatusCode::OK, Some(text)))
}

fn created(value: &impl Serialize) -> Answer {
    said(value).map(|(_, text)| (StatusCode::CREATED, text))
}

/// The JSON body of a request. Its type has to be declared: a web page cannot do so without asking first.
fn given<T: DeserializeOwned>(head: &request::Parts, body: &Bytes) -> Result<T, Problem> {
    if !is_json(&head.headers) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "content-type must be application/json",
        ));
    }
    serde_json::from_slice(body).map_err(Problem::bad)
}

/// Whether a browser sends this for a web page that is not of this machine. A page may post without a body unasked,
/// which would be enough for a reset.
fn is_foreign_page(headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    origins.any(|origin| {
        !origin
            .to_str()
            .is_ok_and(|origin| Url::parse(origin).is_ok_and(|url| is_loopback(&url)))
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .eq_ignore_ascii_case("application/json")
}

fn failed(problem: &Problem, now: Moment) -> Outgoing {
    json_response(problem.status, json!({ "error": problem.text }).to_string(), now)
}
