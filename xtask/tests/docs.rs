//! The HTML reference: everything is in it, and it loads nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::Value;
use xtask::api::Api;
use xtask::docs::{absent, external, lowered, page};

/// Stands for the renderer, with what a careless one would hold.
const RENDERER: &str = r#"var logo = "https://cdn.redoc.ly/redoc/logo-mini.svg"; var html = "<!-- <script></script>";"#;

fn spec() -> Value {
    let path = xtask::steps::workspace_root().join("spec/transak.yaml");
    xtask::codegen::load::load(&path).unwrap().json
}

/// The spec as the page holds it, read the way a browser does.
fn embedded(html: &str) -> Value {
    let (_, rest) = html
        .split_once("<script type=\"application/json\" id=\"spec\">")
        .unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn every_operation_is_in_the_page_and_nothing_is_loaded() {
    let spec = spec();
    let html = page(&spec, RENDERER);
    assert_eq!(external(&html), Vec::<String>::new());
    assert_eq!(absent(&spec, &html), Vec::<String>::new());
    assert!(!html.contains("cdn.redoc.ly"));
    let embedded = embedded(&html);
    let ids = |spec: &Value| {
        let operations = Api::read(spec).operations;
        operations
            .iter()
            .map(|one| one.id.unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert!(ids(&spec).len() >= 17);
    assert_eq!(ids(&embedded), ids(&spec));
}

#[test]
fn the_provenance_is_where_a_reader_sees_it() {
    let spec = spec();
    let html = page(&spec, RENDERER);
    let embedded = embedded(&html);
    for (old, new) in Api::read(&spec).operations.iter().zip(&Api::read(&embedded).operations) {
        let provenance = &old.value["x-transak-provenance"];
        let confidence = provenance["confidence"].as_str().unwrap();
        let description = new.value["description"].as_str().unwrap();
        assert!(
            description.starts_with(old.value["description"].as_str().unwrap().trim_end()),
            "{}",
            old.name()
        );
        assert!(
            description.contains(&format!("**Provenance: {confidence}**")),
            "{description}"
        );
        assert!(description.contains("**Safety: "), "{description}");
        for source in provenance["source"].as_array().unwrap() {
            assert!(description.contains(source.as_str().unwrap()), "{description}");
        }
        for note in provenance["notes"].as_array().into_iter().flatten() {
            assert!(description.contains(note.as_str().unwrap()), "{description}");
        }
        assert_eq!(new.value["x-badges"][0]["name"], confidence);
    }
    for (name, schema) in Api::read(&embedded).schemas() {
        assert!(
            schema["description"].as_str().unwrap().contains("**Provenance: "),
            "{name}"
        );
    }
}

#[test]
fn examples_are_not_touched() {
    let spec = spec();
    let lowered = lowered(&spec);
    for (old, new) in Api::read(&spec).operations.iter().zip(&Api::read(&lowered).operations) {
        for (status, response) in &old.responses {
            let examples =
                |response: &serde_json::Map<String, Value>| response["content"]["application/json"]["examples"].clone();
            if response.contains_key("content") {
                assert_eq!(
                    examples(new.responses[status]),
                    examples(response),
                    "{} {status}",
                    old.name()
                );
            }
        }
    }
}

#[test]
fn texts_cannot_end_the_script_they_stand_in() {
    let mut spec = spec();
    let evil = "</script><img src=https://evil.example/x onerror=alert(1)><!--";
    spec["info"]["title"] = evil.into();
    spec["info"]["description"] = evil.into();
    let html = page(&spec, RENDERER);
    assert_eq!(external(&html), Vec::<String>::new());
    assert_eq!(embedded(&html)["info"]["description"], evil);
    assert_eq!(html.matches("</script>").count(), 3);
    assert!(!html.contains("<img"));
}

#[test]
fn the_check_finds_whatever_loads() {
    let good = page(&spec(), RENDERER);
    for (name, bad) in [
        ("script", "<script src=\"https://cdn.example/x.js\"></script>"),
        ("relative", "<script src='x.js'></script>"),
        ("style sheet", "<LINK rel=stylesheet href=//cdn.example/x.css>"),
        ("import", "<style>@import \"https://fonts.example/x.css\";</style>"),
        (
            "font",
            "<style>@font-face { src: url( 'https://fonts.example/x.woff2') }</style>",
        ),
        (
            "image",
            "<p><img alt=\"a > b\" src = \"http://example.com/x.png\"/></p>",
        ),
        ("svg", "<svg><use href=\"https://example.com/x.svg#a\"/></svg>"),
        ("frame", "<iframe src=\"https://example.com\"></iframe>"),
        (
            "inline style",
            "<p style=\"background: url(https://example.com/x.png)\">x</p>",
        ),
        ("base", "<base href=\"https://example.com/\">"),
    ] {
        let html = good.replace("<body>", &format!("<body>{bad}"));
        assert_eq!(external(&html).len(), 1, "{name}: {:?}", external(&html));
    }
    let links = good.replace(
        "<body>",
        "<body><a href=\"https://example.com\">x</a><img src=\"data:image/gif;base64,\">",
    );
    assert_eq!(external(&links), Vec::<String>::new());
    assert_eq!(external(&good.replace("Content-Security-Policy", "X")).len(), 1);
    assert_eq!(external(&good.replace("default-src 'none'", "default-src *")).len(), 1);
}

#[test]
fn the_check_finds_lost_operations() {
    let spec = spec();
    let html = page(&spec, RENDERER).replace("\"operationId\":\"getOrders\"", "");
    assert_eq!(absent(&spec, &html), ["getOrders"]);
}
