//! Rust names for things the spec names, the same everywhere.

use heck::{ToPascalCase, ToShoutySnakeCase, ToSnakeCase};

/// `getOrders` → `get_orders`; a Rust keyword gets a trailing underscore and a digit in front a leading one, as in
/// progenitor.
pub fn snake(name: &str) -> String {
    let text = name.replace('\'', "").to_snake_case();
    guard(if text.starts_with(|c: char| c.is_ascii_digit()) {
        format!("_{text}")
    } else {
        text
    })
}

/// `partnerToken` → `PartnerToken`; `self` → `Self_`, as in typify.
///
/// Schema names go through here too: typify calls the type of a schema `HTTPError` `HttpError`, and passes over a
/// replacement by any other name without a word.
pub fn pascal(name: &str) -> String {
    let text = name.to_pascal_case();
    if text.starts_with(|c: char| c.is_ascii_digit()) || text.is_empty() {
        format!("V{text}")
    } else {
        guard(text)
    }
}

/// `getOrders` → `GET_ORDERS`.
pub fn shouty(name: &str) -> String {
    name.to_shouty_snake_case()
}

fn guard(name: String) -> String {
    if typify::accept_as_ident(&name) {
        name
    } else {
        format!("{name}_")
    }
}

/// Text as `///` doc lines with the given indentation; nothing when it is empty.
pub fn doc_lines(text: &str, indent: &str) -> String {
    let mut out = String::new();
    for line in text.trim().lines() {
        let line = line.trim_end();
        out.push_str(indent);
        out.push_str("///");
        if !line.is_empty() {
            out.push(' ');
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}

/// A Rust string literal.
pub fn literal(text: &str) -> String {
    format!("{text:?}")
}

/// A raw string literal, with as many `#` as the text needs.
pub fn raw_literal(text: &str) -> String {
    let mut hashes = String::from("#");
    while text.contains(&format!("\"{hashes}")) {
        hashes.push('#');
    }
    format!("r{hashes}\"{text}\"{hashes}")
}
