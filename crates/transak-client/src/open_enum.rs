//! Enums that keep values they do not know.
//!
//! The wire may carry a status or a code that was added after this crate was generated. An enum made with
//! [`open_enum!`](crate::open_enum!) decodes such a value into `Unrecognized` and writes it back unchanged. The payload is
//! opaque on purpose: code that compared its text would silently stop matching in the release that adds the variant.
//!
//! The macro writes only what depends on the variants. Everything else is in the generic functions here, so that many enums
//! stay cheap to compile.

mod macros;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use serde::de::{Deserializer, Error as _, Unexpected, Visitor};

/// A value of the open enum `E` that this version of the crate does not know.
///
/// It can be cloned, compared, hashed and printed. The raw value is read from the enum itself, with `as_str` or `as_i64`.
/// It is tied to `E`, so that the unknown value of one enum cannot be moved into another that does know it.
pub struct Unrecognized<E, V> {
    value: V,
    of: PhantomData<fn() -> E>,
}

/// An unknown value of an enum of texts.
pub type UnrecognizedText<E> = Unrecognized<E, Box<str>>;

/// An unknown value of an enum of numbers.
pub type UnrecognizedNumber<E> = Unrecognized<E, i64>;

impl<E, V> Unrecognized<E, V> {
    const fn new(value: V) -> Self {
        Self { value, of: PhantomData }
    }
}

/// For the macro only: the unknown text.
#[doc(hidden)]
#[must_use]
pub fn raw_text<E>(unrecognized: &UnrecognizedText<E>) -> &str {
    &unrecognized.value
}

/// For the macro only: the unknown number.
#[doc(hidden)]
#[must_use]
pub fn raw_number<E>(unrecognized: &UnrecognizedNumber<E>) -> i64 {
    unrecognized.value
}

// Written by hand: derives would ask the same of `E`, which is the very enum that holds this value.
impl<E, V: Clone> Clone for Unrecognized<E, V> {
    fn clone(&self) -> Self {
        Self::new(self.value.clone())
    }
}

impl<E, V: fmt::Debug> fmt::Debug for Unrecognized<E, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<E, V: PartialEq> PartialEq for Unrecognized<E, V> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<E, V: Eq> Eq for Unrecognized<E, V> {}

impl<E, V: Ord> PartialOrd for Unrecognized<E, V> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E, V: Ord> Ord for Unrecognized<E, V> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value.cmp(&other.value)
    }
}

impl<E, V: Hash> Hash for Unrecognized<E, V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value.hash(state);
    }
}

/// For the macro only: an open enum of texts.
#[doc(hidden)]
pub trait OpenText: Clone + 'static {
    /// The known variants.
    const VARIANTS: &'static [Self];

    /// The text on the wire.
    fn text(&self) -> &str;

    /// Wraps an unknown text.
    fn unrecognized(text: UnrecognizedText<Self>) -> Self;
}

/// For the macro only: an open enum of numbers.
#[doc(hidden)]
pub trait OpenNumber: Clone + 'static {
    /// The known variants.
    const VARIANTS: &'static [Self];

    /// The number on the wire.
    fn number(&self) -> i64;

    /// Wraps an unknown number.
    fn unrecognized(number: UnrecognizedNumber<Self>) -> Self;
}

fn known_text<E: OpenText>(text: &str) -> Option<E> {
    E::VARIANTS.iter().find(|v| v.text() == text).cloned()
}

/// For the macro only: the value for a borrowed text.
#[doc(hidden)]
#[must_use]
pub fn text_from_str<E: OpenText>(text: &str) -> E {
    known_text(text).unwrap_or_else(|| E::unrecognized(Unrecognized::new(text.into())))
}

/// For the macro only: the value for an owned text.
#[doc(hidden)]
#[must_use]
pub fn text_from_string<E: OpenText>(text: String) -> E {
    known_text(&text).unwrap_or_else(|| E::unrecognized(Unrecognized::new(text.into())))
}

/// For the macro only: the value for a number.
#[doc(hidden)]
#[must_use]
pub fn number_from_i64<E: OpenNumber>(number: i64) -> E {
    let known = E::VARIANTS.iter().find(|v| v.number() == number).cloned();
    known.unwrap_or_else(|| E::unrecognized(Unrecognized::new(number)))
}

struct TextVisitor<E>(PhantomData<fn() -> E>);

impl<E: OpenText> Visitor<'_> for TextVisitor<E> {
    type Value = E;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<Err: serde::de::Error>(self, text: &str) -> Result<E, Err> {
        Ok(text_from_str(text))
    }

    fn visit_string<Err: serde::de::Error>(self, text: String) -> Result<E, Err> {
        Ok(text_from_string(text))
    }
}

/// For the macro only: decodes a text.
///
/// # Errors
///
/// If the input is not a string.
#[doc(hidden)]
pub fn deserialize_text<'de, E: OpenText, D: Deserializer<'de>>(input: D) -> Result<E, D::Error> {
    input.deserialize_string(TextVisitor(PhantomData))
}

/// Accepts a number, or a string that holds one: both spellings of one code have been seen in error answers.
struct NumberVisitor;

impl<'de> Visitor<'de> for NumberVisitor {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a 64-bit integer, as a number or in quotes")
    }

    fn visit_i64<Err: serde::de::Error>(self, number: i64) -> Result<i64, Err> {
        Ok(number)
    }

    fn visit_u64<Err: serde::de::Error>(self, number: u64) -> Result<i64, Err> {
        i64::try_from(number).map_err(|_| Err::invalid_value(Unexpected::Other("a larger number"), &self))
    }

    fn visit_str<Err: serde::de::Error>(self, text: &str) -> Result<i64, Err> {
        // The text is not repeated: it may be anything.
        text.parse()
            .map_err(|_| Err::invalid_value(Unexpected::Other("another text"), &self))
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<i64, A::Error> {
        // Where another crate has switched on serde_json's `arbitrary_precision`, a number arrives as a map with one entry that
        // holds its text.
        match map.next_entry::<String, String>() {
            Ok(Some((key, text))) if key == "$serde_json::private::Number" => self.visit_str(&text),
            _ => Err(A::Error::invalid_type(Unexpected::Map, &self)),
        }
    }
}

/// For the macro only: decodes a number, or a string that holds one.
///
/// # Errors
///
/// If the input is neither, or does not fit 64 bits.
#[doc(hidden)]
pub fn deserialize_number<'de, E: OpenNumber, D: Deserializer<'de>>(input: D) -> Result<E, D::Error> {
    input.deserialize_any(NumberVisitor).map(number_from_i64)
}
