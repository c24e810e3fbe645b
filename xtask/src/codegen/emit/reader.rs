//! Reading the [`Model`] from a document.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::model::{
    Credential, Example, Host, Message, Model, OpenEnum, Operation, Parameter, Provenance, Requirement, leaf,
};
use super::names::pascal;
use crate::codegen::load::Document;
use crate::codegen::{Failure, forms};

pub(super) struct Reader<'d> {
    doc: &'d Document,
}

impl<'d> Reader<'d> {
    pub(super) fn new(doc: &'d Document) -> Self {
        Self { doc }
    }

    pub(super) fn credentials(&self) -> Result<Vec<Credential>, Failure> {
        let mut list: Vec<Credential> = Vec::new();
        // Sorted, since the first description wins and the order of maps depends on features of the build.
        let schemes: BTreeMap<_, _> = object(&self.doc.json, "/components/securitySchemes")?.iter().collect();
        for (name, scheme) in schemes {
            let id = text(scheme, "x-transak-credential").unwrap_or_else(|| name.clone());
            if !list.iter().any(|c| c.id == id) {
                list.push(Credential {
                    id,
                    description: text(scheme, "description").unwrap_or_default(),
                });
            }
        }
        list.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(list)
    }

    pub(super) fn enums(&self) -> Result<Vec<OpenEnum>, Failure> {
        let mut list = Vec::new();
        for (name, schema) in object(&self.doc.json, "/components/schemas")? {
            let Some(values) = schema.get("enum").and_then(Value::as_array) else {
                continue;
            };
            let varnames = schema.get("x-enum-varnames").and_then(Value::as_array);
            let mut variants = Vec::new();
            for (i, value) in values.iter().enumerate().filter(|(_, v)| !v.is_null()) {
                let raw = plain(value);
                let variant = match varnames.and_then(|v| v.get(i)).and_then(Value::as_str) {
                    Some(given) => given.to_owned(),
                    None => pascal(&raw),
                };
                let docs = schema
                    .get("x-enumDescriptions")
                    .and_then(|d| d.get(&raw))
                    .and_then(Value::as_str);
                variants.push((variant, raw, docs.unwrap_or_default().to_owned()));
            }
            list.push(OpenEnum {
                name: pascal(name),
                description: text(schema, "description").unwrap_or_default(),
                integer: text(schema, "type").as_deref() == Some("integer"),
                values: variants,
            });
        }
        list.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(list)
    }

    pub(super) fn opaque(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .doc
            .json
            .pointer("/components/schemas")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter(|(_, schema)| schema.get("x-transak-opaque") == Some(&Value::Bool(true)))
            .map(|(name, _)| pascal(name))
            .collect();
        names.sort();
        names
    }

    pub(super) fn operation(
        &self,
        model: &mut Model,
        path: &str,
        method: &str,
        item: &Value,
        operation: &Value,
        pointer: &str,
    ) -> Result<(), Failure> {
        let id = need(text(operation, "operationId"), pointer, "operationId")?;
        let servers = [operation, item, &self.doc.json]
            .into_iter()
            .find_map(|place| place.get("servers"))
            .and_then(Value::as_array);
        let host = need(servers.and_then(|s| register_host(model, s)), pointer, "servers")?;
        let security = operation.get("security").or_else(|| self.doc.json.get("security"));
        let mut parameters = Vec::new();
        for (place, base) in [(item, parent(pointer)), (operation, pointer)] {
            for (i, parameter) in place
                .get("parameters")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .enumerate()
            {
                let (parameter, at) = self.resolve(parameter, format!("{base}/parameters/{i}"));
                parameters.push(self.parameter(parameter, &at)?);
            }
        }
        let mut request = None;
        let form = form(operation);
        if let Some(body) = operation.get("requestBody").filter(|_| form.is_none()) {
            let (body, at) = self.resolve(body, format!("{pointer}/requestBody"));
            request = self.body(&mut model.examples, &id, Some(None), body, &at);
        }
        let mut responses = Vec::new();
        let documented = operation.get("responses").and_then(Value::as_object);
        for (status, response) in documented.into_iter().flatten() {
            let (response, at) = self.resolve(response, format!("{pointer}/responses/{status}"));
            // Without a number it would pass for a request: `5XX` is shown as 500, unless that has examples of its own.
            let number = status.replace("XX", "00");
            let shadowed = number != *status && documented.is_some_and(|map| map.contains_key(&number));
            let place = number.parse().ok().filter(|_| !shadowed).map(Some);
            let schema = self.body(&mut model.examples, &id, place, response, &at);
            responses.push((status.clone(), schema));
        }
        responses.sort();
        model.operations.push(Operation {
            id,
            method: method.to_uppercase(),
            path: path.to_owned(),
            host,
            security: self.security(security),
            safety: text(operation, "x-transak-safety").unwrap_or_default(),
            summary: text(operation, "summary").unwrap_or_default(),
            deprecated: operation.get("deprecated") == Some(&Value::Bool(true)),
            provenance: provenance(operation),
            parameters,
            request,
            form,
            responses,
        });
        Ok(())
    }

    pub(super) fn messages(&self) -> Vec<Message> {
        let all = self.doc.json.get("x-webhooks").and_then(Value::as_object);
        let mut messages: Vec<Message> = all
            .into_iter()
            .flatten()
            .filter_map(|(id, webhook)| {
                let message = webhook.get("post")?;
                let at = format!("/x-webhooks/{}/post/requestBody", escape(id));
                let (body, at) = self.resolve(message.get("requestBody")?, at);
                let mut examples = Vec::new();
                let schema = self.body(&mut examples, id, Some(None), body, &at)?;
                examples.sort_by(|a, b| a.name.cmp(&b.name));
                Some(Message {
                    id: id.clone(),
                    summary: text(message, "summary").unwrap_or_default(),
                    provenance: provenance(message),
                    schema,
                    examples,
                })
            })
            .collect();
        messages.sort_by(|a, b| a.id.cmp(&b.id));
        messages
    }

    fn security(&self, security: Option<&Value>) -> Vec<Vec<Requirement>> {
        let schemes = self.doc.json.pointer("/components/securitySchemes");
        let alternatives = security.and_then(Value::as_array).into_iter().flatten();
        alternatives
            .map(|alternative| {
                let mut set: Vec<Requirement> = alternative
                    .as_object()
                    .into_iter()
                    .flat_map(Map::keys)
                    .filter_map(|name| {
                        let scheme = schemes?.get(name)?;
                        Some(Requirement {
                            header: text(scheme, "name")?.to_lowercase(),
                            credential: text(scheme, "x-transak-credential").unwrap_or_else(|| name.clone()),
                        })
                    })
                    .collect();
                set.sort_by(|a, b| a.header.cmp(&b.header));
                set
            })
            .collect()
    }

    fn parameter(&self, parameter: &Value, pointer: &str) -> Result<Parameter, Failure> {
        let schema = need(parameter.get("schema"), pointer, "schema")?;
        // `allOf` with one reference is how a reference gets a default or a description.
        let schema = schema.pointer("/allOf/0").unwrap_or(schema);
        let reference = schema.get("$ref").and_then(Value::as_str);
        let (schema, _) = self.resolve(schema, String::new());
        let kind = match (reference, text(schema, "format").as_deref()) {
            (Some(reference), _) if schema.get("enum").is_some() => pascal(leaf(reference)),
            (_, Some(format @ ("decimal" | "date" | "date-time" | "password"))) => format.to_owned(),
            _ => text(schema, "type").unwrap_or_default(),
        };
        let verbatim = self.doc.source.verbatim(&format!("#{pointer}/example"));
        let example = match parameter.get("example") {
            Some(Value::String(text)) => text.clone(),
            Some(value) => verbatim.unwrap_or_else(|| value.to_string()),
            None => String::new(),
        };
        Ok(Parameter {
            name: need(text(parameter, "name"), pointer, "name")?,
            location: need(text(parameter, "in"), pointer, "in")?,
            required: parameter.get("required") == Some(&Value::Bool(true)),
            kind,
            example,
        })
    }

    /// Returns the name of a body's schema, and registers its examples for a request (`Some(None)`) or a status.
    fn body(
        &self,
        examples: &mut Vec<Example>,
        operation: &str,
        place: Option<Option<u16>>,
        body: &Value,
        pointer: &str,
    ) -> Option<String> {
        let (media_type, media) = body.get("content")?.as_object()?.iter().next()?;
        let schema = pascal(leaf(media.get("schema")?.get("$ref")?.as_str()?));
        let base = format!("{pointer}/content/{}/examples", escape(media_type));
        for (name, example) in media.get("examples").and_then(Value::as_object).into_iter().flatten() {
            let (example, at) = self.resolve(example, format!("{base}/{}", escape(name)));
            let (Some(value), Some(status)) = (example.get("value"), place) else {
                continue;
            };
            let verbatim = self.doc.source.verbatim(&format!("#{at}/value"));
            examples.push(Example {
                operation: operation.to_owned(),
                status,
                name: name.clone(),
                summary: text(example, "summary").unwrap_or_default(),
                schema: schema.clone(),
                json: verbatim.unwrap_or_else(|| value.to_string()),
            });
        }
        Some(schema)
    }

    /// Follows a local reference one step, together with its pointer.
    fn resolve<'v>(&'v self, value: &'v Value, pointer: String) -> (&'v Value, String) {
        let target = value
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|r| r.strip_prefix('#'));
        match target.and_then(|at| Some((self.doc.json.pointer(at)?, at.to_owned()))) {
            Some(found) => found,
            None => (value, pointer),
        }
    }
}

/// The fields of a form and their values in its first example.
fn form(operation: &Value) -> Option<Vec<(String, String)>> {
    let media = operation.get("requestBody")?.get("content")?.get(forms::MULTIPART)?;
    let examples: BTreeMap<_, _> = media.get("examples")?.as_object()?.iter().collect();
    let value = examples.values().next()?.get("value")?.as_object()?;
    let fields: BTreeMap<_, _> = value.iter().collect();
    Some(
        fields
            .into_iter()
            .map(|(name, value)| (name.clone(), plain(value)))
            .collect(),
    )
}

fn register_host(model: &mut Model, servers: &[Value]) -> Option<String> {
    let id = text(servers.first()?, "x-transak-host")?;
    let url = |environment: &str| {
        servers
            .iter()
            .find(|s| text(s, "x-transak-environment").as_deref() == Some(environment))
            .and_then(|s| text(s, "url"))
    };
    let host = Host {
        id: id.clone(),
        staging: url("staging")?,
        production: url("production")?,
    };
    if !model.hosts.iter().any(|h| h.id == host.id) {
        model.hosts.push(host);
    }
    Some(id)
}

pub(super) fn object<'v>(json: &'v Value, pointer: &str) -> Result<&'v Map<String, Value>, Failure> {
    need(json.pointer(pointer).and_then(Value::as_object), pointer, "an object")
}

fn need<T>(value: Option<T>, pointer: &str, what: &str) -> Result<T, Failure> {
    value.ok_or_else(|| {
        Failure::Generator(format!(
            "#{pointer}: {what} is missing although lint passed; please report this"
        ))
    })
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn provenance(value: &Value) -> Provenance {
    let Some(provenance) = value.get("x-transak-provenance") else {
        return Provenance::default();
    };
    let sources = provenance.get("source").and_then(Value::as_array);
    let sources = sources.into_iter().flatten().filter_map(Value::as_str);
    Provenance {
        confidence: text(provenance, "confidence").unwrap_or_default(),
        as_of: text(provenance, "asOf").unwrap_or_default(),
        sources: sources.map(str::to_owned).collect(),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn parent(pointer: &str) -> &str {
    pointer.rsplit_once('/').map_or("", |(head, _)| head)
}

pub(super) fn escape(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}
