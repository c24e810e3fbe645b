//! YAML to JSON with the generator's own parser, refusing what would be lost or would not end.

use std::{
    cell::{Cell, RefCell},
    fmt,
    path::Path,
};

use serde::{
    Deserializer,
    de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

use crate::codegen::problem::Failure;

/// The largest number of nodes, aliases followed. The parser's own limit counts jumps, not what
/// each of them copies.
const MAX_NODES: usize = 500_000;

/// Parses the only document in `text`.
pub(crate) fn parse(path: &Path, text: &str) -> Result<Value, Failure> {
    let watch = Watch::default();
    let mut documents = serde_yaml::Deserializer::from_str(text);
    let Some(first) = documents.next() else {
        return Ok(Value::Null);
    };
    let value = Node(&watch)
        .deserialize(first)
        .map_err(|error| watch.failure(path, &error))?;
    match documents.next() {
        None => Ok(value),
        Some(_) => Err(Failure::ManyDocuments { path: path.to_owned() }),
    }
}

/// Why the walk was stopped by us and not by the parser.
enum Refusal {
    Duplicate(String),
    Merge,
    Nodes,
}

/// What the walk has seen so far.
#[derive(Default)]
struct Watch {
    nodes: Cell<usize>,
    refusal: RefCell<Option<Refusal>>,
}

impl Watch {
    fn refuse<E: de::Error>(&self, refusal: Refusal) -> E {
        *self.refusal.borrow_mut() = Some(refusal);
        // The text is replaced by `failure`; the error only carries the place.
        E::custom("refused")
    }

    fn count<E: de::Error>(&self) -> Result<(), E> {
        self.nodes.set(self.nodes.get() + 1);
        if self.nodes.get() > MAX_NODES {
            return Err(self.refuse(Refusal::Nodes));
        }
        Ok(())
    }

    fn failure(&self, path: &Path, error: &serde_yaml::Error) -> Failure {
        let path = path.to_owned();
        let line = error.location().map(|location| location.line());
        match self.refusal.take() {
            Some(Refusal::Duplicate(key)) => Failure::DuplicateKey { path, line, key },
            Some(Refusal::Merge) => Failure::MergeKey { path, line },
            Some(Refusal::Nodes) => Failure::TooComplex {
                path,
                line,
                limit: MAX_NODES,
            },
            None => Failure::Syntax {
                path,
                line,
                message: error.to_string(),
            },
        }
    }
}

struct Node<'w>(&'w Watch);

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.0.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("plain data without YAML tags")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    // What the parser makes of a document without a node.
    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    // Beyond 64 bits serde_json would refuse the integer; the exact digits stay in the source map.
    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("`.inf` and `.nan` do not exist in JSON; quote the text if it is meant"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Node(self.0))? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key_seed(Key {
            watch: self.0,
            seen: &map,
        })? {
            let value = entries.next_value_seed(Node(self.0))?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

/// A key of a mapping. It is checked here and not by the mapping, so that the parser attaches the
/// line of the key.
struct Key<'w, 'm> {
    watch: &'w Watch,
    seen: &'m Map<String, Value>,
}

impl<'de> DeserializeSeed<'de> for Key<'_, '_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key<'_, '_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<String, E> {
        if key == "<<" {
            return Err(self.watch.refuse(Refusal::Merge));
        }
        if self.seen.contains_key(key) {
            return Err(self.watch.refuse(Refusal::Duplicate(key.to_owned())));
        }
        Ok(key.to_owned())
    }
}
