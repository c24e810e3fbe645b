//! Parameters of path, query and header, checked as the text they are.

use std::str::FromStr;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde_json::Value;

use super::SpecError;
use super::document::Document;

/// Where a parameter is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
    Header,
}

/// What the spec says of one parameter.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) required: bool,
    kind: Kind,
    /// The only values allowed, when the spec lists them.
    allowed: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Integer,
    Decimal,
    Boolean,
    Date,
    DateTime,
}

impl Parameter {
    pub(super) fn read(document: &Document, value: &Value) -> Result<Self, SpecError> {
        let value = document.resolve(value)?;
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let name = text("name").ok_or_else(|| SpecError::new("parameters", "a parameter without a name"))?;
        let refuse = |problem: &str| SpecError::new(name, problem);
        let place = match text("in") {
            Some("path") => Place::Path,
            Some("query") => Place::Query,
            Some("header") => Place::Header,
            _ => return Err(refuse("is in a place this sandbox does not know")),
        };
        let schema = document.resolve(value.get("schema").ok_or_else(|| refuse("has no schema"))?)?;
        let part = |key: &str| schema.get(key).and_then(Value::as_str);
        let kind = match (part("type"), part("format")) {
            (Some("string"), Some("date")) => Kind::Date,
            (Some("string"), Some("date-time")) => Kind::DateTime,
            (Some("string" | "number"), Some("decimal")) | (Some("number"), _) => Kind::Decimal,
            (Some("string"), None | Some("password")) => Kind::Text,
            (Some("integer"), _) => Kind::Integer,
            (Some("boolean"), _) => Kind::Boolean,
            _ => return Err(refuse("has a schema this sandbox cannot check in a parameter")),
        };
        for key in [
            "pattern",
            "minimum",
            "maximum",
            "minLength",
            "maxLength",
            "oneOf",
            "anyOf",
            "allOf",
        ] {
            if schema.get(key).is_some() {
                return Err(refuse("has a rule this sandbox cannot check in a parameter"));
            }
        }
        let allowed = schema
            .get("enum")
            .and_then(Value::as_array)
            .map(|values| values.iter().filter_map(Value::as_str).map(str::to_owned).collect());
        let required = value.get("required").and_then(Value::as_bool).unwrap_or(false);
        Ok(Self {
            name: name.to_owned(),
            place,
            required,
            kind,
            allowed,
        })
    }

    /// Checks the values sent under this parameter's name.
    pub(super) fn check<'a>(&self, mut values: impl Iterator<Item = &'a str>) -> Result<(), String> {
        let Some(value) = values.next() else {
            return if self.required {
                Err(format!("{} is required", self.name))
            } else {
                Ok(())
            };
        };
        if values.next().is_some() {
            return Err(format!("{} was given more than once", self.name));
        }
        if value.is_empty() && self.required {
            return Err(format!("{} is required and must not be empty", self.name));
        }
        self.problem(value)
            .map_or(Ok(()), |problem| Err(format!("{} {problem}", self.name)))
    }

    fn problem(&self, value: &str) -> Option<String> {
        let fits = match self.kind {
            Kind::Text => true,
            Kind::Integer => value.parse::<i64>().is_ok() && !value.starts_with('+'),
            Kind::Decimal => is_decimal(value),
            Kind::Boolean => matches!(value, "true" | "false"),
            Kind::Date => is_date(value),
            Kind::DateTime => chrono::DateTime::parse_from_rfc3339(value).is_ok(),
        };
        if !fits {
            let wanted = match self.kind {
                Kind::Text => "a text",
                Kind::Integer => "an integer",
                Kind::Decimal => "a decimal number",
                Kind::Boolean => "true or false",
                Kind::Date => "a date, YYYY-MM-DD",
                Kind::DateTime => "a date and time (RFC 3339)",
            };
            return Some(format!("must be {wanted}"));
        }
        match &self.allowed {
            Some(allowed) if !allowed.iter().any(|one| one == value) => {
                Some(format!("must be one of {}", allowed.join(", ")))
            }
            _ => None,
        }
    }
}

/// Whether a text is a JSON number that an exact decimal can hold.
pub(super) fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let grammar = all_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(all_digits)
        && exponent.is_none_or(|part| all_digits(part.strip_prefix(['+', '-']).unwrap_or(part)));
    grammar && (Decimal::from_str(text).is_ok() || Decimal::from_scientific(text).is_ok())
}

fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 10 && bytes[4] == b'-' && bytes[7] == b'-' && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

/// The pairs of a query, decoded, in the order sent.
pub(crate) fn query_pairs(query: Option<&str>) -> Vec<(String, String)> {
    let query = query.unwrap_or_default().as_bytes();
    url::form_urlencoded::parse(query)
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_json_numbers_in_range() {
        for good in ["0", "-0.5", "100", "0.05", "1e2", "3.26e-7", "1E+2"] {
            assert!(is_decimal(good), "{good}");
        }
        for bad in [
            "",
            "-",
            "+1",
            ".5",
            "5.",
            "01",
            "1,5",
            "NaN",
            "inf",
            "0x10",
            "1e",
            "1e999999999",
            "1 ",
            "٣",
        ] {
            assert!(!is_decimal(bad), "{bad}");
        }
    }

    #[test]
    fn dates_are_real_days() {
        assert!(is_date("2026-02-28"));
        for bad in [
            "2026-02-29",
            "2026-2-28",
            "20260228",
            "2026-02-28T00:00:00Z",
            " 2026-02-2",
        ] {
            assert!(!is_date(bad), "{bad}");
        }
    }
}
