//! Filling an engine, through the store.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use transak_session::clock::Timestamp;
use transak_session::store::{Record, Swap};
use transak_session::{AccessToken, Issued, Otp, RecordKey, UserIp};
use transak_test_servers::records::{TENANT, now};

use crate::ground::{DAY, Ground, identity};

const WRITERS: u64 = 128;

/// Spread without a pattern, the same each time (splitmix64).
pub(crate) fn draw(n: u64) -> u64 {
    let mut x = n.wrapping_add(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

fn key(n: u64) -> RecordKey {
    let mut bytes = [7; 40];
    for (at, part) in (0..).zip(bytes[8..].chunks_mut(8)) {
        part.copy_from_slice(&draw(n * 4 + at).to_be_bytes());
    }
    RecordKey::from_bytes(bytes)
}

/// Of another tenant than the users who are logged in. One in ten is due: of those the most in the normal lane, some in
/// the urgent and the critical one, as after some very bad days.
fn record(n: u64, now: Timestamp) -> Record {
    let span = |days: f64| Duration::from_secs_f64(days * 86_400.0);
    let fraction = (draw(n ^ 0xBA5) >> 11) as f64 / (1_u64 << 53) as f64;
    let (age, due) = match n % 100 {
        0 => (29.0 + fraction, true),
        50 => (27.0 + 2.0 * fraction, true),
        ten if ten.is_multiple_of(10) => (18.0 + 8.0 * fraction, true),
        _ => (18.0 * fraction, false),
    };
    let issued_at = now - span(age);
    let wake = if due {
        now - span(fraction)
    } else {
        issued_at + span(18.0 + 4.5 * fraction)
    };
    let token = AccessToken::new(format!("{:0640}", draw(n)));
    let issued = Issued::restore(token, issued_at, issued_at + 30 * DAY, wake);
    Record::user(&issued, Some(UserIp::parse("203.0.113.7").unwrap()), issued_at)
}

/// So many sessions a second were written.
pub(crate) async fn million(ground: &Ground, sessions: u64) -> f64 {
    let now = now();
    let begun = Instant::now();
    let mut writers = JoinSet::new();
    let stores = [ground.store().await, ground.store().await];
    assert_eq!(*TENANT.as_bytes(), [7; 8]);
    for writer in 0..WRITERS {
        let store = Arc::clone(&stores[(writer % 2) as usize]);
        writers.spawn(async move {
            for n in (writer..sessions).step_by(WRITERS as usize) {
                let swapped = store.swap(&key(n), None, record(n, now), None).await.unwrap();
                assert!(matches!(swapped, Swap::Stored(_)));
            }
        });
    }
    writers.join_all().await;
    sessions as f64 / begun.elapsed().as_secs_f64()
}

/// Users whose tokens Transak knows; none is due soon.
pub(crate) async fn log_in(ground: &Ground, users: u64) {
    let transak = ground.replica(DAY * 18, DAY * 20).await;
    let mut tasks = JoinSet::new();
    for writer in 0..16 {
        let (transak, control) = (transak.clone(), ground.sandbox.control().clone());
        tasks.spawn(async move {
            for number in (writer..users).step_by(16) {
                let user = transak.user(identity(number));
                let challenge = user.begin_login().await.unwrap();
                let code = control.latest_code(&format!("user{number}@example.com")).unwrap();
                challenge.verify(Otp::parse(&code).unwrap()).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    transak.shutdown().await;
}
