//! The process that is killed, or that comes after one.

use std::io::BufRead as _;
use std::path::Path;
use std::time::Duration;

use transak_client::Environment;
use transak_session::clock::{ManualClock, Timestamp};
use transak_session::store::seal::{KeyRing, SealKey};
use transak_session::store::{SqliteOptions, SqliteStore};
use transak_session::{CallError, GetOptions, Otp, SessionError, TokenError, Transak, UserIdentity, UserSession};

use crate::steps::{Step, Stepping};
use crate::{CHILD_LIMIT, DAY, EMAIL};

/// Ends this process when its time is over, whatever it waits for.
pub(crate) fn watch_over(arguments: &[String]) {
    let what = arguments.iter().take(2).cloned().collect::<Vec<_>>().join(", ");
    std::thread::spawn(move || {
        std::thread::sleep(CHILD_LIMIT);
        eprintln!("the child `{what}` came to no end within {CHILD_LIMIT:?}");
        std::process::exit(3);
    });
}

pub(crate) async fn store(path: &Path, clock: ManualClock) -> SqliteStore {
    let key: Vec<u8> = (0..32).collect();
    let ring = KeyRing::new(SealKey::from_bytes(&key).unwrap());
    SqliteOptions::new(ring).clock(clock).open(path).await.unwrap()
}

/// Lets this process's time go by, on a busy machine more slowly than the world's. Without it the clock stands still, and
/// instants are exact.
fn run_clock(clock: ManualClock) {
    const TICK: Duration = Duration::from_millis(5);
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(TICK);
            clock.advance(TICK);
        }
    });
}

pub(crate) async fn run(arguments: &[String]) {
    let [task, step, path, api, gateway, key, secret, now] = arguments else {
        panic!("the child's arguments are wrong")
    };
    let clock = ManualClock::new(Timestamp::from_unix_millis(now.parse().unwrap()));
    let transak = Transak::builder()
        .environment(Environment::custom(api, gateway).unwrap())
        .api_key(key.as_str())
        .api_secret(secret.as_str())
        .clock(clock.clone())
        .store(Stepping {
            inner: store(Path::new(path), clock.clone()).await,
            stop_at: Step::find(step),
        })
        .build()
        .unwrap();
    let user = transak.user(UserIdentity::parse(EMAIL, "203.0.113.7").unwrap());
    let said = match task.as_str() {
        "login" => {
            let challenge = user.begin_login().await.unwrap();
            let code = tokio::task::spawn_blocking(|| std::io::stdin().lock().lines().next());
            let code = code.await.unwrap().unwrap().unwrap();
            challenge.verify(Otp::parse(&code).unwrap()).await.unwrap();
            look(&user, key).await
        }
        // It may wait for another process, for at most 2 seconds.
        "look" => {
            run_clock(clock);
            look(&user, key).await
        }
        "renew" => {
            // Takes the token, which begins a renewal if it is due, and lets that come to its end.
            let _ = user.token().await;
            let _ = user.token_with(GetOptions::default().min_remaining(DAY * 29)).await;
            look(&user, key).await
        }
        "keep" => {
            let worker = transak.keep_alive().start().unwrap();
            while worker.health().seen_at.is_none() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            // It has come round once; the stop waits for what that has begun.
            worker.stop().await;
            "done".to_owned()
        }
        "mint" => mint(&transak).await,
        "mint patiently" => {
            run_clock(clock);
            mint(&transak).await
        }
        "logout" => {
            user.logout().await.unwrap();
            look(&user, key).await
        }
        other => panic!("there is no task {other}"),
    };
    if step != Step::NEVER {
        // It serves a token from memory before that is stored, so it may come here. It is to be killed all the same.
        std::future::pending::<()>().await;
    }
    println!("{said}");
    transak.shutdown().await;
}

/// How a call of this user ends.
async fn look(user: &UserSession, key: &str) -> String {
    let call = |client: transak_client::Client| async move { client.get_user_details().api_key(key).send().await };
    said(user.call(call).await)
}

/// How a call of the partner ends.
async fn mint(transak: &Transak) -> String {
    let call = |client: transak_client::Client| async move { client.get_orders().send().await };
    said(transak.partner().call(call).await)
}

fn said<T>(outcome: Result<T, CallError>) -> String {
    let error = match outcome {
        Ok(_) => return "served".to_owned(),
        Err(CallError::NoToken(error) | CallError::Rejected { decision: error, .. }) => error,
        Err(error) => return format!("failed: {error}"),
    };
    match error {
        SessionError::Token(TokenError::Busy { .. }) => "busy".to_owned(),
        SessionError::Token(TokenError::MintHeld { cause: None, .. }) => "held".to_owned(),
        error => error.to_string(),
    }
}
