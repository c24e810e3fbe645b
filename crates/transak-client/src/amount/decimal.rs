//! Conversions from and to `rust_decimal`.

use rust_decimal::Decimal;

use super::compare::normal;
use super::{Amount, AmountError, grammar};

/// Digits of the largest mantissa of a [`Decimal`], 2^96 - 1.
const MANTISSA_DIGITS: usize = 29;

impl Amount {
    /// The number as a [`Decimal`], with the same number of decimal places where the decimal has room for them.
    ///
    /// # Errors
    ///
    /// [`AmountError::Inexact`] if the number is too large or has too many digits; it is never rounded.
    pub fn to_decimal(&self) -> Result<Decimal, AmountError> {
        self.as_written()
            .or_else(|| self.shortened())
            .ok_or(AmountError::Inexact)
    }

    /// Keeps zeros at the end, which show the precision meant.
    fn as_written(&self) -> Option<Decimal> {
        let parts = grammar::split(&self.text)?;
        if !parts.exp.is_empty() {
            return None;
        }
        let digits = parts.int.iter().chain(parts.frac).copied();
        let digits = digits.skip_while(|digit| *digit == b'0');
        let scale = u32::try_from(parts.frac.len()).ok()?;
        decimal(parts.negative, digits, scale)
    }

    /// Without zeros at the end, or with those that an exponent asks for.
    fn shortened(&self) -> Option<Decimal> {
        let Some(number) = normal(self) else {
            return Some(Decimal::ZERO);
        };
        let exponent = number.scale.to_i64()? - i64::try_from(number.len).ok()?;
        // A number with more zeros than this fails anyway.
        let zeros = usize::try_from(exponent.max(0)).ok()?.min(MANTISSA_DIGITS);
        let digits = number.digits().chain(std::iter::repeat_n(b'0', zeros));
        let scale = u32::try_from((-exponent).max(0)).ok()?;
        decimal(number.negative, digits, scale)
    }
}

fn decimal(negative: bool, digits: impl Iterator<Item = u8>, scale: u32) -> Option<Decimal> {
    let mut mantissa: i128 = 0;
    for (index, digit) in digits.enumerate() {
        if index == MANTISSA_DIGITS {
            return None;
        }
        mantissa = mantissa * 10 + i128::from(digit - b'0');
    }
    if negative {
        mantissa = -mantissa;
    }
    Decimal::try_from_i128_with_scale(mantissa, scale).ok()
}

/// Exact, and with the decimal's number of places.
impl From<Decimal> for Amount {
    fn from(number: Decimal) -> Self {
        Self {
            text: number.to_string().into(),
            quoted: false,
        }
    }
}

impl TryFrom<&Amount> for Decimal {
    type Error = AmountError;

    fn try_from(amount: &Amount) -> Result<Self, AmountError> {
        amount.to_decimal()
    }
}

impl TryFrom<Amount> for Decimal {
    type Error = AmountError;

    fn try_from(amount: Amount) -> Result<Self, AmountError> {
        amount.to_decimal()
    }
}
