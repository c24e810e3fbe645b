//! Rules about the source text.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

fn sources() -> Vec<PathBuf> {
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut files = Vec::new();
    while let Some(path) = open.pop() {
        match path.is_dir() {
            true => open.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path())),
            false => files.push(path),
        }
    }
    files
}

#[test]
fn only_the_clock_asks_for_the_time() {
    let clocks = ["src/clock.rs", "src/clock/coarse.rs"];
    for file in sources().iter().filter(|f| !clocks.iter().any(|c| f.ends_with(c))) {
        let text = fs::read_to_string(file).unwrap();
        for source in [
            "SystemTime",
            "Instant",
            "Utc::now",
            "Local::now",
            "tokio::time",
            "thread::sleep",
        ] {
            assert!(!text.contains(source), "{} uses {source}", file.display());
        }
    }
}

#[test]
fn only_a_persons_step_mails_a_password() {
    for file in sources() {
        let text = fs::read_to_string(&file).unwrap();
        let allowed = [
            "src/otp.rs",
            "src/issuer.rs",
            "src/issuer/http.rs",
            "src/observe/issuer.rs",
            "src/observe.rs",
            "src/schedules/toy.rs",
        ];
        if !allowed.iter().any(|a| file.ends_with(a)) {
            assert!(!text.contains("send_otp"), "{} mails passwords", file.display());
        }
    }
}

#[test]
fn files_stay_short() {
    for file in sources() {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= 400, "{} has {lines} lines", file.display());
    }
}
