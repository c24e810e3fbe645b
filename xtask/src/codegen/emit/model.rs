//! What the emitters need to know of the document, read once and in a fixed order.

use super::reader::{Reader, escape, object};
use crate::codegen::Failure;
use crate::codegen::load::Document;

/// The document as the emitters see it. Lists are sorted by name unless the order means something.
#[derive(Debug)]
pub struct Model {
    /// Logical hosts, by id.
    pub hosts: Vec<Host>,
    /// Kinds of credential, by id.
    pub credentials: Vec<Credential>,
    /// Operations, by id.
    pub operations: Vec<Operation>,
    /// Open enums, by schema name.
    pub enums: Vec<OpenEnum>,
    /// Names of the opaque schemas.
    pub opaque: Vec<String>,
    /// All examples of requests and responses.
    pub examples: Vec<Example>,
    /// Messages Transak sends on its own account, by id.
    pub messages: Vec<Message>,
}

/// A message Transak sends, an entry of `x-webhooks`.
#[derive(Debug)]
pub struct Message {
    /// `operationId`, the same as its key.
    pub id: String,
    /// Summary line.
    pub summary: String,
    /// Where its facts come from.
    pub provenance: Provenance,
    /// Schema name.
    pub schema: String,
    /// Its examples; their `operation` is the message's id.
    pub examples: Vec<Example>,
}

/// A logical host and where it lives.
#[derive(Debug)]
pub struct Host {
    /// `x-transak-host`.
    pub id: String,
    /// Base URL in staging.
    pub staging: String,
    /// Base URL in production.
    pub production: String,
}

/// A kind of credential (`x-transak-credential`) and how its scheme describes it.
#[derive(Debug)]
pub struct Credential {
    /// Id, such as `partnerToken`.
    pub id: String,
    /// Description of the first scheme that carries it.
    pub description: String,
}

/// One credential header an operation asks for.
#[derive(Debug, Clone)]
pub struct Requirement {
    /// Header name, lower case.
    pub header: String,
    /// Credential id.
    pub credential: String,
}

/// One operation.
#[derive(Debug)]
pub struct Operation {
    /// `operationId`.
    pub id: String,
    /// Upper-case method.
    pub method: String,
    /// Path template.
    pub path: String,
    /// Host id.
    pub host: String,
    /// Alternatives in the order of the spec; each is a set of headers.
    pub security: Vec<Vec<Requirement>>,
    /// `x-transak-safety`.
    pub safety: String,
    /// Summary line.
    pub summary: String,
    /// Whether the spec calls it deprecated.
    pub deprecated: bool,
    /// Where its facts come from.
    pub provenance: Provenance,
    /// Parameters in the order of the spec.
    pub parameters: Vec<Parameter>,
    /// Schema name of the JSON body.
    pub request: Option<String>,
    /// Fields of a form that is sent instead, with the values of the spec's first example.
    pub form: Option<Vec<(String, String)>>,
    /// Documented statuses with the schema name of their body.
    pub responses: Vec<(String, Option<String>)>,
}

/// `x-transak-provenance` of an operation or a message.
#[derive(Debug, Default)]
pub struct Provenance {
    /// How sure it is.
    pub confidence: String,
    /// The day it was read.
    pub as_of: String,
    /// Pages and repositories.
    pub sources: Vec<String>,
}

/// A path, query or header parameter.
#[derive(Debug)]
pub struct Parameter {
    /// Name on the wire.
    pub name: String,
    /// `path`, `query` or `header`.
    pub location: String,
    /// Whether it must be given.
    pub required: bool,
    /// JSON type or format of its schema, or the name of the enum it refers to.
    pub kind: String,
    /// The spec's example, as text on the wire.
    pub example: String,
}

/// An open enum.
#[derive(Debug)]
pub struct OpenEnum {
    /// Rust name of the schema.
    pub name: String,
    /// Description.
    pub description: String,
    /// Whether its values are integers.
    pub integer: bool,
    /// Variant name, value text, description.
    pub values: Vec<(String, String, String)>,
}

/// One named example.
#[derive(Debug)]
pub struct Example {
    /// `operationId`.
    pub operation: String,
    /// `None` for a request.
    pub status: Option<u16>,
    /// Name in the spec.
    pub name: String,
    /// Summary.
    pub summary: String,
    /// Schema name.
    pub schema: String,
    /// JSON text, numbers as they stand in the spec.
    pub json: String,
}

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

impl Model {
    /// Reads a document that has passed lint.
    ///
    /// # Errors
    /// [`Failure::Generator`] where something lint should have refused is missing.
    pub fn read(doc: &Document) -> Result<Self, Failure> {
        let reader = Reader::new(doc);
        let mut model = Self {
            hosts: Vec::new(),
            credentials: reader.credentials()?,
            operations: Vec::new(),
            enums: reader.enums()?,
            opaque: reader.opaque(),
            examples: Vec::new(),
            messages: Vec::new(),
        };
        for (path, item) in object(&doc.json, "/paths")? {
            for method in METHODS {
                if let Some(operation) = item.get(method) {
                    let pointer = format!("/paths/{}/{method}", escape(path));
                    reader.operation(&mut model, path, method, item, operation, &pointer)?;
                }
            }
        }
        model.messages = reader.messages();
        model.hosts.sort_by(|a, b| a.id.cmp(&b.id));
        model.operations.sort_by(|a, b| a.id.cmp(&b.id));
        model
            .examples
            .sort_by(|a, b| (&a.operation, a.status, &a.name).cmp(&(&b.operation, b.status, &b.name)));
        Ok(model)
    }

    /// The operation with this id.
    pub fn operation(&self, id: &str) -> Option<&Operation> {
        self.operations.iter().find(|o| o.id == id)
    }
}

/// Last segment of a reference.
pub fn leaf(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}
