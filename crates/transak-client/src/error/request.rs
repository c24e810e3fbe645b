//! Requests that could not be built.

use std::fmt;

use super::json::is_field_name;
use crate::{AmountError, DateError, TimestampError};

/// What is wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InvalidRequestKind {
    /// A required parameter or field was not given.
    Missing,
    /// A value given for a parameter or field could not be converted.
    Refused,
    /// The request could not be put together.
    Other,
}

/// A request that could not be built. Nothing was sent.
///
/// It names the parameter, but holds nothing of any value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidRequestError {
    operation: &'static str,
    kind: InvalidRequestKind,
    parameter: Option<Box<str>>,
    reason: Option<Box<str>>,
}

impl InvalidRequestError {
    /// Reads a message of the generated builders. They end in the message of a failed conversion, which may repeat the value,
    /// so that only the names at known places are taken over, and of the reasons only those that are certain to be harmless.
    pub(super) fn from_message(operation: &'static str, message: &str) -> Self {
        let mut error = Self::other(operation);
        let mut names = Vec::new();
        let mut rest = message;
        // A field inside a body arrives as a refusal inside the refusal of the body.
        while let Some((name, inner)) = refused(rest) {
            error.kind = InvalidRequestKind::Refused;
            names.push(name);
            rest = inner;
        }
        if let Some(name) = missing(rest) {
            error.kind = InvalidRequestKind::Missing;
            names.push(name);
        } else {
            error.reason = known_reason(rest);
        }
        if !names.is_empty() {
            error.parameter = Some(names.join(".").into());
        }
        error
    }

    pub(super) fn other(operation: &'static str) -> Self {
        Self {
            operation,
            kind: InvalidRequestKind::Other,
            parameter: None,
            reason: None,
        }
    }

    /// A parameter that was not given, in a call written by hand.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn absent(operation: &'static str, parameter: &'static str) -> Box<Self> {
        Box::new(Self {
            kind: InvalidRequestKind::Missing,
            parameter: Some(parameter.into()),
            ..Self::other(operation)
        })
    }

    /// A value that cannot be sent, in a call written by hand; the reason repeats nothing of it.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn refused(operation: &'static str, parameter: &'static str, reason: &'static str) -> Box<Self> {
        Box::new(Self {
            kind: InvalidRequestKind::Refused,
            parameter: Some(parameter.into()),
            reason: Some(reason.into()),
            ..Self::other(operation)
        })
    }

    /// The id of the operation in the API description.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> InvalidRequestKind {
        self.kind
    }

    /// The parameter, or the path of the field in the body such as `body.amount`, if it is known.
    #[must_use]
    pub fn parameter(&self) -> Option<&str> {
        self.parameter.as_deref()
    }
}

/// The name and the inner message of a refused value.
fn refused(message: &str) -> Option<(&str, &str)> {
    let (name, inner) = if let Some(rest) = message.strip_prefix("conversion to `") {
        let (_, rest) = rest.split_once("` for ")?;
        let (name, rest) = rest.split_once(" failed")?;
        (name, rest.strip_prefix(": ").unwrap_or_default())
    } else {
        let rest = message.strip_prefix("error converting supplied value for ")?;
        rest.split_once(": ")?
    };
    is_field_name(name).then_some((name, inner))
}

/// The name of a missing parameter or field.
fn missing(message: &str) -> Option<&str> {
    let name = message
        .strip_suffix(" was not initialized")
        .or_else(|| message.strip_prefix("no value supplied for "))?;
    is_field_name(name).then_some(name)
}

/// The reasons given by our own types, none of which repeats a value.
fn known_reason(message: &str) -> Option<Box<str>> {
    let amount = AmountError::ALL.iter().map(ToString::to_string);
    let own = [
        TimestampError.to_string(),
        DateError.to_string(),
        crate::route::REASON.to_owned(),
    ];
    let mut known = amount.chain(own);
    known.find(|text| text == message).map(Into::into)
}

impl fmt::Display for InvalidRequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameter = self.parameter().unwrap_or("a parameter");
        write!(f, "{} was not sent: ", self.operation)?;
        match self.kind {
            InvalidRequestKind::Missing => write!(f, "{parameter} is missing")?,
            InvalidRequestKind::Refused => write!(f, "the value of {parameter} was refused")?,
            InvalidRequestKind::Other => f.write_str("the request could not be built")?,
        }
        match &self.reason {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for InvalidRequestError {}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_and_values_are_not() {
        use InvalidRequestKind::{Missing, Other, Refused};
        for (message, kind, parameter) in [
            ("order_id was not initialized", Missing, Some("order_id")),
            ("no value supplied for api_key", Missing, Some("api_key")),
            (
                "conversion to `types::Amount` for amount failed",
                Refused,
                Some("amount"),
            ),
            (
                "conversion to `Login` for body failed: no value supplied for email",
                Missing,
                Some("body.email"),
            ),
            (
                "conversion to `Login` for body failed: error converting supplied value for otp: bad value s3cret",
                Refused,
                Some("body.otp"),
            ),
            ("error converting supplied value for s3cret!: x", Other, None),
            ("s3cret", Other, None),
            ("failed to parse header value", Other, None),
            ("", Other, None),
        ] {
            let error = InvalidRequestError::from_message("op", message);
            assert_eq!((error.kind(), error.parameter()), (kind, parameter), "{message}");
            assert!(!format!("{error} {error:?}").contains("s3cret"));
        }
    }

    #[test]
    fn reasons_of_our_own_types_are_kept() {
        let message = format!("error converting supplied value for amount: {}", AmountError::Empty);
        let error = InvalidRequestError::from_message("op", &message);
        assert_eq!(
            error.to_string(),
            "op was not sent: the value of amount was refused: an empty text is not a number"
        );
    }
}
