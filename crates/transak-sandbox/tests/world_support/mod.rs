//! Drives a world without HTTP, as the server would.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod spec;

use std::{collections::BTreeMap, net::IpAddr};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use transak_client::Operation;
use transak_sandbox::world::{Body, Moment, OrderStory, Reply, Request, SeedOrder, Settings, World};

pub const DAY: i64 = 86_400;
pub const START: i64 = 1_790_000_000;

pub struct Driver {
    pub world: World,
    pub now: Moment,
    pub ip: &'static str,
    pub peer: IpAddr,
    /// Whether every reply is held against the spec.
    pub check: bool,
}

/// What one call brings besides the API key and the user's address.
#[derive(Default, Clone)]
pub struct With<'a> {
    pub headers: &'a [(&'static str, &'a str)],
    pub query: &'a [(&'a str, &'a str)],
    pub body: Option<Value>,
    pub order_id: Option<&'a str>,
}

pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub text: String,
    pub body: Value,
}

impl Answer {
    pub fn code(&self) -> Option<i64> {
        self.body["error"]["errorCode"].as_i64()
    }

    pub fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }

    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// A refusal with this status and code; returns its message.
    #[track_caller]
    pub fn refused(&self, status: u16, code: i64) -> &str {
        self.is(status);
        assert_eq!(self.code(), Some(code), "{}", self.text);
        self.message()
    }
}

impl Driver {
    pub fn new(settings: Settings) -> Self {
        Self {
            world: World::new(settings),
            now: Moment::from_seconds(START),
            ip: "203.0.113.9",
            peer: IpAddr::from([127, 0, 0, 1]),
            check: true,
        }
    }

    pub fn standard() -> Self {
        Self::new(Settings::default())
    }

    pub fn key(&self) -> String {
        self.world.settings().api_key.clone()
    }

    pub fn pass(&mut self, seconds: i64) {
        self.now = self.now.plus_seconds(seconds);
        self.world.tick(self.now);
    }

    pub fn set(&mut self, change: impl FnOnce(&mut Settings)) {
        let mut settings = self.world.settings().clone();
        change(&mut settings);
        self.world.set_settings(settings);
    }

    pub fn call(&mut self, id: &str, with: With<'_>) -> Answer {
        let operation = Operation::find(id).unwrap();
        let mut headers = http::HeaderMap::new();
        headers.insert("x-api-key", self.key().parse().unwrap());
        headers.insert("x-user-ip", self.ip.parse().unwrap());
        for (name, value) in with.headers {
            headers.insert(*name, value.parse().unwrap());
        }
        let path: BTreeMap<String, String> = with
            .order_id
            .map(|id| ("orderId".to_owned(), id.to_owned()))
            .into_iter()
            .collect();
        let query: Vec<(String, String)> = with
            .query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let request = Request {
            path: &path,
            query: &query,
            headers: &headers,
            body: with.body.as_ref(),
            peer: self.peer,
        };
        let Reply { status, headers, body } = self.world.call(operation, &request, self.now);
        let (text, body) = match body {
            Body::Json(text) => {
                let value = serde_json::from_str(&text).expect("the reply is JSON");
                (text, value)
            }
            Body::Html(text) => (text, Value::Null),
            Body::Empty => (String::new(), Value::Null),
        };
        if self.check {
            spec::check(operation, status, Some(&body).filter(|body| !body.is_null()));
        }
        Answer {
            status,
            headers,
            text,
            body,
        }
    }

    pub fn login(&mut self, email: &str) -> Answer {
        let body = json!({"apiKey": self.key(), "email": email});
        self.call(
            "sendUserOtp",
            With {
                body: Some(body),
                ..With::default()
            },
        )
    }

    pub fn verify(&mut self, email: &str, code: &str, state_token: &str) -> Answer {
        let body = json!({"apiKey": self.key(), "email": email, "otp": code, "stateToken": state_token});
        self.call(
            "verifyUserOtp",
            With {
                body: Some(body),
                ..With::default()
            },
        )
    }

    /// Code and state token of the newest mail.
    pub fn mail(&self) -> (String, String) {
        let mail = self.world.mailbox().last().unwrap();
        (mail.code.clone(), mail.state_token.clone().unwrap())
    }

    /// A logged-in user's token.
    #[track_caller]
    pub fn token(&mut self, email: &str) -> String {
        self.login(email).is(200);
        let (code, state) = self.mail();
        let answer = self.verify(email, &code, &state);
        answer.is(200);
        answer.body["data"]["accessToken"].as_str().unwrap().to_owned()
    }

    pub fn with_token(&mut self, id: &str, token: &str) -> Answer {
        self.call(
            id,
            With {
                headers: &[("authorization", token)],
                ..With::default()
            },
        )
    }

    pub fn refresh(&mut self, token: &str) -> Answer {
        self.with_token("refreshUserAccessToken", token)
    }

    #[track_caller]
    pub fn refreshed(&mut self, token: &str) -> String {
        let answer = self.refresh(token);
        answer.is(200);
        answer.body["data"]["accessToken"].as_str().unwrap().to_owned()
    }

    pub fn logout(&mut self, token: &str) -> Answer {
        self.with_token("logoutUser", token)
    }

    pub fn details(&mut self, headers: &[(&'static str, &str)]) -> Answer {
        let key = self.key();
        self.call(
            "getUserDetails",
            With {
                headers,
                query: &[("apiKey", &key)],
                ..With::default()
            },
        )
    }

    pub fn mint(&mut self) -> Answer {
        let body = json!({"apiKey": self.key()});
        let secret = self.world.settings().api_secret.clone();
        self.call(
            "refreshAccessToken",
            With {
                headers: &[("api-secret", &secret)],
                body: Some(body),
                ..With::default()
            },
        )
    }

    #[track_caller]
    pub fn partner_token(&mut self) -> String {
        let answer = self.mint();
        answer.is(200);
        answer.body["data"]["accessToken"].as_str().unwrap().to_owned()
    }

    pub fn as_partner(&mut self, id: &str, token: &str, query: &[(&str, &str)]) -> Answer {
        self.call(
            id,
            With {
                headers: &[("access-token", token)],
                query,
                ..With::default()
            },
        )
    }
}

/// The claims of a token, unchecked.
pub fn claims(token: &str) -> Value {
    let middle = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(middle).unwrap()).unwrap()
}

/// An order with defaults for everything but its story.
pub fn order(story: OrderStory) -> SeedOrder {
    SeedOrder {
        email: "ada@example.com".to_owned(),
        story,
        fiat_amount: None,
        fiat_currency: None,
        crypto_currency: None,
        network: None,
        wallet_address: None,
        partner_order_id: None,
        partner_customer_id: None,
    }
}
