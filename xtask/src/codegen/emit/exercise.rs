//! Code for the contract tests: a call of every operation with the spec's example values, and a decode and
//! encode of every type an example has. A new operation is tested without a hand-written line.
//!
//! The stubs go through the typed mock helpers, so those are compiled and called for every operation too.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::model::{Example, Model, Operation, Parameter};
use super::names::{literal, raw_literal, shouty, snake};
use crate::codegen::format::Header;
use crate::codegen::{Failure, Output};

/// `exercise.rs` of the contract tests.
///
/// # Errors
/// [`Failure::Generator`] for a parameter whose type has no way to be written down.
pub fn emit(model: &Model, header: &Header) -> Result<Output, Failure> {
    let mut text = header.rust("Calls of every operation with the spec's examples, for the contract tests.");
    text.push_str(
        "\nuse crate::exercise::{Exercise, Outcome, decoded, finish, form, form_stub, parsed, printed, round_trip};\n\
         use transak_client::{Client, operations, types};\n\
         use transak_mock::MockServerExt as _;\n\
         use transak_mock::httpmock::{Mock, MockServer};\n",
    );
    text.push_str("\n/// What each call must look like on the wire.\npub static EXERCISES: &[Exercise] = &[\n");
    for operation in &model.operations {
        expectation(&mut text, model, operation);
    }
    text.push_str("];\n\n/// Calls an operation with the spec's example values.\npub async fn call(client: &Client, operation: &str) -> Outcome {\n    match operation {\n");
    for operation in &model.operations {
        invocation(&mut text, model, operation)?;
    }
    text.push_str("        other => Outcome::Unknown(other.to_owned()),\n    }\n}\n");
    text.push_str("\n/// Stubs an operation through its typed mock helper, demanding everything its exercise sends.\npub fn stub<'s>(server: &'s MockServer, operation: &str) -> Option<Mock<'s>> {\n    match operation {\n");
    for operation in &model.operations {
        stub(&mut text, model, operation)?;
    }
    text.push_str("        _ => None,\n    }\n}\n");
    let messages = model.messages.iter().flat_map(|message| &message.examples);
    let examples = model.examples.iter().chain(messages);
    let schemas: BTreeSet<&str> = examples.map(|e| e.schema.as_str()).collect();
    by_schema(
        &mut text,
        &schemas,
        "recode",
        "round_trip",
        "Decodes JSON text as the named schema's type and encodes it again.",
    );
    by_schema(
        &mut text,
        &schemas,
        "debug",
        "printed",
        "Decodes JSON text as the named schema's type and prints it with `{:?}`.",
    );
    Ok(Output {
        path: "tests/src/generated/exercise.rs".to_owned(),
        text,
    })
}

fn by_schema(text: &mut String, schemas: &BTreeSet<&str>, name: &str, helper: &str, docs: &str) {
    let _ = write!(
        text,
        "\n/// {docs}\npub fn {name}(schema: &str, json: &str) -> Result<String, String> {{\n    match schema {{\n"
    );
    for schema in schemas {
        let _ = writeln!(
            text,
            "        {} => {helper}::<types::{schema}>(json),",
            literal(schema)
        );
    }
    text.push_str("        other => Err(format!(\"no type for schema {other}\")),\n    }\n}\n");
}

/// The typed stub of one operation.
fn stub(text: &mut String, model: &Model, operation: &Operation) -> Result<(), Failure> {
    if operation.form.is_some() {
        // The typed helpers know JSON bodies only.
        let _ = writeln!(
            text,
            "        {} => Some(form_stub(server, &operations::{})),",
            literal(&operation.id),
            shouty(&operation.id)
        );
        return Ok(());
    }
    let name = snake(&operation.id);
    let _ = write!(
        text,
        "        {} => Some(server.{name}(|when, then| {{\n            let when = when",
        literal(&operation.id)
    );
    for parameter in &operation.parameters {
        let value = match parameter.kind.as_str() {
            "string" | "password" => literal(&parameter.example),
            "decimal" => format!(
                "&parsed::<transak_client::QueryAmount>({})",
                literal(&parameter.example)
            ),
            "date" => format!("&parsed::<transak_client::Date>({})", literal(&parameter.example)),
            "date-time" => format!("&parsed::<transak_client::Timestamp>({})", literal(&parameter.example)),
            "integer" | "boolean" => argument(model, operation, parameter)?,
            named => format!(
                "&transak_client::enums::{named}::from({})",
                argument(model, operation, parameter)?
            ),
        };
        let _ = write!(text, "\n                .{}({value})", snake(&parameter.name));
    }
    for requirement in operation.security.first().into_iter().flatten() {
        let value = literal(&credential_value(&requirement.credential));
        let _ = write!(text, "\n                .{}({value})", snake(&requirement.header));
    }
    if let (Some(schema), Some(example)) = (&operation.request, body_of(model, operation)) {
        let _ = write!(
            text,
            "\n                .body(&decoded::<types::{schema}>({}))",
            raw_literal(&example.json)
        );
    }
    text.push_str(";\n            let _ = when;\n            let _ = then");
    if let Some(example) = model
        .examples
        .iter()
        .find(|e| e.operation == operation.id && e.status.is_some_and(|s| s / 100 == 2))
    {
        let method = example
            .status
            .and_then(|s| http::StatusCode::from_u16(s).ok())
            .and_then(|s| s.canonical_reason())
            .map(snake);
        let method = method.unwrap_or_else(|| "ok".to_owned());
        let _ = write!(
            text,
            "\n                .{method}(&decoded::<types::{}>({}))",
            example.schema,
            raw_literal(&example.json)
        );
    }
    text.push_str(";\n        })),\n");
    Ok(())
}

/// The value the contract tests use for a credential; see `crate::exercise::credential_value` of the tests.
fn credential_value(id: &str) -> String {
    format!("planted-{id}")
}

fn expectation(text: &mut String, model: &Model, operation: &Operation) {
    let mut path = operation.path.clone();
    for parameter in operation.parameters.iter().filter(|p| p.location == "path") {
        path = path.replace(&format!("{{{}}}", parameter.name), &parameter.example);
    }
    let _ = writeln!(
        text,
        "    Exercise {{\n        operation: &operations::{},\n        path: {},",
        shouty(&operation.id),
        literal(&path)
    );
    for (field, location) in [("query", "query"), ("headers", "header")] {
        let _ = write!(text, "        {field}: &[");
        for parameter in operation.parameters.iter().filter(|p| p.location == location) {
            let _ = write!(
                text,
                "({}, {}), ",
                literal(&parameter.name),
                literal(&parameter.example)
            );
        }
        text.push_str("],\n");
    }
    let body = body_of(model, operation).map_or("None".to_owned(), |e| format!("Some({})", raw_literal(&e.json)));
    let _ = writeln!(
        text,
        "        body: {body},\n        form: &[{}],\n    }},",
        fields(operation)
    );
}

/// The fields of a form as pairs of literals.
fn fields(operation: &Operation) -> String {
    let fields = operation.form.iter().flatten();
    let pairs: Vec<String> = fields
        .map(|(name, value)| format!("({}, {})", literal(name), literal(value)))
        .collect();
    pairs.join(", ")
}

fn invocation(text: &mut String, model: &Model, operation: &Operation) -> Result<(), Failure> {
    if operation.form.is_some() {
        let id = literal(&operation.id);
        let _ = writeln!(
            text,
            "        {id} => form(client, {id}, &[{}]).await,",
            fields(operation)
        );
        return Ok(());
    }
    let _ = write!(
        text,
        "        {} => {{\n            let request = client.{}()",
        literal(&operation.id),
        snake(&operation.id)
    );
    for parameter in &operation.parameters {
        let _ = write!(
            text,
            "\n                .{}({})",
            snake(&parameter.name),
            argument(model, operation, parameter)?
        );
    }
    if let Some(schema) = &operation.request {
        let example = body_of(model, operation)
            .map(|e| raw_literal(&e.json))
            .ok_or_else(|| Failure::Generator(format!("{}: the request has no example", operation.id)))?;
        let _ = write!(text, "\n                .body(decoded::<types::{schema}>({example}))");
    }
    text.push_str(";\n            finish(request.send().await)\n        }\n");
    Ok(())
}

fn argument(model: &Model, operation: &Operation, parameter: &Parameter) -> Result<String, Failure> {
    let example = &parameter.example;
    if model
        .enums
        .iter()
        .any(|open| open.name == parameter.kind && open.integer)
    {
        return Ok(format!("{example}_i64"));
    }
    Ok(match parameter.kind.as_str() {
        "integer" => format!("{example}_i64"),
        "boolean" => example.clone(),
        "number" | "array" | "object" | "" => {
            return Err(Failure::Generator(format!(
                "{}: parameter `{}` of type `{}` cannot be exercised",
                operation.id, parameter.name, parameter.kind
            )));
        }
        // Strings, decimals, dates and open enums are all made from text.
        _ => literal(example),
    })
}

fn body_of<'m>(model: &'m Model, operation: &Operation) -> Option<&'m Example> {
    model
        .examples
        .iter()
        .find(|e| e.operation == operation.id && e.status.is_none())
}
