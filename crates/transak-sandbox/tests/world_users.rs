//! Details, limits and onboarding.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod world_support;

use serde_json::json;
use transak_sandbox::world::{OrderStory, SeedKyc, SeedOrder, SeedUser, UnsetFields};
use world_support::{DAY, Driver, With, order};

const EMAIL: &str = "ada@example.com";

#[test]
fn the_partner_can_vouch_for_users() {
    let mut driver = Driver::standard();
    let partner = driver.partner_token();
    let headers: &[(&'static str, &str)] = &[("x-access-token", &partner), ("x-user-identifier", EMAIL)];
    driver.details(headers).is(404);
    let onboard = |driver: &mut Driver| {
        driver.call(
            "onboardUser",
            With {
                headers,
                ..With::default()
            },
        )
    };
    let id = onboard(&mut driver).is(200).body["data"]["partnerUserId"].clone();
    assert_eq!(onboard(&mut driver).is(200).body["data"]["partnerUserId"], id);
    assert_eq!(driver.details(headers).is(200).body["data"]["partnerUserId"], id);
    driver.partner_token();
    driver.details(headers).refused(401, 1002);
    onboard(&mut driver).refused(401, 1002);
    let token = driver.token(EMAIL);
    assert_eq!(
        driver.details(&[("authorization", &token)]).is(200).body["data"]["partnerUserId"],
        id
    );
}

#[test]
fn unset_fields_are_null_or_absent() {
    let mut driver = Driver::standard();
    let token = driver.token(EMAIL);
    let fresh = driver.details(&[("authorization", &token)]).body;
    assert!(fresh["data"].get("firstName").unwrap().is_null());
    assert_eq!(fresh["data"]["kyc"], json!({"status": "NOT_SUBMITTED", "type": null}));
    driver.set(|settings| settings.unset_fields = UnsetFields::Absent);
    assert_eq!(
        driver.details(&[("authorization", &token)]).body["data"].get("firstName"),
        None
    );
    let seed = SeedUser {
        email: EMAIL.to_owned(),
        kyc: SeedKyc::Standard,
        tnc_accepted: true,
    };
    driver.world.seed_user(seed, driver.now).unwrap();
    let known = driver.details(&[("authorization", &token)]).body;
    assert_eq!(known["data"]["address"]["countryCode"], "FR");
    assert_eq!(known["data"]["kyc"], json!({"status": "APPROVED", "type": "STANDARD"}));
}

#[test]
fn limits_add_up_over_orders() {
    let mut driver = Driver::standard();
    let token = driver.token(EMAIL);
    let limits = |driver: &mut Driver, currency: &str| {
        let query = [
            ("isBuyOrSell", "BUY"),
            ("paymentCategory", "credit_debit_card"),
            ("kycType", "SIMPLE"),
            ("fiatCurrency", currency),
        ];
        let headers = &[("authorization", token.as_str())];
        driver.call(
            "getUserLimits",
            With {
                headers,
                query: &query,
                ..With::default()
            },
        )
    };
    assert_eq!(
        limits(&mut driver, "EUR").is(200).body["data"],
        json!({
            "limits": {"1": 512, "30": 2560, "365": 12800},
            "spent": {"1": 0, "30": 0, "365": 0},
            "remaining": {"1": 512, "30": 2560, "365": 12800},
            "exceeded": {"1": false, "30": false, "365": false},
            "shortage": {},
        })
    );
    let order = |story, amount: i64| SeedOrder {
        fiat_amount: Some(amount.into()),
        ..order(story)
    };
    driver
        .world
        .seed_order(order(OrderStory::BankBuy, 500), driver.now)
        .unwrap();
    driver
        .world
        .seed_order(order(OrderStory::Failing, 50), driver.now)
        .unwrap();
    driver
        .world
        .seed_order(order(OrderStory::Sell, 100), driver.now)
        .unwrap();
    driver.pass(3_600);
    driver
        .world
        .seed_order(order(OrderStory::CardBuy, 20), driver.now)
        .unwrap();
    let data = limits(&mut driver, "EUR").is(200).body["data"].clone();
    assert_eq!(data["spent"], json!({"1": 520, "30": 520, "365": 520}));
    assert_eq!(data["exceeded"], json!({"1": true, "30": false, "365": false}));
    assert_eq!(data["shortage"], json!({"1": 8}));
    assert_eq!(data["remaining"], json!({"1": 0, "30": 2040, "365": 12280}));
    assert_eq!(limits(&mut driver, "USD").body["data"]["spent"]["1"], 650);
    driver.pass(DAY - 3_600);
    assert_eq!(
        limits(&mut driver, "EUR").body["data"]["spent"],
        json!({"1": 20, "30": 520, "365": 520})
    );
    limits(&mut driver, "XXX").refused(400, 9001);
}
