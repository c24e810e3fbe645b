//! Open enums: every `enum` of the spec, with a place for values it does not know.

use std::fmt::Write as _;

use super::model::Model;
use super::names::{doc_lines, literal};
use crate::codegen::Output;
use crate::codegen::format::Header;

/// `enums.rs` of the client.
pub fn emit(model: &Model, header: &Header) -> Output {
    let mut text = header.rust("Open enums: values the spec does not know survive a round trip.");
    text.push_str("\nuse ::transak_client::open_enum;\n");
    for open in &model.enums {
        text.push_str("\nopen_enum! {\n");
        text.push_str(&doc_lines(&open.description, "    "));
        let kind = if open.integer { "i64" } else { "str" };
        let _ = writeln!(text, "    pub enum {}: {kind} {{", open.name);
        for (variant, value, docs) in &open.values {
            let docs = if docs.is_empty() {
                format!("`{value}`.")
            } else {
                docs.clone()
            };
            text.push_str(&doc_lines(&docs, "        "));
            let value = if open.integer { value.clone() } else { literal(value) };
            let _ = writeln!(text, "        {variant} = {value},");
        }
        text.push_str("    }\n}\n");
    }
    Output {
        path: format!("{}/enums.rs", super::client::FOLDER),
        text,
    }
}
