//! The spec loader and the lint: a good document passes, and every rule refuses its bad edit.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "lint/cases.rs"]
mod cases;
#[path = "lint/cases_generated.rs"]
mod cases_generated;
#[path = "lint/cases_operations.rs"]
mod cases_operations;
#[path = "lint/cases_schemas.rs"]
mod cases_schemas;
#[path = "lint/generate.rs"]
mod generate;
#[path = "lint/load.rs"]
mod load;
#[path = "lint/mutation.rs"]
mod mutation;
#[path = "lint/source.rs"]
mod source;

use std::{collections::BTreeSet, path::Path};

use xtask::codegen::{
    lint::{RULES, lint},
    load::Document,
    problem::{Failure, Problem},
};

/// A small spec with one of everything the lint accepts.
const GOOD: &str = include_str!("lint/good.yaml");

/// A small edit of the good spec, and what the lint must say about it.
struct Case {
    rule: &'static str,
    /// Where the rule must point.
    at: &'static str,
    /// Texts that occur once in the good spec, and what replaces them.
    edits: &'static [(&'static str, &'static str)],
    /// Other rules that rightly complain about the same edit.
    also: &'static [&'static str],
}

const fn case(rule: &'static str, at: &'static str, edits: &'static [(&'static str, &'static str)]) -> Case {
    Case {
        rule,
        at,
        edits,
        also: &[],
    }
}

const fn case_also(
    rule: &'static str,
    at: &'static str,
    edits: &'static [(&'static str, &'static str)],
    also: &'static [&'static str],
) -> Case {
    Case { rule, at, edits, also }
}

fn cases() -> impl Iterator<Item = &'static Case> {
    cases::CASES
        .iter()
        .chain(cases_operations::CASES)
        .chain(cases_generated::CASES)
        .chain(cases_schemas::CASES)
}

fn document(text: String) -> Document {
    Document::parse(Path::new("spec/shop.yaml"), text).unwrap_or_else(|error| panic!("{error}"))
}

fn edited(edits: &[(&str, &str)]) -> String {
    edits.iter().fold(GOOD.to_owned(), |text, (from, to)| {
        assert_eq!(text.matches(from).count(), 1, "{from:?} should occur once");
        text.replacen(from, to, 1)
    })
}

fn told(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{problem}\n\n")).collect()
}

#[test]
fn the_good_spec_is_clean() {
    let problems = lint(&document(GOOD.to_owned()));
    assert!(problems.is_empty(), "{}", told(&problems));
}

#[test]
fn every_rule_refuses_its_bad_edit() {
    let mut wrong = String::new();
    for case in cases() {
        let problems = lint(&document(edited(case.edits)));
        let pointed = problems
            .iter()
            .any(|problem| problem.rule == case.rule && problem.pointer == case.at);
        let expected: BTreeSet<_> = case.also.iter().copied().chain([case.rule]).collect();
        let rules: BTreeSet<_> = problems.iter().map(|problem| problem.rule).collect();
        if !pointed || rules != expected {
            wrong += &format!(
                "wanted {expected:?}, {} at {} after {:?}, but:\n{}\n",
                case.rule,
                case.at,
                case.edits,
                told(&problems)
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_problem_reads_well() {
    for case in cases() {
        let doc = document(edited(case.edits));
        for problem in lint(&doc) {
            let text = problem.to_string();
            let lines: Vec<_> = text.lines().collect();
            assert_eq!(lines.len(), 3, "{text}");
            assert!(!problem.message.is_empty() && !problem.help.is_empty(), "{text}");
            assert_eq!(lines[0], format!("error[{}]: {}", problem.rule, problem.message));
            let line = problem.line.expect("a line");
            assert!((1..=doc.text.lines().count()).contains(&line), "{text}");
            assert_eq!(lines[1], format!("  --> spec/shop.yaml:{line}  ({})", problem.pointer));
            assert_eq!(lines[2], format!("  help: {}", problem.help));
            for noise in ["Some(", "None", "Ok(", "Err(", "String(", "Object", "\\\"", "{:"] {
                assert!(!text.contains(noise), "{noise} in {text}");
            }
        }
    }
}

#[test]
fn every_rule_is_tested_and_documented() {
    let tested: BTreeSet<_> = cases().map(|case| case.rule).collect();
    let listed: BTreeSet<_> = RULES.iter().map(|(name, _)| *name).collect();
    assert_eq!(tested, listed);
    assert_eq!(listed.len(), RULES.len(), "rule names are unique");
    for (name, why) in RULES {
        let kebab = name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        assert!(kebab && !name.is_empty(), "{name}");
        assert!(!why.is_empty() && !why.contains('\n'), "{name}");
    }
}

#[test]
fn problems_come_in_the_order_of_lines() {
    // Errors in many places at once.
    let text = GOOD
        .replace("description:", "descriptoin:")
        .replace("safe\n", "unsafe\n");
    let text = text.replace("descriptoin: The order\n", "description: The order\n");
    let text = text.replace("descriptoin: Created", "description: Created");
    let text = text.replace(
        "descriptoin: No such order\n      content",
        "description: No such order\n      content",
    );
    let problems = lint(&document(text));
    assert!(problems.len() > 20, "{}", problems.len());
    assert!(problems.is_sorted_by_key(|problem| problem.line));
}

#[test]
fn a_failed_lint_lists_everything() {
    let problems = lint(&document(edited(&[
        ("safety: safe", "safety: sfae"),
        ("minLength: 1", "minLenght: 1"),
    ])));
    assert_eq!(problems.len(), 2);
    let text = Failure::Lint(problems).to_string();
    assert!(
        text.contains("error[operation-safety]") && text.contains("did you mean `minLength`?"),
        "{text}"
    );
    assert!(text.ends_with("2 problems in the spec"), "{text}");
}

/// The lint must accept the document this workspace is built from.
#[test]
fn the_committed_spec_is_clean() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/transak.yaml");
    let doc = xtask::codegen::load::load(&path).unwrap_or_else(|error| panic!("{error}"));
    let problems = lint(&doc);
    assert!(problems.is_empty(), "{}", Failure::Lint(problems));
}
