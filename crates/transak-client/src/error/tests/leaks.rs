//! The promise that errors leak nothing of what could not be decoded.

use std::collections::HashMap;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::{Amount, OpaqueJson, Personal, Secret};

#[allow(dead_code)] // Read by serde only.
#[derive(Deserialize)]
struct Reply {
    number: i64,
    flag: bool,
    kind: Kind,
    amount: Option<Amount>,
    secret: Option<Secret>,
    person: Option<Personal>,
    raw: Option<OpaqueJson>,
    either: Option<Either>,
    list: Vec<i64>,
    map: HashMap<String, i64>,
    id: Option<Custom>,
}

#[derive(Deserialize)]
enum Kind {
    A,
}

#[allow(dead_code)]
#[derive(Deserialize)]
#[serde(untagged)]
enum Either {
    Number(i64),
    Flag(bool),
}

/// A type whose errors repeat its input, as some do.
struct Custom;

impl<'de> Deserialize<'de> for Custom {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        Err(serde::de::Error::custom(format!("bad id {text}, expected {text}")))
    }
}

async fn undecodable(json: String) -> Error {
    let cause = serde_json::from_str::<Reply>(&json).err().unwrap();
    let context = CallContext {
        response: Some(ResponseMeta::new(StatusCode::OK, &http::HeaderMap::new())),
        ..context()
    };
    from_progenitor::<Reply>(context, Raw::InvalidResponsePayload(json.into(), cause)).await
}

#[tokio::test]
async fn decoding_errors_tell_where_and_what() {
    let good = r#""number":1,"flag":true,"kind":"A","map":{}"#;
    for (json, path, expected, kind) in [
        (
            r#"{"number":"x"}"#.to_owned(),
            "number",
            Some("i64"),
            JsonErrorKind::Data,
        ),
        (
            format!(r#"{{{good},"list":[1,"x"]}}"#),
            "list[1]",
            Some("i64"),
            JsonErrorKind::Data,
        ),
        (
            format!("{{{good}}}"),
            "",
            Some("missing field `list`"),
            JsonErrorKind::Data,
        ),
        (r#"{"kind":"B"}"#.to_owned(), "kind", Some("`A`"), JsonErrorKind::Data),
        (
            r#"{"map":{"jo@example.org":null}}"#.to_owned(),
            "map.?",
            Some("i64"),
            JsonErrorKind::Data,
        ),
        (
            r#"{"amount":"x"}"#.to_owned(),
            "amount",
            Some("a decimal number, bare or in quotes"),
            JsonErrorKind::Data,
        ),
        (
            r#"{"secret":5}"#.to_owned(),
            "secret",
            Some("a string"),
            JsonErrorKind::Data,
        ),
        (r#"{"id":"x"}"#.to_owned(), "id", None, JsonErrorKind::Data),
        (r#"{"either":"x"}"#.to_owned(), "either", None, JsonErrorKind::Data),
        (
            r#"{"number":1"#.to_owned(),
            "?",
            Some("EOF while parsing an object"),
            JsonErrorKind::Eof,
        ),
        ("<html>".to_owned(), "", Some("expected value"), JsonErrorKind::Syntax),
    ] {
        let error = undecodable(json.clone()).await;
        let Error::Decode(decode) = &error else {
            panic!("{error:?}")
        };
        assert_eq!(decode.path(), path, "{json}");
        assert_eq!(decode.expected(), expected, "{json}");
        assert_eq!(decode.kind(), kind, "{json}");
        assert!(error.is_decode() && error.source().is_none());
        assert_eq!(error.status(), Some(StatusCode::OK));
    }
    let error = undecodable(r#"{"number":"x"}"#.to_owned()).await;
    assert_eq!(
        error.to_string(),
        "the answer to get_order, status 200 OK, is JSON of another shape at number: expected i64 (line 1, column 13) \
         (trace id sent-by-us)"
    );
}

/// `serde_json` takes the end of a message for a position if it looks like one.
#[tokio::test]
async fn a_position_is_not_data() {
    for text in ["x at line 424242 column 7", "x at line 1 column 424242"] {
        let error = undecodable(format!(r#"{{"id":"{text}"}}"#)).await;
        assert!(!printed(&error).contains("424242"), "{error}");
    }
}

/// A secret, wrapped in what might make a careless filter let it through.
fn planted() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("S3CRET-x".to_owned()),
        Just("x\", expected S3CRET-x".to_owned()),
        Just("`, expected `S3CRET-x`".to_owned()),
        Just("missing field `S3CRET-x`".to_owned()),
        Just("invalid type: x, expected S3CRET-x at line 1 column 1".to_owned()),
        "[ -~]{0,12}".prop_map(|noise| format!("{noise}S3CRET-x{noise}")),
        ".{0,8}".prop_map(|noise| format!("{noise}, expected S3CRET-x{noise}")),
    ]
}

proptest! {
    #[test]
    fn a_planted_secret_is_never_printed(secret in planted(), field in 0..13_usize, broken in 0..3_u8) {
        let text = serde_json::to_string(&secret).unwrap();
        let names = ["number", "flag", "kind", "amount", "raw", "either", "list", "map", "id", "secret", "other"];
        let json = match (names.get(field), broken) {
            (Some(name), 0) => format!(r#"{{"{name}":{text}}}"#),
            (Some(name), 1) => format!(r#"{{"{name}":{{{text}:{text}}}}}"#),
            (Some(name), _) => format!(r#"{{"{name}":[{text}"#),
            (None, 0) => format!(r#"{{{text}:1}}"#),
            (None, _) => text.clone(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let error = runtime.block_on(undecodable(json));
        prop_assert!(!printed(&error).contains("S3CRET"), "{}", error);
        let json: OpaqueJson = text.parse().unwrap();
        let error = json.decode::<Reply>().err().unwrap();
        prop_assert!(!printed(&error).contains("S3CRET"), "{}", error);
    }

    #[test]
    fn a_digit_secret_is_never_printed(secret in 100_000..u64::MAX, field in 0..9_usize) {
        let names = ["flag", "kind", "secret", "person", "either", "list", "map", "id", "x"];
        let json = format!(r#"{{"{}":{secret}}}"#, names[field]);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let error = runtime.block_on(undecodable(json));
        prop_assert!(!printed(&error).contains(&secret.to_string()));
    }

    #[test]
    fn scrubbing_takes_secrets_out(before in "[ -~]{0,30}", after in "[ -~]{0,30}", otp in "[0-9]{4,8}", jwt in "[A-Za-z0-9_.-]{20,60}") {
        let text = format!("{before} {otp} {jwt} jo@example.org {after}");
        let scrubbed = super::super::scrub::scrub(&text);
        for private in [format!(" {} ", otp), jwt, "jo@example.org".to_owned()] {
            prop_assert!(!scrubbed.contains(&private), "{}", scrubbed);
        }
    }

    #[test]
    fn bodies_never_panic(body in any::<Vec<u8>>(), text in any::<String>()) {
        let _ = super::super::body::ErrorBody::parse("", &body);
        let _ = super::super::body::ErrorBody::parse("text/html", text.as_bytes());
        let _ = super::super::scrub::scrub(&text);
        let _ = InvalidRequestError::from_message("op", &text);
    }
}
