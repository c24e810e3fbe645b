//! Files that cannot be loaded, and what is said about them.

use std::path::PathBuf;

use tempfile::TempDir;
use xtask::codegen::{
    load::{Document, MAX_BYTES, load},
    problem::Failure,
};

use super::{GOOD, edited};

/// Loads a file with these bytes; the directory keeps it alive for the message.
fn load_bytes(bytes: &[u8]) -> Result<Document, Failure> {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("spec.yaml");
    std::fs::write(&path, bytes).unwrap();
    load(&path)
}

fn refused(text: &str) -> Failure {
    let failure = load_bytes(text.as_bytes()).expect_err("should not load");
    let message = failure.to_string();
    for noise in ["Some(", "None", "Error(", "\\\""] {
        assert!(!message.contains(noise), "{message}");
    }
    failure
}

#[test]
fn a_good_file_loads() {
    let doc = load_bytes(GOOD.as_bytes()).unwrap();
    assert_eq!(doc.text, GOOD);
    assert_eq!(doc.api.paths.paths.len(), 2);
    assert_eq!(doc.json["info"]["title"], "Shop");
}

#[test]
fn a_byte_order_mark_and_other_line_ends_do_not_matter() {
    let doc = load_bytes(format!("\u{feff}{}", GOOD.replace('\n', "\r\n")).as_bytes()).unwrap();
    assert!(xtask::codegen::lint::lint(&doc).is_empty());
    assert_eq!(doc.source.line("#/info/title"), Some(3));
}

#[test]
fn what_cannot_be_read() {
    let missing = load(&PathBuf::from("/nonexistent/spec.yaml")).unwrap_err();
    assert!(matches!(missing, Failure::Read { .. }), "{missing}");
    let dir = TempDir::new().unwrap();
    let failure = load(dir.path()).unwrap_err();
    assert!(matches!(failure, Failure::Read { .. }), "{failure}");
}

#[test]
fn what_is_no_text() {
    let mut bytes = GOOD.as_bytes().to_vec();
    let line = GOOD.lines().position(|line| line.contains("title: Shop")).unwrap() + 1;
    let at = GOOD.find("Shop").unwrap();
    bytes[at] = 0xff;
    match load_bytes(&bytes).unwrap_err() {
        Failure::NotUtf8 { line: found, .. } => assert_eq!(found, line),
        other => panic!("{other}"),
    }
}

#[test]
fn what_is_too_large() {
    let bytes = vec![b'#'; usize::try_from(MAX_BYTES).unwrap() + 1];
    assert!(matches!(load_bytes(&bytes).unwrap_err(), Failure::TooLarge { .. }));
}

#[test]
fn what_is_empty() {
    for text in ["", "\n", "# only a comment\n", "~", "[]", "a: b"] {
        let failure = refused(text);
        assert!(matches!(failure, Failure::NotOpenApi30 { .. }), "{text:?}: {failure}");
    }
}

#[test]
fn what_is_no_yaml() {
    for (text, line) in [
        ("a: [1, 2\nb: 3\n", 2),
        ("a: b: c\n", 1),
        ("\tq: 1\n", 1),
        ("a: \"x\n", 2),
    ] {
        match refused(text) {
            Failure::Syntax { line: Some(found), .. } => assert_eq!(found, line, "{text:?}"),
            other => panic!("{text:?}: {other}"),
        }
    }
}

/// Wherever the file is cut off, the loader says so instead of panicking.
#[test]
fn what_is_truncated() {
    for end in (0..GOOD.len()).step_by(97) {
        if let Err(failure) = load_bytes(&GOOD.as_bytes()[..end]) {
            assert!(!failure.to_string().is_empty());
        }
    }
    let middle = GOOD.find("o-1, status").unwrap();
    let failure = refused(&GOOD[..middle]);
    assert!(matches!(failure, Failure::Syntax { .. }), "{failure}");
}

#[test]
fn a_key_twice() {
    let text = edited(&[("  title: Shop\n", "  title: Shop\n  title: Store\n")]);
    match refused(&text) {
        Failure::DuplicateKey { key, line, .. } => assert_eq!((key.as_str(), line), ("title", Some(4))),
        other => panic!("{other}"),
    }
    // The same key to JSON, whatever it is to YAML.
    let failure = refused("openapi: 3.0.3\nx: {200: a, \"200\": b}\n");
    assert!(
        matches!(failure, Failure::DuplicateKey { line: Some(2), .. }),
        "{failure}"
    );
}

#[test]
fn a_merge_key() {
    let text = edited(&[("  title: Shop\n", "  title: Shop\n  <<: {}\n")]);
    let failure = refused(&text);
    assert!(matches!(failure, Failure::MergeKey { line: Some(4), .. }), "{failure}");
}

#[test]
fn two_documents() {
    let failure = refused(&format!("{GOOD}---\n{GOOD}"));
    assert!(matches!(failure, Failure::ManyDocuments { .. }), "{failure}");
    load_bytes(format!("---\n{GOOD}").as_bytes()).unwrap();
}

#[test]
fn another_version() {
    for (text, found) in [
        (
            "openapi: 3.1.0\ninfo: {title: a, version: b}\npaths: {}\n",
            "this is OpenAPI 3.1.0",
        ),
        ("openapi: 3.0\npaths: {}\n", "`openapi` is not a string"),
        ("swagger: \"2.0\"\n", "this is a Swagger 2 document"),
        ("# nothing\ninfo: {}\n", "there is no `openapi` key"),
    ] {
        match refused(text) {
            Failure::NotOpenApi30 { found: said, .. } => assert_eq!(said, found),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn an_alias_bomb() {
    let mut text = "openapi: 3.0.3\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let failure = refused(&text);
    assert!(
        matches!(failure, Failure::TooComplex { .. } | Failure::Syntax { .. }),
        "{failure}"
    );

    // Few jumps, but each copies much: the parser's own limit does not see it.
    let big = vec!["x"; 20_000].join(", ");
    let aliases = vec!["*big"; 5_000].join(", ");
    let failure = refused(&format!("openapi: 3.0.3\nbig: &big [{big}]\nbomb: [{aliases}]\n"));
    assert!(matches!(failure, Failure::TooComplex { .. }), "{failure}");
}

#[test]
fn endless_nesting() {
    for text in ["[".repeat(5_000), "- ".repeat(5_000), "a: &a [*a]\n".to_owned()] {
        let failure = refused(&text);
        assert!(matches!(failure, Failure::Syntax { .. }), "{failure}");
    }
}

#[test]
fn tags() {
    for text in ["a: !custom 1\n", "a: !custom {b: c}\n", "a: !!int x\n"] {
        let failure = refused(text);
        assert!(
            matches!(failure, Failure::Syntax { line: Some(1), .. }),
            "{text:?}: {failure}"
        );
    }
    // Where a tag of YAML itself says what is the case anyway, both parsers agree.
    let text = edited(&[("title: Shop", "title: !!str 12")]);
    assert_eq!(
        load_bytes(text.as_bytes())
            .unwrap()
            .source
            .verbatim("#/info/title")
            .unwrap(),
        "\"12\""
    );
}

/// The model's own errors name no place; ours name the innermost part that does not fit.
#[test]
fn what_does_not_fit_the_model() {
    for (edit, at) in [
        (("  version: \"2026-11-22\"\n", ""), "#/info"),
        (
            ("required: [id, total]", "required: true"),
            "#/components/schemas/GetOrderResponse",
        ),
        (
            ("_id: {type: string}", "_id: {type: [string, \"null\"]}"),
            "#/components/schemas/GetOrderResponse/properties/_id",
        ),
        (
            ("          description: Created\n", "          summary: Created\n"),
            "#/paths/~1orders/post/responses/201",
        ),
        (
            (
                "      in: query\n      description: Page",
                "      in: uri\n      description: Page",
            ),
            "#/components/parameters/Limit",
        ),
        (
            (
                "      type: apiKey\n      in: header\n      name: x-api-key",
                "      type: api\n      in: header\n      name: x-api-key",
            ),
            "#/components/securitySchemes/apiKey",
        ),
    ] {
        match refused(&edited(&[edit])) {
            Failure::Model {
                pointer, line, message, ..
            } => {
                assert_eq!(pointer, at, "{message}");
                assert!(line.is_some() && !message.is_empty());
            }
            other => panic!("{other}"),
        }
    }
}
