//! The servers come up, stop, go on, and end.
#![allow(clippy::unwrap_used)]

use std::net::TcpStream;
use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use transak_test_servers::redis::RedisServer;
use transak_test_servers::wait_until;

fn is_up(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let mut server = RedisServer::start();
    assert!(server.command("SET name value").starts_with("+OK"));
    server.kill();
    assert!(!is_up(server.port()));
    server.restart();
    assert!(server.command("GET name").contains("value"));
}

#[test]
fn a_paused_one_answers_when_it_goes_on() {
    let server = RedisServer::start();
    server.pause();
    let since = Instant::now();
    std::thread::scope(|scope| {
        let answer = scope.spawn(|| server.command("PING"));
        std::thread::sleep(Duration::from_millis(200));
        assert!(!answer.is_finished());
        server.resume();
        assert!(answer.join().unwrap().starts_with("+PONG"));
    });
    assert!(since.elapsed() >= Duration::from_millis(200));
}

#[test]
fn ends_with_its_test_even_if_that_panics() {
    let ported = std::sync::Mutex::new(0);
    let ended = catch_unwind(|| {
        let server = RedisServer::start();
        *ported.lock().unwrap() = server.port();
        assert!(is_up(server.port()));
        drop(ported.lock());
        std::panic::resume_unwind(Box::new(()));
    });
    assert!(ended.is_err());
    let port = *ported.lock().unwrap();
    assert!(wait_until(Duration::from_secs(5), || !is_up(port)));
}
