//! A document as a list of operations with their references followed, whatever else it may be.
//!
//! The commands that compare documents read this. It takes any JSON: what is not as OpenAPI wants it is left out,
//! since a document from elsewhere cannot be expected to pass our lint.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// How many references in a row are followed; a longer chain is a circle.
const MAX_HOPS: usize = 16;

/// The methods a path item may hold.
pub const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// An object of the document.
pub type Object = Map<String, Value>;

/// All operations, in a fixed order.
#[derive(Debug)]
pub struct Api<'a> {
    /// The whole document.
    pub root: &'a Value,
    /// By path, then method.
    pub operations: Vec<Operation<'a>>,
}

/// One method of a path, with what the path item and the document give it.
#[derive(Debug)]
pub struct Operation<'a> {
    /// Lower case.
    pub method: &'a str,
    /// The path template.
    pub path: &'a str,
    /// `operationId`, if it has one.
    pub id: Option<&'a str>,
    /// The operation as written.
    pub value: &'a Object,
    /// JSON pointer to it.
    pub pointer: String,
    /// By location and name. What the operation lists replaces what its path lists.
    pub parameters: BTreeMap<(&'a str, &'a str), &'a Object>,
    /// Its own servers, else those of the path, else those of the document.
    pub servers: Vec<&'a Object>,
    /// Alternatives, each a set of scheme names. One empty alternative means that nothing is needed.
    pub security: Vec<BTreeSet<&'a str>>,
    /// The request body.
    pub body: Option<&'a Object>,
    /// By status.
    pub responses: BTreeMap<&'a str, &'a Object>,
}

impl<'a> Api<'a> {
    /// Reads what can be read of `root`.
    #[must_use]
    pub fn read(root: &'a Value) -> Self {
        let mut operations = Vec::new();
        let paths = root.get("paths").and_then(Value::as_object);
        for (path, item) in paths.into_iter().flatten() {
            let Some(item) = object(root, item) else { continue };
            for method in METHODS {
                if let Some(value) = item.get(method).and_then(Value::as_object) {
                    operations.push(Operation::read(root, path, method, item, value));
                }
            }
        }
        operations.sort_by(|a, b| (a.path, a.method).cmp(&(b.path, b.method)));
        Self { root, operations }
    }

    /// The named schemas.
    pub fn schemas(&self) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let schemas = self.root.pointer("/components/schemas").and_then(Value::as_object);
        schemas
            .into_iter()
            .flatten()
            .map(|(name, schema)| (name.as_str(), schema))
    }
}

impl<'a> Operation<'a> {
    fn read(root: &'a Value, path: &'a str, method: &'a str, item: &'a Object, value: &'a Object) -> Self {
        let list = |owner: Option<&'a Value>| owner.and_then(Value::as_array).into_iter().flatten();
        let mut parameters = BTreeMap::new();
        for parameter in list(item.get("parameters")).chain(list(value.get("parameters"))) {
            if let Some(parameter) = object(root, parameter)
                && let Some(location) = parameter.get("in").and_then(Value::as_str)
                && let Some(name) = parameter.get("name").and_then(Value::as_str)
            {
                parameters.insert((location, name), parameter);
            }
        }
        let servers = [value.get("servers"), item.get("servers"), root.get("servers")];
        let security = value.get("security").or_else(|| root.get("security"));
        let mut security: Vec<BTreeSet<_>> = list(security)
            .filter_map(Value::as_object)
            .map(|alternative| alternative.keys().map(String::as_str).collect())
            .collect();
        if security.is_empty() {
            security.push(BTreeSet::new());
        }
        let responses = value.get("responses").and_then(Value::as_object);
        Self {
            method,
            path,
            id: value.get("operationId").and_then(Value::as_str),
            value,
            pointer: format!("#/paths/{}/{method}", path.replace('~', "~0").replace('/', "~1")),
            parameters,
            servers: list(servers.into_iter().flatten().next())
                .filter_map(Value::as_object)
                .collect(),
            security,
            body: value.get("requestBody").and_then(|body| object(root, body)),
            responses: responses
                .into_iter()
                .flatten()
                .filter_map(|(status, response)| Some((status.as_str(), object(root, response)?)))
                .collect(),
        }
    }

    /// Its id, or method and path.
    #[must_use]
    pub fn name(&self) -> String {
        self.id.map_or_else(|| self.route(), str::to_owned)
    }

    /// Method and path.
    #[must_use]
    pub fn route(&self) -> String {
        format!("{} {}", self.method.to_uppercase(), self.path)
    }
}

/// What a value stands for once local references are followed; nothing if they lead nowhere or in a circle.
#[must_use]
pub fn resolve<'a>(root: &'a Value, value: &'a Value) -> Option<&'a Value> {
    let mut value = value;
    for _ in 0..MAX_HOPS {
        let Some(target) = value.get("$ref") else {
            return Some(value);
        };
        value = root.pointer(target.as_str()?.strip_prefix('#')?)?;
    }
    None
}

/// Like [`resolve`], for what must be an object.
#[must_use]
pub fn object<'a>(root: &'a Value, value: &'a Value) -> Option<&'a Object> {
    resolve(root, value)?.as_object()
}

/// The schemas of a body or response by media type, parameters such as the charset left out.
pub fn content(holder: &Object) -> BTreeMap<&str, &Value> {
    let content = holder.get("content").and_then(Value::as_object);
    content
        .into_iter()
        .flatten()
        .map(|(media, value)| {
            let media = media.split(';').next().unwrap_or_default().trim();
            (media, value.get("schema").unwrap_or(&Value::Null))
        })
        .collect()
}

/// Whether a flag is present and true.
#[must_use]
pub fn flag(object: &Object, key: &str) -> bool {
    object.get(key) == Some(&Value::Bool(true))
}

/// The last segment of a reference.
#[must_use]
pub fn leaf(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}
