//! What lies at the top of the repository, so that nothing is added there unnoticed.

use std::collections::BTreeSet;
use std::path::Path;

/// Folders first; then what describes, licenses and configures them.
const KNOWN: [&str; 14] = [
    "crates",
    "spec",
    "tests",
    "xtask",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "deny.toml",
    "redocly.yaml",
    "rustfmt.toml",
];

/// What building and the judges of the spec leave behind, which no commit has.
const MADE: [&str; 2] = ["target", "node_modules"];

#[test]
fn nothing_else_lies_at_the_top() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let names = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name());
    let found: BTreeSet<String> = names
        .map(|name| name.into_string().unwrap())
        .filter(|name| !name.starts_with('.') && !MADE.contains(&name.as_str()))
        .collect();
    let known: BTreeSet<String> = KNOWN.map(str::to_owned).into();
    assert_eq!(found, known, "move what is new, or name it here");
}
