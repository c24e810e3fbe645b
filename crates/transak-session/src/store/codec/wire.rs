//! The two JSON texts of a record as types.

use std::io;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::token::AccessToken;

#[derive(Serialize, Deserialize)]
pub(super) struct WireClear {
    pub(super) schema: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<WireKind>,
    pub(super) state: WireState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<i64>,
    #[serde(default, skip_serializing_if = "Moment::never")]
    pub(super) issued_at: Moment,
    #[serde(default, skip_serializing_if = "Moment::never")]
    pub(super) expires_at: Moment,
    #[serde(default, skip_serializing_if = "Moment::never")]
    pub(super) due_at: Moment,
    #[serde(default, skip_serializing_if = "Moment::never")]
    pub(super) wake_at: Moment,
    #[serde(default, skip_serializing_if = "Moment::never")]
    pub(super) signed_in_at: Moment,
    #[serde(default, skip_serializing_if = "Moment::never")]
    pub(super) used_at: Moment,
    #[serde(default)]
    pub(super) failures: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_failure: Option<WireFailure>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct WireSecret<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) user_ip: Option<IpAddr>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub(super) retired: Vec<WireRetired<'a>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct WireRetired<'a> {
    #[serde(borrow)]
    pub(super) token: Text<'a>,
    #[serde(default, skip_serializing_if = "Moment::never")]
    pub(super) issued_at: Moment,
    #[serde(default, skip_serializing_if = "Moment::never")]
    pub(super) expires_at: Moment,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WireKind {
    Partner,
    User,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WireState {
    Live,
    Suspect,
    Dormant,
    Lapsed,
    LoggedOut,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WireFailure {
    Transient,
    RateLimited,
    Rejected,
    Unknown,
    Invalid,
}

/// Milliseconds since 1970; "never" is left out.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Moment(i64);

impl Moment {
    pub(super) fn of(at: Timestamp) -> Self {
        Self(at.unix_millis())
    }

    pub(super) fn at(self) -> Timestamp {
        Timestamp::from_unix_millis(self.0)
    }

    fn never(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Moment {
    fn default() -> Self {
        Self::of(Timestamp::MAX)
    }
}

/// A token's text, borrowed where JSON needs no escapes, which is always so for the JWTs that Transak issues.
pub(super) enum Text<'a> {
    Borrowed(&'a str),
    Owned(Zeroizing<String>),
}

impl Text<'_> {
    pub(super) fn into_token(self) -> AccessToken {
        match self {
            Self::Borrowed(text) => AccessToken::new(text),
            Self::Owned(mut text) => AccessToken::new(std::mem::take(&mut *text)),
        }
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Borrowed(text) => serializer.serialize_str(text),
            Self::Owned(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a token")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text::Borrowed(text))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text::Owned(Zeroizing::new(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

/// Counts what is written to it.
pub(super) struct Length(pub(super) usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
