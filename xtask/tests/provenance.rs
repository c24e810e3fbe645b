//! The provenance report: what is counted, what is inherited from where, and what is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use xtask::codegen::{
    load::{self, Document},
    problem::{Failure, Problem},
};
use xtask::provenance::{BEGIN, Confidence, END, ReadmeError, Report, Subject, check, markdown, with_table, write};

const GOOD: &str = include_str!("lint/good.yaml");

fn document(edits: &[(&str, &str)]) -> Document {
    let text = edits.iter().fold(GOOD.to_owned(), |text, (from, to)| {
        assert_eq!(text.matches(from).count(), 1, "{from:?} should occur once");
        text.replacen(from, to, 1)
    });
    Document::parse(Path::new("shop.yaml"), text).unwrap()
}

fn report(edits: &[(&str, &str)]) -> Report {
    Report::read(&document(edits)).unwrap_or_else(|error| panic!("{error}"))
}

fn problems(edits: &[(&str, &str)]) -> Vec<Problem> {
    match Report::read(&document(edits)) {
        Err(Failure::Lint(problems)) => problems,
        other => panic!("{other:?}"),
    }
}

fn of(report: &Report, pointer: &str) -> Confidence {
    let found: Vec<_> = report.entries.iter().filter(|entry| entry.pointer == pointer).collect();
    assert_eq!(found.len(), 1, "{pointer} in {report:#?}");
    found[0].confidence
}

const WEAK: &str = "x-transak-provenance: {source: [a/b], confidence: inferred, asOf: 2026-11-22}";
const CLIENT: &str = "x-transak-provenance: {source: [a/b], confidence: public-code, asOf: 2026-11-22}";
const EMAIL: &str = "#/components/schemas/User/properties/email";
const LIMIT: &str = "#/components/parameters/Limit";
const TOTAL: &str = "#/components/schemas/GetOrderResponse/properties/total";

#[test]
fn everything_is_counted_once() {
    let report = report(&[]);
    let count = |subject| report.entries.iter().filter(|entry| entry.subject == subject).count();
    assert_eq!(count(Subject::Operation), 2);
    // Three of their own and one shared; a reference to the shared one is not another.
    assert_eq!(count(Subject::Parameter), 4);
    let properties: usize = document(&[])
        .json
        .pointer("/components/schemas")
        .and_then(|schemas| schemas.as_object())
        .unwrap()
        .values()
        .filter_map(|schema| schema.get("properties")?.as_object())
        .map(serde_json::Map::len)
        .sum();
    assert_eq!(count(Subject::Field), properties);
    assert!(
        report
            .entries
            .iter()
            .all(|entry| entry.confidence == Confidence::Documented && entry.line.is_some())
    );
}

#[test]
fn the_nearest_enclosing_provenance_counts() {
    let schema = (
        "description: A user.\n      x-transak-provenance: *provenance",
        format!("description: A user.\n      {CLIENT}"),
    );
    let field = (
        "total: {type: number, format: decimal}",
        format!("total: {{type: number, format: decimal, {WEAK}}}"),
    );
    let report = report(&[(schema.0, &schema.1), (field.0, &field.1)]);
    assert_eq!(of(&report, EMAIL), Confidence::PublicCode);
    assert_eq!(of(&report, TOTAL), Confidence::Inferred);
    assert_eq!(
        of(&report, "#/components/schemas/GetOrderResponse/properties/id"),
        Confidence::Documented
    );
}

#[test]
fn what_is_shared_without_a_provenance_is_as_weak_as_its_weakest_user() {
    let weak = format!("description: A new order.\n      x-transak-safety: once\n      {WEAK}");
    let second = (
        "description: A new order.\n      x-transak-safety: once\n      x-transak-provenance: *provenance",
        weak.as_str(),
    );
    assert_eq!(of(&report(&[second]), LIMIT), Confidence::Documented);
    // The path item gives it to the weak operation as well.
    let shared = (
        "    servers: *gateway\n",
        "    servers: *gateway\n    parameters: [{$ref: \"#/components/parameters/Limit\"}]\n",
    );
    assert_eq!(of(&report(&[second, shared]), LIMIT), Confidence::Inferred);
}

#[test]
fn what_nothing_vouches_for_is_refused_with_place_and_advice() {
    let unused = ("        - $ref: \"#/components/parameters/Limit\"\n", "");
    let found = problems(&[unused]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].rule, found[0].pointer.as_str()),
        ("provenance-inherited", LIMIT)
    );
    let told = found[0].to_string();
    assert!(
        told.contains("shop.yaml:") && told.contains("`limit`") && told.contains("help: write `x-transak-provenance`"),
        "{told}"
    );
}

#[test]
fn an_operation_or_schema_without_provenance_is_told_once() {
    let operation = (
        "x-transak-safety: once\n      x-transak-provenance: *provenance",
        "x-transak-safety: once",
    );
    let found = problems(&[operation]);
    assert_eq!(
        found.iter().map(|p| p.pointer.as_str()).collect::<Vec<_>>(),
        ["#/paths/~1orders/post"]
    );
    let schema = (
        "description: A user.\n      x-transak-provenance: *provenance",
        "description: A user.",
    );
    let found = problems(&[schema]);
    assert_eq!(
        found.iter().map(|p| p.pointer.as_str()).collect::<Vec<_>>(),
        ["#/components/schemas/User"]
    );
}

#[test]
fn a_confidence_of_no_known_name_is_refused() {
    let typo = ("confidence: documented", "confidence: dokumented");
    let found = problems(&[typo]);
    assert!(found.iter().any(|p| p.rule == "provenance-value"), "{found:?}");
    assert!(found.iter().all(|p| p.rule != "provenance-inherited"), "{found:?}");
}

#[test]
fn the_table_adds_up() {
    let report = report(&[]);
    let table = markdown(&report);
    let rows: Vec<Vec<usize>> = table
        .lines()
        .skip(2)
        .map(|line| line.split('|').filter_map(|cell| cell.trim().parse().ok()).collect())
        .collect();
    assert_eq!(rows.len(), Subject::ALL.len(), "{table}");
    for row in &rows {
        let (total, parts) = row.split_last().unwrap();
        assert_eq!(
            (parts.len(), parts.iter().sum::<usize>()),
            (Confidence::ALL.len(), *total),
            "{table}"
        );
    }
    assert_eq!(
        rows.iter().filter_map(|row| row.last()).sum::<usize>(),
        report.entries.len()
    );
}

#[test]
fn a_stale_table_is_found_and_renewed_and_nothing_else_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("README.md");
    let report = report(&[]);
    std::fs::write(&path, format!("# Shop\n\n{BEGIN}{END}\nThe end.\n")).unwrap();
    let Err(ReadmeError::Stale { table, .. }) = check(&path, &report) else {
        panic!()
    };
    assert_eq!(table, markdown(&report));
    assert!(write(&path, &report).unwrap());
    check(&path, &report).unwrap();
    assert!(!write(&path, &report).unwrap());
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, format!("# Shop\n\n{BEGIN}\n{table}\n{END}\nThe end.\n"));
    std::fs::write(&path, text.replace("| operations | 2 |", "| operations | 3 |")).unwrap();
    assert!(matches!(check(&path, &report), Err(ReadmeError::Stale { .. })));
}

#[test]
fn a_file_without_one_place_for_the_table_is_refused() {
    for text in [
        String::new(),
        BEGIN.into(),
        format!("{END}{BEGIN}"),
        format!("{BEGIN}{END}{BEGIN}{END}"),
        format!("{BEGIN}{BEGIN}{END}"),
    ] {
        assert_eq!(with_table(&text, "table"), None, "{text:?}");
    }
}

#[test]
fn our_own_spec_says_where_everything_comes_from() {
    let spec = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/transak.yaml");
    let report = Report::read(&load::load(&spec).unwrap()).unwrap_or_else(|error| panic!("{error}"));
    check(&spec.with_file_name("../README.md"), &report).unwrap_or_else(|error| panic!("{error}"));
}
