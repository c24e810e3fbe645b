//! The number notation of JSON.

use super::{Amount, AmountError};

/// The parts of a number: `-` `int` `.` `frac` `e` `exp`.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) negative: bool,
    /// At least one digit.
    pub(super) int: &'a [u8],
    /// Digits after the point; may be none.
    pub(super) frac: &'a [u8],
    pub(super) exp_negative: bool,
    /// Digits of the exponent; none if there is no exponent.
    pub(super) exp: &'a [u8],
}

pub(super) fn check(text: &str) -> Result<(), AmountError> {
    if text.is_empty() {
        return Err(AmountError::Empty);
    }
    if text.len() > Amount::MAX_LEN {
        return Err(AmountError::TooLong);
    }
    split(text).map(drop).ok_or(AmountError::NotANumber)
}

/// Splits a number; none if it is not one in the notation of JSON.
pub(super) fn split(text: &str) -> Option<Parts<'_>> {
    let rest = text.as_bytes();
    let (negative, rest) = strip(rest, b"-").map_or((false, rest), |rest| (true, rest));
    let (int, rest) = digits(rest);
    if int.is_empty() || (int.len() > 1 && int.starts_with(b"0")) {
        return None;
    }
    let (frac, rest) = match strip(rest, b".") {
        Some(rest) => non_empty(digits(rest))?,
        None => (&[][..], rest),
    };
    let (exp_negative, exp, rest) = match strip(rest, b"eE") {
        Some(rest) => {
            let sign = strip(rest, b"+-");
            let (exp, after) = non_empty(digits(sign.unwrap_or(rest)))?;
            (rest.starts_with(b"-"), exp, after)
        }
        None => (false, &[][..], rest),
    };
    rest.is_empty().then_some(Parts {
        negative,
        int,
        frac,
        exp_negative,
        exp,
    })
}

/// Takes off one byte if it is among `any`.
fn strip<'a>(text: &'a [u8], any: &[u8]) -> Option<&'a [u8]> {
    let (first, rest) = text.split_first()?;
    any.contains(first).then_some(rest)
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|b| !b.is_ascii_digit());
    text.split_at(end.unwrap_or(text.len()))
}

fn non_empty<'a>(split: (&'a [u8], &'a [u8])) -> Option<(&'a [u8], &'a [u8])> {
    (!split.0.is_empty()).then_some(split)
}
