//! Texts that must not be printed.

use std::cmp::Ordering;
use std::convert::Infallible;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::hint::black_box;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, Unexpected, Visitor};
use serde::ser::{Serialize, Serializer};
use zeroize::Zeroizing;

/// Defines a text that is wiped from memory when dropped and is never printed.
///
/// The inner `String` is never grown: growing would leave an unwiped copy behind.
macro_rules! guarded_text {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone)]
        pub struct $name(Zeroizing<String>);

        impl $name {
            /// The text itself. Take care not to log it.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }

            /// Whether the text has no characters.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(<redacted>)"))
            }
        }

        /// Takes the text over without a copy.
        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(Zeroizing::new(text))
            }
        }

        /// Copies the text; wiping the original is up to its owner.
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::from(text.to_owned())
            }
        }

        impl FromStr for $name {
            type Err = Infallible;

            fn from_str(text: &str) -> Result<Self, Infallible> {
                Ok(Self::from(text))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
                output.serialize_str(&self.0)
            }
        }

        /// Errors name what was expected, never what was there.
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                // Not `deserialize_str`: asked for a string, serde_json itself writes an error that repeats the number it met.
                input.deserialize_any(SilentVisitor).map(Self)
            }
        }
    };
}

guarded_text! {
    /// A secret: a token, a key, a one-time password.
    ///
    /// It is wiped from memory when dropped, compared in a time that depends only on its length, and printed by `Debug` as
    /// `Secret(<redacted>)`. There is no `Display`; [`expose`](Self::expose) gives the text.
    ///
    /// ```
    /// # use transak_client::Secret;
    /// let token = Secret::from("t0ken");
    /// assert_eq!(format!("{token:?}"), "Secret(<redacted>)");
    /// assert_eq!(token.expose(), "t0ken");
    /// ```
    Secret
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (self.0.as_bytes(), other.0.as_bytes());
        if a.len() != b.len() {
            return false;
        }
        // `black_box` in every round keeps the compiler from leaving the loop at the first difference.
        let difference = a.iter().zip(b).fold(0, |d, (x, y)| black_box(d | (x ^ y)));
        difference == 0
    }
}

impl Eq for Secret {}

guarded_text! {
    /// Data about a person: a name, an e-mail address, an IP address.
    ///
    /// Like [`Secret`] it is wiped from memory when dropped and printed by `Debug` as `Personal(<redacted>)`; unlike it, it
    /// can be a key in maps.
    Personal
}

impl PartialEq for Personal {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Personal {}

impl Hash for Personal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.expose().hash(state);
    }
}

impl PartialOrd for Personal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Personal {
    fn cmp(&self, other: &Self) -> Ordering {
        self.expose().cmp(other.expose())
    }
}

/// Reads a string; its errors do not repeat the input, which serde's own do.
struct SilentVisitor;

impl SilentVisitor {
    fn refuse<T, E: de::Error>(&self) -> Result<T, E> {
        Err(E::invalid_type(Unexpected::Other("another type"), self))
    }
}

impl Visitor<'_> for SilentVisitor {
    type Value = Zeroizing<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Zeroizing::new(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Zeroizing::new(text))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self::Value, E> {
        self.refuse()
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self::Value, E> {
        self.refuse()
    }

    fn visit_i128<E: de::Error>(self, _: i128) -> Result<Self::Value, E> {
        self.refuse()
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self::Value, E> {
        self.refuse()
    }

    fn visit_u128<E: de::Error>(self, _: u128) -> Result<Self::Value, E> {
        self.refuse()
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> {
        self.refuse()
    }

    fn visit_bytes<E: de::Error>(self, _: &[u8]) -> Result<Self::Value, E> {
        self.refuse()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn debug_is_redacted() {
        assert_eq!(format!("{:?}", Secret::from("abc")), "Secret(<redacted>)");
        assert_eq!(
            format!("{:#?}", Some(Personal::from("abc"))),
            "Some(\n    Personal(<redacted>),\n)"
        );
    }

    #[test]
    fn equality() {
        assert_eq!(Secret::from("abc"), Secret::from("abc".to_owned()));
        for other in ["abd", "ab", "abcd", "", "Abc"] {
            assert_ne!(Secret::from("abc"), Secret::from(other));
        }
        assert!(Personal::from("a") < Personal::from("b"));
        assert!(Secret::from("").is_empty() && !Personal::from("x").is_empty());
    }

    #[test]
    fn decoding_is_transparent() {
        for json in [r#""p\u00e4ss \"w\"""#, r#""plain""#, r#""""#] {
            let text: String = serde_json::from_str(json).unwrap();
            let secret: Secret = serde_json::from_str(json).unwrap();
            assert_eq!(secret.expose(), text);
            assert_eq!(
                serde_json::to_string(&secret).unwrap(),
                serde_json::to_string(&text).unwrap()
            );
        }
        let value = serde_json::json!("via value");
        assert_eq!(serde_json::from_value::<Personal>(value).unwrap().expose(), "via value");
    }

    #[test]
    fn errors_do_not_repeat_the_input() {
        for json in ["424242", "-424242", "4242.42", "[\"4242\"]", "{\"4242\":1}"] {
            let error = serde_json::from_str::<Secret>(json).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("42"), "{error}");
            let value: serde_json::Value = serde_json::from_str(json).unwrap();
            let error = serde_json::from_value::<Personal>(value).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("42"), "{error}");
        }
    }
}
