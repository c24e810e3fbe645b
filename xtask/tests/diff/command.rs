//! The command: where it reads from, and what its exit status says.

use std::path::Path;
use std::process::{Command, Output};

use xtask::diff::Side;

use super::{GOOD, cases};

fn diff(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .arg("diff")
        .args(arguments)
        .output()
        .unwrap()
}

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn the_exit_status_is_the_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let cases = cases();
    let text = |title| cases.iter().find(|case| case.title == title).unwrap().text();
    let good = file(folder.path(), "good.yaml", GOOD);
    for (title, status) in [
        ("texts change", 0),
        ("an enum gets a value", 1),
        ("an operation begins to need a credential", 2),
        ("a host gets another address", 2),
    ] {
        let other = file(folder.path(), "other.yaml", &text(title));
        let output = diff(&[&good, &other]);
        assert_eq!(output.status.code(), Some(status), "{title}: {output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
        assert!(String::from_utf8(output.stdout).unwrap().starts_with("API changes: "));
    }
    assert_eq!(diff(&[&good, &good]).status.code(), Some(0));
}

#[test]
fn what_cannot_be_compared_has_a_status_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let good = file(folder.path(), "good.yaml", GOOD);
    let broken = folder.path().join("broken.yaml");
    std::fs::write(&broken, "openapi: 3.0.3\npaths: [").unwrap();
    let broken = broken.display().to_string();
    for (arguments, status, said) in [
        (vec![good.as_str(), "no-such-revision"], 3, "neither a file nor in git"),
        (vec![good.as_str(), broken.as_str()], 3, "broken.yaml"),
        (vec!["--", "-x:y", good.as_str()], 3, "looks like an option"),
        (vec![], 64, "Usage"),
    ] {
        let output = diff(&arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {told}");
        assert!(told.contains(said), "{arguments:?}: {told}");
    }
}

#[test]
fn revisions_are_read_from_git() {
    let folder = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| {
        let identity = [
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.com",
            "-c",
            "commit.gpgsign=false",
        ];
        let status = Command::new("git")
            .arg("-C")
            .arg(folder.path())
            .args(identity)
            .args(arguments)
            .status()
            .unwrap();
        assert!(status.success(), "{arguments:?}");
    };
    std::fs::create_dir(folder.path().join("spec")).unwrap();
    git(&["init", "--quiet"]);
    for (name, user) in [("spec/transak.yaml", "A user."), ("spec/other.yaml", "Somebody.")] {
        file(folder.path(), name, &GOOD.replace("A user.", user));
        git(&["add", name]);
        git(&["commit", "--quiet", "--message", name]);
    }
    let read = |given: &str| Side::in_repository(given, folder.path()).load();
    assert_eq!(read("HEAD").unwrap().text, GOOD);
    assert_eq!(read("HEAD~1").unwrap().text, GOOD);
    assert!(read("HEAD:spec/other.yaml").unwrap().text.contains("Somebody."));
    for wrong in ["HEAD~1:spec/other.yaml", "HEAD:spec", "HEAD~9", "", "-h", "HEAD:", ":"] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}
