//! README ↔ commands: every command in it is run here, as it stands. (Its Rust blocks are doctests of this crate.)

use std::process::Command;

use contract_tests::spec::root;

fn commands(language: &str) -> Vec<String> {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let fence = format!("```{language}\n");
    readme
        .split(&fence)
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .flat_map(|block| block.lines().map(str::to_owned).collect::<Vec<_>>())
        .filter(|line| !line.trim().is_empty())
        .collect()
}

#[test]
fn every_command_of_the_readme_works() {
    let commands = commands("sh");
    assert!(commands.len() >= 4, "{commands:?}");
    for command in commands {
        if command == TEST {
            // That is what runs this test; `.ci/run` calls it from a clean clone.
            let ci = std::fs::read_to_string(root().join(".ci/run")).unwrap();
            assert!(ci.lines().any(|line| line == TEST), ".ci/run does not run `{TEST}`");
            continue;
        }
        let words: Vec<&str> = command.split_whitespace().collect();
        let output = Command::new(words[0])
            .args(&words[1..])
            .current_dir(root())
            .output()
            .unwrap();
        let told = format!(
            "{}\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(output.status.success(), "{command}: {told}");
        if command.ends_with("demo") {
            for step in ["logs in", "renewals: 1", "expired", "logs out"] {
                assert!(told.to_lowercase().contains(step), "the demo does not {step}: {told}");
            }
        }
    }
}

const TEST: &str = "cargo xtask test";
