//! A long life in little room, and the same life twice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod world_support;

use serde_json::json;
use transak_sandbox::world::{OrderStory, SeedOrder, Settings};
use world_support::{Driver, With, claims, order};

/// A million in release (`cargo test --release`), fewer in a debug build, where each takes fifty times as long.
const REFRESHES: u32 = if cfg!(debug_assertions) { 25_000 } else { 1_000_000 };

fn soak(refresh_revokes: bool) {
    let mut driver = Driver::new(Settings {
        refresh_revokes,
        ..Settings::default()
    });
    let mut tokens: Vec<String> = (0..8)
        .map(|user| driver.token(&format!("user{user}@example.com")))
        .collect();
    let before = driver.world.sizes();
    for number in 0..REFRESHES {
        let slot = number as usize % tokens.len();
        tokens[slot] = driver.refreshed(&tokens[slot]);
        if number % 1_000 == 0 {
            driver.pass(3_600);
            assert_eq!(driver.world.sizes(), before);
        }
    }
    assert_eq!(driver.world.sizes(), before);
    assert_eq!(driver.world.counters().refreshes, u64::from(REFRESHES));
    assert_eq!(claims(&tokens[0])["sub"], "user0@example.com");
}

#[test]
fn refreshes_do_not_grow_a_world_that_revokes() {
    soak(true);
}

#[test]
fn refreshes_do_not_grow_a_world_that_leaves_old_tokens() {
    soak(false);
}

fn small() -> Settings {
    Settings {
        max_users: 20,
        max_sessions: 20,
        max_challenges: 20,
        max_mails: 20,
        max_widget_sessions: 20,
        max_orders: 20,
        max_webhooks: 20,
        mint_limit: u32::MAX,
        mint_window_seconds: 1,
        webhook_url: Some("http://127.0.0.1:9/".to_owned()),
        ..Settings::default()
    }
}

/// Everything that adds something, over and over.
fn crowd(driver: &mut Driver, rounds: u32) -> Vec<String> {
    let mut said = Vec::new();
    for number in 0..rounds {
        let email = format!("user{number}@example.com");
        said.push(driver.token(&email));
        driver.login(&format!("ghost{number}@example.com")).is(200);
        said.push(driver.world.mailbox().last().unwrap().code.clone());
        let partner = driver.partner_token();
        let body = Some(json!({"widgetParams": {"apiKey": driver.key(), "referrerDomain": "app.example.com"}}));
        let headers = &[("access-token", partner.as_str())];
        said.push(
            driver
                .call(
                    "createWidgetUrl",
                    With {
                        headers,
                        body,
                        ..With::default()
                    },
                )
                .text,
        );
        let headers = &[
            ("x-access-token", partner.as_str()),
            ("x-user-identifier", &format!("vouched{number}@example.com")),
        ];
        said.push(
            driver
                .call(
                    "onboardUser",
                    With {
                        headers,
                        ..With::default()
                    },
                )
                .text,
        );
        said.push(
            driver
                .world
                .seed_order(
                    SeedOrder {
                        email,
                        ..order(OrderStory::BankBuy)
                    },
                    driver.now,
                )
                .unwrap(),
        );
        driver.pass(7);
        if number % 5 == 0 {
            said.extend(driver.world.take_deliveries().into_iter().map(|delivery| delivery.body));
        }
    }
    said
}

#[test]
fn every_collection_has_a_cap() {
    let mut driver = Driver::new(small());
    crowd(&mut driver, 500);
    for (name, size) in driver.world.sizes() {
        assert!(size <= 20, "{name}: {size}");
    }
    let evictions = &driver.world.counters().evictions;
    for name in [
        "users",
        "sessions",
        "challenges",
        "mails",
        "widgetSessions",
        "orders",
        "webhooks",
    ] {
        assert!(evictions[name] > 0, "{name}: {evictions:?}");
    }
    // What is left still works.
    driver.pass(100_000);
    let partner = driver.partner_token();
    driver.as_partner("getOrders", &partner, &[]).is(200);
    driver.as_partner("getWebhooks", &partner, &[]).is(200);
    let token = driver.token("late@example.com");
    driver.refreshed(&token);
}

#[test]
fn the_same_seed_and_calls_give_the_same_world() {
    let (mut one, mut two) = (Driver::new(small()), Driver::new(small()));
    let first = crowd(&mut one, 60);
    assert_eq!(first, crowd(&mut two, 60));
    let mut other = Driver::new(Settings { seed: 2, ..small() });
    assert_ne!(first, crowd(&mut other, 60));
    one.world.reset();
    one.now = Driver::standard().now;
    assert_eq!(first, crowd(&mut one, 60));
    assert_eq!(one.world.counters(), two.world.counters());
}
