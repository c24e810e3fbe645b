//! `cargo xtask drift`: where our spec and the vendor's reference disagree.
//!
//! The vendor's site gives every reference page as Markdown as well (`.md` behind the address), with a fragment of
//! OpenAPI 3.1 in a YAML block. Saved pages are read from a folder; nothing is fetched. A full `openapi.yaml` or
//! `openapi.json` in the folder is read too.
//!
//! What our spec does by convention is no disagreement: credential headers are `security` here and plain parameters
//! there, bracketed names are single parameters, amounts are decimals even where a page says integer, opaque JSON is
//! not looked into, and statuses may be ranges. Pages that were cut off are compared as far as they go: what they may
//! only have lost is not held against them.

mod blocks;
mod compare;
mod folder;
mod operations;
mod render;
mod shape;

pub use blocks::{Fragment, Trouble, fragments};
pub use compare::{Finding, Side};
pub use folder::{FolderError, read};
pub use render::text;

use std::collections::BTreeSet;

use serde_json::Value;

/// What comparing a folder with our spec has shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Where the two disagree.
    pub findings: Vec<Finding>,
    /// What could not be read, or not to the end.
    pub troubles: Vec<Trouble>,
    /// How many fragments were compared.
    pub fragments: usize,
    /// How many operations they held.
    pub operations: usize,
    /// Our operations that no page mentions; a disagreement only if the folder holds a whole document.
    pub without_page: Vec<String>,
}

/// The answer in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Everything was read, and it agrees.
    Agrees,
    /// Something disagrees.
    Drifted,
    /// Nothing was seen to disagree, but not everything could be read, or there was nothing to read.
    Unsure,
}

impl Report {
    /// What the report amounts to.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if !self.findings.is_empty() {
            Verdict::Drifted
        } else if self.troubles.is_empty() && self.operations > 0 {
            Verdict::Agrees
        } else {
            Verdict::Unsure
        }
    }
}

/// Compares `ours` with every fragment.
#[must_use]
pub fn compare(ours: &Value, fragments: &[Fragment]) -> Report {
    let mut report = Report::default();
    let mut seen = BTreeSet::new();
    let mut whole = false;
    for fragment in fragments {
        report.troubles.extend(fragment.trouble.clone());
        let Some(theirs) = &fragment.document else { continue };
        report.fragments += 1;
        whole |= fragment.whole && fragment.trouble.is_none();
        report.operations += operations::compare(ours, theirs, fragment, &mut seen, &mut report.findings);
    }
    for (name, route) in operations::missing(ours, &seen) {
        if whole {
            report.findings.push(Finding {
                file: String::new(),
                operation: route,
                place: "operation".to_owned(),
                side: Side::Ours,
                what: format!("`{name}` is not in their document"),
            });
        } else {
            report.without_page.push(name);
        }
    }
    report
}
