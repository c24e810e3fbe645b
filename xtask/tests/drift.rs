//! The drift report: each kind of disagreement, our conventions, and pages that are damaged in any way.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "drift/command.rs"]
mod command;
#[path = "drift/damage.rs"]
mod damage;
#[path = "drift/vendor.rs"]
mod vendor;

use std::sync::LazyLock;

use serde_json::Value;
use xtask::drift::{Fragment, Report, Side, Verdict, compare, fragments, text};

const OURS: &str = include_str!("lint/good.yaml");
const GET_ORDER: &str = include_str!("drift/pages/get-order.md");
const CREATE_ORDER: &str = include_str!("drift/pages/create-order.md");

static SPEC: LazyLock<Value> = LazyLock::new(|| serde_yaml::from_str(OURS).unwrap());

fn report(page: &str) -> Report {
    compare(&SPEC, &fragments("page.md", page))
}

/// An edit of a page and the disagreements it makes.
#[derive(serde::Deserialize)]
struct Case {
    title: String,
    page: String,
    edits: Vec<Edit>,
    findings: Vec<String>,
}

/// A text that occurs once, and what replaces it.
#[derive(serde::Deserialize)]
struct Edit {
    from: String,
    to: String,
}

static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| serde_yaml::from_str(include_str!("drift/cases.yaml")).unwrap());

impl Case {
    fn text(&self) -> String {
        let page = match self.page.as_str() {
            "get-order" => GET_ORDER,
            "create-order" => CREATE_ORDER,
            other => panic!("{other}"),
        };
        self.edits.iter().fold(page.to_owned(), |text, Edit { from, to }| {
            assert_eq!(
                text.matches(from).count(),
                1,
                "{}: {from:?} should occur once",
                self.title
            );
            text.replacen(from, to, 1)
        })
    }
}

#[test]
fn pages_that_say_the_same_in_another_way_agree() {
    for page in [GET_ORDER, CREATE_ORDER] {
        let report = report(page);
        assert_eq!(report.findings, vec![], "{}", text(&report));
        assert_eq!(report.verdict(), Verdict::Agrees, "{}", text(&report));
        assert_eq!(
            (report.fragments, report.operations, report.without_page.len()),
            (1, 1, 1)
        );
    }
}

#[test]
fn every_kind_of_disagreement_is_found_and_nothing_else() {
    let mut wrong = String::new();
    for case in CASES.iter() {
        let report = report(&case.text());
        let mut found: Vec<_> = report.findings.iter().map(ToString::to_string).collect();
        let mut expected = case.findings.clone();
        found.sort();
        expected.sort();
        if found != expected || !report.troubles.is_empty() {
            wrong += &format!("{}: wanted {expected:?}\n{}\n", case.title, text(&report));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Swapping the two sides turns what they say more into what we say more.
#[test]
fn what_is_missing_is_told_from_both_sides() {
    for case in CASES.iter() {
        let theirs = fragments("page.md", &case.text()).remove(0).document.unwrap();
        let whole = Fragment {
            file: "ours.yaml".to_owned(),
            document: Some(SPEC.clone()),
            whole: false,
            trouble: None,
        };
        let back = compare(&theirs, &[whole]);
        for finding in report(&case.text()).findings {
            if finding.what == "is missing there" && finding.place.contains('.') {
                let mirrored = back.findings.iter().any(|one| {
                    one.place == finding.place && one.side == Side::Theirs && one.what.starts_with("is missing here")
                });
                assert!(mirrored, "{}: {finding} has no mirror in {}", case.title, text(&back));
            }
        }
    }
}

#[test]
fn a_whole_document_must_have_all_our_operations() {
    let folder = tempfile::tempdir().unwrap();
    let mut document = SPEC.clone();
    std::fs::write(folder.path().join("openapi.json"), document.to_string()).unwrap();
    let read = || compare(&SPEC, &xtask::drift::read(folder.path()).unwrap());
    assert_eq!(read().verdict(), Verdict::Agrees, "{}", text(&read()));
    document["paths"].as_object_mut().unwrap().remove("/orders");
    std::fs::write(folder.path().join("openapi.json"), document.to_string()).unwrap();
    let report = read();
    let told: Vec<_> = report
        .findings
        .iter()
        .map(|one| format!("{} {one}", one.operation))
        .collect();
    assert_eq!(told, ["POST /orders operation: `createOrder` is not in their document"]);
    // A part of it proves nothing about the rest.
    std::fs::remove_file(folder.path().join("openapi.json")).unwrap();
    std::fs::write(folder.path().join("get-order.md"), GET_ORDER).unwrap();
    assert_eq!(read().without_page, ["createOrder"]);
}
