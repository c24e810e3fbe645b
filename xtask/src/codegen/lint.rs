//! Refuses what the generator would panic on, drop or get silently wrong.
//!
//! progenitor's panics carry no place and its silent mistakes carry nothing at all, so everything
//! it is known to mishandle is checked before it runs, together with our own conventions. Rules
//! read the raw JSON, because the typed model has already forgotten what it does not know.

use super::{load::Document, problem::Problem};

mod bodies;
mod constraints;
mod document;
mod enums;
mod examples;
mod extensions;
mod messages;
mod numbers;
mod objects;
mod operations;
mod parameters;
mod prose;
mod provenance;
mod refs;
mod responses;
mod schemas;
mod security;
mod servers;
mod spec;
mod unions;

use spec::Spec;

/// One rule: its stable name, why it exists in one line, and the check.
struct Rule {
    name: &'static str,
    why: &'static str,
    check: fn(&Spec<'_>, &mut Report<'_>),
}

const GROUPS: &[&[Rule]] = &[
    document::RULES,
    prose::RULES,
    extensions::RULES,
    provenance::RULES,
    refs::RULES,
    servers::RULES,
    security::RULES,
    operations::RULES,
    parameters::RULES,
    bodies::RULES,
    responses::RULES,
    messages::RULES,
    examples::RULES,
    schemas::RULES,
    objects::RULES,
    enums::RULES,
    numbers::RULES,
    unions::RULES,
    constraints::RULES,
];

const COUNT: usize = {
    let mut count = 0;
    let mut group = 0;
    while group < GROUPS.len() {
        count += GROUPS[group].len();
        group += 1;
    }
    count
};

/// Every rule: its name and, in one line, what it prevents.
pub const RULES: &[(&str, &str)] = &{
    let mut all = [("", ""); COUNT];
    let mut next = 0;
    let mut group = 0;
    while group < GROUPS.len() {
        let rules = GROUPS[group];
        let mut rule = 0;
        while rule < rules.len() {
            all[next] = (rules[rule].name, rules[rule].why);
            next += 1;
            rule += 1;
        }
        group += 1;
    }
    all
};

/// Everything that is wrong with the document, in the order of its lines.
pub fn lint(doc: &Document) -> Vec<Problem> {
    let spec = Spec::new(doc);
    let mut problems = Vec::new();
    for rule in GROUPS.iter().copied().flatten() {
        let mut report = Report {
            doc,
            rule: rule.name,
            problems: &mut problems,
        };
        (rule.check)(&spec, &mut report);
    }
    // Stable: problems of one line stay in the order of the rules.
    problems.sort_by(|a, b| (a.line, &a.pointer).cmp(&(b.line, &b.pointer)));
    problems
}

/// Where the rule at work leaves its findings.
struct Report<'a> {
    doc: &'a Document,
    rule: &'static str,
    problems: &'a mut Vec<Problem>,
}

impl Report<'_> {
    /// Adds a problem at `pointer`; `help` says what to do.
    fn add(&mut self, pointer: &str, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem {
            rule: self.rule,
            path: self.doc.path.clone(),
            pointer: pointer.to_owned(),
            line: self.doc.source.line(pointer),
            message: message.into(),
            help: help.into(),
        });
    }
}
