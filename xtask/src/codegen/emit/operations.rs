//! The operation table: what client, mocks, session and sandbox need to know of every operation.

use std::fmt::Write as _;

use super::model::{Model, Operation};
use super::names::{doc_lines, literal, pascal, shouty};
use crate::codegen::format::Header;
use crate::codegen::{Failure, Output};

/// `operations.rs` of the client.
///
/// # Errors
/// [`Failure::Generator`] when an operation names a host nobody declared.
pub fn emit(model: &Model, header: &Header) -> Result<Output, Failure> {
    let mut text =
        header.rust("The operation table: method, path, host, credentials and retry safety of every operation.");
    let _ = writeln!(text, "#![doc = include_str!({})]", literal(super::overview::FILE));
    text.push_str("\nuse crate::operation::{Alternative, Header, Operation, Safety};\n");
    hosts(&mut text, model);
    credentials(&mut text, model);
    for operation in &model.operations {
        one(&mut text, operation)?;
    }
    text.push_str("\n/// Every operation, sorted by id.\npub static ALL: &[&Operation] = &[\n");
    for operation in &model.operations {
        let _ = writeln!(text, "    &{},", shouty(&operation.id));
    }
    text.push_str("];\n");
    Ok(Output {
        path: format!("{}/operations.rs", super::client::FOLDER),
        text,
    })
}

fn hosts(text: &mut String, model: &Model) {
    text.push_str("\n/// A logical host of the API.\n#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]\n#[non_exhaustive]\npub enum Host {\n");
    for host in &model.hosts {
        let _ = writeln!(
            text,
            "    /// `{}`, in production {}.\n    {},",
            host.id,
            host.production,
            pascal(&host.id)
        );
    }
    text.push_str("}\n\nimpl Host {\n    /// Every host, sorted by id.\n    pub const ALL: &'static [Self] = &[");
    text.push_str(
        &model
            .hosts
            .iter()
            .map(|h| format!("Self::{}", pascal(&h.id)))
            .collect::<Vec<_>>()
            .join(", "),
    );
    text.push_str("];\n");
    method(
        text,
        "id",
        "The id the spec gives this host.",
        model.hosts.iter().map(|h| (&h.id, &h.id)),
    );
    method(
        text,
        "staging_url",
        "Base URL in staging.",
        model.hosts.iter().map(|h| (&h.id, &h.staging)),
    );
    method(
        text,
        "production_url",
        "Base URL in production.",
        model.hosts.iter().map(|h| (&h.id, &h.production)),
    );
    text.push_str("}\n");
}

fn credentials(text: &mut String, model: &Model) {
    text.push_str("\n/// A kind of credential; which header carries it is up to the operation.\n#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]\n#[non_exhaustive]\npub enum Credential {\n");
    for credential in &model.credentials {
        text.push_str(&doc_lines(&credential.description, "    "));
        let _ = writeln!(text, "    {},", pascal(&credential.id));
    }
    text.push_str("}\n\nimpl Credential {\n    /// Every kind, sorted by id.\n    pub const ALL: &'static [Self] = &[");
    text.push_str(
        &model
            .credentials
            .iter()
            .map(|c| format!("Self::{}", pascal(&c.id)))
            .collect::<Vec<_>>()
            .join(", "),
    );
    text.push_str("];\n");
    method(
        text,
        "id",
        "The id the spec gives this kind.",
        model.credentials.iter().map(|c| (&c.id, &c.id)),
    );
    text.push_str("}\n");
}

fn method<'t>(text: &mut String, name: &str, docs: &str, arms: impl Iterator<Item = (&'t String, &'t String)>) {
    let _ = write!(
        text,
        "\n    /// {docs}\n    #[must_use]\n    pub const fn {name}(self) -> &'static str {{\n        match self {{\n"
    );
    for (id, value) in arms {
        let _ = writeln!(text, "            Self::{} => {},", pascal(id), literal(value));
    }
    text.push_str("        }\n    }\n");
}

fn one(text: &mut String, operation: &Operation) -> Result<(), Failure> {
    let safety = match operation.safety.as_str() {
        "safe" => "Safe",
        "idempotent" => "Idempotent",
        "once" => "Once",
        other => {
            return Err(Failure::Generator(format!(
                "{}: unknown safety `{other}`",
                operation.id
            )));
        }
    };
    let docs = doc_lines(
        &format!(
            "{}: `{} {}`.",
            operation.summary.trim(),
            operation.method,
            operation.path
        ),
        "",
    );
    let _ = write!(
        text,
        "\n{docs}pub static {}: Operation = Operation::new(\n    {},\n    {},\n    {},\n    Host::{},\n    Safety::{safety},\n    &[\n",
        shouty(&operation.id),
        literal(&operation.id),
        literal(&operation.method),
        literal(&operation.path),
        pascal(&operation.host),
    );
    for alternative in &operation.security {
        text.push_str("        Alternative::new(&[\n");
        for requirement in alternative {
            let _ = writeln!(
                text,
                "            Header::new({}, Credential::{}),",
                literal(&requirement.header),
                pascal(&requirement.credential)
            );
        }
        text.push_str("        ]),\n");
    }
    text.push_str("    ],\n);\n");
    Ok(())
}
