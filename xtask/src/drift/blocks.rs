//! Finds the OpenAPI blocks of a page and reads them, whole or not.

use std::fmt;
use std::path::Path;

use serde_json::Value;

use crate::codegen::{load, problem::Failure};

/// A block or file that holds OpenAPI, as far as it could be read.
#[derive(Debug, Clone)]
pub struct Fragment {
    /// The file's name below the folder.
    pub file: String,
    /// What it says. Nothing if not even its beginning can be read.
    pub document: Option<Value>,
    /// Whether this is a whole document and not the fragment of a page.
    pub whole: bool,
    /// Why there may be more than what could be read.
    pub trouble: Option<Trouble>,
}

/// What keeps a page from being read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The file's name below the folder.
    pub file: String,
    /// 1-based line in the file.
    pub line: usize,
    /// What is wrong there, and how far the page was read.
    pub what: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// Lines that are dropped one by one before larger steps are taken.
const SMALL_STEPS: usize = 32;
/// More brackets than this inside of each other are no page.
const MAX_DEPTH: usize = 1_000;
/// Above every block that holds OpenAPI.
const HEADING: &str = "## OpenAPI Specification";

/// The OpenAPI blocks of a page. Blocks of other things are left out.
#[must_use]
pub fn fragments(file: &str, page: &str) -> Vec<Fragment> {
    let lines: Vec<&str> = page.lines().collect();
    let mut found = Vec::new();
    let mut next = 0;
    let mut announced = None;
    while let Some(line) = lines.get(next) {
        next += 1;
        if line.trim() == HEADING {
            announced = Some(next);
        }
        let Some(fence) = Fence::open(line) else { continue };
        let from = next;
        let end = lines.iter().skip(from).position(|line| fence.closes(line));
        let to = end.map_or(lines.len(), |end| from + end);
        next = to + 1;
        if !fence.data {
            continue;
        }
        if fence.said.contains("openapi:") {
            let what = "the line breaks of this block are lost, so it cannot be read; save the page again";
            found.push(Fragment::unread(file, from, what));
            announced = None;
            continue;
        }
        let body: Vec<&str> = lines
            .get(from..to)
            .unwrap_or_default()
            .iter()
            .map(|line| fence.dedented(line))
            .collect();
        if !body.iter().any(|line| is_openapi(line)) {
            // Another thing, or a block that ends before its first line does.
            if end.is_none() && announced.is_some() {
                let what = "the page ends where its OpenAPI block begins";
                found.push(Fragment::unread(file, lines.len(), what));
                announced = None;
            }
            continue;
        }
        announced = None;
        let cut = end.is_none().then(|| !page.ends_with('\n'));
        found.push(block(file, from, &body, cut));
    }
    if let Some(line) = announced {
        found.push(Fragment::unread(
            file,
            line,
            "the page ends where its OpenAPI block should begin",
        ));
    }
    found
}

/// A file that holds one document and nothing else; nothing if it is no OpenAPI at all, such as a lock file.
pub(super) fn whole(file: &str, text: &str) -> Option<Fragment> {
    let json = file.ends_with(".json");
    let read = if json {
        serde_json::from_str(text).map_err(|error| Misread {
            line: Some(error.line()),
            what: error.to_string(),
            hopeless: true,
        })
    } else {
        parse(text)
    };
    match read {
        Ok(document) => is_document(&document).then(|| Fragment {
            file: file.to_owned(),
            document: Some(document),
            whole: true,
            trouble: None,
        }),
        Err(Misread { line, what, .. }) => {
            let lines: Vec<&str> = text.lines().collect();
            if json || !lines.iter().any(|line| is_openapi(line)) {
                return Some(Fragment::unread(file, line.unwrap_or(1), &what));
            }
            Some(block(file, 0, &lines, None)).map(|fragment| Fragment {
                whole: true,
                ..fragment
            })
        }
    }
}

impl Fragment {
    fn unread(file: &str, line: usize, what: &str) -> Self {
        Self {
            file: file.to_owned(),
            document: None,
            whole: false,
            trouble: Some(Trouble {
                file: file.to_owned(),
                line,
                what: what.to_owned(),
            }),
        }
    }
}

/// Reads a block that starts after line `before` of the page. `cut` says that it has no end, and whether even its last
/// line has none.
fn block(file: &str, before: usize, lines: &[&str], cut: Option<bool>) -> Fragment {
    let mut end = lines.len();
    let mut trouble = cut.map(|mid_line| {
        end = before_last_node(lines, end);
        let place = if mid_line {
            "the page ends in the middle of a line"
        } else {
            "the page ends"
        };
        (before + lines.len(), format!("{place}, before its code block does"))
    });
    let mut step = 0;
    let mut document = None;
    while end > 0 {
        match parse(&lines.get(..end).unwrap_or_default().join("\n")) {
            Ok(value) => {
                document = is_document(&value).then_some(value);
                break;
            }
            Err(Misread { line, what, hopeless }) => {
                trouble.get_or_insert_with(|| (before + line.unwrap_or(end), format!("no valid YAML ({what})")));
                if hopeless {
                    break;
                }
                // What the parser stumbles over is at or above the line it names.
                let back = if step < SMALL_STEPS {
                    0
                } else {
                    1 << (step - SMALL_STEPS).min(20)
                };
                let line = line.map_or(end, |line| line.min(end)).min(end.saturating_sub(back));
                end = before_last_node(lines, line);
                step += 1;
            }
        }
    }
    let trouble = trouble.map(|(line, what)| Trouble {
        file: file.to_owned(),
        line: line.max(1),
        what: match &document {
            Some(_) => format!("{what}; compared up to line {}", before + end),
            None => format!("{what}; nothing of it could be compared"),
        },
    });
    let trouble = match (trouble, &document) {
        (None, None) => Fragment::unread(file, before + 1, "this OpenAPI block is no mapping with `paths`").trouble,
        (trouble, _) => trouble,
    };
    Fragment {
        file: file.to_owned(),
        document,
        whole: false,
        trouble,
    }
}

/// Why a text is no YAML that we read.
struct Misread {
    line: Option<usize>,
    what: String,
    /// Whether a shorter text is not worth a try.
    hopeless: bool,
}

fn parse(text: &str) -> Result<Value, Misread> {
    // The parser's time grows with the square of the depth, long before it refuses it.
    let (mut depth, mut deepest) = (0_usize, 0);
    for (index, line) in text.lines().enumerate() {
        for byte in line.bytes() {
            match byte {
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            deepest = deepest.max(depth);
        }
        if deepest > MAX_DEPTH {
            return Err(Misread {
                line: Some(index + 1),
                what: format!("more than {MAX_DEPTH} brackets inside of each other"),
                hopeless: true,
            });
        }
    }
    load::json::parse(Path::new(""), text).map_err(|failure| {
        let hopeless = matches!(failure, Failure::TooComplex { .. });
        let (line, what) = match failure {
            Failure::Syntax { line, message, .. } => (line, message),
            Failure::DuplicateKey { line, key, .. } => (line, format!("the key `{key}` is there twice")),
            Failure::MergeKey { line, .. } => (line, "a merge key".to_owned()),
            Failure::TooComplex { line, .. } => (line, "too many nodes".to_owned()),
            other => (None, other.to_string()),
        };
        Misread { line, what, hopeless }
    })
}

/// Where the last value of the first `end` lines starts. Half a value is worse than none, and any line may go on in the
/// next; that a list may have been longer is allowed for by the comparison.
fn before_last_node(lines: &[&str], end: usize) -> usize {
    let lines = lines.get(..end).unwrap_or(lines);
    lines.iter().rposition(|line| starts_node(line)).unwrap_or(0)
}

fn is_openapi(line: &str) -> bool {
    line.starts_with("openapi:") || line.starts_with("paths:") || line.starts_with("\"openapi\":")
}

/// Whether a value may begin on this line, and not only go on.
fn starts_node(line: &str) -> bool {
    let text = line.trim();
    text.starts_with("- ") || text.ends_with(':') || text.contains(": ")
}

fn is_document(value: &Value) -> bool {
    value.get("paths").is_some_and(Value::is_object) || value.get("openapi").is_some()
}

/// The line that opens a code block.
struct Fence<'a> {
    indent: usize,
    mark: char,
    length: usize,
    /// What stands behind the marks.
    said: &'a str,
    /// Whether it says YAML or JSON, or nothing.
    data: bool,
}

impl<'a> Fence<'a> {
    fn open(line: &'a str) -> Option<Self> {
        let text = line.trim_start();
        let mark = text.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
        let said = text.trim_start_matches(mark);
        let length = text.len() - said.len();
        if length < 3 || (mark == '`' && said.contains('`')) {
            return None;
        }
        let language = said.split_whitespace().next().unwrap_or_default().to_lowercase();
        Some(Self {
            indent: line.len() - text.len(),
            mark,
            length,
            said,
            data: matches!(language.as_str(), "" | "yaml" | "yml" | "json"),
        })
    }

    fn closes(&self, line: &str) -> bool {
        let text = line.trim();
        text.len() >= self.length && text.chars().all(|mark| mark == self.mark)
    }

    /// The line without the indentation of the block.
    fn dedented<'l>(&self, line: &'l str) -> &'l str {
        let spaces = line.bytes().take(self.indent).take_while(|byte| *byte == b' ').count();
        line.get(spaces..).unwrap_or(line)
    }
}
