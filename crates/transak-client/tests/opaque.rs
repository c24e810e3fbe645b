//! Opaque JSON: verbatim where serde lets it be, whole everywhere.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use transak_client::OpaqueJson;
use transak_client::error::JsonErrorKind;

const VERBATIM: [&str; 7] = [
    r#"{"b": 1.10, "a": [ null, 123456789012345.123456789 ]}"#,
    "[]",
    "null",
    "1E+2",
    r#""\u0041""#,
    "true",
    r#"{"k":1,"k":2}"#,
];

#[test]
fn verbatim_in_all_places() {
    #[derive(Serialize, Deserialize)]
    struct Places {
        one: OpaqueJson,
        many: Vec<OpaqueJson>,
        map: HashMap<String, OpaqueJson>,
        maybe: Option<OpaqueJson>,
    }
    for json in VERBATIM {
        let text = format!(r#"{{"one":{json},"many":[{json}],"map":{{"k":{json}}},"maybe":{json}}}"#);
        let places: Places = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&places).unwrap(), text);
        assert_eq!(places.one.as_str(), json);
        assert_eq!(places.maybe.is_none(), json == "null");
        assert_eq!(places.one, json.parse().unwrap());
    }
}

#[test]
fn debug_shows_only_the_size() {
    let json: OpaqueJson = r#"{"otp":"123456"}"#.parse().unwrap();
    assert_eq!(format!("{json:?}"), "OpaqueJson(16 bytes)");
}

#[test]
fn values() {
    let value = serde_json::json!({"b": [1, null, "x", true, 1.5], "a": {}});
    let json: OpaqueJson = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(json, OpaqueJson::from(&value));
    assert_eq!(serde_json::to_value(&json).unwrap(), value);
    assert_eq!(json.decode::<serde_json::Value>().unwrap(), value);
    assert_eq!(OpaqueJson::from_serialize(&[1, 2]).unwrap().as_str(), "[1,2]");
    assert!(OpaqueJson::from_serialize(&HashMap::from([([1], 2)])).is_err());
}

#[test]
fn errors_hold_no_data() {
    let json: OpaqueJson = r#"{"a":{"b":["s3cret"]}}"#.parse().unwrap();
    let error = json.decode::<HashMap<String, HashMap<String, Vec<i64>>>>().unwrap_err();
    assert_eq!(
        (error.kind(), error.path(), error.expected()),
        (JsonErrorKind::Data, "a.b[0]", Some("i64"))
    );
    assert_eq!(
        error.to_string(),
        "JSON of another shape at a.b[0]: expected i64 (line 1, column 19)"
    );
    let error = r#"{"s3cret" 1}"#.parse::<OpaqueJson>().unwrap_err();
    assert_eq!(error.to_string(), "not JSON: expected `:` (line 1, column 11)");
    for text in ["", "{", "1 2", "NaN"] {
        assert!(OpaqueJson::try_from(text).is_err(), "{text}");
    }
}

/// A raw value alone fails in all of these: serde has taken the JSON apart before.
#[test]
fn buffered_content_is_rebuilt() {
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Number(i64),
        Any(OpaqueJson),
    }
    for json in [
        r#"{"a":[1,null,"x",true,1.5]}"#,
        r#""x""#,
        "null",
        "[]",
        "1.5",
        "-1.5e300",
    ] {
        let read: Untagged = serde_json::from_str(json).unwrap();
        assert!(matches!(read, Untagged::Any(_)), "{json}");
        assert_eq!(serde_json::to_string(&read).unwrap(), json.replace("e300", "e+300"));
    }

    #[derive(Serialize, Deserialize)]
    #[serde(tag = "type")]
    enum Tagged {
        A { data: OpaqueJson },
    }
    let json = r#"{"type":"A","data":{"x":[1]}}"#;
    let read: Tagged = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), json);
    let reordered: Tagged = serde_json::from_str(r#"{"data":{"x":[1]},"type":"A"}"#).unwrap();
    assert_eq!(serde_json::to_string(&reordered).unwrap(), json);

    #[derive(Serialize, Deserialize)]
    struct Flat {
        id: i64,
        #[serde(flatten)]
        rest: HashMap<String, OpaqueJson>,
    }
    let json = r#"{"id":1,"extra":{"x":[1,"y"]}}"#;
    let read: Flat = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), json);
}
