//! The diff of two specs: each kind of change with whom it breaks, both ways, and that nothing else is told.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "diff/command.rs"]
mod command;
#[path = "diff/properties.rs"]
mod properties;

use serde_json::Value;
use xtask::diff::{Change, Kind, Level, compare, markdown, verdict};

const GOOD: &str = include_str!("lint/good.yaml");

/// An edit of the good spec and the changes it amounts to, as [`told`] writes them.
#[derive(serde::Deserialize)]
struct Case {
    title: String,
    edits: Vec<Edit>,
    changes: Vec<String>,
}

/// A text that occurs once, and what replaces it.
#[derive(serde::Deserialize)]
struct Edit {
    from: String,
    to: String,
}

impl Case {
    fn text(&self) -> String {
        self.edits.iter().fold(GOOD.to_owned(), |text, Edit { from, to }| {
            assert_eq!(text.matches(from).count(), 1, "{from:?} should occur once");
            text.replacen(from, to, 1)
        })
    }

    fn changes(&self) -> Vec<Change> {
        compare(&json(GOOD), &json(&self.text()))
    }
}

fn cases() -> Vec<Case> {
    serde_yaml::from_str(include_str!("diff/cases.yaml")).unwrap()
}

fn json(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

/// Level, R if Rust callers are broken, W if programs on the wire are; then the change.
fn told(change: &Change) -> String {
    let rust = if change.rust == Level::Major { "R" } else { "-" };
    let wire = if change.wire { "W" } else { "-" };
    format!("{} {rust}{wire} {} {}", change.level(), change.place, change.what)
}

#[test]
fn every_kind_of_change_is_told_with_whom_it_breaks() {
    let mut wrong = String::new();
    for case in cases() {
        let changes: Vec<_> = case.changes().iter().map(told).collect();
        if changes != case.changes {
            wrong += &format!("{}:\n", case.title);
            wrong += &changes
                .iter()
                .map(|change| format!("            {change:?},\n"))
                .collect::<String>();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_way_back_removes_what_was_added() {
    for case in cases() {
        let back = compare(&json(&case.text()), &json(GOOD));
        properties::mirrored(&case.changes(), &back).unwrap_or_else(|error| {
            panic!("{}: {error}", case.title);
        });
    }
}

#[test]
fn the_worst_change_decides_and_the_report_lists_all() {
    assert_eq!(verdict(&[]), Level::Patch);
    for case in cases() {
        let changes = case.changes();
        let worst = changes.iter().map(Change::level).max().unwrap_or(Level::Patch);
        assert_eq!(verdict(&changes), worst);
        let report = markdown(&changes);
        for change in &changes {
            let line = format!("- {} {}", change.place, change.what);
            assert_eq!(report.matches(&line).count(), 1, "{line} in {report}");
        }
    }
}

#[test]
fn the_report_reads_like_a_changelog() {
    let edits = [
        ("required: [note]", "required: [note, size]"),
        ("enum: [OPEN, CLOSED]", "enum: [OPEN, CLOSED, LOST]"),
        ("description: A user.", "description: Somebody."),
        ("https://gateway.example.com", "https://gate.example.com"),
    ];
    let new = edits
        .iter()
        .fold(GOOD.to_owned(), |text, (from, to)| text.replacen(from, to, 1));
    let report = markdown(&compare(&json(GOOD), &json(&new)));
    assert_eq!(
        report,
        "API changes: 2 breaking, 1 new, 1 other (semver: major)\n\n\
         ### Breaking\n\n\
         - server `gateway production` moves from https://gateway.example.com to https://gate.example.com (breaks deployed programs)\n\
         - `CreateOrderRequest.size` becomes required (breaks Rust callers and deployed programs)\n\n\
         ### New\n\n\
         - `OrderStatus` value `\"LOST\"` is new\n\n\
         ### Other\n\n\
         - documentation differs: texts, examples or notes in 1 place(s)\n"
    );
    assert_eq!(markdown(&[]), "No changes of the API.\n");
}

/// A combination's fields are the type's own, and a member of a union is compared with the one of its type.
#[test]
fn members_of_combinations_and_unions_are_compared() {
    let user = "      properties:\n        email: {type: string, x-transak-personal: true}\n        token: {type: string, format: password}\n";
    let combined = |email: &str, items: &str| {
        let members = format!(
            "      allOf:\n        - {{type: object, properties: {{email: {email}}}}}\n        - {{type: object, properties: {{token: {{type: string}}}}}}\n"
        );
        let text = GOOD.replacen(user, &members, 1);
        let union = "        - type: boolean\n        - type: string\n";
        let text = text.replacen(
            union,
            &format!("        - type: boolean\n        - {{type: array, items: {items}}}\n"),
            1,
        );
        assert!(text.contains("allOf:\n        - {type: object") && text.contains("{type: array, items: {"));
        json(&text)
    };
    let old = combined("{type: string}", "{type: string}");
    let new = combined("{type: string, nullable: true}", "{type: integer}");
    let changes: Vec<_> = compare(&old, &new).iter().map(told).collect();
    assert_eq!(
        changes,
        [
            "major RW `PaidFlag as array[]` changes from string to integer",
            "major -W `User.email` may now be null",
        ]
    );
    assert_eq!(compare(&old, &old), vec![]);
}

/// Everything a change can be is in the table.
#[test]
fn the_table_has_every_kind_and_level() {
    let changes: Vec<_> = cases().iter().flat_map(Case::changes).collect();
    for kind in [Kind::Added, Kind::Removed, Kind::Changed] {
        for level in [Level::Minor, Level::Major] {
            assert!(
                kind == Kind::Removed && level == Level::Minor
                    || changes
                        .iter()
                        .any(|change| change.kind == kind && change.level() == level),
                "no {kind:?} {level}"
            );
        }
    }
}
