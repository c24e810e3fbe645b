//! `operations.md`: every operation and message in a table, shown by rustdoc as the docs of the operation table.

use std::fmt::Write as _;

use super::model::{Model, Operation, Provenance};
use super::names::{pascal, snake};
use crate::codegen::Output;
use crate::codegen::format::Header;

/// The file's name; the operation table includes it.
pub const FILE: &str = "operations.md";

/// The table of operations and the one of messages.
pub fn emit(model: &Model, header: &Header) -> Output {
    let mut text = header.markdown();
    let _ = write!(
        text,
        "\n# The {} operations\n\n\
         Safety: `safe` changes nothing, `idempotent` may be repeated, `once` is never repeated automatically. Credentials are the\n\
         headers of each set an operation accepts, the preferred set first. Provenance says how sure the document is of an\n\
         operation and where it was read.\n\n\
         | operation | request | host | credentials | safety | provenance |\n|---|---|---|---|---|---|\n",
        model.operations.len()
    );
    for operation in &model.operations {
        row(&mut text, operation);
    }
    if !model.messages.is_empty() {
        let _ = write!(
            text,
            "\n# The {} messages Transak sends\n\n\
             | message | what | type | provenance |\n|---|---|---|---|\n",
            model.messages.len()
        );
    }
    for message in &model.messages {
        let _ = writeln!(
            text,
            "| {} | {} | [`{schema}`](crate::types::{schema}) | {} |",
            message.id,
            cell(&message.summary),
            told(&message.provenance),
            schema = pascal(&message.schema),
        );
    }
    Output {
        path: format!("{}/{FILE}", super::client::FOLDER),
        text,
    }
}

fn row(text: &mut String, operation: &Operation) {
    let sets: Vec<String> = operation.security.iter().map(|set| headers(set)).collect();
    let _ = writeln!(
        text,
        "| [`{}`](crate::Client::{}){} | `{} {}` | {} | {} | {} | {} |",
        operation.id,
        snake(&operation.id),
        if operation.deprecated { " (deprecated)" } else { "" },
        operation.method,
        operation.path,
        operation.host,
        if sets.is_empty() {
            "none".to_owned()
        } else {
            sets.join(" *or* ")
        },
        operation.safety,
        told(&operation.provenance),
    );
}

fn headers(set: &[super::model::Requirement]) -> String {
    let names: Vec<String> = set.iter().map(|one| format!("`{}`", one.header)).collect();
    names.join(" ")
}

/// Confidence and day, then the sources; those that are pages as links.
fn told(provenance: &Provenance) -> String {
    let sources: Vec<String> = provenance.sources.iter().map(|source| linked(source)).collect();
    format!(
        "{} ({}): {}",
        provenance.confidence,
        provenance.as_of,
        sources.join(", ")
    )
}

fn linked(source: &str) -> String {
    match source.strip_prefix("docs.transak.com/") {
        Some(page) if !page.contains(' ') => format!("[{page}](https://{source})"),
        _ => cell(source),
    }
}

/// Text that ends no cell and opens no tag.
fn cell(text: &str) -> String {
    text.trim().replace('|', "\\|").replace('<', "&lt;")
}
