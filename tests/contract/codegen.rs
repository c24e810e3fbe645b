//! Spec ↔ generated files: current, the same every time, and a stale one is told with a diff.

use std::fs;

use contract_tests::spec::root;
use xtask::codegen::{self, Failure, Options, format, write};

#[test]
fn committed_files_are_what_the_spec_says_and_two_runs_are_the_same() {
    let options = Options::workspace(root());
    let first = codegen::generate(&options.spec).unwrap();
    let second = codegen::generate(&options.spec).unwrap();
    assert_eq!(first, second);
    write::check(&first, &options.root).unwrap();
}

#[test]
fn check_prints_a_diff_and_the_command_and_write_repairs() {
    let folder = tempfile::tempdir().unwrap();
    let outputs = codegen::generate(&root().join("spec/transak.yaml")).unwrap();
    assert_eq!(write::write(&outputs, folder.path()).unwrap().len(), outputs.len());
    assert_eq!(
        write::write(&outputs, folder.path()).unwrap(),
        Vec::<String>::new(),
        "nothing left to do"
    );

    let surface = folder.path().join("spec/surface.txt");
    let text = fs::read_to_string(&surface)
        .unwrap()
        .replace("safety=once", "safety=safe");
    fs::write(&surface, text).unwrap();
    let leftover = folder.path().join("crates/transak-client/src/generated/leftover.rs");
    fs::write(&leftover, "// from an older spec").unwrap();

    let failure = write::check(&outputs, folder.path()).unwrap_err();
    assert!(matches!(&failure, Failure::Stale { files: 2, .. }), "{failure:?}");
    let told = failure.to_string();
    for expected in [
        "cargo xtask codegen",
        "--- spec/surface.txt",
        "+operation sendUserOtp",
        "-operation sendUserOtp",
        "leftover.rs",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    let mut repaired = write::write(&outputs, folder.path()).unwrap();
    repaired.sort();
    assert_eq!(
        repaired,
        ["crates/transak-client/src/generated/leftover.rs", "spec/surface.txt"]
    );
    write::check(&outputs, folder.path()).unwrap();
}

#[test]
fn every_generated_file_says_where_it_comes_from() {
    for output in codegen::generate(&root().join("spec/transak.yaml")).unwrap() {
        assert!(output.text.contains("cargo xtask codegen"), "{}", output.path);
        if output.path.ends_with(".rs") {
            assert!(output.text.contains("spec sha256 "), "{}", output.path);
            assert!(
                !output.text.contains("```ignore"),
                "{}: a test nobody runs",
                output.path
            );
        }
    }
}

#[test]
fn the_header_names_the_versions_of_the_lock_file() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for (name, version) in [("progenitor", format::PROGENITOR), ("typify", format::TYPIFY)] {
        assert!(
            lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"")),
            "{name} is not {version}"
        );
    }
}
