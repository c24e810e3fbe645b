//! What the control API says and understands; see openapi/control.yaml.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::world::{Mail, WidgetOpened};

/// A change of the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "action",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub(super) enum ClockChange {
    Advance { millis: u64 },
    Set { unix_millis: i64 },
    Freeze,
    Run,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Health {
    pub(super) status: &'static str,
    pub(super) version: &'static str,
    pub(super) api_url: String,
    pub(super) gateway_url: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mailbox<'a> {
    pub(super) mails: Vec<MailView<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MailView<'a> {
    to: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_token: Option<&'a str>,
    sent_at_unix_millis: i64,
}

impl<'a> From<&'a Mail> for MailView<'a> {
    fn from(mail: &'a Mail) -> Self {
        Self {
            to: &mail.to,
            code: &mail.code,
            state_token: mail.state_token.as_deref(),
            sent_at_unix_millis: mail.sent_at.unix_millis,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Opened {
    params: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

impl From<WidgetOpened> for Opened {
    fn from(opened: WidgetOpened) -> Self {
        let params = serde_json::from_str(&opened.params).unwrap_or(Value::String(opened.params));
        Self {
            params,
            email: opened.email,
        }
    }
}
