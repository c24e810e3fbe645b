//! Lines and spellings.

use std::path::Path;

use proptest::prelude::*;
use serde_json::Value;
use xtask::codegen::{load::Document, problem::Failure};

use super::{GOOD, document};

/// A minimal document that holds `yaml`, indented by the caller, under `x-data`.
fn with_data(yaml: &str) -> Result<Document, Failure> {
    let text = format!("openapi: 3.0.3\ninfo: {{title: a, version: b}}\npaths: {{}}\nx-data: {yaml}\n");
    Document::parse(Path::new("spec.yaml"), text)
}

fn verbatim(yaml: &str) -> String {
    let doc = with_data(yaml).unwrap_or_else(|error| panic!("{yaml:?}: {error}"));
    doc.source.verbatim("#/x-data").unwrap()
}

#[test]
fn lines() {
    let doc = document(GOOD.to_owned());
    let line = |text: &str| GOOD.lines().position(|line| line.contains(text)).unwrap() + 1;
    let at = |pointer| doc.source.line(pointer).unwrap();
    assert_eq!(at("#"), 1);
    assert_eq!(at(""), 1);
    assert_eq!(at("#/info/title"), line("title: Shop"));
    assert_eq!(at("/info/title"), line("title: Shop"));
    assert_eq!(
        at("#/paths/~1orders~1{orderId}/get/operationId"),
        line("operationId: getOrder")
    );
    assert_eq!(
        at("#/paths/~1orders~1{orderId}/get/parameters/1"),
        line("filter[status]")
    );
    // What is not there is reported at what is.
    assert_eq!(at("#/info/title/deeper/still"), line("title: Shop"));
    assert_eq!(at("#/info/contact/name"), line("info:"));
    assert_eq!(at("#/paths/~1orders~1{orderId}/get/parameters/99"), line("parameters:"));
    // The key of an alias is where it is used, what it stands for where it is written.
    assert_eq!(at("#/servers"), line("servers: *api"));
    assert_eq!(at("#/servers/1/url"), line("https://api.example.com"));
    assert_eq!(doc.source.line("nonsense"), None);
}

#[test]
fn keys_keep_their_order() {
    let doc = document(GOOD.to_owned());
    assert_eq!(doc.source.keys("#/info").unwrap(), ["title", "version"]);
    assert_eq!(doc.source.keys("#/info/title"), None);
    assert_eq!(
        verbatim("{b: 1, a: 2, c: {z: 1, y: 2}}"),
        r#"{"b":1,"a":2,"c":{"z":1,"y":2}}"#
    );
    assert_eq!(
        doc.source.verbatim("#/info").unwrap(),
        r#"{"title":"Shop","version":"2026-11-22"}"#
    );
    assert_eq!(doc.source.verbatim("#/nothing"), None);
    assert!(
        doc.source
            .verbatim("#/paths/~1orders~1{orderId}/get/responses/200/content/application~1json/examples/open/value")
            .unwrap()
            .contains("\"total\":1.10,")
    );
}

#[test]
fn numbers_keep_their_text() {
    for text in [
        "0",
        "-0",
        "-0.0",
        "7",
        "-12",
        "1.10",
        "1.0",
        "3.26e-7",
        "1E5",
        "1e+5",
        "0.00041224987113280361",
        "123456789012345.123456789",
        "18446744073709551616",
        "-9223372036854775809",
        "340282366920938463463374607431768211456000",
        "0.1000000000000000055511151231257827",
    ] {
        assert_eq!(verbatim(text), text);
        assert_eq!(
            verbatim(&format!("[{text}, {{a: {text}}}]")),
            format!("[{text},{{\"a\":{text}}}]")
        );
        assert_eq!(verbatim(&format!("{text} # é")), text);
        assert_eq!(verbatim(&format!("&anchor {text}")), text);
        assert_eq!(verbatim(&format!("\n  - é\n  - {text}\n")), format!("[\"é\",{text}]"));
    }
}

/// The table in the documentation of the module.
#[test]
fn scalars_are_what_the_generator_takes_them_for() {
    for (yaml, json) in [
        ("~", "null"),
        ("null", "null"),
        ("Null", "null"),
        ("NULL", "null"),
        ("", "null"),
        ("true", "true"),
        ("True", "true"),
        ("FALSE", "false"),
        ("yes", "\"yes\""),
        ("off", "\"off\""),
        ("007", "\"007\""),
        ("-01", "\"-01\""),
        ("2026-11-22", "\"2026-11-22\""),
        ("1_000", "\"1_000\""),
        ("12:30", "\"12:30\""),
        ("1e999", "\"1e999\""),
        ("inf", "\"inf\""),
        ("NaN", "\"NaN\""),
        ("0x", "\"0x\""),
        ("1.10.1", "\"1.10.1\""),
        ("text with spaces", "\"text with spaces\""),
        ("\"1.10\"", "\"1.10\""),
        ("'1.10'", "\"1.10\""),
        ("'it''s'", "\"it's\""),
        ("\"tab\\t \\u00e9 \\\" /\"", "\"tab\\t é \\\" /\""),
        ("|\n  a\n  b\n", "\"a\\nb\\n\""),
        (">-\n  a\n  b\n\n  c\n", "\"a b\\nc\""),
        (">-\n  1.10\n", "\"1.10\""),
        ("a\n  b", "\"a b\""),
        ("[]", "[]"),
        ("{}", "{}"),
        (
            "{1.10: a, true: b, ~: c}",
            "{\"1.10\":\"a\",\"true\":\"b\",\"~\":\"c\"}",
        ),
    ] {
        assert_eq!(verbatim(yaml), json, "{yaml:?}");
    }
}

#[test]
fn numbers_json_does_not_know_are_refused() {
    for yaml in ["+1", "+1.10", ".5", "-.5", "1.", "01.5", "0x1f", "0o17", "0b11", "1.e5"] {
        match with_data(yaml) {
            Err(Failure::Scalar {
                line: 4,
                pointer,
                message,
                ..
            }) => {
                assert_eq!(pointer, "#/x-data");
                assert!(message.contains(yaml), "{message}");
            }
            other => panic!("{yaml:?}: {other:?}"),
        }
    }
    for yaml in [".inf", "-.inf", ".nan"] {
        assert!(
            matches!(with_data(yaml), Err(Failure::Syntax { line: Some(4), .. })),
            "{yaml}"
        );
    }
}

#[test]
fn aliases() {
    assert_eq!(
        verbatim("{a: &x {p: 1.10}, b: *x}"),
        r#"{"a":{"p":1.10},"b":{"p":1.10}}"#
    );
    assert_eq!(
        verbatim("{a: &x text, b: *x, c: &y true, d: *y}"),
        r#"{"a":"text","b":"text","c":true,"d":true}"#
    );
    let failure = with_data("{a: &x 1.10, b: *x}").unwrap_err();
    assert!(matches!(failure, Failure::Scalar { .. }), "{failure}");
}

/// JSON text with free spellings of numbers.
fn json_text() -> impl Strategy<Value = String> {
    let number = "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,2})?";
    let text = any::<String>().prop_map(|text| Value::String(text).to_string());
    let leaf = prop_oneof![
        number,
        text.clone(),
        prop::sample::select(vec!["null", "true", "false"]).prop_map(str::to_owned)
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        let key = text.clone();
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((key, inner), 0..6).prop_map(|entries| {
                let mut seen = std::collections::BTreeSet::new();
                let entries: Vec<_> = entries
                    .into_iter()
                    .filter(|(key, _)| key != "\"<<\"" && seen.insert(key.clone()))
                    .map(|(key, value)| format!("{key}:{value}"))
                    .collect();
                format!("{{{}}}", entries.join(","))
            }),
        ]
    })
}

/// The same tree in block style, numbers and literals plain, texts quoted.
fn block(json: &Value, indent: usize) -> String {
    let pad = " ".repeat(indent);
    match json {
        Value::Array(items) if !items.is_empty() => items
            .iter()
            .map(|item| format!("\n{pad}- {}", block(item, indent + 2)))
            .collect(),
        Value::Object(map) if !map.is_empty() => map
            .iter()
            .map(|(key, value)| format!("\n{pad}{}: {}", Value::String(key.clone()), block(value, indent + 2)))
            .collect(),
        _ => json.to_string(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// JSON is YAML: what goes in as flow style comes out to the letter.
    #[test]
    fn json_comes_back_verbatim(json in json_text()) {
        // YAML wants a space after the colon of a key that is not quoted; ours are.
        match with_data(&json) {
            Ok(doc) => prop_assert_eq!(doc.source.verbatim("#/x-data").unwrap(), json),
            // Characters that JSON leaves alone and YAML does not allow unescaped.
            Err(Failure::Syntax { .. } | Failure::Scalar { .. }) => {
                prop_assert!(json.chars().any(|c| c.is_control() || !c.is_ascii()), "{}", json);
            }
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    /// Whatever the style, spelling and value agree, and so do both parsers.
    #[test]
    fn block_style_means_the_same(json in json_text().prop_filter("plain", |json| json.is_ascii())) {
        let value: Value = serde_json::from_str(&json).unwrap();
        let doc = with_data(&block(&value, 1)).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(doc.source.verbatim("#/x-data").unwrap(), value.to_string());
    }
}
