//! The rules of every operation, read from the spec once per process.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use ::http::HeaderMap;
use serde_json::Value;
use transak_client::{Operation, operations};

use super::SpecError;
use super::document::{Document, reference};
use super::field;
use super::parameter::{Parameter, Place};
use super::schema::{Schema, Speaker};

/// The rules of all operations.
pub(crate) struct Rules {
    by_id: BTreeMap<&'static str, OperationRules>,
}

/// The rules of one operation.
pub(crate) struct OperationRules {
    parameters: Vec<Parameter>,
    body: Option<BodyRule>,
    /// By status; `None` for an answer without JSON.
    pub(super) answers: BTreeMap<u16, Option<Arc<Schema>>>,
    /// The envelope of every error, for statuses the spec does not list.
    pub(super) error: Arc<Schema>,
}

struct BodyRule {
    required: bool,
    form: bool,
    schema: Schema,
}

/// The parts of a request that the spec has rules for.
pub(crate) struct Parts<'a> {
    pub(crate) path: &'a BTreeMap<String, String>,
    pub(crate) query: &'a [(String, String)],
    pub(crate) headers: &'a HeaderMap,
}

impl Rules {
    /// The rules, read on the first call.
    pub(crate) fn get() -> Result<&'static Self, SpecError> {
        static RULES: OnceLock<Result<Rules, SpecError>> = OnceLock::new();
        RULES.get_or_init(Self::read).as_ref().map_err(Clone::clone)
    }

    /// The rules of an operation of the table.
    pub(crate) fn of(&self, operation: &Operation) -> Option<&OperationRules> {
        self.by_id.get(operation.id())
    }

    fn read() -> Result<Self, SpecError> {
        let document = Document::load()?;
        let mut answers = Answers {
            document: &document,
            known: BTreeMap::new(),
        };
        let error = answers.component("#/components/schemas/ErrorResponse")?;
        let mut by_id = BTreeMap::new();
        for operation in operations::ALL {
            let found = document.operation(operation.path(), operation.method())?;
            by_id.insert(
                operation.id(),
                OperationRules::read(&document, &mut answers, &error, found)?,
            );
        }
        Ok(Self { by_id })
    }
}

/// Schemas of answers; many operations share them.
struct Answers<'d> {
    document: &'d Document,
    known: BTreeMap<String, Arc<Schema>>,
}

impl Answers<'_> {
    fn component(&mut self, reference: &str) -> Result<Arc<Schema>, SpecError> {
        if let Some(known) = self.known.get(reference) {
            return Ok(Arc::clone(known));
        }
        let value = serde_json::json!({ "$ref": reference });
        let schema = Arc::new(Schema::new(self.document, reference, &value, Speaker::Sandbox)?);
        self.known.insert(reference.to_owned(), Arc::clone(&schema));
        Ok(schema)
    }

    fn schema(&mut self, at: &str, value: &Value) -> Result<Arc<Schema>, SpecError> {
        match reference(value) {
            Some(reference) => self.component(reference),
            None => Ok(Arc::new(Schema::new(self.document, at, value, Speaker::Sandbox)?)),
        }
    }
}

impl OperationRules {
    fn read(
        document: &Document,
        shared: &mut Answers<'_>,
        error: &Arc<Schema>,
        operation: &Value,
    ) -> Result<Self, SpecError> {
        let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default();
        let list = operation.get("parameters").and_then(Value::as_array);
        let parameters: Result<Vec<Parameter>, SpecError> = list
            .into_iter()
            .flatten()
            .map(|one| Parameter::read(document, one))
            .collect();
        let body = operation
            .get("requestBody")
            .map(|body| document.resolve(body))
            .transpose()?;
        let body = match body {
            None => None,
            Some(body) => {
                let form = body.pointer(FORM);
                let schema = form
                    .or_else(|| json_schema(body))
                    .ok_or_else(|| SpecError::new(id, "a request body that is neither JSON nor a form"))?;
                let required = body.get("required").and_then(Value::as_bool).unwrap_or(false);
                Some(BodyRule {
                    required,
                    form: form.is_some(),
                    schema: Schema::new(document, id, schema, Speaker::Caller)?,
                })
            }
        };
        let mut answers = BTreeMap::new();
        for (status, answer) in operation
            .get("responses")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let status: u16 = status
                .parse()
                .map_err(|_| SpecError::new(id, format!("status {status} is no number")))?;
            let answer = document.resolve(answer)?;
            let schema = json_schema(answer)
                .map(|schema| shared.schema(id, schema))
                .transpose()?;
            answers.insert(status, schema);
        }
        Ok(Self {
            parameters: parameters?,
            body,
            answers,
            error: Arc::clone(error),
        })
    }

    /// Whether the spec lists this status.
    pub(crate) fn lists(&self, status: u16) -> bool {
        self.answers.contains_key(&status)
    }

    /// Whether the body is a form and not JSON.
    pub(crate) fn takes_form(&self) -> bool {
        self.body.as_ref().is_some_and(|body| body.form)
    }

    /// Whether the operation takes a body.
    pub(crate) const fn takes_body(&self) -> bool {
        self.body.is_some()
    }

    /// Checks parameters; the error names the first that breaks a rule.
    pub(crate) fn check_parameters(&self, parts: &Parts<'_>) -> Result<(), String> {
        for parameter in &self.parameters {
            let name = parameter.name.as_str();
            match parameter.place {
                Place::Path => parameter.check(parts.path.get(name).map(String::as_str).into_iter())?,
                Place::Query => {
                    let values = parts.query.iter().filter(|(key, _)| key == name);
                    parameter.check(values.map(|(_, value)| value.as_str()))?;
                }
                Place::Header => {
                    // Bytes that are no text cannot be of any type the spec knows.
                    let values = parts
                        .headers
                        .get_all(name)
                        .iter()
                        .map(|value| value.to_str().unwrap_or("\u{fffd}"));
                    parameter.check(values)?;
                }
            }
        }
        Ok(())
    }

    /// Checks the body, `None` being no body at all; the error names the field.
    pub(crate) fn check_body(&self, body: Option<&Value>) -> Result<(), String> {
        let Some(rule) = &self.body else { return Ok(()) };
        let Some(body) = body else {
            return if rule.required {
                Err("body is required".to_owned())
            } else {
                Ok(())
            };
        };
        let validator = rule.schema.validator().map_err(|error| error.to_string())?;
        match validator.validate(body) {
            Ok(()) => Ok(()),
            Err(error) => Err(format!("{} {}", field::path(&error), field::problem(&error))),
        }
    }
}

/// Where the schema of a form is.
const FORM: &str = "/content/multipart~1form-data/schema";

fn json_schema(holder: &Value) -> Option<&Value> {
    holder.get("content")?.get("application/json")?.get("schema")
}
