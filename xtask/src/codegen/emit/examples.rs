//! The spec's own examples as constants of the mock crate, numbers as they stand in the spec.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::model::{Example, Model};
use super::names::{doc_lines, literal, raw_literal, shouty, snake};
use crate::codegen::Output;
use crate::codegen::format::Header;

/// `examples.rs` of the mock crate.
pub fn emit(model: &Model, header: &Header) -> Output {
    let mut text = header.rust("The spec's examples, one module per operation.");
    let mut modules: BTreeMap<&str, Vec<&Example>> = BTreeMap::new();
    for example in &model.examples {
        modules.entry(&example.operation).or_default().push(example);
    }
    for (operation, examples) in &modules {
        let _ = write!(
            text,
            "\n/// Examples of `{operation}`.\npub mod {} {{\n    use crate::example::{{RequestExample, ResponseExample}};\n    use transak_client::operations;\n",
            snake(operation)
        );
        for example in examples {
            one(&mut text, example);
        }
        text.push_str("}\n");
    }
    messages(&mut text, model);
    list(
        &mut text,
        model,
        "RESPONSES",
        "ResponseExample",
        "Every response example.",
        |e| e.status.is_some(),
    );
    list(
        &mut text,
        model,
        "REQUESTS",
        "RequestExample",
        "Every request example.",
        |e| e.status.is_none(),
    );
    Output {
        path: format!("{}/examples.rs", super::mock::FOLDER),
        text,
    }
}

fn one(text: &mut String, example: &Example) {
    let table = shouty(&example.operation);
    let (kind, status) = match example.status {
        Some(status) => ("ResponseExample", format!("{status}, ")),
        None => ("RequestExample", String::new()),
    };
    let what = example.status.map_or_else(|| "Request".to_owned(), |s| s.to_string());
    let _ = write!(
        text,
        "\n{}",
        doc_lines(&format!("{what}: {}.", example.summary), "    ")
    );
    let _ = writeln!(
        text,
        "    pub static {}: {kind} = {kind}::new(\n        &operations::{table},\n        {status}{},\n        {},\n        {},\n    );",
        constant(example),
        literal(&example.name),
        literal(&example.schema),
        raw_literal(&example.json)
    );
}

/// A module per message, and the list of all examples of them.
fn messages(text: &mut String, model: &Model) {
    for message in &model.messages {
        let about = format!("Examples of the message `{}`: {}.", message.id, message.summary.trim());
        let _ = write!(
            text,
            "\n{}pub mod {} {{\n    use crate::example::MessageExample;\n",
            doc_lines(&about, ""),
            snake(&message.id)
        );
        for example in &message.examples {
            let _ = write!(text, "\n{}", doc_lines(&format!("{}.", example.summary), "    "));
            let _ = writeln!(
                text,
                "    pub static {}: MessageExample = MessageExample::new(\n        {},\n        {},\n        {},\n        {},\n    );",
                shouty(&example.name),
                literal(&message.id),
                literal(&example.name),
                literal(&example.schema),
                raw_literal(&example.json)
            );
        }
        text.push_str("}\n");
    }
    text.push_str(
        "\n/// Every example of a message that Transak sends on its own account.\n\
         pub static MESSAGES: &[&crate::example::MessageExample] = &[\n",
    );
    for message in &model.messages {
        for example in &message.examples {
            let _ = writeln!(text, "    &{}::{},", snake(&message.id), shouty(&example.name));
        }
    }
    text.push_str("];\n");
}

fn list(text: &mut String, model: &Model, name: &str, kind: &str, docs: &str, wanted: impl Fn(&Example) -> bool) {
    let _ = write!(
        text,
        "\n/// {docs}\npub static {name}: &[&crate::example::{kind}] = &[\n"
    );
    for example in model.examples.iter().filter(|e| wanted(e)) {
        let _ = writeln!(text, "    &{}::{},", snake(&example.operation), constant(example));
    }
    text.push_str("];\n");
}

/// `OK_COMPLETED`, `BAD_REQUEST_TOO_EARLY`, `REQUEST_LOGIN`.
fn constant(example: &Example) -> String {
    let prefix = match example.status {
        None => "REQUEST".to_owned(),
        Some(status) => http::StatusCode::from_u16(status)
            .ok()
            .and_then(|s| s.canonical_reason())
            .map_or_else(|| format!("STATUS_{status}"), shouty),
    };
    format!("{prefix}_{}", shouty(&example.name))
}
