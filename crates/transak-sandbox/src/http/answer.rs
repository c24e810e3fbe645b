//! Answers of the HTTP layer itself, and the headers every answer gets.

use std::borrow::Cow;

use ::http::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, DATE};
use ::http::{HeaderValue, Response, StatusCode};
use serde_json::json;
use transak_client::Operation;
use transak_client::operations::Host;

use super::Outgoing;
use super::out::OutBody;
use crate::world::{Moment, rejected};

/// Code of a request that breaks a rule.
const VALIDATION_FAILED: u32 = 9001;

/// A request refused before the world is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: StatusCode,
    message: Cow<'static, str>,
    code: Option<u32>,
    allow: Option<String>,
    close: bool,
}

impl Refusal {
    fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            message: message.into(),
            code: None,
            allow: None,
            close: false,
        }
    }

    /// 400 with code 9001; the message names the field.
    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: Some(VALIDATION_FAILED),
            ..Self::new(StatusCode::BAD_REQUEST, message)
        }
    }

    /// A body that was not read to its end: the connection cannot be used again.
    pub(crate) fn unread_body(message: &'static str) -> Self {
        Self {
            close: true,
            ..Self::invalid(message)
        }
    }

    /// A credential header is missing. `forbidden` on the operations whose spec knows 403 and no 401.
    pub(crate) fn no_credentials(operation: &Operation, header: &str, forbidden: bool) -> Self {
        match (operation.host(), forbidden) {
            (_, true) => Self::new(StatusCode::FORBIDDEN, format!("{header} is missing")),
            (Host::Gateway, false) => Self {
                code: Some(u32::from(rejected(operation.id()))),
                ..Self::new(StatusCode::UNAUTHORIZED, format!("{header} is missing"))
            },
            _ => Self::new(StatusCode::UNAUTHORIZED, "Authorization Required"),
        }
    }

    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not Found")
    }

    pub(crate) fn method(allowed: &[&str]) -> Self {
        Self {
            allow: Some(allowed.join(", ")),
            ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
        }
    }

    /// A body of a type that the operation does not take.
    pub(crate) fn media_type(form: bool) -> Self {
        let kind = if form {
            "multipart/form-data"
        } else {
            "application/json"
        };
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            format!("content-type must be {kind}"),
        )
    }

    /// A defect of the sandbox.
    pub(crate) fn defect(message: String) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// The status it answers with.
    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    /// The body, in the error shape of the host: the partner API names errors, the gateway numbers them.
    pub(crate) fn text(&self, host: Host) -> String {
        let mut error = json!({ "statusCode": self.status.as_u16(), "message": self.message });
        if let Host::Api = host {
            error["name"] = self.status.canonical_reason().unwrap_or("Error").into();
        }
        if let Some(code) = self.code {
            error["errorCode"] = code.into();
        }
        json!({ "error": error }).to_string()
    }

    /// The answer.
    pub(crate) fn response(&self, host: Host, now: Moment) -> Outgoing {
        let mut response = json_response(self.status, self.text(host), now);
        if let Some(allow) = self.allow.as_ref().and_then(|allow| HeaderValue::from_str(allow).ok()) {
            response.headers_mut().insert(ALLOW, allow);
        }
        if self.close {
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// A JSON answer.
pub(crate) fn json_response(status: StatusCode, text: String, now: Moment) -> Outgoing {
    text_response(status, "application/json; charset=utf-8", text, now)
}

/// An answer with a body of this type; none when the type is empty.
pub(crate) fn text_response(status: StatusCode, content_type: &'static str, text: String, now: Moment) -> Outgoing {
    let mut response = Response::new(OutBody::whole(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if !content_type.is_empty() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    // Answers hold tokens and personal data.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(date) = date(now) {
        headers.insert(DATE, date);
    }
    response
}

/// The date the sandbox's own clock shows: callers that compare clocks see one world.
fn date(now: Moment) -> Option<HeaderValue> {
    let moment = chrono::DateTime::from_timestamp_millis(now.unix_millis)?;
    HeaderValue::from_str(&moment.format("%a, %d %b %Y %H:%M:%S GMT").to_string()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::{Rules, Said};

    #[test]
    fn every_refusal_fits_the_spec_of_every_operation() {
        let rules = Rules::get().unwrap();
        for operation in transak_client::operations::ALL {
            let (rules, host) = (rules.of(operation).unwrap(), operation.host());
            let forbidden = rules.lists(403) && !rules.lists(401);
            for refusal in [
                Refusal::invalid("email is required"),
                Refusal::unread_body("body is longer than allowed"),
                Refusal::no_credentials(operation, "x-api-key", forbidden),
                Refusal::media_type(false),
                Refusal::media_type(true),
                Refusal::method(&["GET"]),
            ] {
                let text = refusal.text(host);
                let result = rules.check_answer(refusal.status().as_u16(), &Said::Json(&text));
                assert_eq!(result, Ok(()), "{} {text}", operation.id());
            }
        }
    }
}
