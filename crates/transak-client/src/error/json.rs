//! Why JSON could not be read, without any of its data.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

/// What kind of problem JSON has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JsonErrorKind {
    /// The text is not JSON.
    Syntax,
    /// The text ends in the middle of a value.
    Eof,
    /// The JSON is valid, but not of the expected shape.
    Data,
    /// An answer has more bytes than the client reads; see
    /// [`ClientBuilder::max_answer_bytes`](crate::ClientBuilder::max_answer_bytes).
    TooLong,
}

impl fmt::Display for JsonErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "not JSON",
            Self::Eof => "JSON that ends too early",
            Self::Data => "JSON of another shape",
            Self::TooLong => "longer than this client reads",
        })
    }
}

/// JSON that could not be read as a type, or a value that could not be written as JSON.
///
/// It holds and prints nothing of the data: `serde_json`'s own messages repeat the value they met, which may be a token. Only
/// the part that names the expectation is kept. A `serde_json` error is not among the sources either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    kind: JsonErrorKind,
    path: Box<str>,
    expected: Option<Box<str>>,
    line: usize,
    column: usize,
}

impl JsonError {
    /// What kind of problem it is.
    #[must_use]
    pub fn kind(&self) -> JsonErrorKind {
        self.kind
    }

    /// Where in the JSON, such as `data.orders[2].amount`; empty at the top. Keys that are not plain field names are shown
    /// as `?`, since they may be data.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What was expected there, such as `i64`, or what is wrong with the syntax, such as `trailing comma`. Given only where it
    /// is certain not to be data.
    #[must_use]
    pub fn expected(&self) -> Option<&str> {
        self.expected.as_deref()
    }

    /// The line of the problem, from 1; 0 if unknown.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column of the problem, in bytes; 0 if unknown.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }

    /// Reads JSON as a type.
    pub(crate) fn decode<T: DeserializeOwned>(json: &[u8]) -> Result<T, Self> {
        let mut input = serde_json::Deserializer::from_slice(json);
        let value = serde_path_to_error::deserialize(&mut input).map_err(|error| Self {
            path: plain_path(error.path()),
            ..Self::new(error.inner()).within(json)
        })?;
        input.end().map_err(|error| Self::new(&error).within(json))?;
        Ok(value)
    }

    /// Drops a position that the text does not have: `serde_json` reads it from the end of the message if that looks like one,
    /// and a message may end in data.
    fn within(mut self, json: &[u8]) -> Self {
        let line = self.line.checked_sub(1);
        let line = line.and_then(|index| json.split(|b| *b == b'\n').nth(index));
        if line.is_none_or(|line| self.column > line.len() + 1) {
            (self.line, self.column) = (0, 0);
        }
        self
    }

    /// For a value that cannot be written as JSON.
    pub(crate) fn unwritable(error: &serde_json::Error) -> Self {
        Self {
            line: 0,
            column: 0,
            ..Self::new(error)
        }
    }

    pub(crate) fn new(error: &serde_json::Error) -> Self {
        let kind = match error.classify() {
            Category::Syntax => JsonErrorKind::Syntax,
            Category::Eof => JsonErrorKind::Eof,
            Category::Data | Category::Io => JsonErrorKind::Data,
        };
        Self {
            kind,
            path: "".into(),
            expected: expectation(error, kind),
            line: error.line(),
            column: error.column(),
        }
    }

    /// For a response whose first decoding failed and whose second did not.
    pub(crate) fn unknown() -> Self {
        Self::bare(JsonErrorKind::Data)
    }

    /// For an answer that was not read to its end.
    pub(crate) fn too_long() -> Self {
        Self::bare(JsonErrorKind::TooLong)
    }

    fn bare(kind: JsonErrorKind) -> Self {
        Self {
            kind,
            path: "".into(),
            expected: None,
            line: 0,
            column: 0,
        }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        if !self.path.is_empty() {
            write!(f, " at {}", self.path)?;
        }
        if let Some(expected) = &self.expected {
            let whole = self.kind != JsonErrorKind::Data
                || expected.starts_with("missing field ")
                || expected.starts_with("duplicate field ");
            let verb = if whole { "" } else { "expected " };
            write!(f, ": {verb}{expected}")?;
        }
        if self.line > 0 {
            write!(f, " (line {}, column {})", self.line, self.column)?;
        }
        Ok(())
    }
}

impl std::error::Error for JsonError {}

fn plain_path(path: &Path) -> Box<str> {
    use fmt::Write as _;

    let mut plain = String::new();
    for segment in path {
        let name = match segment {
            Segment::Seq { index } => {
                // Writing to a `String` does not fail.
                let _ = write!(plain, "[{index}]");
                continue;
            }
            // The private key of raw values and of numbers, seen when an amount is refused.
            Segment::Map { key } if key.starts_with("$serde_json::private::") => continue,
            Segment::Map { key: name } | Segment::Enum { variant: name } if is_field_name(name) => name.as_str(),
            _ => "?",
        };
        if !plain.is_empty() {
            plain.push('.');
        }
        plain.push_str(name);
    }
    plain.into()
}

/// Whether a key looks like one that a schema names. Keys with many digits look like identifiers of something.
pub(super) fn is_field_name(key: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    key.len() <= 40
        && key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.bytes().all(word)
        && key.bytes().filter(u8::is_ascii_digit).count() <= 3
}

/// The part of serde's message that cannot hold data.
fn expectation(error: &serde_json::Error, kind: JsonErrorKind) -> Option<Box<str>> {
    let message = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let message = message.strip_suffix(&position).unwrap_or(&message);
    if kind != JsonErrorKind::Data {
        // Syntax errors come from a fixed list of texts.
        return Some(message.into());
    }
    if message.starts_with("missing field `") || message.starts_with("duplicate field `") {
        let name = message.split('`').nth(1)?;
        let end = message.ends_with('`') && message.split('`').count() == 3;
        return (end && is_field_name(name)).then(|| message.into());
    }
    // These are written by serde with the value first and the expectation, a constant of the type, last. Searching from the end
    // keeps a value that itself contains the separator from passing for the expectation. Anything else may be data throughout.
    const WITH_EXPECTATION: [&str; 5] = [
        "invalid type: ",
        "invalid value: ",
        "invalid length ",
        "unknown variant `",
        "unknown field `",
    ];
    if !WITH_EXPECTATION.iter().any(|p| message.starts_with(p)) {
        return None;
    }
    let (_, expected) = message.rsplit_once(", expected ")?;
    let plain = !expected.is_empty() && expected.len() <= 200;
    (plain && expected.chars().all(|c| !c.is_control())).then(|| expected.into())
}
