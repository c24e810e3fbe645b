//! Every public item shows how it is used, or points to where that is shown.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::{Attribute, Expr, ImplItem, Item, Lit, Meta, TraitItem, Type, Visibility};

/// One page of the documentation: an item with its methods.
#[derive(Debug, Default)]
struct Page {
    declared: bool,
    example: bool,
    links: BTreeSet<String>,
}

impl Page {
    fn read(&mut self, text: &str) {
        self.example |= text.contains("```");
        for (at, _) in text.match_indices('[') {
            let Some(end) = text[at..].find(']').map(|end| at + end) else {
                continue;
            };
            let shown = text[at + 1..end].trim_matches('`');
            let target = match text[end + 1..].strip_prefix('(') {
                Some(rest) => rest.split(')').next().unwrap(),
                None => shown,
            };
            self.links.extend(target.split("::").map(str::to_owned));
        }
    }
}

/// Pages by the name of their item; modules are pages as well.
#[derive(Default)]
struct Pages(BTreeMap<String, Page>);

fn docs(attributes: &[Attribute]) -> String {
    let mut text = String::new();
    for attribute in attributes {
        let Meta::NameValue(pair) = &attribute.meta else {
            continue;
        };
        if let Expr::Lit(literal) = &pair.value
            && let Lit::Str(line) = &literal.lit
            && pair.path.is_ident("doc")
        {
            text.push_str(&line.value());
            text.push('\n');
        }
    }
    text
}

fn of_tests(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .any(|a| a.path().is_ident("cfg") && matches!(&a.meta, Meta::List(list) if list.tokens.to_string() == "test"))
}

impl Pages {
    fn declare(&mut self, name: &str, visibility: &Visibility, attributes: &[Attribute]) {
        if matches!(visibility, Visibility::Public(_)) {
            let page = self.0.entry(name.to_owned()).or_default();
            page.declared = true;
            page.read(&docs(attributes));
        }
    }

    /// What methods say stands on the page of their type.
    fn add(&mut self, name: &str, attributes: &[Attribute]) {
        self.0.entry(name.to_owned()).or_default().read(&docs(attributes));
    }

    fn file(&mut self, path: &Path, public: bool, inside: Option<&str>) {
        let file = syn::parse_file(&fs::read_to_string(path).unwrap()).unwrap();
        let folder = match path.file_name().unwrap().to_str().unwrap() {
            "lib.rs" | "mod.rs" => path.parent().unwrap().to_owned(),
            _ => path.with_extension(""),
        };
        if public && let Some(name) = inside {
            self.add(name, &file.attrs);
        }
        for item in &file.items {
            match item {
                Item::Mod(module) if module.content.is_none() && !of_tests(&module.attrs) => {
                    let name = module.ident.to_string();
                    let places: [PathBuf; 2] = [folder.join(format!("{name}.rs")), folder.join(&name).join("mod.rs")];
                    let place = places.iter().find(|place| place.is_file()).unwrap();
                    let public = matches!(module.vis, Visibility::Public(_));
                    if let Some(parent) = inside {
                        let page = self.0.entry(name.clone()).or_default();
                        page.links.insert(parent.to_owned());
                    }
                    self.file(place, public, Some(&name));
                }
                Item::Struct(it) => {
                    let name = it.ident.to_string();
                    self.declare(&name, &it.vis, &it.attrs);
                    for field in &it.fields {
                        self.add(&name, &field.attrs);
                    }
                }
                Item::Enum(it) => {
                    let name = it.ident.to_string();
                    self.declare(&name, &it.vis, &it.attrs);
                    for variant in &it.variants {
                        self.add(&name, &variant.attrs);
                    }
                }
                Item::Const(it) => self.within(inside, &it.ident.to_string(), &it.vis, &it.attrs),
                Item::Fn(it) => self.within(inside, &it.sig.ident.to_string(), &it.vis, &it.attrs),
                Item::Trait(it) => {
                    self.declare(&it.ident.to_string(), &it.vis, &it.attrs);
                    for method in &it.items {
                        if let TraitItem::Fn(method) = method {
                            self.add(&it.ident.to_string(), &method.attrs);
                        }
                    }
                }
                Item::Impl(it) if it.trait_.is_none() => {
                    let Type::Path(of) = &*it.self_ty else { continue };
                    let name = of.path.segments.last().unwrap().ident.to_string();
                    for method in &it.items {
                        if let ImplItem::Fn(method) = method
                            && matches!(method.vis, Visibility::Public(_))
                        {
                            self.add(&name, &method.attrs);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// Functions and constants belong to their module, whose page names them.
    fn within(&mut self, module: Option<&str>, name: &str, visibility: &Visibility, attributes: &[Attribute]) {
        self.declare(name, visibility, attributes);
        if let (Some(module), Some(page)) = (module, self.0.get_mut(name)) {
            page.links.insert(module.to_owned());
        }
    }

    /// Names of declared items from which no example can be reached.
    fn bare(&self) -> Vec<&str> {
        let mut shown: BTreeSet<&str> = BTreeSet::new();
        loop {
            let more: Vec<&str> = self
                .0
                .iter()
                .filter(|(name, page)| {
                    !shown.contains(name.as_str())
                        && (page.example || page.links.iter().any(|link| shown.contains(link.as_str())))
                })
                .map(|(name, _)| name.as_str())
                .collect();
            if more.is_empty() {
                break;
            }
            shown.extend(more);
        }
        let declared = self.0.iter().filter(|(_, page)| page.declared);
        declared
            .map(|(name, _)| name.as_str())
            .filter(|name| !shown.contains(name))
            .collect()
    }
}

#[test]
fn every_public_item_has_an_example_or_points_to_one() {
    let mut pages = Pages::default();
    pages.file(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs"), false, None);
    let declared = pages.0.values().filter(|page| page.declared).count();
    assert!(declared > 80, "only {declared} items were found");
    assert_eq!(pages.bare(), Vec::<&str>::new(), "neither example nor pointer");
}

#[test]
fn a_pointer_to_nothing_does_not_count() {
    let mut pages = Pages::default();
    let public = syn::parse_str("pub").unwrap();
    let doc = |text: &str| {
        syn::parse_str::<syn::ItemStruct>(&format!("#[doc = {text:?}] struct X;"))
            .unwrap()
            .attrs
    };
    pages.declare("Shown", &public, &doc("Thus:\n```\nuse it;\n```"));
    pages.declare("Pointing", &public, &doc("See [`way::Shown`]."));
    pages.declare("Further", &public, &doc("See [that](crate::Pointing)."));
    pages.declare("Circle", &public, &doc("See [`Circle`]."));
    pages.declare("Silent", &public, &doc("A thing."));
    assert_eq!(pages.bare(), ["Circle", "Silent"]);
}
