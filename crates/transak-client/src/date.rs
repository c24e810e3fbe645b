//! A calendar day in a query.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// A calendar day, written `YYYY-MM-DD`. Which time zone the day is in is not documented by Transak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Date(NaiveDate);

impl Date {
    /// The day as a `chrono` date.
    #[must_use]
    pub const fn to_naive(self) -> NaiveDate {
        self.0
    }
}

/// Text that is no day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a calendar day; write it as YYYY-MM-DD")]
pub struct DateError;

impl std::str::FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        // chrono also takes `2026-1-2`, which the API does not promise to.
        if text.len() != 10 {
            return Err(DateError);
        }
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .map(Self)
            .map_err(|_| DateError)
    }
}

impl TryFrom<&str> for Date {
    type Error = DateError;

    fn try_from(text: &str) -> Result<Self, DateError> {
        text.parse()
    }
}

impl TryFrom<String> for Date {
    type Error = DateError;

    fn try_from(text: String) -> Result<Self, DateError> {
        text.parse()
    }
}

impl From<NaiveDate> for Date {
    fn from(day: NaiveDate) -> Self {
        Self(day)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_full_calendar_days_are_taken() {
        assert_eq!(
            Date::try_from("2026-02-28").map(|d| d.to_string()),
            Ok("2026-02-28".to_owned())
        );
        for bad in [
            "",
            "2026-02-30",
            "2026-2-3",
            "26-02-03",
            "2026-02-03T00:00",
            "２026-02-3",
        ] {
            assert_eq!(Date::try_from(bad), Err(DateError), "{bad}");
        }
    }
}
