//! The raw client: progenitor's output, with our types for money, secrets, enums and opaque JSON, and with
//! `send` rewritten to return our error.

use progenitor::{GenerationSettings, Generator, InterfaceStyle, TagStyle, TypePatch};
use schemars::schema::{InstanceType, SchemaObject};

use super::model::Model;
use super::transform;
use crate::codegen::format::{Header, Role};
use crate::codegen::load::Document;
use crate::codegen::{Failure, Output, format, views};

/// Where the client's files go.
pub const FOLDER: &str = "crates/transak-client/src/generated";

/// The client's files and what the surface wants to know of them.
#[derive(Debug)]
pub struct ClientCode {
    /// Files to write.
    pub outputs: Vec<Output>,
    /// The generated structs with their fields.
    pub structs: Vec<transform::StructShape>,
}

/// Runs progenitor over the client view.
///
/// # Errors
/// [`Failure::Generator`] with progenitor's own message.
pub fn emit(doc: &Document, model: &Model, header: &Header) -> Result<ClientCode, Failure> {
    let api = views::client(&doc.json)?;
    // The first pass only teaches us the names: a patch is by type name, and there is no wildcard.
    let names = transform::type_names(&generate(&settings(model), &api)?)?;
    let mut settings = settings(model);
    for name in names {
        settings.with_patch(name, TypePatch::default().with_attr("#[non_exhaustive]"));
    }
    let mut file = transform::parse(generate(&settings, &api)?)?;
    let structs = transform::client(&mut file, model)?;
    let outputs = format::split(file, FOLDER, header, Role::Client)?;
    Ok(ClientCode { outputs, structs })
}

fn generate(settings: &GenerationSettings, api: &openapiv3::OpenAPI) -> Result<proc_macro2::TokenStream, Failure> {
    // Progenitor panics on some documents. Lint knows the causes; if one gets past it, say where to look.
    let run = || Generator::new(settings).generate_tokens(api);
    guarded("client", run)
}

/// Runs a generator step; turns its errors and panics into one readable failure.
///
/// # Errors
/// [`Failure::Generator`] naming the step.
pub fn guarded<T>(step: &str, run: impl FnOnce() -> Result<T, progenitor::Error>) -> Result<T, Failure> {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Failure::Generator(format!(
            "progenitor refused the {step} view: {error}"
        ))),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no message");
            Err(Failure::Generator(format!(
                "progenitor panicked on the {step} view ({text}); lint has a gap: add a rule for what was changed last"
            )))
        }
    }
}

/// Settings shared by the client and the mocks, so that both name the same types.
pub fn settings(model: &Model) -> GenerationSettings {
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Builder)
        .with_tag(TagStyle::Merged)
        .with_inner_type(quote::quote! { crate::call::Inner })
        .with_map_type("::std::collections::BTreeMap");
    let convert = [
        (InstanceType::Number, "decimal", "Amount"),
        (InstanceType::String, "decimal", "Amount"),
        (InstanceType::Number, "query-decimal", "QueryAmount"),
        (InstanceType::String, "query-decimal", "QueryAmount"),
        (InstanceType::String, "password", "Secret"),
        (InstanceType::String, "personal", "Personal"),
        (InstanceType::String, "date-time", "Timestamp"),
        (InstanceType::String, "date", "Date"),
    ];
    for (instance, name, target) in convert {
        let schema = SchemaObject {
            instance_type: Some(instance.into()),
            format: Some(name.to_owned()),
            ..SchemaObject::default()
        };
        settings.with_conversion(schema, format!("::transak_client::{target}"), std::iter::empty());
    }
    for open in &model.enums {
        let path = format!("::transak_client::enums::{}", open.name);
        let impls = [progenitor::TypeImpl::Display, progenitor::TypeImpl::FromStr];
        settings.with_replacement(&open.name, path, impls.into_iter());
    }
    for name in &model.opaque {
        settings.with_replacement(name, "::transak_client::OpaqueJson", std::iter::empty());
    }
    settings
}
