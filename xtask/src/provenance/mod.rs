//! `cargo xtask provenance`: how sure the spec is of what it says, counted.
//!
//! Operations and named schemas carry `x-transak-provenance`; the lint sees to that. Parameters and fields inherit:
//! the nearest enclosing provenance counts, and what stands in `components` without one has that of the operations
//! that use it, the weakest of them if they differ.

mod confidence;
mod inherit;
mod readme;
mod table;

pub use confidence::Confidence;
pub use readme::{BEGIN, END, ReadmeError, check, with_table, write};
pub use table::markdown;

use std::collections::BTreeMap;

use crate::codegen::{
    lint,
    load::{
        Document,
        shape::{self, Kind, Node},
    },
    problem::{Failure, Problem},
};
use inherit::Lineage;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A method of a path.
    Operation,
    /// A path, query or header parameter; a shared one counts once.
    Parameter,
    /// A property of a schema, named or not.
    Field,
}

impl Subject {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 3] = [Self::Operation, Self::Parameter, Self::Field];

    /// Plural, for the table.
    #[must_use]
    pub fn plural(self) -> &'static str {
        match self {
            Self::Operation => "operations",
            Self::Parameter => "parameters",
            Self::Field => "fields",
        }
    }

    fn of(node: &Node<'_>) -> Option<Self> {
        match node.kind {
            Kind::Operation => Some(Self::Operation),
            Kind::Parameter if node.reference().is_none() => Some(Self::Parameter),
            Kind::Schema if node.role == "properties" => Some(Self::Field),
            _ => None,
        }
    }
}

/// One thing the spec says, and how sure it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub subject: Subject,
    /// Its confidence, its own or inherited.
    pub confidence: Confidence,
    /// JSON pointer into the spec.
    pub pointer: String,
    /// 1-based line.
    pub line: Option<usize>,
}

/// Everything that is counted, in the order of the file.
#[derive(Debug, Clone)]
pub struct Report {
    /// The entries.
    pub entries: Vec<Entry>,
}

impl Report {
    /// Finds the confidence of everything in `doc`.
    ///
    /// # Errors
    /// [`Failure::Lint`] with everything that has no provenance, or one that cannot be read.
    pub fn read(doc: &Document) -> Result<Self, Failure> {
        let mut problems: Vec<Problem> = lint::lint(doc)
            .into_iter()
            .filter(|problem| problem.rule.starts_with("provenance-"))
            .collect();
        // What is wrong at its root would be told once more for everything that inherits it.
        if !problems.is_empty() {
            return Err(Failure::Lint(problems));
        }
        let nodes = shape::walk(&doc.json, &doc.source);
        let lineage = Lineage::new(&nodes);
        let mut entries = Vec::new();
        for (index, node) in nodes.iter().enumerate() {
            let Some(subject) = Subject::of(node) else { continue };
            match lineage.confidence(index) {
                Some(confidence) => entries.push(Entry {
                    subject,
                    confidence,
                    pointer: node.pointer.clone(),
                    line: doc.source.line(&node.pointer),
                }),
                None => problems.push(Problem {
                    rule: "provenance-inherited",
                    path: doc.path.clone(),
                    pointer: node.pointer.clone(),
                    line: doc.source.line(&node.pointer),
                    message: format!(
                        "nothing says where `{}` comes from",
                        node.text("name").unwrap_or(&node.key)
                    ),
                    help: "write `x-transak-provenance` on it or on what it belongs to, or let an operation use it"
                        .to_owned(),
                }),
            }
        }
        if problems.is_empty() {
            Ok(Self { entries })
        } else {
            Err(Failure::Lint(problems))
        }
    }

    /// How many entries there are of each subject and confidence; absent means none.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<(Subject, Confidence), usize> {
        let mut counts = BTreeMap::new();
        for entry in &self.entries {
            *counts.entry((entry.subject, entry.confidence)).or_default() += 1;
        }
        counts
    }
}
