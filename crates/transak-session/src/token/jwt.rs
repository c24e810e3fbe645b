//! Reading the two times out of a JWT, and nothing else.
//!
//! The token is Transak's to check; this only wants to know when to come back. So nothing here is an error: whatever cannot
//! be read is simply not known.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::clock::Timestamp;

/// Tokens of Transak are well below 2 kB; what is far above is not worth decoding.
const LONGEST: usize = 64 * 1024;

const TOLERANT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) iat: Option<Timestamp>,
    pub(crate) exp: Option<Timestamp>,
}

/// Only the times are kept: the other claims hold the user's e-mail address.
#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    iat: serde_json::Value,
    #[serde(default)]
    exp: serde_json::Value,
}

pub(crate) fn times(token: &str) -> Times {
    read(token).unwrap_or_default()
}

fn read(token: &str) -> Option<Times> {
    if token.len() > LONGEST {
        return None;
    }
    let payload = token.split('.').nth(1)?;
    let json = Zeroizing::new(TOLERANT.decode(payload).ok()?);
    let claims: Claims = serde_json::from_slice(&json).ok()?;
    Some(Times {
        iat: seconds(&claims.iat),
        exp: seconds(&claims.exp),
    })
}

/// RFC 7519 allows fractions of a second. Values from the year 5138 on are milliseconds in disguise and not believed.
fn seconds(value: &serde_json::Value) -> Option<Timestamp> {
    const YEAR_5138: f64 = 1e11;
    let seconds = value.as_f64()?;
    (0.0..YEAR_5138)
        .contains(&seconds)
        .then(|| Timestamp::from_unix_millis((seconds * 1_000.0) as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{URL_SAFE as PADDED, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    fn token(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn reads_seconds() {
        let at = Timestamp::from_unix_seconds(1_729_775_825);
        let both = times(&token(r#"{"iat":1729171025,"exp":1729775825,"sub":"a@b"}"#));
        assert_eq!(both.exp, Some(at));
        assert_eq!(both.iat, Some(Timestamp::from_unix_seconds(1_729_171_025)));
        assert_eq!(times(&token(r#"{"exp":1729775825.0}"#)).exp, Some(at));
        let padded = format!("e30.{}.c2ln", PADDED.encode(r#"{"exp":1729775825}"#));
        assert_eq!(times(&padded).exp, Some(at));
    }

    #[test]
    fn knows_nothing_rather_than_failing() {
        for odd in [
            "",
            "opaque",
            "a.b.c",
            "..",
            &token("[]"),
            &token(r#"{"exp":"soon"}"#),
            &token(r#"{"exp":1729775825000}"#),
            &token(r#"{"exp":-1}"#),
            &token(r#"{"exp":1e400}"#),
            &token(r#"{"exp":null}"#),
            &"x.".repeat(LONGEST),
        ] {
            assert_eq!(times(odd).exp, None, "{odd:.40}");
        }
        let half = times(&token(r#"{"exp":{},"iat":1729171025}"#));
        assert_eq!(half.iat, Some(Timestamp::from_unix_seconds(1_729_171_025)));
    }

    proptest! {
        #[test]
        fn never_panics(text in ".{0,80}", claims in "\\PC{0,60}") {
            let _ = times(&text);
            let _ = times(&token(&claims));
        }
    }
}
