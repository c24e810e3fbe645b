//! Exact decimal numbers.

mod compare;
#[cfg(feature = "rust_decimal")]
mod decimal;
mod error;
mod grammar;
mod query;
mod serde_impl;

use std::fmt;
use std::str::FromStr;

pub use error::AmountError;
pub use query::QueryAmount;

/// An amount of money, a rate or a fraction, exactly as it stands on the wire.
///
/// It holds the text of a JSON number, not a binary float: 123456789012345.123456789 and 1.10 come and go without a change in
/// value or spelling. A number in quotes, such as `"0.15"`, is accepted too and stays in quotes when it is written.
///
/// Comparing and hashing go by value: 1.10, 1.1 and 11e-1 are equal, and so are 0 and -0.0. Numbers with huge exponents are
/// compared without being written out.
///
/// There is no arithmetic. The feature `rust_decimal` adds exact conversions from and to `rust_decimal::Decimal`;
/// [`to_f64_lossy`](Self::to_f64_lossy) is for charts and the like. There is no conversion *from* `f64`: 0.1 + 0.2 is
/// 0.30000000000000004 there, and the error would be sent to the server.
///
/// ```
/// # use transak_client::Amount;
/// let price: Amount = serde_json::from_str("1.10")?;
/// assert_eq!(price, "1.1".parse()?);
/// assert_eq!(serde_json::to_string(&price)?, "1.10");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Limits of exactness
///
/// The text is read from the JSON document directly, by means of `serde_json`'s raw values. That holds whether or not another
/// crate switches on `serde_json`'s feature `arbitrary_precision`, because raw values do not pass through its number type.
/// Where the document was turned into another form first, what that lost cannot be brought back:
///
/// - From a [`serde_json::Value`], 1.10 arrives as 1.1 and digits after about the seventeenth are gone, unless
///   `arbitrary_precision` is on.
/// - Inside `#[serde(untagged)]` enums, internally tagged enums and `#[serde(flatten)]`, serde buffers floats the same way.
///   Integers and quoted numbers are accepted there; a fraction without quotes is an error rather than a silent loss, unless
///   `arbitrary_precision` is on.
///
/// To be written as a bare number, an amount needs `serde_json` as the serializer. Use [`QueryAmount`] for query parameters.
#[derive(Clone)]
pub struct Amount {
    /// A JSON number, checked by `grammar`, of at most [`Amount::MAX_LEN`] bytes.
    text: Box<str>,
    quoted: bool,
}

impl Amount {
    /// The longest number accepted, in characters.
    pub const MAX_LEN: usize = 128;

    /// The number as it was written, without quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the number stood in quotes in JSON and will be written so. Only decoding sets this.
    #[must_use]
    pub fn is_quoted(&self) -> bool {
        self.quoted
    }

    /// The nearest binary float; infinite if the number is too large for one. Not for money that is sent or booked.
    #[must_use]
    pub fn to_f64_lossy(&self) -> f64 {
        self.text.parse().unwrap_or(f64::NAN)
    }

    fn new(text: Box<str>, quoted: bool) -> Result<Self, AmountError> {
        grammar::check(&text)?;
        Ok(Self { text, quoted })
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    /// Reads a number in the notation of JSON: no plus sign, no spaces, no bare decimal point, no leading zeros.
    fn from_str(text: &str) -> Result<Self, AmountError> {
        // Checked before it is copied, as it may be long.
        grammar::check(text)?;
        Ok(Self {
            text: text.into(),
            quoted: false,
        })
    }
}

impl TryFrom<&str> for Amount {
    type Error = AmountError;

    fn try_from(text: &str) -> Result<Self, AmountError> {
        text.parse()
    }
}

impl TryFrom<String> for Amount {
    type Error = AmountError;

    fn try_from(text: String) -> Result<Self, AmountError> {
        Self::new(text.into(), false)
    }
}

macro_rules! from_integer {
    ($($integer:ty)*) => {$(
        impl From<$integer> for Amount {
            fn from(number: $integer) -> Self {
                Self { text: number.to_string().into(), quoted: false }
            }
        }
    )*};
}

from_integer!(i32 u32 i64 u64);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// Prints the number, in quotes if it has them in JSON.
impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.quoted {
            write!(f, "Amount(\"{}\")", self.text)
        } else {
            write!(f, "Amount({})", self.text)
        }
    }
}
