//! Enums that keep what they do not know.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;
use transak_client::open_enum;

open_enum! {
    /// Where an order stands.
    pub enum Status: str {
        /// All done.
        Completed = "COMPLETED",
        /// Under way.
        Processing = "PROCESSING",
    }
}

open_enum! {
    /// Codes.
    pub enum Code: i64 {
        /// Refused.
        TokenRejected = 1002,
        /// Below zero.
        Negative = -7,
    }
}

#[test]
fn known_texts() {
    assert_eq!(Status::KNOWN, [Status::Completed, Status::Processing]);
    for known in Status::KNOWN {
        assert_eq!(&Status::from(known.as_str()), known);
        assert_eq!(&Status::from(known.as_str().to_owned()), known);
        assert_eq!(&known.as_str().parse::<Status>().unwrap(), known);
        assert_eq!(known.to_string(), known.as_str());
        assert!(known.is_known() && !known.is_unrecognized());
    }
    assert_eq!(format!("{:?}", Status::Completed), "Completed");
    assert_eq!(format!("{:>10}|", Status::Completed), " COMPLETED|");
}

#[test]
fn unknown_texts() {
    let status: Status = serde_json::from_str(r#""ON_HOLD""#).unwrap();
    assert!(status.is_unrecognized());
    assert_eq!(status.as_str(), "ON_HOLD");
    assert_eq!(format!("{status} {status:?}"), r#"ON_HOLD Unrecognized("ON_HOLD")"#);
    // Matching is exact.
    assert!(Status::from("completed").is_unrecognized());
    assert!(Status::from("COMPLETED ").is_unrecognized());
    assert!(serde_json::from_str::<Status>("5").is_err());
}

#[test]
fn order_is_that_of_the_wire() {
    let set: BTreeSet<Status> = ["Z", "PROCESSING", "A", "COMPLETED", "D"].map(Status::from).into();
    let texts: Vec<&str> = set.iter().map(Status::as_str).collect();
    assert_eq!(texts, ["A", "COMPLETED", "D", "PROCESSING", "Z"]);
    assert!(Code::Negative < Code::from(3) && Code::from(3) < Code::TokenRejected);
}

#[test]
fn numbers() {
    for json in ["1002", r#""1002""#] {
        let code: Code = serde_json::from_str(json).unwrap();
        assert_eq!(code, Code::TokenRejected);
        assert_eq!(serde_json::to_string(&code).unwrap(), "1002");
    }
    assert_eq!(Code::TokenRejected.name(), Some("TokenRejected"));
    assert_eq!(Code::from(-7), Code::Negative);
    assert_eq!("-7".parse::<Code>(), Ok(Code::Negative));
    let code = Code::from(4099);
    assert_eq!(
        (code.as_i64(), code.name(), code.to_string()),
        (4099, None, "4099".to_owned())
    );
    assert_eq!(format!("{code:?}"), "Unrecognized(4099)");
    for json in ["1.5", "18446744073709551615", r#""x""#, r#""""#, "{}", "[1]", "null"] {
        assert!(serde_json::from_str::<Code>(json).is_err(), "{json}");
    }
    let value = serde_json::json!([1002, "1002", 5]);
    let codes: Vec<Code> = serde_json::from_value(value).unwrap();
    assert_eq!(codes, [1002, 1002, 5].map(Code::from));
}

#[test]
fn as_keys_of_maps() {
    let json = r#"{"ON_HOLD":{"1002":{"9":null}}}"#;
    let map: HashMap<Status, HashMap<Code, HashMap<Code, Option<Code>>>> = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&map).unwrap(), json);
}

#[test]
fn query_parameters() {
    let query = |value: &Vec<Status>| {
        let request = reqwest::Client::new().get("http://localhost/");
        let request = request.query(&progenitor_client::QueryParam::new("filter[status]", value));
        request.build().unwrap().url().query().unwrap().to_owned()
    };
    assert_eq!(
        query(&vec![Status::Completed, Status::from("NEW")]),
        "filter%5Bstatus%5D=COMPLETED&filter%5Bstatus%5D=NEW"
    );
}

proptest! {
    #[test]
    fn any_text_survives(text in any::<String>()) {
        let json = serde_json::to_string(&text).unwrap();
        let status: Status = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(status.as_str(), &text);
        prop_assert_eq!(serde_json::to_string(&status).unwrap(), json);
    }

    #[test]
    fn any_number_survives(number in any::<i64>()) {
        let code: Code = serde_json::from_str(&number.to_string()).unwrap();
        prop_assert_eq!(code.as_i64(), number);
        prop_assert_eq!(serde_json::to_string(&code).unwrap(), number.to_string());
    }
}
