//! Types ↔ shapes that were met: answers and events of 2020 to 2026, each with the members and types of a real one and
//! made-up values, decode and come back whole.
//!
//! A file in `shapes/` is named after its schema, what it is of and, for old ones, the year.

use std::fs;

use contract_tests::generated::exercise::recode;
use contract_tests::json::{canonical, losses};
use contract_tests::spec::root;

/// Members that no page knows: one client's habit.
const UNKNOWN: &[(&str, &str)] = &[("CreateOrderRequest.createOrder.request.1.json", "/apiKey")];

#[test]
fn every_shape_that_was_met_comes_back_whole() {
    let mut files: Vec<_> = fs::read_dir(root().join("tests/contract/shapes"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 34, "{}", files.len());
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        let schema = name.split('.').next().unwrap();
        let text = fs::read_to_string(&file).unwrap();
        let again = recode(schema, &text).unwrap_or_else(|e| panic!("{name}: {e}"));
        let lost = losses(&canonical(&text).unwrap(), &canonical(&again).unwrap());
        let lost = lost.unwrap_or_else(|place| panic!("{name}: {place} has changed"));
        let known: Vec<&str> = UNKNOWN
            .iter()
            .filter(|(of, _)| *of == name)
            .map(|(_, at)| *at)
            .collect();
        assert_eq!(lost, known, "{name}");
    }
}

/// One page types this amount as a string, its samples as a number.
#[test]
fn an_amount_paid_in_quotes_stays_in_quotes() {
    let text = r#"{"data":[{"amountPaid":"41.50"},{"amountPaid":41.50}]}"#;
    let again = recode("UserOrdersResponse", text).unwrap();
    assert_eq!(canonical(&again).unwrap(), canonical(text).unwrap());
}

/// The answer to a confirmed payment in a public client's types.
#[test]
fn a_receipt_in_the_place_of_an_order_decodes() {
    assert_eq!(
        recode("UserOrderResponse", r#"{"data":{"success":true}}"#).unwrap(),
        r#"{"data":{}}"#
    );
}
