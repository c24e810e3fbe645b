//! `send` of the builders.
//!
//! Progenitor's `send` builds a request, runs hooks around it and decodes the answer. Here it becomes two functions: a
//! private `request_`, a name no parameter can have, which keeps the building and stands a `transak_client::call::Call` in
//! for the client; and a `send` that begins the call from the operation table, has it executed and returns
//! `transak_client::Error`. The header `api-version`, which Transak does not know, goes.

use quote::ToTokens;
use syn::{Expr, FieldPat, ImplItem, ImplItemFn, Member, Pat, Stmt, parse_quote};

use super::model::Model;
use super::names;
use crate::codegen::Failure;

/// Rewrites the `send` of one builder; 0 when the block has none.
///
/// # Errors
/// [`Failure::Generator`] when it no longer looks as this module expects.
pub(super) fn rewrite(block: &mut syn::ItemImpl, model: &Model) -> Result<usize, Failure> {
    let owner = block.self_ty.to_token_stream().to_string();
    let owner = owner.split_whitespace().next().unwrap_or_default().to_owned();
    let Some(send) = block.items.iter_mut().find_map(|item| match item {
        ImplItem::Fn(f) if f.sig.ident == "send" => Some(f),
        _ => None,
    }) else {
        return Ok(0);
    };
    let operation = model
        .operations
        .iter()
        .find(|o| names::pascal(&o.id) == owner)
        .ok_or_else(|| Failure::Generator(format!("builder `{owner}` belongs to no operation of the spec")))?;
    let odd = |what: &str| Failure::Generator(format!("`{owner}::send` {what}; progenitor's output has changed"));
    let success = success_type(&send.sig.output).ok_or_else(|| odd("does not return a Result<ResponseValue<_>, _>"))?;
    let arms = arms(send).ok_or_else(|| odd("does not end in a match over statuses that this crate can carry out"))?;
    build_only(send).ok_or_else(|| odd("does not build its request from the fields of the builder"))?;
    let table = quote::format_ident!("{}", names::shouty(&operation.id));
    let docs = format!(
        "Sends `{} {}` ({}).\n\nHost and credential headers come from the operation table. Dropping the future abandons \
         the request; whether Transak has acted on it by then is unknown.\n\n# Errors\n[`crate::Error`], with status, \
         `errorCode` and trace id where the API answered.",
        operation.method, operation.path, operation.safety
    );
    block.items.push(parse_quote! {
        #[doc = #docs]
        pub async fn send(self) -> ::std::result::Result<ResponseValue<#success>, crate::Error> {
            let call = crate::call::Call::begin(self.client, &crate::operations::#table)?;
            let response = call.execute(self.request_(&call)).await?;
            match response.status().as_u16() { #(#arms)* }
        }
    });
    Ok(1)
}

/// What becomes of each status, in the words of `Call`.
fn arms(send: &ImplItemFn) -> Option<Vec<syn::Arm>> {
    let Some(Stmt::Expr(Expr::Match(statuses), None)) = send.block.stmts.last() else {
        return None;
    };
    let mut arms = statuses.arms.clone();
    for arm in &mut arms {
        arm.comma = Some(<syn::Token![,]>::default());
        let body: String = arm.body.to_token_stream().to_string().split_whitespace().collect();
        let body = body
            .strip_prefix('{')
            .and_then(|b| b.strip_suffix('}'))
            .unwrap_or(&body);
        *arm.body = match body {
            "ResponseValue::from_response(response).await" => parse_quote! { call.json(response).await },
            "Ok(ResponseValue::empty(response))" => continue,
            "Err(Error::UnexpectedResponse(response))" => parse_quote! { Err(call.refused(response).await) },
            // A stream, above all: nothing would bound it.
            _ => return None,
        };
    }
    Some(arms)
}

/// Turns `send` into a function that returns the request it has built.
fn build_only(send: &mut ImplItemFn) -> Option<()> {
    send.sig = parse_quote! {
        fn request_(self, call_: &crate::call::Call<'_>) -> ::std::result::Result<::reqwest::Request, Error<()>>
    };
    send.vis = syn::Visibility::Inherited;
    send.attrs.retain(|a| !a.path().is_ident("doc"));
    let stmts = &mut send.block.stmts;
    let end = stmts.iter().position(|s| built(s).is_some())?;
    let mut request = built(stmts.get(end)?)?.clone();
    stmts.truncate(end);
    if let Some(map) = drop_version(stmts) {
        strip_headers(&mut request, &map);
    }
    stmts.push(Stmt::Expr(parse_quote! { Ok(#request) }, None));
    let Some(Stmt::Local(fields)) = stmts.first_mut() else {
        return None;
    };
    let Pat::Struct(pattern) = &mut fields.pat else {
        return None;
    };
    // The client comes first, and a parameter of that name makes it another one.
    let first: &mut FieldPat = pattern.fields.first_mut()?;
    let Member::Named(client) = first.member.clone() else {
        return None;
    };
    first.colon_token = Some(<syn::Token![:]>::default());
    *first.pat = parse_quote! { _ };
    stmts.insert(1, parse_quote! { let #client = call_; });
    Some(())
}

/// The expression of `let mut request = ….build()?;`.
fn built(stmt: &Stmt) -> Option<&Expr> {
    let Stmt::Local(local) = stmt else { return None };
    let init = local.init.as_ref()?;
    let Expr::Try(tried) = init.expr.as_ref() else {
        return None;
    };
    matches!(tried.expr.as_ref(), Expr::MethodCall(call) if call.method == "build").then_some(init.expr.as_ref())
}

/// Drops the header `api-version`; returns the name of the header map if that leaves it empty, and drops the map as well.
fn drop_version(stmts: &mut Vec<Stmt>) -> Option<String> {
    stmts.retain(|stmt| !stmt.to_token_stream().to_string().contains("\"api-version\""));
    let map = stmts.iter().find_map(|stmt| match stmt {
        Stmt::Local(local)
            if local
                .to_token_stream()
                .to_string()
                .contains("HeaderMap :: with_capacity") =>
        {
            match &local.pat {
                Pat::Ident(name) => Some(name.ident.to_string()),
                _ => None,
            }
        }
        _ => None,
    })?;
    let mentions = |stmt: &Stmt| {
        let text = stmt.to_token_stream().to_string();
        text.split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|word| word == map)
    };
    if stmts.iter().filter(|stmt| mentions(stmt)).count() != 1 {
        return None;
    }
    stmts.retain(|stmt| !mentions(stmt));
    Some(map)
}

/// Takes `.headers(map)` out of a chain of calls.
fn strip_headers(chain: &mut Expr, map: &str) {
    match chain {
        Expr::Try(tried) => strip_headers(&mut tried.expr, map),
        Expr::MethodCall(call) if call.method == "headers" && call.args.to_token_stream().to_string() == map => {
            let receiver = call.receiver.as_ref().clone();
            *chain = receiver;
        }
        Expr::MethodCall(call) => strip_headers(&mut call.receiver, map),
        _ => {}
    }
}

fn success_type(output: &syn::ReturnType) -> Option<syn::Type> {
    let syn::ReturnType::Type(_, ty) = output else {
        return None;
    };
    let value = first_argument(ty, "Result")?;
    first_argument(value, "ResponseValue").cloned()
}

fn first_argument<'t>(ty: &'t syn::Type, name: &str) -> Option<&'t syn::Type> {
    let syn::Type::Path(path) = ty else { return None };
    let segment = path.path.segments.last().filter(|s| s.ident == name)?;
    let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|a| match a {
        syn::GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}
