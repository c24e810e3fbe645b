//! What can be wrong with the spec, and how it is told.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// One thing the lint refuses: where it is, what it is and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The kebab-case name of the rule, one of [`RULES`](crate::codegen::lint::RULES).
    pub rule: &'static str,
    /// The file the problem is in, as it was given to the loader.
    pub path: PathBuf,
    /// JSON pointer into the document, such as `#/paths/~1api~1v2~1orders/get`.
    pub pointer: String,
    /// 1-based line of the pointer, or of its nearest ancestor that is in the file.
    pub line: Option<usize>,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error[{}]: {}", self.rule, self.message)?;
        let place = Place {
            path: &self.path,
            line: self.line,
        };
        writeln!(f, "  --> {place}  ({})", self.pointer)?;
        write!(f, "  help: {}", self.help)
    }
}

/// Why a run of the generator stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The file cannot be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is larger than any honest spec.
    #[error("{} is larger than {limit} bytes; that is no spec of ours", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The largest size accepted, in bytes.
        limit: u64,
    },
    /// The file is not text in UTF-8.
    #[error("{}: not UTF-8 (save the file as UTF-8)", Place { path, line: Some(*line) })]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Line of the first byte that does not fit.
        line: usize,
    },
    /// The YAML cannot be parsed.
    #[error("{}: invalid YAML: {message}", Place { path, line: *line })]
    Syntax {
        /// The file.
        path: PathBuf,
        /// 1-based line, when the parser knows it.
        line: Option<usize>,
        /// What the parser said.
        message: String,
    },
    /// A mapping has the same key twice; parsers would silently keep one of the values.
    #[error("{}: duplicate key `{key}`; remove or rename one of the two", Place { path, line: *line })]
    DuplicateKey {
        /// The file.
        path: PathBuf,
        /// Line of the second occurrence.
        line: Option<usize>,
        /// The key.
        key: String,
    },
    /// A merge key (`<<`), which YAML 1.2 and the generator's parser do not merge.
    #[error("{}: merge keys (`<<`) are not merged by YAML 1.2; alias the whole value or write it out", Place { path, line: *line })]
    MergeKey {
        /// The file.
        path: PathBuf,
        /// Line of the key.
        line: Option<usize>,
    },
    /// More nodes than any honest spec once aliases are followed.
    #[error("{}: more than {limit} nodes once aliases are followed (an alias bomb?)", Place { path, line: *line })]
    TooComplex {
        /// The file.
        path: PathBuf,
        /// Where the limit was passed.
        line: Option<usize>,
        /// The limit.
        limit: usize,
    },
    /// A scalar whose exact text cannot be carried over into JSON.
    #[error("{}: {message}  ({pointer})", Place { path, line: Some(*line) })]
    Scalar {
        /// The file.
        path: PathBuf,
        /// Line of the scalar.
        line: usize,
        /// Its JSON pointer.
        pointer: String,
        /// What is wrong with it.
        message: String,
    },
    /// The file holds several YAML documents.
    #[error("{}: more than one YAML document; keep the spec in one, without `---` in the middle", path.display())]
    ManyDocuments {
        /// The file.
        path: PathBuf,
    },
    /// The document is not OpenAPI 3.0.
    #[error("{}: {found}; the generator reads OpenAPI 3.0.x only (`openapi: 3.0.3`)", Place { path, line: *line })]
    NotOpenApi30 {
        /// The file.
        path: PathBuf,
        /// Line of the `openapi` key, if there is one.
        line: Option<usize>,
        /// What was found instead.
        found: String,
    },
    /// The document is YAML but not an OpenAPI document.
    #[error("{}: not a valid OpenAPI document: {message}  ({pointer})", Place { path, line: *line })]
    Model {
        /// The file.
        path: PathBuf,
        /// Line of the innermost part that does not fit.
        line: Option<usize>,
        /// JSON pointer of that part.
        pointer: String,
        /// What does not fit.
        message: String,
    },
    /// The lint found something; all of it is listed.
    #[error("{}", Listing(.0))]
    Lint(Vec<Problem>),
    /// The generator refused a document that passed the lint.
    #[error("the generator failed on a document that passed the lint: {0}")]
    Generator(String),
    /// An output cannot be read or written.
    #[error("cannot read or write {}: {error}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        error: std::io::Error,
    },
    /// Committed files differ from what the spec says.
    #[error("{files} generated file(s) out of date; run `cargo xtask codegen`\n{diff}")]
    Stale {
        /// How many files differ.
        files: usize,
        /// Unified diff from the committed to the expected texts.
        diff: String,
    },
}

/// `path:line`, or the path alone.
struct Place<'a> {
    path: &'a Path,
    line: Option<usize>,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        match self.line {
            Some(line) => write!(f, ":{line}"),
            None => Ok(()),
        }
    }
}

/// All problems, a blank line between them, and their number.
struct Listing<'a>(&'a [Problem]);

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in self.0 {
            writeln!(f, "{problem}\n")?;
        }
        match self.0.len() {
            1 => write!(f, "1 problem in the spec"),
            n => write!(f, "{n} problems in the spec"),
        }
    }
}
