//! Amounts: nothing is lost, and comparing goes by value.
#![allow(clippy::unwrap_used, missing_docs)]

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use transak_client::{Amount, AmountError, QueryAmount};

const AWKWARD: [&str; 12] = [
    "123456789012345.123456789",
    "3.26e-7",
    "1.10",
    "-0.0",
    "1E+2",
    "0",
    "1e999999999",
    "-1e-999999999",
    "0.000000000000000000000000000000000000001",
    "99999999999999999999999999999999999999999",
    "12e00",
    r#""0.15""#,
];

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[test]
fn spelling_survives() {
    for json in AWKWARD {
        let amount: Amount = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&amount).unwrap(), json);
        assert_eq!(amount.as_str(), json.trim_matches('"'));
        assert_eq!(amount.to_string(), amount.as_str());
        assert_eq!(amount.is_quoted(), json.starts_with('"'));
        let reader: Amount = serde_json::from_reader(json.as_bytes()).unwrap();
        assert_eq!(reader.as_str(), amount.as_str());
    }
}

#[test]
fn spelling_survives_in_containers() {
    #[derive(Serialize, Deserialize)]
    struct Order {
        one: Amount,
        maybe: Option<Amount>,
        none: Option<Amount>,
        many: Vec<Amount>,
        map: HashMap<String, Vec<Option<Amount>>>,
    }
    for json in AWKWARD {
        let json = format!(
            r#"{{"one":{json},"maybe":{json},"none":null,"many":[{json},{json}],"map":{{"k":[null,{json}]}}}}"#
        );
        let order: Order = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_string(&order).unwrap(), json);
    }
}

#[test]
fn an_escaped_digit_is_understood() {
    let amount: Amount = serde_json::from_str(r#""\u0030.15""#).unwrap();
    assert_eq!(serde_json::to_string(&amount).unwrap(), r#""0.15""#);
}

#[test]
fn garbage_is_refused_without_an_echo() {
    let garbage = [
        "NaN",
        "Infinity",
        "-Infinity",
        "0x1f",
        "1_000",
        "1,000",
        "+1",
        ".5",
        "5.",
        "007",
        "1e",
        "1e+",
        "--1",
        " 1",
        "1 ",
        "1.2.3",
        "s3cret",
        "-",
        "1\u{0661}",
        "null",
        "true",
        "[1]",
    ];
    for text in garbage {
        let error = text.parse::<Amount>().unwrap_err();
        assert_eq!(error, AmountError::NotANumber, "{text}");
        let quoted = serde_json::to_string(text).unwrap();
        for json in [text, &quoted] {
            if json.trim() == "1" {
                continue; // Spaces around a bare number belong to the document.
            }
            let error = serde_json::from_str::<Amount>(json).unwrap_err().to_string();
            assert!(text.len() < 3 || !error.contains(text), "{error}");
        }
    }
    assert_eq!("".parse::<Amount>(), Err(AmountError::Empty));
    assert!(serde_json::from_str::<Amount>(r#""""#).is_err());
}

#[test]
fn length_is_bounded() {
    let longest = "1".repeat(Amount::MAX_LEN);
    assert_eq!(amount(&longest).as_str(), longest);
    let long = "1".repeat(Amount::MAX_LEN + 1);
    assert_eq!(long.parse::<Amount>(), Err(AmountError::TooLong));
    assert_eq!(Amount::try_from(long.clone()), Err(AmountError::TooLong));
    for json in [
        long.clone(),
        format!("\"{long}\""),
        format!("\"{}\"", r"\u0031".repeat(5000)),
    ] {
        let error = serde_json::from_str::<Amount>(&json).unwrap_err().to_string();
        assert!(error.contains("128") && !error.contains("11111"), "{error}");
    }
}

#[test]
fn equality_goes_by_value() {
    for group in [
        &["1.10", "1.1", "11e-1", "0.11E1", "110e-2"][..],
        &["0", "-0", "-0.0", "0e999999999999", "0.000"],
        &["1e999999999", "10e999999998", "0.1e1000000000"],
        &["-100", "-1E+2", "-1e2", "-1e0000002"],
    ] {
        for a in group {
            for b in group {
                assert_eq!(amount(a), amount(b));
                assert_eq!(hash(&amount(a)), hash(&amount(b)), "{a} {b}");
            }
        }
    }
    assert_eq!(amount("0.15"), serde_json::from_str(r#""0.15""#).unwrap());
}

#[test]
fn order_goes_by_value() {
    let huge = format!("1e{}", "9".repeat(126));
    let tiny = format!("1e-{}", "9".repeat(125));
    let (huge_negative, tiny_negative) = (format!("-1e{}", "9".repeat(125)), format!("-1e-{}", "9".repeat(124)));
    let ascending = [
        &*huge_negative,
        "-1e18446744073709551616",
        "-1e18446744073709551615",
        "-2",
        "-1.5",
        &*tiny_negative,
        "0",
        &*tiny,
        "1e-18446744073709551616",
        "1e-18446744073709551615",
        "0.1",
        "0.11",
        "0.9",
        "1",
        "1.000000000000000000000001",
        "9",
        "10",
        "1e9223372036854775807",
        "1e9223372036854775808",
        "1.1e9223372036854775808",
        &*huge,
    ];
    for (i, a) in ascending.iter().enumerate() {
        for (j, b) in ascending.iter().enumerate() {
            assert_eq!(amount(a).cmp(&amount(b)), i.cmp(&j), "{a} {b}");
        }
    }
}

#[test]
fn integers_and_floats() {
    assert_eq!(Amount::from(i64::MIN).as_str(), "-9223372036854775808");
    assert_eq!(Amount::from(u64::MAX).as_str(), "18446744073709551615");
    assert_eq!(Amount::from(-5), Amount::from(-5_i64));
    assert_eq!(Amount::from(5_u32).to_f64_lossy(), 5.0);
    assert_eq!(amount("1e999999999").to_f64_lossy(), f64::INFINITY);
    assert_eq!(format!("{:?}", amount("1.10")), "Amount(1.10)");
    assert_eq!(format!("{:>6}|", amount("1.10")), "  1.10|");
}

/// Serde buffers the content of untagged enums. Floats are lost there, and must not be taken for exact.
#[test]
fn buffered_content() {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Amount(Amount),
    }
    let read = |json| serde_json::from_str::<Either>(json).map(|Either::Amount(amount)| amount.to_string());
    assert_eq!(read("15").unwrap(), "15");
    assert_eq!(read("18446744073709551615").unwrap(), "18446744073709551615");
    assert_eq!(read("-15").unwrap(), "-15");
    assert_eq!(read(r#""1.10""#).unwrap(), "1.10");
    assert!(read("123456789012345.123456789").is_err());
    assert!(read("true").is_err());

    #[derive(Deserialize)]
    struct Flat {
        named: Amount,
        #[serde(flatten)]
        rest: HashMap<String, Amount>,
    }
    let flat: Flat = serde_json::from_str(r#"{"named":1.10,"other":7}"#).unwrap();
    assert_eq!(flat.named.as_str(), "1.10");
    assert_eq!(flat.rest["other"].as_str(), "7");
}

#[test]
fn through_a_value() {
    let value: serde_json::Value = serde_json::from_str(r#"["0.10", 15, 0.5]"#).unwrap();
    let amounts: Vec<Amount> = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(serde_json::to_value(&amounts).unwrap(), value);
}

#[test]
fn query_parameters() {
    fn query(name: &str, value: &impl Serialize) -> String {
        let request = reqwest::Client::new().get("http://localhost/");
        let request = request.query(&progenitor_client::QueryParam::new(name, value));
        request.build().unwrap().url().query().unwrap().to_owned()
    }
    let price = amount("1.10");
    // This is why `QueryAmount` exists: the parameter's name is wrong, and nothing complains.
    assert_eq!(query("amount", &price), "%24serde_json%3A%3Aprivate%3A%3ARawValue=1.10");
    assert_eq!(query("amount", &QueryAmount::from(price)), "amount=1.10");
    assert_eq!(query("amount", &Some(QueryAmount::from(3_u64))), "amount=3");
    let many = vec![QueryAmount::from(1), QueryAmount::try_from("2.50").unwrap()];
    assert_eq!(query("amount", &many), "amount=1&amount=2.50");
    assert_eq!(many[1].to_string(), "2.50");
}

prop_compose! {
    fn number()(
        sign in "-?",
        int in prop_oneof!["0", "[1-9][0-9]{0,24}"],
        frac in prop_oneof![Just(String::new()), "\\.[0-9]{1,24}"],
        exp in prop_oneof![Just(String::new()), "[eE][+-]?[0-9]{1,3}", "[eE][+-]?[0-9]{1,60}"],
    ) -> String {
        format!("{sign}{int}{frac}{exp}")
    }
}

/// Numbers that are often close to each other or equal.
fn close_number() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?[0-2](\\.[01]{1,3})?([eE][+-]?0?[0-2])?",
        "-?1[0]{0,2}(\\.[01]{1,3})?(e-?[0-3])?",
        number(),
    ]
}

/// The value times 10^20, for numbers that are small enough.
fn scaled(text: &str) -> Option<i128> {
    let (mantissa, exp) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exp: i128 = exp.parse().ok()?;
    let (int, frac) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let power = 20 + exp - i128::try_from(frac.len()).ok()?;
    let digits: i128 = format!("{int}{frac}").parse().ok()?;
    digits.checked_mul(10_i128.checked_pow(u32::try_from(power).ok()?)?)
}

proptest! {
    #[test]
    fn round_trip(text in number(), quoted: bool) {
        let json = if quoted { format!("\"{text}\"") } else { text.clone() };
        let decoded: Vec<Amount> = serde_json::from_str(&format!("[{json}]")).unwrap();
        prop_assert_eq!(decoded[0].as_str(), &text);
        prop_assert_eq!(serde_json::to_string(&decoded).unwrap(), format!("[{json}]"));
        prop_assert_eq!(&decoded[0], &amount(&text));
    }

    #[test]
    fn accepts_what_json_accepts(text in "[-+0-9.eE]{0,8}") {
        let json = serde_json::from_str::<Box<serde_json::value::RawValue>>(&text).is_ok();
        prop_assert_eq!(text.parse::<Amount>().is_ok(), json);
    }

    #[test]
    fn never_panics(text in any::<String>()) {
        let _ = text.parse::<Amount>();
        let _ = serde_json::from_str::<Amount>(&text);
    }

    #[test]
    fn laws_of_order(a in close_number(), b in close_number(), c in close_number()) {
        let (a, b, c) = (amount(&a), amount(&b), amount(&c));
        prop_assert_eq!(a.cmp(&a), Ordering::Equal);
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert_eq!(a == b, a.cmp(&b) == Ordering::Equal);
        if a == b {
            prop_assert_eq!(hash(&a), hash(&b));
            prop_assert_eq!(a.cmp(&c), b.cmp(&c));
        }
        if a <= b && b <= c {
            prop_assert!(a <= c);
        }
    }

    #[test]
    fn order_agrees_with_integers(a in close_number(), b in close_number()) {
        if let (Some(x), Some(y)) = (scaled(&a), scaled(&b)) {
            prop_assert_eq!(amount(&a).cmp(&amount(&b)), x.cmp(&y));
        }
    }
}

#[cfg(feature = "rust_decimal")]
mod decimal {
    use super::*;
    use rust_decimal::Decimal;

    #[test]
    fn exact_or_an_error() {
        for (text, expected) in [
            ("1.10", Some("1.10")),
            ("11e-1", Some("1.1")),
            ("1E+2", Some("100")),
            ("-0.0", Some("0.0")),
            ("0e99999999999999999999999999999999999999999999", Some("0")),
            ("79228162514264337593543950335", Some("79228162514264337593543950335")),
            ("79228162514264337593543950336", None),
            ("7.9228162514264337593543950335", Some("7.9228162514264337593543950335")),
            ("7.9228162514264337593543950336", None),
            ("1e28", Some("10000000000000000000000000000")),
            ("1e29", None),
            ("1e-28", Some("0.0000000000000000000000000001")),
            ("1e-29", None),
            ("10e-29", Some("0.0000000000000000000000000001")),
            ("1.5000000000000000000000000000000000000", Some("1.5")),
            ("1e999999999999999999999", None),
            ("1e-999999999999999999999", None),
        ] {
            let decimal = amount(text).to_decimal();
            match expected {
                Some(expected) => assert_eq!(decimal.unwrap().to_string().trim_start_matches('-'), expected),
                None => assert_eq!(decimal, Err(AmountError::Inexact), "{text}"),
            }
        }
    }

    fn any_decimal() -> impl Strategy<Value = Decimal> {
        (
            any::<u32>(),
            any::<u32>(),
            any::<u32>(),
            any::<bool>(),
            0..=28_u32,
            0..3_u8,
        )
            .prop_map(|(lo, mid, hi, negative, scale, size)| {
                let (mid, hi) = (if size > 0 { mid } else { 0 }, if size > 1 { hi } else { 0 });
                Decimal::from_parts(lo, mid, hi, negative, scale)
            })
    }

    proptest! {
        #[test]
        fn round_trip(decimal in any_decimal()) {
            let amount = Amount::from(decimal);
            let back = amount.to_decimal().unwrap();
            prop_assert_eq!(back, decimal);
            prop_assert_eq!(back.scale(), decimal.scale());
            prop_assert_eq!(QueryAmount::from(decimal).to_string(), amount.as_str());
        }

        #[test]
        fn order_agrees(a in any_decimal(), b in any_decimal()) {
            prop_assert_eq!(Amount::from(a).cmp(&Amount::from(b)), a.cmp(&b));
            prop_assert_eq!(Amount::from(a) == Amount::from(a.normalize()), true);
        }

        #[test]
        fn any_number_is_exact_or_an_error(text in number()) {
            let amount = amount(&text);
            if let Ok(decimal) = amount.to_decimal() {
                prop_assert_eq!(Amount::from(decimal), amount);
            }
        }
    }
}
