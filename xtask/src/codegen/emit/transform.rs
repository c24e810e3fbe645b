//! Changes to progenitor's syntax tree that its settings do not offer.
//!
//! * `send` of every builder is rewritten: see [`send`].
//! * `Client::new` and `new_with_client` go: a client without hosts and credentials cannot exist.
//! * `Client` loses its derived `Debug`, which would print the settings of the HTTP client; ours is written by hand.
//! * A required nullable property may be absent when it is read.
//! * Property names that the views had to replace get their JSON name back.

use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{File, ImplItem, Item, parse_quote};

use super::model::Model;
use super::send;
use crate::codegen::{Failure, views};

/// A generated struct and its fields, for the surface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StructShape {
    /// Rust name, which is the schema's name.
    pub name: String,
    /// JSON name and Rust type of each field.
    pub fields: Vec<(String, String)>,
}

/// Parses generated tokens.
///
/// # Errors
/// [`Failure::Generator`] when they are no Rust file.
pub(super) fn parse(tokens: proc_macro2::TokenStream) -> Result<File, Failure> {
    syn::parse2(tokens).map_err(|e| Failure::Generator(format!("progenitor's output is no valid Rust: {e}")))
}

/// Names of the structs and enums in `types`.
///
/// # Errors
/// See [`parse`].
pub(super) fn type_names(tokens: &proc_macro2::TokenStream) -> Result<Vec<String>, Failure> {
    let file = parse(tokens.clone())?;
    Ok(module(&file, "types")
        .iter()
        .filter_map(|item| match item {
            Item::Struct(s) => Some(s.ident.to_string()),
            Item::Enum(e) => Some(e.ident.to_string()),
            _ => None,
        })
        .collect())
}

/// All changes to the client's tree; returns the shapes of its structs.
///
/// # Errors
/// [`Failure::Generator`] when the tree no longer looks as this module expects.
pub(super) fn client(file: &mut File, model: &Model) -> Result<Vec<StructShape>, Failure> {
    RestoreNames.visit_file_mut(file);
    drop_constructors(file);
    drop_debug_of_client(file)?;
    let mut rewritten = 0;
    for item in module_mut(file, "builder") {
        if let Item::Impl(block) = item {
            rewritten += send::rewrite(block, model)?;
        }
    }
    // The calls with a form are written by hand.
    if rewritten
        != model
            .operations
            .iter()
            .filter(|operation| operation.form.is_none())
            .count()
    {
        return Err(Failure::Generator(format!(
            "{rewritten} of {} operations got their `send`; progenitor's output has changed its shape",
            model.operations.len()
        )));
    }
    let shapes = shapes(file);
    if let Some(Item::Mod(types)) = file
        .items
        .iter_mut()
        .find(|i| matches!(i, Item::Mod(m) if m.ident == "types"))
        && let Some((_, items)) = &mut types.content
    {
        // Whoever looks for a type finds it among the types.
        items.insert(0, parse_quote! { pub use super::enums::*; });
    }
    Ok(shapes)
}

struct RestoreNames;

impl VisitMut for RestoreNames {
    fn visit_lit_str_mut(&mut self, literal: &mut syn::LitStr) {
        let text = literal.value();
        // progenitor's call sketches name variables that do not exist; as `ignore` they would count as tests that
        // nobody runs.
        if text.contains("```ignore") {
            *literal = syn::LitStr::new(&text.replace("```ignore", "```text"), literal.span());
        }
        // Paths in messages of the builders come with a space around every `::`.
        if text.starts_with("conversion to `") {
            *literal = syn::LitStr::new(&text.replace(" :: ", "::").replace(":: ", "::"), literal.span());
        }
    }

    fn visit_attribute_mut(&mut self, attribute: &mut syn::Attribute) {
        if let syn::Meta::List(list) = &mut attribute.meta
            && list.path.is_ident("serde")
        {
            list.tokens = allow_absent(restore(std::mem::take(&mut list.tokens)));
        }
        visit_mut::visit_attribute_mut(self, attribute);
    }
}

fn restore(tokens: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    tokens
        .into_iter()
        .map(|tree| match &tree {
            proc_macro2::TokenTree::Literal(literal) => syn::parse_str::<syn::LitStr>(&literal.to_string())
                .ok()
                .and_then(|text| views::restore_name(&text.value()))
                .map_or(tree, |name| proc_macro2::Literal::string(&name).into()),
            _ => tree,
        })
        .collect()
}

/// A required nullable property is written even when it is null, but may be absent when it is read.
fn allow_absent(tokens: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    const STRICT: &str = "deserialize_with = \"::std::option::Option::deserialize\"";
    let text = tokens.to_string();
    if !text.contains(STRICT) {
        return tokens;
    }
    text.replace(STRICT, "default").parse().unwrap_or(tokens)
}

fn drop_constructors(file: &mut File) {
    for item in &mut file.items {
        if let Item::Impl(block) = item
            && block.trait_.is_none()
        {
            block.items.retain(|item| match item {
                ImplItem::Fn(f) => !(f.sig.ident == "new" || f.sig.ident == "new_with_client"),
                _ => true,
            });
        }
    }
    file.items.retain(|item| match item {
        Item::Impl(block) => block.trait_.is_some() || !block.items.is_empty(),
        _ => true,
    });
}

fn drop_debug_of_client(file: &mut File) -> Result<(), Failure> {
    let client = file.items.iter_mut().find_map(|item| match item {
        Item::Struct(s) if s.ident == "Client" => Some(s),
        _ => None,
    });
    let derive = client.and_then(|s| s.attrs.iter_mut().find(|a| a.path().is_ident("derive")));
    let derive = derive
        .ok_or_else(|| Failure::Generator("the client derives nothing; progenitor's output has changed".to_owned()))?;
    *derive = parse_quote! { #[derive(Clone)] };
    Ok(())
}

fn shapes(file: &File) -> Vec<StructShape> {
    let mut list: Vec<StructShape> = module(file, "types")
        .iter()
        .filter_map(|item| match item {
            Item::Struct(s) => Some(StructShape {
                name: s.ident.to_string(),
                fields: s.fields.iter().filter_map(field_shape).collect(),
            }),
            _ => None,
        })
        .collect();
    list.sort_by(|a, b| a.name.cmp(&b.name));
    list
}

fn field_shape(field: &syn::Field) -> Option<(String, String)> {
    let ident = field.ident.as_ref()?.to_string();
    let mut name = ident.trim_start_matches("r#").to_owned();
    for attribute in field.attrs.iter().filter(|a| a.path().is_ident("serde")) {
        let tokens = attribute.meta.to_token_stream().to_string();
        if let Some(rest) = tokens.split("rename = \"").nth(1)
            && let Some(renamed) = rest.split('"').next()
        {
            name = renamed.to_owned();
        }
    }
    let ty: String = field.ty.to_token_stream().to_string().split_whitespace().collect();
    Some((
        name,
        ty.replace("::std::option::", "")
            .replace("::std::vec::", "")
            .replace("::std::string::", "")
            .replace("::transak_client::", "")
            .replace("::std::collections::", ""),
    ))
}

fn module<'f>(file: &'f File, name: &str) -> &'f [Item] {
    file.items
        .iter()
        .find_map(|item| match item {
            Item::Mod(m) if m.ident == name => m.content.as_ref().map(|(_, items)| items.as_slice()),
            _ => None,
        })
        .unwrap_or_default()
}

fn module_mut<'f>(file: &'f mut File, name: &str) -> impl Iterator<Item = &'f mut Item> {
    file.items
        .iter_mut()
        .filter_map(move |item| match item {
            Item::Mod(m) if m.ident == name => m.content.as_mut().map(|(_, items)| items),
            _ => None,
        })
        .flatten()
}
