//! The changes as Markdown that can go into the changelog.

use std::fmt::Write as _;

use super::{Change, Level, verdict};

/// The report: the verdict, then one list per level, the worst first. Ends with a line feed.
#[must_use]
pub fn markdown(changes: &[Change]) -> String {
    if changes.is_empty() {
        return "No changes of the API.\n".to_owned();
    }
    let mut text = format!("API changes: {} (semver: {})\n", counted(changes), verdict(changes));
    for (level, heading) in [
        (Level::Major, "Breaking"),
        (Level::Minor, "New"),
        (Level::Patch, "Other"),
    ] {
        let mut these = changes.iter().filter(|change| change.level() == level).peekable();
        if these.peek().is_none() {
            continue;
        }
        let _ = writeln!(text, "\n### {heading}\n");
        for change in these {
            let _ = writeln!(text, "- {} {}{}", change.place, change.what, broken(change));
        }
    }
    text
}

fn counted(changes: &[Change]) -> String {
    let count = |level| changes.iter().filter(|change| change.level() == level).count();
    let (major, minor, patch) = (count(Level::Major), count(Level::Minor), count(Level::Patch));
    format!("{major} breaking, {minor} new, {patch} other")
}

/// Whom a breaking change breaks.
fn broken(change: &Change) -> &'static str {
    match (change.rust == Level::Major, change.wire) {
        (true, true) => " (breaks Rust callers and deployed programs)",
        (true, false) => " (breaks Rust callers)",
        (false, true) => " (breaks deployed programs)",
        (false, false) => "",
    }
}
