//! JSON that is passed on as it is.

pub(crate) mod capture;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::error::JsonError;

/// A JSON value of any kind, kept as text exactly as it was sent.
///
/// It is for parts of the API whose shape is not fixed. [`decode`](Self::decode) reads it as a type of your own. `Debug` shows
/// only its size, since nothing is known about what is in it.
///
/// `Option<OpaqueJson>` decodes `null` as `None`, as serde does everywhere; elsewhere `null` is kept.
///
/// Equality compares texts: values that differ only in spaces are not equal.
///
/// Inside `#[serde(untagged)]` enums, internally tagged enums and `#[serde(flatten)]`, serde has taken the JSON apart before
/// this type sees it. It is then put together again without spaces, with the keys of objects in another order, and with
/// numbers in their shortest form: 1.10 turns into 1.1, and digits after about the seventeenth are lost. The same goes for
/// `serde_json::from_value`.
#[derive(Clone)]
pub struct OpaqueJson(Box<RawValue>);

impl OpaqueJson {
    /// The JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Reads the value as a type.
    ///
    /// # Errors
    ///
    /// If the value does not fit the type. The error tells where, but repeats nothing of the value.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, JsonError> {
        JsonError::decode(self.as_str().as_bytes())
    }

    /// Writes any value as JSON.
    ///
    /// # Errors
    ///
    /// If the value cannot be JSON, such as a map with keys that are not texts.
    pub fn from_serialize<T: Serialize + ?Sized>(value: &T) -> Result<Self, JsonError> {
        serde_json::value::to_raw_value(value)
            .map(Self)
            .map_err(|error| JsonError::unwritable(&error))
    }
}

impl FromStr for OpaqueJson {
    type Err = JsonError;

    /// Checks that the text is one JSON value. Spaces around it are dropped.
    fn from_str(text: &str) -> Result<Self, JsonError> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<&str> for OpaqueJson {
    type Error = JsonError;

    fn try_from(text: &str) -> Result<Self, JsonError> {
        text.parse()
    }
}

impl TryFrom<String> for OpaqueJson {
    type Error = JsonError;

    fn try_from(text: String) -> Result<Self, JsonError> {
        RawValue::from_string(text)
            .map(Self)
            .map_err(|error| JsonError::new(&error))
    }
}

impl From<serde_json::Value> for OpaqueJson {
    fn from(value: serde_json::Value) -> Self {
        Self::from(&value)
    }
}

impl From<&serde_json::Value> for OpaqueJson {
    fn from(value: &serde_json::Value) -> Self {
        // The text of a `Value` is always JSON; `null` stands in for what cannot happen.
        Self(RawValue::from_string(value.to_string()).unwrap_or_default())
    }
}

impl PartialEq for OpaqueJson {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for OpaqueJson {}

impl Hash for OpaqueJson {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for OpaqueJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpaqueJson({} bytes)", self.as_str().len())
    }
}

impl Serialize for OpaqueJson {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(output)
    }
}

impl<'de> Deserialize<'de> for OpaqueJson {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        capture::capture_any(input).map(Self)
    }
}
