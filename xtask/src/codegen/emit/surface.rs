//! `spec/surface.txt`: one sorted line for everything a user of the crates can see. Reviewers read its diff.

use super::model::{Model, Operation};
use super::transform::StructShape;
use crate::codegen::Output;

/// The surface file.
pub fn emit(model: &Model, structs: &[StructShape]) -> Output {
    let mut lines: Vec<String> = Vec::new();
    for operation in &model.operations {
        lines.push(operation_line(operation));
        for parameter in &operation.parameters {
            let need = if parameter.required { "required" } else { "optional" };
            lines.push(format!(
                "parameter {} {} {} {} {need}",
                operation.id, parameter.location, parameter.name, parameter.kind
            ));
        }
    }
    for shape in structs {
        if shape.fields.is_empty() {
            lines.push(format!("struct {}", shape.name));
        }
        for (field, ty) in &shape.fields {
            lines.push(format!("field {}.{field} {ty}", shape.name));
        }
    }
    for open in &model.enums {
        for (variant, value, _) in &open.values {
            lines.push(format!("enum {}.{variant} {value}", open.name));
        }
    }
    for host in &model.hosts {
        lines.push(format!("host {} {} {}", host.id, host.staging, host.production));
    }
    for credential in &model.credentials {
        lines.push(format!("credential {}", credential.id));
    }
    for message in &model.messages {
        lines.push(format!("message {} {}", message.id, message.schema));
    }
    for name in &model.opaque {
        lines.push(format!("opaque {name}"));
    }
    lines.sort();
    lines.dedup();
    let mut text =
        String::from("# Written by `cargo xtask codegen`: what the generated crates offer. Review this diff.\n");
    for line in lines {
        text.push_str(&line);
        text.push('\n');
    }
    Output {
        path: "spec/surface.txt".to_owned(),
        text,
    }
}

/// The body's type, or the fields of its form.
fn request(operation: &Operation) -> String {
    match &operation.form {
        Some(fields) => format!(
            "form({})",
            fields
                .iter()
                .map(|(name, _)| name.as_str())
                .collect::<Vec<_>>()
                .join(",")
        ),
        None => operation.request.clone().unwrap_or_else(|| "-".to_owned()),
    }
}

fn operation_line(operation: &Operation) -> String {
    let auth = operation
        .security
        .iter()
        .map(|set| {
            set.iter()
                .map(|r| format!("{}={}", r.header, r.credential))
                .collect::<Vec<_>>()
                .join("+")
        })
        .collect::<Vec<_>>()
        .join("|");
    let statuses = operation
        .responses
        .iter()
        .map(|(status, _)| status.as_str())
        .collect::<Vec<_>>()
        .join(",");
    let response = operation
        .responses
        .iter()
        .find(|(s, _)| s.starts_with('2'))
        .and_then(|(_, schema)| schema.as_deref());
    format!(
        "operation {} {} {} {} auth={} safety={} request={} response={} statuses={statuses}",
        operation.id,
        operation.method,
        operation.host,
        operation.path,
        if auth.is_empty() { "-" } else { &auth },
        operation.safety,
        request(operation),
        response.unwrap_or("-"),
    )
}
