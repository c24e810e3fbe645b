//! Points in time as the server writes them.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};
use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

/// A date and time in the notation of RFC 3339, kept as text.
///
/// Decoding takes any text, so that one odd date does not make a whole order unreadable, and encoding gives the same text
/// back. [`parse`](Self::parse) tells whether it is a date. Values made in code are checked at once.
///
/// Equality compares texts: the same moment written with another offset is not equal. Compare what [`parse`](Self::parse)
/// gives to compare moments.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Timestamp(Box<str>);

/// The text is not a date and time in the notation of RFC 3339. The text is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a date and time such as 2024-05-31T23:59:59.000Z")]
#[non_exhaustive]
pub struct TimestampError;

impl Timestamp {
    /// The text as it was sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The moment, with the offset it was written with.
    ///
    /// # Errors
    ///
    /// If the text is not a date and time in the notation of RFC 3339.
    pub fn parse(&self) -> Result<DateTime<FixedOffset>, TimestampError> {
        parse(&self.0)
    }

    /// The moment in milliseconds since 1970-01-01T00:00:00Z. Finer parts are cut off.
    ///
    /// # Errors
    ///
    /// If the text is not a date and time in the notation of RFC 3339.
    pub fn unix_millis(&self) -> Result<i64, TimestampError> {
        self.parse().map(|moment| moment.timestamp_millis())
    }

    /// Whether [`parse`](Self::parse) gives a moment.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.parse().is_ok()
    }
}

fn parse(text: &str) -> Result<DateTime<FixedOffset>, TimestampError> {
    DateTime::parse_from_rfc3339(text).map_err(|_| TimestampError)
}

/// Written in UTC, with as many decimal places as needed. Years after 9999 have no notation in RFC 3339 and give a text that
/// is not valid.
impl From<DateTime<Utc>> for Timestamp {
    fn from(moment: DateTime<Utc>) -> Self {
        Self(moment.to_rfc3339_opts(SecondsFormat::AutoSi, true).into())
    }
}

impl From<DateTime<FixedOffset>> for Timestamp {
    fn from(moment: DateTime<FixedOffset>) -> Self {
        Self(moment.to_rfc3339_opts(SecondsFormat::AutoSi, true).into())
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        parse(text).map(|_| Self(text.into()))
    }
}

impl TryFrom<&str> for Timestamp {
    type Error = TimestampError;

    fn try_from(text: &str) -> Result<Self, TimestampError> {
        text.parse()
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimestampError;

    fn try_from(text: String) -> Result<Self, TimestampError> {
        parse(&text).map(|_| Self(text.into()))
    }
}

impl TryFrom<&Timestamp> for DateTime<FixedOffset> {
    type Error = TimestampError;

    fn try_from(timestamp: &Timestamp) -> Result<Self, TimestampError> {
        timestamp.parse()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Timestamp").field(&&*self.0).finish()
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        output.serialize_str(&self.0)
    }
}

/// Takes any text.
impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input).map(|text| Self(text.into()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn any_text_survives_a_round_trip() {
        for json in [
            r#""2024-05-31T23:59:59.120Z""#,
            r#""2024-05-31T23:59:59+05:30""#,
            r#""yesterday""#,
            r#""""#,
        ] {
            let timestamp: Timestamp = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&timestamp).unwrap(), json);
        }
    }

    #[test]
    fn moments() {
        let timestamp: Timestamp = "2024-05-31T23:59:59.1209+05:30".parse().unwrap();
        assert_eq!(timestamp.unix_millis(), Ok(1_717_180_199_120));
        assert_eq!(timestamp.parse().unwrap().offset().local_minus_utc(), 19_800);
        let moment = DateTime::<Utc>::from_timestamp_millis(1_717_180_199_120).unwrap();
        assert_eq!(Timestamp::from(moment).as_str(), "2024-05-31T18:29:59.120Z");
    }

    #[test]
    fn odd_texts_are_refused_in_code_and_kept_from_the_wire() {
        let odd: Timestamp = serde_json::from_str(r#""31/05/2024""#).unwrap();
        assert!(!odd.is_valid());
        assert_eq!(odd.as_str(), "31/05/2024");
        assert_eq!(Timestamp::try_from("31/05/2024"), Err(TimestampError));
        assert!(!TimestampError.to_string().contains("31/05"));
    }
}
