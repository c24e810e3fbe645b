//! Numeric, exact comparison.
//!
//! A number other than zero is brought to the form 0.d₁d₂…dₙ × 10^scale with d₁ and dₙ not 0. That form is unique, so that
//! comparing sign, scale and digits in turn compares the values. An exponent may itself have more than a hundred digits; it is
//! held in 512 bits, which is enough for [`Amount::MAX_LEN`] of them.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use super::{Amount, grammar};

/// A signed integer in two's complement, the most significant word first. 10^128 has 426 bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Wide([u64; 8]);

impl Wide {
    fn from_digits(negative: bool, digits: &[u8]) -> Self {
        let mut wide = Self([0; 8]);
        for digit in digits {
            let mut carry = u128::from(digit - b'0');
            for word in wide.0.iter_mut().rev() {
                let sum = u128::from(*word) * 10 + carry;
                *word = low(sum);
                carry = sum >> 64;
            }
        }
        if negative { wide.negated() } else { wide }
    }

    fn negated(self) -> Self {
        Self(self.0.map(|word| !word)).plus(1)
    }

    fn plus(mut self, small: i64) -> Self {
        let extension = if small < 0 { u64::MAX } else { 0 };
        let mut carry = 0;
        for (index, word) in self.0.iter_mut().rev().enumerate() {
            let other = if index == 0 { small.cast_unsigned() } else { extension };
            let sum = u128::from(*word) + u128::from(other) + carry;
            *word = low(sum);
            carry = sum >> 64;
        }
        self
    }

    /// The number if it is a small one.
    #[cfg(feature = "rust_decimal")]
    pub(super) fn to_i64(self) -> Option<i64> {
        let [high @ .., last] = self.0;
        let number = last.cast_signed();
        let extension = if number < 0 { u64::MAX } else { 0 };
        high.iter().all(|word| *word == extension).then_some(number)
    }
}

#[allow(clippy::cast_possible_truncation)] // Cutting off the upper half is the purpose.
const fn low(sum: u128) -> u64 {
    sum as u64
}

impl Ord for Wide {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |wide: &Self| wide.0[0].cast_signed();
        // With equal signs, two's complement compares like an unsigned number.
        sign(self)
            .signum()
            .min(0)
            .cmp(&sign(other).signum().min(0))
            .then(self.0.cmp(&other.0))
    }
}

impl PartialOrd for Wide {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A number other than zero in its unique form.
pub(super) struct Normal<'a> {
    pub(super) negative: bool,
    pub(super) scale: Wide,
    int: &'a [u8],
    frac: &'a [u8],
    leading_zeros: usize,
    /// How many digits there are between the first and the last that is not 0.
    pub(super) len: usize,
}

impl Normal<'_> {
    pub(super) fn digits(&self) -> impl Iterator<Item = u8> {
        let all = self.int.iter().chain(self.frac).copied();
        all.skip(self.leading_zeros).take(self.len)
    }
}

/// The unique form; none for zero.
pub(super) fn normal(amount: &Amount) -> Option<Normal<'_>> {
    // The text has been checked, so that this split does not fail.
    let parts = grammar::split(amount.as_str())?;
    let digits = || parts.int.iter().chain(parts.frac);
    let first = digits().position(|digit| *digit != b'0')?;
    let trailing = digits().rev().position(|digit| *digit != b'0')?;
    // Both are at most `Amount::MAX_LEN`.
    let point = i64::try_from(parts.int.len()).ok()? - i64::try_from(first).ok()?;
    Some(Normal {
        negative: parts.negative,
        scale: Wide::from_digits(parts.exp_negative, parts.exp).plus(point),
        int: parts.int,
        frac: parts.frac,
        leading_zeros: first,
        len: parts.int.len() + parts.frac.len() - first - trailing,
    })
}

impl Ord for Amount {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Option<Normal<'_>>| match number {
            None => 0,
            Some(number) if number.negative => -1,
            Some(_) => 1,
        };
        let (a, b) = (normal(self), normal(other));
        sign(&a).cmp(&sign(&b)).then_with(|| match (a, b) {
            (Some(a), Some(b)) => {
                let magnitude = a.scale.cmp(&b.scale);
                let magnitude = magnitude.then_with(|| a.digits().cmp(b.digits()));
                if a.negative { magnitude.reverse() } else { magnitude }
            }
            _ => Ordering::Equal,
        })
    }
}

impl PartialOrd for Amount {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Amount {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Amount {}

impl Hash for Amount {
    fn hash<H: Hasher>(&self, state: &mut H) {
        if let Some(number) = normal(self) {
            number.negative.hash(state);
            number.scale.hash(state);
            number.digits().for_each(|digit| state.write_u8(digit));
        }
        // Ends the digits, so that keys made of two amounts do not run together.
        state.write_u8(0xff);
    }
}
