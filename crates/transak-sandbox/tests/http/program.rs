//! The binary: what it prints, how it stops, what it says when it cannot start.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use tokio::net::TcpListener;

use crate::common::http;

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_transak-sandbox"))
}

#[tokio::test]
async fn it_says_where_it_is_and_stops_when_asked() {
    let settings = std::env::temp_dir().join(format!("transak-sandbox-{}.json", std::process::id()));
    std::fs::write(&settings, r#"{"refreshRevokes": false}"#).unwrap();
    let mut child = program()
        .args([
            "--api-port",
            "0",
            "--gateway-port",
            "0",
            "--control-port",
            "0",
            "--seed",
            "9",
            "--frozen",
        ])
        .args(["--start", "2027-01-15T08:00:00Z", "--settings"])
        .arg(&settings)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut value = |name: &str| {
        let line = lines.next().unwrap();
        line.strip_prefix(name)
            .unwrap_or_else(|| panic!("{line}"))
            .trim()
            .to_owned()
    };
    let (api, _gateway, control) = (value("api"), value("gateway"), value("control"));
    let (key, _secret) = (value("x-api-key"), value("api-secret"));
    let countries = http()
        .get(format!("{api}/api/v2/countries"))
        .header("x-api-key", key)
        .send()
        .await
        .unwrap();
    assert_eq!(countries.status(), 200);
    let read = async |path: &str| {
        http()
            .get(format!("{control}{path}"))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    };
    let settings_now: serde_json::Value = serde_json::from_str(&read("/settings").await).unwrap();
    assert_eq!(
        (&settings_now["seed"], &settings_now["refreshRevokes"]),
        (&9.into(), &false.into())
    );
    assert_eq!(read("/clock").await, r#"{"unixMillis":1800000000000,"mode":"frozen"}"#);

    #[cfg(unix)]
    {
        Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status()
            .unwrap();
        assert!(child.wait().unwrap().success());
    }
    let _ = child.kill();
    let _ = std::fs::remove_file(settings);
}

#[tokio::test]
async fn it_says_what_is_wrong_when_it_cannot_start() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (arguments, said) in [
        (vec!["--api-port", port.as_str()], "the port is taken"),
        (vec!["--settings", "/no/such/file"], "cannot read settings"),
        (vec!["--address", "192.0.2.1"], "neither a loopback address"),
        (vec!["--start", "tomorrow"], "not a moment"),
    ] {
        let output = program().args(&arguments).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && text.contains(said), "{arguments:?}: {text}");
    }
}
