//! Orders: how they walk, how they are found.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod world_support;

use serde_json::json;
use transak_sandbox::world::{OrderStory, Settings};
use world_support::{DAY, Driver, With, order};

#[test]
fn every_story_walks_its_way() {
    use OrderStory::{BankBuy, Cancelled, CardBuy, Expiring, Failing, Refunded, Sell};
    let (awaiting, pending) = ("AWAITING_PAYMENT_FROM_USER", "PENDING_DELIVERY_FROM_TRANSAK");
    let stories: [(OrderStory, &[&str]); 7] = [
        (
            BankBuy,
            &[awaiting, "PAYMENT_DONE_MARKED_BY_USER", pending, "COMPLETED"],
        ),
        (CardBuy, &[awaiting, "PROCESSING", pending, "COMPLETED"]),
        (Sell, &[awaiting, pending, "COMPLETED"]),
        (Failing, &[awaiting, "PROCESSING", "FAILED"]),
        (Expiring, &[awaiting, "EXPIRED"]),
        (Cancelled, &[awaiting, "CANCELLED"]),
        (Refunded, &[awaiting, pending, "REFUNDED"]),
    ];
    for (story, statuses) in stories {
        // Step by step, and in one jump: the same history comes out.
        for jump in [false, true] {
            let mut driver = Driver::standard();
            let token = driver.partner_token();
            let id = driver.world.seed_order(order(story), driver.now).unwrap();
            let get = |driver: &mut Driver| {
                let headers = &[("access-token", token.as_str())];
                driver.call(
                    "getOrderById",
                    With {
                        headers,
                        order_id: Some(&id),
                        ..With::default()
                    },
                )
            };
            if jump {
                driver.pass(10_000);
            } else {
                let step = if story == Expiring { 2_700 } else { 60 };
                for status in statuses {
                    assert_eq!(get(&mut driver).is(200).body["data"]["status"], *status, "{story:?}");
                    driver.pass(step);
                }
            }
            let data = get(&mut driver).is(200).body["data"].clone();
            let history: Vec<&str> = data["statusHistories"]
                .as_array()
                .unwrap()
                .iter()
                .map(|entry| entry["status"].as_str().unwrap())
                .collect();
            assert_eq!(history, statuses, "{story:?}");
            let done = statuses.last() == Some(&"COMPLETED");
            assert_eq!(
                (data.get("completedAt").is_some(), data.get("statusReason").is_some()),
                (done, !done)
            );
            let second = data["statusHistories"][1]["createdAt"].as_str().unwrap();
            assert_eq!(
                second,
                if story == Expiring {
                    "2026-09-21T14:58:20.000Z"
                } else {
                    "2026-09-21T14:14:20.000Z"
                }
            );
        }
    }
}

#[test]
fn orders_are_listed_by_filters_and_pages() {
    let mut driver = Driver::new(Settings {
        partner_ttl_seconds: 1_000 * DAY,
        ..Settings::default()
    });
    let token = driver.partner_token();
    for number in 0..5 {
        let mut seed = order(OrderStory::BankBuy);
        seed.partner_order_id = Some(format!("shop-{number}"));
        driver.world.seed_order(seed, driver.now).unwrap();
        driver.pass(DAY);
    }
    driver.world.seed_order(order(OrderStory::Sell), driver.now).unwrap();
    driver.pass(3_600);
    let list = |driver: &mut Driver, query: &[(&str, &str)]| {
        let answer = driver.as_partner("getOrders", &token, query);
        let data = answer.is(200).body["data"].as_array().unwrap().clone();
        let names: Vec<String> = data
            .iter()
            .map(|order| order["partnerOrderId"].as_str().unwrap_or("sell").to_owned())
            .collect();
        (names.join(" "), answer.body["meta"].clone())
    };
    let (names, meta) = list(&mut driver, &[]);
    assert_eq!(names, "shop-4 shop-3 shop-2 shop-1 shop-0");
    let expected = json!({
        "filter": {"productsAvailed": ["BUY"], "status": ["COMPLETED"]},
        "sortOrder": "desc", "startDate": "2026-06-28", "endDate": "2026-09-26",
        "limit": 100, "skip": 0, "totalCount": 5,
    });
    assert_eq!(meta, expected);
    let (names, meta) = list(
        &mut driver,
        &[("limit", "2"), ("skip", "1"), ("filter[sortOrder]", "asc")],
    );
    assert_eq!(
        (names.as_str(), meta["totalCount"].as_i64()),
        ("shop-1 shop-2", Some(5))
    );
    assert_eq!(
        list(&mut driver, &[("filter[productsAvailed]", "[\"SELL\"]")]).0,
        "sell"
    );
    assert_eq!(list(&mut driver, &[("filter[partnerOrderId]", "shop-2")]).0, "shop-2");
    // A misspelt filter is ignored.
    assert_eq!(list(&mut driver, &[("partnerOrderId", "shop-2")]).1["totalCount"], 5);
    assert_eq!(
        list(&mut driver, &[("startDate", "2026-09-22"), ("endDate", "2026-09-23")]).0,
        "shop-2 shop-1"
    );
    assert_eq!(list(&mut driver, &[("filter[status]", "EXPIRED")]).0, "");
    let wallet = driver.as_partner("getOrders", &token, &[]).body["data"][0]["walletAddress"].clone();
    assert_eq!(
        list(&mut driver, &[("filter[walletAddress]", wallet.as_str().unwrap())]).0,
        "shop-4"
    );
    for query in [
        ("limit", "-1"),
        ("skip", "99999999999999999999"),
        ("startDate", "2026-02-30"),
        ("filter[productsAvailed]", "BUY"),
        ("filter[status]", "NOPE"),
        ("filter[sortOrder]", "up"),
    ] {
        driver.as_partner("getOrders", &token, &[query]).is(400);
    }
    driver.pass(100 * DAY);
    assert_eq!(list(&mut driver, &[]).0, "");
    driver.set(|settings| settings.start_date_required = true);
    driver.as_partner("getOrders", &token, &[]).is(400);
    let headers = &[("access-token", token.as_str())];
    let missing = driver.call(
        "getOrderById",
        With {
            headers,
            order_id: Some("x"),
            ..With::default()
        },
    );
    assert_eq!(missing.is(400).message(), "Order not found");
}

#[test]
fn ids_of_the_partner_are_short_enough_to_be_kept() {
    let mut driver = Driver::standard();
    for (length, fits) in [(256, true), (257, false)] {
        for member in ["partnerOrderId", "partnerCustomerId"] {
            let order = serde_json::json!({ "email": "ada@example.com", member: "x".repeat(length) });
            let seeded = driver
                .world
                .seed_order(serde_json::from_value(order).unwrap(), driver.now);
            assert_eq!(seeded.is_ok(), fits, "{member} {length}");
        }
    }
}
