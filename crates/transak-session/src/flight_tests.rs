//! A flight by itself. (Not in `flight.rs`, which `schedules` compiles a second time.)
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use crate::error::TokenError;
use crate::flight::Flight;

#[tokio::test]
async fn everybody_who_joined_hears_the_outcome_and_joining_is_bounded() {
    let flight = Flight::new();
    let (a, b) = (flight.join(2), flight.join(2));
    assert!(matches!(flight.join(2), Err(TokenError::Overloaded)));
    drop(b);
    let c = flight.join(2);
    flight.land(Err(TokenError::Panicked));
    for joiner in [a, c].into_iter().flatten() {
        assert!(matches!(joiner.outcome(|| false).await, Err(TokenError::Panicked)));
    }
}

#[tokio::test]
async fn a_flight_that_vanishes_is_an_interruption() {
    let flight = Flight::new();
    let joiner = flight.join(1);
    drop(flight);
    for joiner in joiner.into_iter() {
        assert!(matches!(joiner.outcome(|| false).await, Err(TokenError::Interrupted)));
    }
}

#[tokio::test]
async fn a_nudge_does_not_wait_for_those_who_are_looking() {
    let flight = Arc::new(Flight::new());
    let joiner = flight.join(1).unwrap();
    let nudged = Mutex::new(None);
    let looks = || {
        let (flight, (tell, told)) = (Arc::clone(&flight), mpsc::channel());
        std::thread::spawn(move || {
            flight.nudge();
            tell.send(())
        });
        *nudged.lock().unwrap() = Some(told.recv_timeout(Duration::from_secs(5)).is_ok());
        true
    };
    joiner.outcome(looks).await.unwrap();
    assert_eq!(
        *nudged.lock().unwrap(),
        Some(true),
        "whoever nudges holds the lock that a look may need"
    );
}
