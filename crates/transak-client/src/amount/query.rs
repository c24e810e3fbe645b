//! Amounts in query strings.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::{Amount, AmountError};

/// An [`Amount`] that is always written as a plain text, for query parameters and paths.
///
/// A bare JSON number is written by a private protocol between `serde_json`'s serializer and its raw values. A query
/// serializer does not know that protocol and would send a parameter with a wrong name. As a text the number is safe there.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryAmount(Amount);

impl QueryAmount {
    /// The number as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The amount itself.
    #[must_use]
    pub fn into_amount(self) -> Amount {
        self.0
    }
}

impl From<Amount> for QueryAmount {
    fn from(amount: Amount) -> Self {
        Self(amount)
    }
}

impl From<&Amount> for QueryAmount {
    fn from(amount: &Amount) -> Self {
        Self(amount.clone())
    }
}

impl From<QueryAmount> for Amount {
    fn from(amount: QueryAmount) -> Self {
        amount.0
    }
}

impl FromStr for QueryAmount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        text.parse().map(Self)
    }
}

impl TryFrom<&str> for QueryAmount {
    type Error = AmountError;

    fn try_from(text: &str) -> Result<Self, AmountError> {
        text.parse()
    }
}

impl TryFrom<String> for QueryAmount {
    type Error = AmountError;

    fn try_from(text: String) -> Result<Self, AmountError> {
        Amount::try_from(text).map(Self)
    }
}

macro_rules! from_integer {
    ($($integer:ty)*) => {$(
        impl From<$integer> for QueryAmount {
            fn from(number: $integer) -> Self {
                Self(number.into())
            }
        }
    )*};
}

from_integer!(i32 u32 i64 u64);

#[cfg(feature = "rust_decimal")]
impl From<rust_decimal::Decimal> for QueryAmount {
    fn from(number: rust_decimal::Decimal) -> Self {
        Self(number.into())
    }
}

impl fmt::Display for QueryAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for QueryAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QueryAmount({})", self.0)
    }
}

impl Serialize for QueryAmount {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        output.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for QueryAmount {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Amount::deserialize(input).map(Self)
    }
}
