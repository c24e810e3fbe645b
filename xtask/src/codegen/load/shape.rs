//! The shape of an OpenAPI 3.0 document: which object may stand where, with which keys.
//!
//! The typed model ignores what it does not know, so a misspelt key vanishes without a trace. One
//! table says what each kind of object may hold; the lint and the error reports read it.

use serde_json::{Map, Value};

use crate::codegen::source::SourceMap;
use keys::Holds::{self, List, MapOfLists, One};

mod keys;

/// The kinds of object in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Components,
    Contact,
    Document,
    Example,
    ExternalDocs,
    Header,
    Info,
    License,
    MediaType,
    Message,
    Operation,
    Parameter,
    PathItem,
    Provenance,
    RequestBody,
    Response,
    Schema,
    SecurityScheme,
    Server,
    ServerLists,
    Tag,
    Webhook,
}

impl Kind {
    /// The name used in messages, with its article.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Components => "`components`",
            Self::Contact => "a contact",
            Self::Document => "the document",
            Self::Example => "an example",
            Self::ExternalDocs => "external documentation",
            Self::Header => "a header",
            Self::Info => "`info`",
            Self::License => "a license",
            Self::MediaType => "a media type",
            Self::Message => "a message",
            Self::Operation => "an operation",
            Self::Parameter => "a parameter",
            Self::PathItem => "a path item",
            Self::Provenance => "a provenance",
            Self::RequestBody => "a request body",
            Self::Response => "a response",
            Self::Schema => "a schema",
            Self::SecurityScheme => "a security scheme",
            Self::Server => "a server",
            Self::ServerLists => "`x-transak-servers`",
            Self::Tag => "a tag",
            Self::Webhook => "an entry of `x-webhooks`",
        }
    }

    /// Where `components` keeps objects of this kind, for those that may be referenced.
    pub(crate) fn section(self) -> Option<&'static str> {
        Some(match self {
            Self::Example => "examples",
            Self::Header => "headers",
            Self::Parameter => "parameters",
            Self::RequestBody => "requestBodies",
            Self::Response => "responses",
            Self::Schema => "schemas",
            Self::SecurityScheme => "securitySchemes",
            _ => return None,
        })
    }

    /// Whether objects of this kind may hold `key`.
    pub(crate) fn knows(self, key: &str) -> bool {
        self.keys().iter().any(|(name, _)| *name == key)
    }

    /// The keys objects of this kind may hold.
    pub(crate) fn key_names(self) -> impl Iterator<Item = &'static str> {
        self.keys().iter().map(|(name, _)| *name)
    }
}

/// One object of the document.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    pub(crate) kind: Kind,
    pub(crate) pointer: String,
    /// The key or index it stands under.
    pub(crate) key: String,
    /// The keyword of the parent it belongs to, such as `properties` or `oneOf`.
    pub(crate) role: &'static str,
    pub(crate) value: &'a Value,
    pub(crate) object: &'a Map<String, Value>,
    /// Index of the parent in the result of [`walk`].
    pub(crate) parent: Option<usize>,
}

impl<'a> Node<'a> {
    /// The target, if this is a reference to a component.
    pub(crate) fn reference(&self) -> Option<&'a str> {
        match self.kind.section() {
            Some(_) => self.object.get("$ref")?.as_str(),
            None => None,
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'a Value> {
        self.object.get(key)
    }

    pub(crate) fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key)?.as_str()
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.object.contains_key(key)
    }

    /// Pointer of the member `key`.
    pub(crate) fn at(&self, key: &str) -> String {
        join(&self.pointer, key)
    }
}

/// `pointer` extended by one segment.
pub(crate) fn join(pointer: &str, segment: &str) -> String {
    format!("{pointer}/{}", segment.replace('~', "~0").replace('/', "~1"))
}

/// Every object of the document that the table knows, parents before children and in the order of
/// the file, whatever order `serde_json` keeps in the current build.
///
/// References are listed but not followed. What is not an object where one should be is left out;
/// the typed model refuses most of that.
pub(crate) fn walk<'a>(json: &'a Value, source: &SourceMap) -> Vec<Node<'a>> {
    let mut walker = Walker {
        source,
        nodes: Vec::new(),
    };
    let place = Place {
        pointer: "#".to_owned(),
        role: "",
        key: "",
        parent: None,
    };
    walker.visit(Kind::Document, place, json);
    walker.nodes
}

struct Walker<'s, 'a> {
    source: &'s SourceMap,
    nodes: Vec<Node<'a>>,
}

struct Place<'k> {
    pointer: String,
    role: &'static str,
    key: &'k str,
    parent: Option<usize>,
}

impl<'a> Walker<'_, 'a> {
    fn visit(&mut self, kind: Kind, place: Place<'_>, value: &'a Value) {
        let Value::Object(object) = value else { return };
        let index = self.nodes.len();
        let pointer = place.pointer.clone();
        let node = Node {
            kind,
            pointer: place.pointer,
            key: place.key.to_owned(),
            role: place.role,
            value,
            object,
            parent: place.parent,
        };
        let leaf = node.reference().is_some();
        self.nodes.push(node);
        if leaf {
            return;
        }
        if kind == Kind::ServerLists {
            self.descend(MapOfLists(Kind::Server), &pointer, "", value, index);
        }
        for (keyword, holds) in kind.keys() {
            if let Some(value) = object.get(*keyword) {
                self.descend(*holds, &join(&pointer, keyword), keyword, value, index);
            }
        }
    }

    fn descend(&mut self, holds: Holds, pointer: &str, role: &'static str, value: &'a Value, parent: usize) {
        let visit = |walker: &mut Self, kind, pointer, key: &str, value| {
            let place = Place {
                pointer,
                role,
                key,
                parent: Some(parent),
            };
            walker.visit(kind, place, value);
        };
        match (holds, value) {
            (One(kind), _) => visit(self, kind, pointer.to_owned(), role, value),
            (List(kind), Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    let key = index.to_string();
                    visit(self, kind, join(pointer, &key), &key, item);
                }
            }
            (Holds::Map(kind), Value::Object(entries)) => {
                for (key, entry) in self.in_order(pointer, entries) {
                    visit(self, kind, join(pointer, key), key, entry);
                }
            }
            (MapOfLists(kind), Value::Object(entries)) => {
                for (key, entry) in self.in_order(pointer, entries) {
                    self.descend(List(kind), &join(pointer, key), role, entry, parent);
                }
            }
            _ => {}
        }
    }

    fn in_order(&self, pointer: &str, entries: &'a Map<String, Value>) -> Vec<(&'a String, &'a Value)> {
        let mut ordered: Vec<_> = entries.iter().collect();
        ordered.sort_by_cached_key(|(key, _)| (self.source.line(&join(pointer, key)), key.as_str()));
        ordered
    }
}
