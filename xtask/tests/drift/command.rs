//! The command and its exit status.

use std::path::Path;
use std::process::{Command, Output};

use super::{CREATE_ORDER, GET_ORDER, OURS};

fn drift(spec: &Path, folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command
        .arg("drift")
        .arg(folder)
        .arg("--spec")
        .arg(spec)
        .output()
        .unwrap()
}

#[test]
fn the_exit_status_says_what_was_found() {
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("shop.yaml");
    std::fs::write(&spec, OURS).unwrap();
    let pages = folder.path().join("pages");
    std::fs::create_dir_all(pages.join("user")).unwrap();
    let status = |file: &str, page: &str| {
        std::fs::write(pages.join(file), page).unwrap();
        let output = drift(&spec, &pages);
        let told = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        (output.status.code().unwrap(), told)
    };
    let (code, told) = status("user/get-order.md", GET_ORDER);
    assert_eq!(code, 0, "{told}");
    assert!(
        told.contains("agrees") && told.contains("No page here for 1 of our operations: createOrder"),
        "{told}"
    );
    let (code, told) = status("create-order.md", &CREATE_ORDER[..CREATE_ORDER.len() - 70]);
    assert_eq!(code, 2, "{told}");
    assert!(
        told.contains("create-order.md:") && told.contains("not everything"),
        "{told}"
    );
    let (code, told) = status("create-order.md", &CREATE_ORDER.replace("size:", "count:"));
    assert_eq!(code, 1, "{told}");
    assert!(
        told.contains("POST /orders  (create-order.md)\n  - body.count: is missing here"),
        "{told}"
    );
    // Other files are left alone.
    let (code, told) = status("package.json", "{\"name\": \"x\"}");
    assert_eq!(code, 1, "{told}");
}

#[test]
fn a_folder_that_cannot_be_compared_has_a_status_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("shop.yaml");
    std::fs::write(&spec, OURS).unwrap();
    let pages = folder.path().join("pages");
    let output = drift(&spec, &pages);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    std::fs::create_dir(&pages).unwrap();
    std::fs::write(pages.join("guide.md"), "# A guide\n\nWithout OpenAPI.\n").unwrap();
    let output = drift(&spec, &pages);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("help: save the reference's pages"),
        "{output:?}"
    );
    let output = drift(&pages, &pages);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
}
