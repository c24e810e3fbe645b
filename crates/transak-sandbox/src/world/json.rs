//! Writes JSON text directly, so that money keeps its exact decimal digits.

use rust_decimal::Decimal;

use super::Moment;

/// A JSON object under construction.
#[derive(Debug)]
pub(crate) struct Object {
    text: String,
}

impl Object {
    pub(crate) fn new() -> Self {
        Self {
            text: String::from("{"),
        }
    }

    fn key(&mut self, key: &str) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        self.text.push('"');
        self.text.push_str(key);
        self.text.push_str("\":");
    }

    /// Any JSON text as a member.
    pub(crate) fn raw(mut self, key: &str, json: &str) -> Self {
        self.key(key);
        self.text.push_str(json);
        self
    }

    pub(crate) fn text(mut self, key: &str, value: &str) -> Self {
        self.key(key);
        push_quoted(&mut self.text, value);
        self
    }

    /// A text member when there is one.
    pub(crate) fn maybe(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(key, value),
            None => self,
        }
    }

    pub(crate) fn flag(self, key: &str, value: bool) -> Self {
        self.raw(key, if value { "true" } else { "false" })
    }

    pub(crate) fn int(self, key: &str, value: i64) -> Self {
        self.raw(key, &value.to_string())
    }

    pub(crate) fn null(self, key: &str) -> Self {
        self.raw(key, "null")
    }

    pub(crate) fn decimal(self, key: &str, value: Decimal) -> Self {
        self.raw(key, &digits(value))
    }

    pub(crate) fn object(self, key: &str, value: Self) -> Self {
        self.raw(key, &value.finish())
    }

    /// ISO 8601 in UTC with milliseconds.
    pub(crate) fn moment(self, key: &str, value: Moment) -> Self {
        self.text(key, &timestamp(value))
    }

    /// Adds members only under a condition.
    pub(crate) fn when(self, condition: bool, add: impl FnOnce(Self) -> Self) -> Self {
        if condition { add(self) } else { self }
    }

    pub(crate) fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }
}

/// A JSON array of JSON texts.
pub(crate) fn array<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let mut text = String::from("[");
    for item in items {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(item.as_ref());
    }
    text.push(']');
    text
}

/// A JSON array of strings.
pub(crate) fn texts<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    array(items.into_iter().map(|item| quoted(item.as_ref())))
}

/// A JSON string.
pub(crate) fn quoted(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    push_quoted(&mut text, value);
    text
}

fn push_quoted(text: &mut String, value: &str) {
    text.push('"');
    for character in value.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            control if u32::from(control) < 0x20 => text.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => text.push(other),
        }
    }
    text.push('"');
}

/// A decimal as JSON digits, without an exponent or trailing zeros.
pub(crate) fn digits(value: Decimal) -> String {
    value.normalize().to_string()
}

/// ISO 8601 in UTC with milliseconds; a moment beyond the calendar becomes 1970.
pub(crate) fn timestamp(moment: Moment) -> String {
    calendar(moment).to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

/// The day a moment falls on, `YYYY-MM-DD`.
pub(crate) fn day(moment: Moment) -> String {
    calendar(moment).format("%Y-%m-%d").to_string()
}

fn calendar(moment: Moment) -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp_millis(moment.unix_millis).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_survives_a_parser() {
        let nasty = "a\"b\\c\nd\u{1}é\u{1f600}";
        let text = Object::new()
            .text("x", nasty)
            .decimal("n", Decimal::new(-12_300, 4))
            .null("z")
            .finish();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["x"], nasty);
        assert!(text.contains("\"n\":-1.23,"));
    }

    #[test]
    fn moments_are_utc() {
        assert_eq!(
            timestamp(Moment::from_millis(1_735_787_045_678)),
            "2025-01-02T03:04:05.678Z"
        );
        assert_eq!(day(Moment::from_millis(1_735_787_045_678)), "2025-01-02");
        assert_eq!(timestamp(Moment::from_millis(i64::MAX)), "1970-01-01T00:00:00.000Z");
    }
}
