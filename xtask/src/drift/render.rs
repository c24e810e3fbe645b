//! The report for a reader.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Finding, Report, Verdict};

/// The report as text, ending with a line feed.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut text = match report.verdict() {
        Verdict::Agrees => "Our spec agrees with these pages.\n".to_owned(),
        Verdict::Drifted => format!("{} disagreement(s) with these pages.\n", report.findings.len()),
        Verdict::Unsure => "No disagreement in what could be read, which is not everything.\n".to_owned(),
    };
    let _ = writeln!(
        text,
        "Compared: {} operation(s) in {} block(s).",
        report.operations, report.fragments
    );
    let mut groups: BTreeMap<(&str, &str), Vec<&Finding>> = BTreeMap::new();
    for finding in &report.findings {
        groups
            .entry((&finding.operation, &finding.file))
            .or_default()
            .push(finding);
    }
    for ((operation, file), findings) in groups {
        let _ = match file {
            "" => writeln!(text, "\n{operation}"),
            _ => writeln!(text, "\n{operation}  ({file})"),
        };
        for finding in findings {
            let _ = writeln!(text, "  - {finding}");
        }
    }
    if !report.troubles.is_empty() {
        text += "\nNot read, or not to the end:\n";
        for trouble in &report.troubles {
            let _ = writeln!(text, "  - {trouble}");
        }
    }
    if !report.without_page.is_empty() {
        let _ = writeln!(
            text,
            "\nNo page here for {} of our operations: {}",
            report.without_page.len(),
            report.without_page.join(", ")
        );
    }
    text
}
