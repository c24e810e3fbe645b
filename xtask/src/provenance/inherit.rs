//! Which provenance counts for an object that has none of its own.

use std::collections::{BTreeMap, BTreeSet};

use crate::codegen::load::shape::{Kind, Node};

use super::Confidence;

/// The objects of a document, with who refers to whom.
pub(super) struct Lineage<'n, 'a> {
    nodes: &'n [Node<'a>],
    /// By pointer of the target: the indices of the references to it.
    references: BTreeMap<&'a str, Vec<usize>>,
    /// By index of a path item: the indices of its operations.
    operations: BTreeMap<usize, Vec<usize>>,
}

impl<'n, 'a> Lineage<'n, 'a> {
    pub(super) fn new(nodes: &'n [Node<'a>]) -> Self {
        let mut references: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        let mut operations: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (index, node) in nodes.iter().enumerate() {
            if let Some(target) = node.reference() {
                references.entry(target).or_default().push(index);
            }
            if let (Kind::Operation, Some(item)) = (node.kind, node.parent) {
                operations.entry(item).or_default().push(index);
            }
        }
        Self {
            nodes,
            references,
            operations,
        }
    }

    /// The nearest enclosing confidence, else the weakest of the operations that use the object.
    pub(super) fn confidence(&self, index: usize) -> Option<Confidence> {
        self.line(index).find_map(|node| own(node)).or_else(|| {
            let mut seen = BTreeSet::new();
            let mut users = BTreeSet::new();
            self.users(index, &mut seen, &mut users);
            users.iter().filter_map(|user| own(&self.nodes[*user])).max()
        })
    }

    /// The object and what encloses it, innermost first.
    fn line(&self, index: usize) -> impl Iterator<Item = &'n Node<'a>> {
        let nodes = self.nodes;
        self.indices(index).filter_map(move |index| nodes.get(index))
    }

    fn indices(&self, index: usize) -> impl Iterator<Item = usize> {
        let nodes = self.nodes;
        std::iter::successors(Some(index), move |index| nodes.get(*index)?.parent)
    }

    /// The operations the object stands in, or that refer to what it stands in.
    fn users(&self, index: usize, seen: &mut BTreeSet<usize>, users: &mut BTreeSet<usize>) {
        for index in self.indices(index) {
            if !seen.insert(index) {
                return;
            }
            let node = &self.nodes[index];
            match node.kind {
                Kind::Operation => {
                    users.insert(index);
                    return;
                }
                Kind::PathItem => users.extend(self.operations.get(&index).into_iter().flatten()),
                _ => {
                    for user in self.references.get(node.pointer.as_str()).into_iter().flatten() {
                        self.users(*user, seen, users);
                    }
                }
            }
        }
    }
}

fn own(node: &Node<'_>) -> Option<Confidence> {
    if node.reference().is_some() {
        return None;
    }
    Confidence::parse(node.get("x-transak-provenance")?.get("confidence")?.as_str()?)
}
