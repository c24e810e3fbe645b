//! Where every value of the spec stands, and how it is spelt.
//!
//! A parsed number has lost its spelling: `1.10` is 1.1 and a long price is rounded. Examples are
//! compared with money to the last digit, so the source map keeps each number's own text.
//!
//! What a scalar *is* follows serde_yaml, which the generator uses as well; this module only adds
//! the spelling. For the record, with plain (unquoted) scalars:
//!
//! | written | is | in [`SourceMap::verbatim`] |
//! |---|---|---|
//! | `~`, `null`, `Null`, `NULL`, nothing | null | `null` |
//! | `true`, `True`, `TRUE`, `false`, … | boolean | `true`, `false` |
//! | `yes`, `no`, `on`, `off` | string | the string |
//! | a JSON number, `1.10`, `3.26e-7`, `-0` | number | the same text |
//! | `007`, `-01` | string | the string |
//! | `2026-11-22`, `1_000`, `12:30`, `1e999` | string | the string |
//! | `+1`, `.5`, `1.`, `01.5`, `0x1f`, `0o17`, `0b1` | number | refused: write a JSON number or quote it |
//! | `.inf`, `.nan` | not in JSON | refused by the loader |
//! | `*alias` of a number | number | refused: the alias has no spelling of its own |
//!
//! Quoted and block scalars are always strings.

use std::path::Path;

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};
use serde_json::{Map, Value};

use super::{load::shape::join, problem::Failure};

/// Lines and spellings by JSON pointer.
///
/// Pointers may start with `#` or be bare (`#/info/title`, `/info/title`, `#`, empty).
#[derive(Debug, Clone)]
pub struct SourceMap {
    root: Node,
}

#[derive(Debug, Clone)]
struct Node {
    line: usize,
    tree: Tree,
}

#[derive(Debug, Clone)]
enum Tree {
    /// Compact JSON text.
    Leaf(String),
    List(Vec<Node>),
    /// In source order.
    Map(Vec<(String, Node)>),
}

impl SourceMap {
    /// Maps `text`, which serde_yaml has read as `json`.
    pub(crate) fn new(path: &Path, text: &str, json: &Value) -> Result<Self, Failure> {
        let documents = MarkedYaml::load_from_str(text).map_err(|error| Failure::Syntax {
            path: path.to_owned(),
            line: Some(error.marker().line()),
            message: error.info().to_owned(),
        })?;
        let builder = Builder {
            path,
            spelling: Spelling::new(text),
        };
        let root = match documents.first() {
            Some(document) => builder.node(document, json, "#", 1)?,
            None => Node {
                line: 1,
                tree: Tree::Leaf("null".to_owned()),
            },
        };
        Ok(Self { root })
    }

    /// The 1-based line of the value at `pointer`, or of its nearest ancestor in the file.
    ///
    /// For a member of a mapping that is the line of its key. What is reached through an alias is
    /// reported where it is written, at the anchor. `None` only for a malformed pointer.
    pub fn line(&self, pointer: &str) -> Option<usize> {
        let mut node = &self.root;
        for segment in segments(pointer)? {
            match node.child(&segment) {
                Some(child) => node = child,
                None => break,
            }
        }
        Some(node.line)
    }

    /// The value at `pointer` as compact JSON text: keys in source order, numbers as written.
    pub fn verbatim(&self, pointer: &str) -> Option<String> {
        let mut node = &self.root;
        for segment in segments(pointer)? {
            node = node.child(&segment)?;
        }
        let mut text = String::new();
        node.write(&mut text);
        Some(text)
    }

    /// The keys of the mapping at `pointer`, in source order.
    pub fn keys(&self, pointer: &str) -> Option<Vec<&str>> {
        let mut node = &self.root;
        for segment in segments(pointer)? {
            node = node.child(&segment)?;
        }
        match &node.tree {
            Tree::Map(entries) => Some(entries.iter().map(|(key, _)| key.as_str()).collect()),
            Tree::Leaf(_) | Tree::List(_) => None,
        }
    }
}

/// The unescaped segments of a JSON pointer.
fn segments(pointer: &str) -> Option<Vec<String>> {
    let pointer = pointer.strip_prefix('#').unwrap_or(pointer);
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    Some(
        pointer
            .strip_prefix('/')?
            .split('/')
            .map(|segment| segment.replace("~1", "/").replace("~0", "~"))
            .collect(),
    )
}

impl Node {
    fn child(&self, segment: &str) -> Option<&Self> {
        match &self.tree {
            Tree::Leaf(_) => None,
            Tree::List(items) => items.get(segment.parse::<usize>().ok()?),
            Tree::Map(entries) => entries.iter().find_map(|(key, node)| (key == segment).then_some(node)),
        }
    }

    fn write(&self, out: &mut String) {
        match &self.tree {
            Tree::Leaf(text) => out.push_str(text),
            Tree::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Tree::Map(entries) => {
                out.push('{');
                for (index, (key, node)) in entries.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    out.push_str(&quoted(key));
                    out.push(':');
                    node.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// Walks both parsers' trees side by side.
struct Builder<'a> {
    path: &'a Path,
    spelling: Spelling<'a>,
}

impl Builder<'_> {
    fn node(&self, yaml: &MarkedYaml<'_>, json: &Value, pointer: &str, line: usize) -> Result<Node, Failure> {
        let tree = match (&yaml.data, json) {
            (YamlData::Mapping(entries), Value::Object(object)) if entries.len() == object.len() => {
                let mut map = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    map.push(self.entry(key, value, object, pointer)?);
                }
                Tree::Map(map)
            }
            (YamlData::Sequence(items), Value::Array(values)) if items.len() == values.len() => {
                let mut list = Vec::with_capacity(items.len());
                for (index, (item, value)) in items.iter().zip(values).enumerate() {
                    let pointer = join(pointer, &index.to_string());
                    list.push(self.node(item, value, &pointer, item.span.start.line())?);
                }
                Tree::List(list)
            }
            (YamlData::Value(scalar), Value::Null | Value::Bool(_)) => {
                // Only a string could be meant otherwise, and only where the parsers disagree.
                if matches!(scalar, Scalar::String(_)) && !self.spelling.is_plain(yaml) {
                    return Err(self.disagreement(pointer, line));
                }
                Tree::Leaf(json.to_string())
            }
            (YamlData::Value(scalar), Value::String(string)) => {
                let agreed = match scalar {
                    Scalar::String(text) => text == string,
                    _ => self.spelling.is_alias(yaml) || self.spelling.of(yaml) == string,
                };
                if !agreed {
                    return Err(self.disagreement(pointer, line));
                }
                Tree::Leaf(json.to_string())
            }
            (YamlData::Value(_), Value::Number(number)) => Tree::Leaf(self.number(yaml, number, pointer, line)?),
            // An empty file.
            (YamlData::BadValue, Value::Null) => Tree::Leaf("null".to_owned()),
            _ => return Err(self.disagreement(pointer, line)),
        };
        Ok(Node { line, tree })
    }

    fn entry(
        &self,
        key: &MarkedYaml<'_>,
        value: &MarkedYaml<'_>,
        object: &Map<String, Value>,
        pointer: &str,
    ) -> Result<(String, Node), Failure> {
        let line = key.span.start.line();
        let name = match &key.data {
            YamlData::Value(Scalar::String(text)) => text.as_ref(),
            YamlData::Value(_) => self.spelling.of(key),
            _ => return Err(self.disagreement(pointer, line)),
        };
        let pointer = join(pointer, name);
        match object.get(name) {
            Some(json) => Ok((name.to_owned(), self.node(value, json, &pointer, line)?)),
            None => Err(self.disagreement(&pointer, line)),
        }
    }

    fn number(
        &self,
        yaml: &MarkedYaml<'_>,
        number: &serde_json::Number,
        pointer: &str,
        line: usize,
    ) -> Result<String, Failure> {
        let text = self.spelling.of(yaml);
        let refused = |message: String| Failure::Scalar {
            path: self.path.to_owned(),
            line,
            pointer: pointer.to_owned(),
            message,
        };
        if self.spelling.is_alias(yaml) {
            return Err(refused(format!(
                "`{text}` stands for a number, whose spelling an alias loses; write the number out"
            )));
        }
        if !is_json_number(text) {
            return Err(refused(format!(
                "`{text}` is a number in YAML but not in JSON; write it as {number}, or quote it if it is text"
            )));
        }
        if text.parse::<f64>().ok() != number.as_f64() {
            return Err(self.disagreement(pointer, line));
        }
        Ok(text.to_owned())
    }

    fn disagreement(&self, pointer: &str, line: usize) -> Failure {
        Failure::Scalar {
            path: self.path.to_owned(),
            line,
            pointer: pointer.to_owned(),
            message: "two YAML parsers read this value differently; write it in a plainer way, without tags".to_owned(),
        }
    }
}

/// The text of scalars by their place. Places count characters, slices count bytes.
struct Spelling<'a> {
    text: &'a str,
    /// Byte offset of every character; empty when they are the same.
    offsets: Vec<usize>,
}

impl<'a> Spelling<'a> {
    fn new(text: &'a str) -> Self {
        let offsets = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().map(|(offset, _)| offset).collect()
        };
        Self { text, offsets }
    }

    fn byte(&self, character: usize) -> usize {
        if self.offsets.is_empty() {
            return character;
        }
        self.offsets.get(character).copied().unwrap_or(self.text.len())
    }

    /// The scalar as written, without an anchor or tag in front.
    fn of(&self, yaml: &MarkedYaml<'_>) -> &'a str {
        let start = self.byte(yaml.span.start.index());
        let end = self.byte(yaml.span.end.index());
        let mut text = self.text.get(start..end).unwrap_or_default().trim();
        while text.starts_with(['&', '!']) {
            text = text
                .split_once(char::is_whitespace)
                .map_or("", |(_, rest)| rest.trim_start());
        }
        text
    }

    fn is_alias(&self, yaml: &MarkedYaml<'_>) -> bool {
        self.of(yaml).starts_with('*')
    }

    fn is_plain(&self, yaml: &MarkedYaml<'_>) -> bool {
        !self.of(yaml).starts_with(['"', '\'', '|', '>'])
    }
}

/// Whether `text` is a number by RFC 8259, section 6.
fn is_json_number(text: &str) -> bool {
    fn digits(text: &str) -> (usize, &str) {
        let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
        (text.len() - rest.len(), rest)
    }
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (count, mut rest) = digits(unsigned);
    if count == 0 || (count > 1 && unsigned.starts_with('0')) {
        return false;
    }
    if let Some(fraction) = rest.strip_prefix('.') {
        let (count, after) = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = after;
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let (count, after) = digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
        if count == 0 {
            return false;
        }
        rest = after;
    }
    rest.is_empty()
}
