//! Taking a JSON value as text, wherever it is met.
//!
//! `serde_json`'s [`RawValue`] reads the text of a value by a private protocol with `serde_json`'s deserializers. Where serde
//! has buffered the input first (untagged and internally tagged enums, `flatten`), there is no text any more and a raw value
//! fails. This module asks by the same protocol, but gives the raw value's visitor a rebuilt text in that case.

use std::cell::Cell;
use std::fmt;

use serde::de::value::MapDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// The text of a JSON value.
#[derive(Debug)]
pub(crate) enum Captured {
    /// As it was sent, or rebuilt without a change in value.
    Exact(Box<RawValue>),
    /// A bare fraction that had already become a float; its digits may have changed.
    LossyNumber,
}

impl Captured {
    /// The text; `null` for a lossy number.
    pub(crate) fn json(&self) -> &str {
        match self {
            Self::Exact(raw) => raw.get(),
            Self::LossyNumber => RawValue::NULL.get(),
        }
    }
}

/// Takes one value, but not a number whose digits are lost.
pub(crate) fn capture<'de, D: Deserializer<'de>>(input: D) -> Result<Captured, D::Error> {
    let lossy = Cell::new(false);
    let raw = take(input, &lossy)?;
    Ok(if lossy.get() {
        Captured::LossyNumber
    } else {
        Captured::Exact(raw)
    })
}

/// Takes one value, whatever it is.
pub(crate) fn capture_any<'de, D: Deserializer<'de>>(input: D) -> Result<Box<RawValue>, D::Error> {
    take(input, &Cell::new(false))
}

fn take<'de, D: Deserializer<'de>>(input: D, lossy: &Cell<bool>) -> Result<Box<RawValue>, D::Error> {
    Box::<RawValue>::deserialize(Proxy { input, lossy })
}

/// Passes a raw value's request on and puts [`Fallback`] around its visitor.
struct Proxy<'a, D> {
    input: D,
    lossy: &'a Cell<bool>,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Proxy<'_, D> {
    type Error = D::Error;

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = Fallback {
            visitor,
            name,
            lossy: self.lossy,
        };
        self.input.deserialize_newtype_struct(name, visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.input.deserialize_any(visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

struct Fallback<'a, V> {
    visitor: V,
    /// The key by which a raw value knows its text; taken from its own request.
    name: &'static str,
    lossy: &'a Cell<bool>,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Fallback<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    /// `serde_json` has the text.
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(map)
    }

    /// It has not: rebuild it.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, input: D) -> Result<V::Value, D::Error> {
        let value = Value::deserialize(input)?;
        if value.is_f64() && !numbers_keep_their_text() {
            self.lossy.set(true);
        }
        let entry = std::iter::once((self.name, value.to_string()));
        self.visitor
            .visit_map(MapDeserializer::<_, de::value::Error>::new(entry))
            .map_err(|_| de::Error::custom("a buffered JSON value could not be rebuilt"))
    }
}

/// Whether another crate has switched on serde_json's `arbitrary_precision`. A crate cannot see features of its dependencies.
fn numbers_keep_their_text() -> bool {
    const PROBE: &str = "1.10";
    let text = serde_json::from_str::<Value>(PROBE).map(|value| value.to_string());
    text.is_ok_and(|text| text == PROBE)
}
