//! One request's way: route, fault, credentials, rules, the world, fault, rules again.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ::http::header::{CONTENT_TYPE, HeaderName};
use ::http::{HeaderMap, HeaderValue, StatusCode, request};
use bytes::Bytes;
use serde_json::Value;
use transak_client::Operation;
use transak_client::operations::{self, Host};

use super::form;
use super::route::{Routed, route};
use super::{
    BodyProblem, Dropped, Handler, Incoming, Outgoing, Refusal, Room, credentials, json_response, text_response,
};
use crate::fault::{Effect, Phase};
use crate::state::Shared;
use crate::validate::{OperationRules, Parts, Said, query_pairs};
use crate::world::{Body, Reply, Request};

/// Operations whose bodies hold files.
const UPLOADS: [&Operation; 3] = [
    &operations::UPLOAD_PROOF_DOCUMENT,
    &operations::SUBMIT_RELIANCE_DOCUMENT,
    &operations::SUBMIT_RELIANCE_BIOMETRICS,
];

/// Marks an answer that the spec does not allow.
const VIOLATION: HeaderName = HeaderName::from_static("x-sandbox-violation");
const TRACE_ID: HeaderName = HeaderName::from_static("trace-id");
const CALLERS_TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

/// One of the two API hosts.
pub(crate) struct Api {
    pub(crate) host: Host,
    pub(crate) shared: Arc<Shared>,
}

impl Handler for Api {
    async fn handle(&self, request: Incoming, peer: IpAddr) -> Result<Outgoing, Dropped> {
        let (head, body) = request.into_parts();
        let room = room(self.host, &head);
        let body = self.shared.bodies.read(&head, body, room).await;
        let mut response = match body {
            Ok(body) => self.routed(&head, &body, peer).await?,
            Err(problem) => self.refuse(&unread(problem)),
        };
        self.trace(&head, &mut response);
        Ok(response)
    }
}

/// How much room the body of a request is given.
fn room(host: Host, head: &request::Parts) -> Room {
    match route(host, head.method.as_str(), head.uri.path()) {
        Routed::To(operation, _) if UPLOADS.contains(&operation) => Room::Upload,
        _ => Room::Ordinary,
    }
}

fn unread(problem: BodyProblem) -> Refusal {
    match problem {
        BodyProblem::TooLarge => Refusal::unread_body("body is longer than allowed"),
        BodyProblem::TooSlow => Refusal::unread_body("body did not arrive in time"),
        BodyProblem::Broken => Refusal::unread_body("body could not be read"),
    }
}

impl Api {
    fn refuse(&self, refusal: &Refusal) -> Outgoing {
        self.shared.http.refused(refusal.status());
        refusal.response(self.host, self.shared.clock.now())
    }

    /// The gateway names every answer, so that its support can find it.
    fn trace(&self, head: &request::Parts, response: &mut Outgoing) {
        let number = self.shared.http.answered();
        if self.host != Host::Gateway || response.headers().contains_key(&TRACE_ID) {
            return;
        }
        let own = || HeaderValue::from_str(&format!("{number:020x}")).ok();
        if let Some(id) = head.headers.get(&CALLERS_TRACE_ID).cloned().or_else(own) {
            response.headers_mut().insert(TRACE_ID, id);
        }
    }

    async fn routed(&self, head: &request::Parts, body: &Bytes, peer: IpAddr) -> Result<Outgoing, Dropped> {
        let (operation, path) = match route(self.host, head.method.as_str(), head.uri.path()) {
            Routed::To(operation, path) => (operation, path),
            Routed::Unreadable(name) => return Ok(self.refuse(&Refusal::invalid(format!("{name} is no text")))),
            Routed::OtherMethods(methods) => return Ok(self.refuse(&Refusal::method(&methods))),
            Routed::Nowhere => return Ok(self.refuse(&Refusal::not_found())),
        };
        let fault = self.shared.faults.fire(operation.id());
        if let Some(effect) = &fault {
            match effect {
                Effect::DropBefore => return Err(Dropped),
                Effect::Delay { millis } => tokio::time::sleep(Duration::from_millis(*millis)).await,
                effect if effect.phase() == Phase::Before => return Ok(self.injected(effect)),
                _ => {}
            }
        }
        let response = self.answer(operation, head, body, &path, peer).await;
        match &fault {
            Some(Effect::DropAfter) => Err(Dropped),
            Some(Effect::SlowBody { pieces, pause_millis }) => {
                let pause = Duration::from_millis(*pause_millis);
                Ok(response.map(|body| body.slowed(*pieces, pause)))
            }
            Some(effect) if effect.phase() == Phase::After => Ok(self.injected(effect)),
            _ => Ok(response),
        }
    }

    /// What a fault answers in the world's place.
    fn injected(&self, effect: &Effect) -> Outgoing {
        let now = self.shared.clock.now();
        let (status, kind, text, headers) = match effect {
            Effect::Answer {
                status, body, headers, ..
            } => {
                let text = body.as_ref().map(Value::to_string);
                let kind = if text.is_some() {
                    "application/json; charset=utf-8"
                } else {
                    ""
                };
                (*status, kind, text.unwrap_or_default(), Some(headers))
            }
            Effect::Html { status, page, .. } => (*status, "text/html; charset=utf-8", page.clone(), None),
            _ => (500, "", String::new(), None),
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = text_response(status, kind, text, now);
        for (name, value) in headers.into_iter().flatten() {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }

    async fn answer(
        &self,
        operation: &'static Operation,
        head: &request::Parts,
        body: &Bytes,
        path: &BTreeMap<String, String>,
        peer: IpAddr,
    ) -> Outgoing {
        let Some(rules) = self.shared.rules.of(operation) else {
            return self.refuse(&Refusal::defect(format!("no rules for {}", operation.id())));
        };
        let query = query_pairs(head.uri.query());
        let body = match check(operation, rules, head, path, &query, body).await {
            Ok(body) => body,
            Err(refusal) => return self.refused(operation, rules, &refusal),
        };
        let request = Request {
            path,
            query: &query,
            headers: &head.headers,
            body: body.as_ref(),
            peer,
        };
        let (reply, strict, now) = self.shared.with_world(|world, now| {
            let reply = world.call(operation, &request, now);
            (reply, world.settings().strict, now)
        });
        if strict {
            let said = match &reply.body {
                Body::Json(text) => Said::Json(text),
                Body::Html(_) => Said::Html,
                Body::Empty => Said::Nothing,
            };
            if let Err(violation) = rules.check_answer(reply.status, &said) {
                return self.violation(operation, &violation.to_string());
            }
        }
        if !rules.lists(reply.status) {
            self.shared.http.unlisted(operation.id(), reply.status);
        }
        response_of(reply, now)
    }

    /// A refusal before the world is asked is an answer, too: it is held against the spec like the world's.
    fn refused(&self, operation: &'static Operation, rules: &OperationRules, refusal: &Refusal) -> Outgoing {
        let strict = self.shared.with_world(|world, _| world.settings().strict);
        let text = refusal.text(self.host);
        match rules.check_answer(refusal.status().as_u16(), &Said::Json(&text)) {
            Err(violation) if strict => self.violation(operation, &violation.to_string()),
            _ => self.refuse(refusal),
        }
    }

    fn violation(&self, operation: &'static Operation, what: &str) -> Outgoing {
        tracing::error!(
            operation = operation.id(),
            what,
            "an answer of the sandbox breaks the spec"
        );
        self.shared.http.violated();
        let text = format!(
            "the sandbox breaks the spec in its answer to {}: {what}",
            operation.id()
        );
        let mut response = Refusal::defect(text.clone()).response(self.host, self.shared.clock.now());
        let visible: String = text.chars().filter(|c| matches!(c, ' '..='~')).take(1000).collect();
        if let Ok(value) = HeaderValue::from_str(&visible) {
            response.headers_mut().insert(VIOLATION, value);
        }
        response
    }
}

fn response_of(reply: Reply, now: crate::world::Moment) -> Outgoing {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = match reply.body {
        Body::Json(text) => json_response(status, text, now),
        Body::Html(page) => text_response(status, "text/html; charset=utf-8", page, now),
        Body::Empty => text_response(status, "", String::new(), now),
    };
    for (name, value) in reply.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// Everything the spec asks of a request; gives the body back as JSON.
async fn check(
    operation: &Operation,
    rules: &OperationRules,
    head: &request::Parts,
    path: &BTreeMap<String, String>,
    query: &[(String, String)],
    body: &Bytes,
) -> Result<Option<Value>, Refusal> {
    let forbidden = rules.lists(403) && !rules.lists(401);
    credentials::check(operation, &head.headers, forbidden)?;
    rules
        .check_parameters(&Parts {
            path,
            query,
            headers: &head.headers,
        })
        .map_err(Refusal::invalid)?;
    if !rules.takes_body() {
        return Ok(None);
    }
    if !body.is_empty() && !rules.takes_form() && !is_json(&head.headers) {
        return Err(Refusal::media_type(false));
    }
    let value = match body.as_ref() {
        [] => None,
        _ if rules.takes_form() => {
            let read = form::read(&head.headers, body).await;
            Some(read.map_err(|problem| problem.map_or_else(|| Refusal::media_type(true), Refusal::invalid))?)
        }
        bytes => Some(serde_json::from_slice(bytes).map_err(|_| Refusal::invalid("body is not valid JSON"))?),
    };
    rules.check_body(value.as_ref()).map_err(Refusal::invalid)?;
    Ok(value)
}

/// Whether the one content type given is JSON, with or without parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return false;
    };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}
