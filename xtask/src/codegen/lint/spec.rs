//! The document as the rules want to see it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::codegen::load::{
    Document,
    shape::{self, Kind, Node},
};

/// How many references in a row are followed; a longer chain is a circle.
const MAX_HOPS: usize = 16;

/// Prefix of every reference the generator can follow.
pub(super) const COMPONENTS: &str = "#/components/";

/// All objects of a document, its operations, and what its responses reach.
pub(super) struct Spec<'a> {
    pub(super) json: &'a Value,
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) operations: Vec<Operation<'a>>,
    /// For each of `nodes`, whether a response reaches it.
    from_response: Vec<bool>,
}

/// An operation with what its path gives it.
pub(super) struct Operation<'a> {
    /// Index in [`Spec::nodes`].
    pub(super) index: usize,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) id: Option<&'a str>,
    /// Those of the path item first.
    pub(super) parameters: Vec<Parameter<'a>>,
}

/// A parameter, references followed.
pub(super) struct Parameter<'a> {
    /// Where the operation or path item lists it, before following a reference.
    pub(super) pointer: String,
    pub(super) name: &'a str,
    pub(super) location: &'a str,
}

impl<'a> Spec<'a> {
    pub(super) fn new(doc: &'a Document) -> Self {
        let nodes = shape::walk(&doc.json, &doc.source);
        let mut spec = Self {
            json: &doc.json,
            operations: Vec::new(),
            from_response: Vec::new(),
            nodes,
        };
        spec.operations = spec.find_operations();
        // A message is read like an answer.
        spec.from_response = spec.reachable(|node| matches!(node.kind, Kind::Response | Kind::Message));
        spec
    }

    /// All objects of one kind, references left out.
    pub(super) fn all(&self, kind: Kind) -> impl Iterator<Item = &Node<'a>> {
        self.nodes
            .iter()
            .filter(move |node| node.kind == kind && node.reference().is_none())
    }

    /// All schemas, references left out.
    pub(super) fn schemas(&self) -> impl Iterator<Item = &Node<'a>> {
        self.all(Kind::Schema)
    }

    /// The named schemas, including those that are only a reference.
    pub(super) fn named_schemas(&self) -> impl Iterator<Item = &Node<'a>> {
        self.nodes
            .iter()
            .filter(|node| node.kind == Kind::Schema && self.is_component(node))
    }

    /// All schemas a response reaches, references left out.
    pub(super) fn response_schemas(&self) -> impl Iterator<Item = &Node<'a>> {
        self.nodes
            .iter()
            .zip(&self.from_response)
            .filter(|(node, reached)| **reached && node.kind == Kind::Schema && node.reference().is_none())
            .map(|(node, _)| node)
    }

    /// The operation's object.
    pub(super) fn node(&self, operation: &Operation<'a>) -> &Node<'a> {
        &self.nodes[operation.index]
    }

    pub(super) fn parent(&self, node: &Node<'a>) -> Option<&Node<'a>> {
        self.nodes.get(node.parent?)
    }

    /// Whether the object is an entry of a section of `components`.
    pub(super) fn is_component(&self, node: &Node<'a>) -> bool {
        self.parent(node).is_some_and(|parent| parent.kind == Kind::Components)
    }

    /// The object a reference stands for, or the object itself, with its pointer.
    pub(super) fn resolve(&self, value: &'a Value, pointer: &str) -> Option<(&'a Value, String)> {
        let mut value = value;
        let mut pointer = pointer.to_owned();
        for _ in 0..MAX_HOPS {
            let Some(target) = value.get("$ref") else {
                return Some((value, pointer));
            };
            let target = target.as_str()?;
            value = self.json.pointer(target.strip_prefix('#')?)?;
            pointer = target.to_owned();
        }
        None
    }

    /// Like [`resolve`](Self::resolve), for what must be an object.
    pub(super) fn resolve_object(&self, value: &'a Value) -> Option<&'a Map<String, Value>> {
        self.resolve(value, "#")?.0.as_object()
    }

    /// Marks every node below one that `starts`, following references.
    pub(super) fn reachable(&self, starts: impl Fn(&Node<'a>) -> bool) -> Vec<bool> {
        let mut reached = vec![false; self.nodes.len()];
        let mut targets = BTreeSet::new();
        // Parents come before children, so one pass covers everything below a reached node; another
        // pass is needed only after a reference leads somewhere new.
        loop {
            let known = targets.len();
            for (index, node) in self.nodes.iter().enumerate() {
                let inherited = node.parent.is_some_and(|parent| reached[parent]);
                if inherited || starts(node) || targets.contains(node.pointer.as_str()) {
                    reached[index] = true;
                    targets.extend(node.reference());
                }
            }
            if targets.len() == known {
                return reached;
            }
        }
    }

    fn find_operations(&self) -> Vec<Operation<'a>> {
        let mut operations = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            if node.kind != Kind::Operation {
                continue;
            }
            let Some(item) = self.parent(node) else {
                continue;
            };
            operations.push(Operation {
                index,
                method: node.key.clone(),
                path: item.key.clone(),
                id: node.text("operationId"),
                parameters: [item, node]
                    .into_iter()
                    .flat_map(|owner| self.parameters(owner))
                    .collect(),
            });
        }
        operations
    }

    fn parameters(&self, owner: &Node<'a>) -> Vec<Parameter<'a>> {
        let list = owner.get("parameters").and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .enumerate()
            .filter_map(|(index, listed)| {
                let value = self.resolve_object(listed)?;
                Some(Parameter {
                    pointer: shape::join(&owner.at("parameters"), &index.to_string()),
                    name: value.get("name")?.as_str()?,
                    location: value.get("in")?.as_str()?,
                })
            })
            .collect()
    }
}

/// A list of names for a message: `a`, `b`.
pub(super) fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let quoted: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// Whether a flag is present and true.
pub(super) fn is_true(value: Option<&Value>) -> bool {
    value == Some(&Value::Bool(true))
}
