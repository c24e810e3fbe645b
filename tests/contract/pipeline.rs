//! Spec ↔ pipeline: small specs that the generator once got wrong, without a word or without a place.

use std::fs;

use contract_tests::spec::root;
use xtask::codegen::{self, Output};

/// What is generated from the small spec after these replacements, each of which must apply.
fn generated(changes: &[(&str, &str)]) -> Vec<Output> {
    let mut text = fs::read_to_string(root().join("tests/specs/small.yaml")).unwrap();
    for (old, new) in changes {
        assert!(text.contains(old), "{old}");
        text = text.replace(old, new);
    }
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("spec.yaml");
    fs::write(&spec, text).unwrap();
    codegen::generate(&spec).unwrap_or_else(|e| panic!("{e}"))
}

/// All files of one name, with every run of white space made one space.
fn file(outputs: &[Output], end: &str) -> String {
    let texts = outputs
        .iter()
        .filter(|o| o.path.ends_with(end))
        .map(|o| o.text.as_str());
    let text: String = texts
        .flat_map(str::split_whitespace)
        .flat_map(|word| [word, " "])
        .collect();
    assert!(!text.is_empty(), "{end}");
    text
}

const LIMIT: &str = "schema: {type: integer, minimum: 1, default: 20}";

#[test]
fn names_that_rust_spells_otherwise_are_replaced_all_the_same() {
    let outputs = generated(&[("OrderStatus", "HTTPState"), ("OpaqueJson", "RAWBlob")]);
    assert!(file(&outputs, "enums.rs").contains("pub enum HttpState: str"));
    let types = file(&outputs, "generated/types.rs");
    assert!(
        !types.contains("enum HttpState") && !types.contains("HTTPState>"),
        "a closed enum: {types}"
    );
    assert!(types.contains("::transak_client::enums::HttpState"));
    assert!(
        types.contains("pub raw: ::std::option::Option<::transak_client::OpaqueJson>"),
        "{types}"
    );
    assert!(
        !types.contains("serde_json::Value"),
        "JSON that is printed and rounded: {types}"
    );
}

#[test]
fn bounds_of_parameters_make_no_types_of_their_own() {
    for schema in [
        LIMIT,
        "schema: {type: integer, format: int32}",
        "schema: {type: integer, minimum: 0, maximum: 9}",
    ] {
        let client = file(&generated(&[(LIMIT, schema)]), "transak-client/src/generated/mod.rs");
        assert!(client.contains("limit: Result<Option<i64>, String>"), "{schema}");
    }
    let text = "schema: {type: string, minLength: 1, maxLength: 5, pattern: \"^a$\"}";
    let outputs = generated(&[(LIMIT, text)]);
    let client = file(&outputs, "transak-client/src/generated/mod.rs");
    assert!(client.contains("limit: Result<Option<::std::string::String>, String>"));
    // The client has no such dependency.
    assert!(outputs.iter().all(|o| !o.text.contains("regress")));
}

#[test]
fn parameters_are_exercised_with_their_own_types() {
    for (schema, example, client_type, argument) in [
        (
            "{type: string, format: decimal}",
            "\"1.50\"",
            "QueryAmount",
            "parsed::<transak_client::QueryAmount>(\"1.50\")",
        ),
        (
            "{type: string, format: date-time}",
            "\"2026-11-22T00:00:00Z\"",
            "Timestamp",
            "parsed::<transak_client::Timestamp>",
        ),
        (
            "{$ref: \"#/components/schemas/FailureCode\"}",
            "1001",
            "FailureCode",
            "enums::FailureCode::from(1001_i64)",
        ),
        (
            "{default: OPEN, allOf: [{$ref: \"#/components/schemas/OrderStatus\"}]}",
            "OPEN",
            "OrderStatus",
            "enums::OrderStatus::from(\"OPEN\")",
        ),
    ] {
        let outputs = generated(&[
            (LIMIT, &format!("schema: {schema}")),
            ("example: 10", &format!("example: {example}")),
        ]);
        let client = file(&outputs, "transak-client/src/generated/mod.rs");
        assert!(
            client.contains(&format!("{client_type}>, String>, }} impl<'a> GetOrder")),
            "{schema}: {client}"
        );
        let exercise = file(&outputs, "exercise.rs");
        assert!(
            exercise.contains(&format!(".limit(&{argument}"))
                || exercise.contains(&format!(".limit(&transak_client::{argument}")),
            "{schema}: {exercise}"
        );
    }
}

#[test]
fn names_of_parameters_are_spelt_as_the_generator_spells_them() {
    for (name, field) in [
        ("gen", ".gen_("),
        ("1st", "._1st("),
        ("type", ".type_("),
        ("dispatch", ".dispatch("),
    ] {
        let outputs = generated(&[("name: limit", &format!("name: \"{name}\""))]);
        assert!(file(&outputs, "exercise.rs").contains(field), "{name}");
        let client = file(&outputs, "transak-client/src/generated/mod.rs");
        assert!(
            client.contains(&format!("pub fn {}<V>", &field[1..field.len() - 1])),
            "{name}"
        );
        // The hidden half of `send` has a name of its own.
        assert_eq!(client.matches("fn request_(").count(), 2);
    }
}

#[test]
fn a_keyword_is_no_obstacle_to_an_operation_or_an_enum() {
    let outputs = generated(&[
        ("operationId: getOrder", "operationId: self"),
        ("[OPEN, CLOSED]", "[OPEN, SELF]"),
    ]);
    assert!(file(&outputs, "enums.rs").contains("Self_ = \"SELF\""));
    assert!(file(&outputs, "transak-client/src/generated/mod.rs").contains("impl<'a> Self_<'a>"));
}

#[test]
fn a_summary_of_several_lines_stays_documentation() {
    let outputs = generated(&[("summary: Get Order", "summary: \"Get Order\\npub fn injected() {}\"")]);
    for output in outputs.iter().filter(|o| o.path.ends_with("operations.rs")) {
        assert!(output.text.contains("/// pub fn injected() {}"), "{}", output.text);
    }
}

#[test]
fn an_example_of_a_range_of_statuses_is_no_request() {
    let outputs = generated(&[]);
    let examples = file(&outputs, "examples.rs");
    assert!(
        examples.contains("INTERNAL_SERVER_ERROR_NONE: ResponseExample"),
        "{examples}"
    );
    assert!(
        !examples.contains(" REQUEST_NONE"),
        "an answer in the place of a request: {examples}"
    );
    // 500 has an example of its own.
    let outputs = generated(&[(
        "        5XX:",
        "        \"500\": {$ref: \"#/components/responses/NotFound\"}\n        5XX:",
    )]);
    assert_eq!(
        file(&outputs, "examples.rs")
            .matches("static INTERNAL_SERVER_ERROR_NONE")
            .count(),
        1
    );
}
