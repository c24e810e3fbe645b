//! Amounts in JSON.

use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{self, Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Amount, AmountError};
use crate::opaque::capture::{self, Captured};

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        if self.quoted {
            return output.serialize_str(&self.text);
        }
        let raw: &RawValue = serde_json::from_str(&self.text).map_err(ser::Error::custom)?;
        raw.serialize(output)
    }
}

/// Accepts a number, bare or in quotes.
impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let captured = capture::capture(input)?;
        if let Captured::LossyNumber = captured {
            return Err(de::Error::custom(
                "a fraction without quotes cannot be read exactly inside an untagged enum or a flattened field",
            ));
        }
        from_json(captured.json()).map_err(|error| match error {
            // Serde's own form of message, so that the reason survives the filter in our decoding errors.
            AmountError::TooLong => de::Error::invalid_value(
                de::Unexpected::Other("a long text"),
                &"a number of at most 128 characters",
            ),
            _ => de::Error::invalid_value(
                de::Unexpected::Other("something else"),
                &"a decimal number, bare or in quotes",
            ),
        })
    }
}

fn from_json(json: &str) -> Result<Amount, AmountError> {
    if !json.starts_with('"') {
        return json.parse();
    }
    let inner = json.strip_prefix('"').and_then(|j| j.strip_suffix('"'));
    let inner = inner.unwrap_or_default();
    if !inner.contains('\\') {
        grammar_checked(inner)
    } else if inner.len() > 6 * Amount::MAX_LEN {
        // Six is the length of an escaped character.
        Err(AmountError::TooLong)
    } else {
        let text: String = serde_json::from_str(json).map_err(|_| AmountError::NotANumber)?;
        grammar_checked(&text)
    }
}

fn grammar_checked(text: &str) -> Result<Amount, AmountError> {
    let mut amount: Amount = text.parse()?;
    amount.quoted = true;
    Ok(amount)
}
