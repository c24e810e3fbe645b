//! Postgres comes up, stops, goes on, and ends.
#![allow(clippy::unwrap_used)]

use std::net::TcpStream;
use std::panic::catch_unwind;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use transak_test_servers::postgres::PostgresServer;

fn is_up(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

#[test]
fn what_was_acknowledged_survives_a_kill_and_a_stop() {
    let mut server = PostgresServer::start();
    assert_eq!(server.command("SHOW fsync"), "off");
    assert_eq!(
        server.command("CREATE TABLE kept (name text); INSERT INTO kept VALUES ('one')"),
        ""
    );
    server.kill();
    assert!(!is_up(server.port()));
    server.restart();
    assert_eq!(
        server.command("INSERT INTO kept VALUES ('two'); SELECT name FROM kept"),
        "one\ntwo"
    );
    server.stop();
    assert!(!is_up(server.port()));
    server.restart();
    assert_eq!(server.command("SELECT count(*) FROM kept"), "2");
    assert!(server.dump("postgres").contains("CREATE TABLE public.kept"));
    assert!(
        server.log().contains("database system was interrupted"),
        "{}",
        server.log()
    );
    server.pause();
    server.restart();
    assert_eq!(server.command("SELECT count(*) FROM kept"), "2");
}

#[test]
fn a_paused_one_answers_when_it_goes_on_and_ends_when_it_does_not() {
    let server = PostgresServer::start_flushing();
    assert_eq!(server.command("SHOW fsync"), "on");
    std::thread::scope(|scope| {
        let running = scope.spawn(|| server.command("SELECT pg_sleep(0.3), 7"));
        std::thread::sleep(Duration::from_millis(100));
        server.pause();
        let asked = scope.spawn(|| server.command("SELECT 8"));
        std::thread::sleep(Duration::from_millis(600));
        assert!(!running.is_finished() && !asked.is_finished());
        server.resume();
        assert_eq!(running.join().unwrap(), "|7");
        assert_eq!(asked.join().unwrap(), "8");
    });
    server.pause();
    let (port, since) = (server.port(), Instant::now());
    drop(server);
    assert!(!is_up(port) && since.elapsed() < Duration::from_secs(4));
}

#[test]
fn ends_with_its_test_even_if_that_panics() {
    let seen = Mutex::new(None);
    let ended = catch_unwind(|| {
        let server = PostgresServer::start();
        assert!(is_up(server.port()));
        *seen.lock().unwrap() = Some((server.port(), server.data()));
        std::panic::resume_unwind(Box::new(()));
    });
    assert!(ended.is_err());
    let (port, data) = seen.into_inner().unwrap().unwrap();
    assert!(!is_up(port) && !data.exists());
}
