//! The totals as a Markdown table.

use std::fmt::Write as _;

use super::{Confidence, Report, Subject};

/// A table with one row per subject and one column per confidence, ending with a line feed.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let counts = report.counts();
    let mut text = String::from("| |");
    for confidence in Confidence::ALL {
        let _ = write!(text, " {confidence} |");
    }
    text += " total |\n|---|";
    text += &"--:|".repeat(Confidence::ALL.len() + 1);
    text.push('\n');
    for subject in Subject::ALL {
        let _ = write!(text, "| {} |", subject.plural());
        let mut total = 0;
        for confidence in Confidence::ALL {
            let count = counts.get(&(subject, confidence)).copied().unwrap_or_default();
            total += count;
            let _ = write!(text, " {count} |");
        }
        let _ = writeln!(text, " {total} |");
    }
    text
}
