//! The world and a much simpler model live through the same random life and must agree at every step.
//!
//! `WORLD_SEED=7 cargo test -p transak-sandbox --test world_model -- --nocapture` repeats one life.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "world_support/model.rs"]
mod model;
mod world_support;

use model::{Model, OK, Verdict};
use transak_sandbox::world::Settings;
use world_support::{Answer, Driver, START, With, claims};

const STEPS: u32 = 10_000;
const USERS: [&str; 3] = ["ada@example.com", "bob@example.com", "cyd@example.com"];

/// Numerical Recipes' generator: not the world's, and good enough to choose with.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    /// One of a list, mostly one of the newest.
    fn recent(&mut self, len: usize) -> Option<usize> {
        if len == 0 {
            return None;
        }
        let span = if self.roll(4) == 0 { len } else { len.min(4) };
        Some(len - 1 - self.roll(span))
    }
}

fn verdict(answer: &Answer) -> Verdict {
    (answer.status, answer.code())
}

/// A token as it is sent: mostly one of the model's, sometimes a strange one.
fn token_to_send(dice: &mut Dice, model: &Model) -> (Option<usize>, String) {
    let number = dice.recent(model.tokens.len());
    let text = number.map_or_else(|| "none".to_owned(), |number| model.tokens[number].text.clone());
    match dice.roll(12) {
        0 => (None, format!("Bearer {text}")),
        1 => (None, format!("{text}A")),
        _ => (number, text),
    }
}

fn move_clock(dice: &mut Dice, model: &mut Model, driver: &mut Driver) {
    let soon = dice.roll(120_000) as i64;
    let edge = match dice.roll(6) {
        // To the very second at which something ends, the one before and the one after.
        0 => dice
            .recent(model.tokens.len())
            .map(|number| model.tokens[number].expiry),
        1 => model.minted.last().map(|(_, expiry)| *expiry),
        2 => Some(model.seconds() + 600),
        _ => None,
    };
    let target = match edge {
        Some(edge) => (edge + dice.roll(3) as i64 - 1) * 1000 + [0, 0, 999][dice.roll(3)],
        None => model.now + soon,
    };
    model.now = model.now.max(target);
    driver.now = transak_sandbox::world::Moment::from_millis(model.now);
    if dice.roll(2) == 0 {
        driver.world.tick(driver.now);
    }
}

fn step(dice: &mut Dice, model: &mut Model, driver: &mut Driver) -> (String, Verdict, Verdict) {
    let user = dice.roll(USERS.len());
    match dice.roll(20) {
        0 | 1 => {
            let expected = model.may_login(user);
            let answer = driver.login(USERS[user]);
            if answer.status == 200 {
                let (code, state_token) = driver.mail();
                model.logged_in(user, code, state_token);
            }
            ("login".to_owned(), verdict(&answer), expected)
        }
        2..=4 => {
            let number = dice.recent(model.challenges.len());
            let (owner, mut code, mut state_token) = match number.map(|number| &model.challenges[number]) {
                Some(challenge) => (challenge.user, challenge.code.clone(), challenge.state_token.clone()),
                None => (user, "000000".to_owned(), "0".repeat(32)),
            };
            let mut number = number;
            let mut owner = owner;
            match dice.roll(8) {
                0 | 1 => code = "wrong".to_owned(),
                2 => owner = user,
                3 => (number, state_token) = (None, "f".repeat(32)),
                _ => {}
            }
            let expected = model.verify(number, owner, &code);
            let answer = driver.verify(USERS[owner], &code, &state_token);
            if answer.status == 200 {
                let text = answer.body["data"]["accessToken"].as_str().unwrap();
                assert_eq!(claims(text)["exp"], model.seconds() + 2_592_000);
                model.new_session(text.to_owned());
            }
            ("verify".to_owned(), verdict(&answer), expected)
        }
        5..=10 => {
            let (number, text) = token_to_send(dice, model);
            let expected = model.alive(number);
            let answer = driver.refresh(&text);
            if let (200, Some(number)) = (answer.status, number) {
                let text = answer.body["data"]["accessToken"].as_str().unwrap();
                assert_eq!(claims(text)["exp"], model.seconds() + 2_592_000);
                model.refreshed(number, text.to_owned());
            }
            ("refresh".to_owned(), verdict(&answer), expected)
        }
        11 => {
            let (number, text) = token_to_send(dice, model);
            let expected = model.alive(number);
            let answer = driver.logout(&text);
            if let (200, Some(number)) = (answer.status, number) {
                model.logged_out(number);
            }
            ("logout".to_owned(), verdict(&answer), expected)
        }
        12..=14 => {
            let (number, text) = token_to_send(dice, model);
            let expected = model.alive(number);
            (
                "details".to_owned(),
                verdict(&driver.details(&[("authorization", &text)])),
                expected,
            )
        }
        15 => {
            let expected = model.may_mint();
            let answer = driver.mint();
            if answer.status == 200 {
                model.mint(answer.body["data"]["accessToken"].as_str().unwrap().to_owned());
                assert_eq!(answer.body["data"]["expiresAt"], model.minted.last().unwrap().1);
            }
            ("mint".to_owned(), verdict(&answer), expected)
        }
        16 | 17 => {
            let Some(number) = dice.recent(model.minted.len()) else {
                return (String::new(), OK, OK);
            };
            let text = model.minted[number].0.clone();
            let headers = &[("access-token", text.as_str())];
            let answer = driver.call(
                "getOrders",
                With {
                    headers,
                    ..With::default()
                },
            );
            ("partner call".to_owned(), verdict(&answer), model.partner_alive(number))
        }
        _ => {
            move_clock(dice, model, driver);
            ("clock".to_owned(), OK, OK)
        }
    }
}

/// One life; returns how often each operation succeeded and was refused.
fn live(seed: u64, revokes: bool) -> std::collections::BTreeMap<(String, u16), u32> {
    println!("seed {seed}, refresh_revokes {revokes}");
    let mut dice = Dice(seed);
    let mut model = Model::new(revokes);
    let mut driver = Driver::new(Settings {
        seed,
        refresh_revokes: revokes,
        ..Settings::default()
    });
    assert_eq!(driver.now.unix_seconds(), START);
    let mut seen = std::collections::BTreeMap::new();
    for number in 0..STEPS {
        let (what, got, expected) = step(&mut dice, &mut model, &mut driver);
        assert_eq!(
            got, expected,
            "seed {seed}, refresh_revokes {revokes}, step {number}: {what} at {}",
            model.now
        );
        *seen.entry((what, got.0)).or_default() += 1;
    }
    seen
}

fn seeds() -> Vec<u64> {
    match std::env::var("WORLD_SEED") {
        Ok(seed) => vec![seed.parse().expect("WORLD_SEED is a number")],
        Err(_) => {
            let fresh = std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap();
            vec![1, 2, u64::try_from(fresh.as_millis()).unwrap()]
        }
    }
}

#[test]
fn world_and_model_agree_when_refresh_revokes() {
    for seed in seeds() {
        let seen = live(seed, true);
        // A life in which nothing happens would prove nothing.
        for what in ["login", "verify", "refresh", "logout", "details", "partner call"] {
            let count = |wanted: bool| {
                seen.iter()
                    .filter(|((name, status), _)| name == what && (*status == 200) == wanted)
                    .map(|(_, n)| n)
                    .sum::<u32>()
            };
            assert!(count(true) > 20 && count(false) > 20, "{what}: {seen:?}");
        }
    }
}

#[test]
fn world_and_model_agree_when_refresh_leaves_old_tokens() {
    for seed in seeds() {
        live(seed, false);
    }
}
