//! Every rule of the spec, broken one at a time: the tables are read from the spec itself.

use crate::common::{Answer, Call, Field, frozen, http, parameters, required_fields, schema, spec};
use serde_json::{Value, json};
use transak_client::Operation;
use transak_client::operation::Alternative;
use transak_client::operations::{self, Host};

fn calls(spec: &Value) -> impl Iterator<Item = (&'static Operation, &'static Alternative, Call)> + '_ {
    operations::ALL.iter().flat_map(move |operation| {
        operation.alternatives().iter().map(move |alternative| {
            let call = Call::valid(spec, operation, alternative);
            (*operation, alternative, call)
        })
    })
}

fn is_validation(operation: &Operation, answer: &Answer, field: &str, what: &str) {
    let context = format!("{} {field} {what}: {answer:?}", operation.id());
    assert_eq!(answer.status, 400, "{context}");
    assert_eq!(answer.code(), Some(9001), "{context}");
    assert_eq!(answer.json()["error"]["statusCode"], 400, "{context}");
    assert!(answer.message().starts_with(&format!("{field} ")), "{context}");
    let named = answer.json()["error"].get("name").is_some();
    assert_eq!(
        named,
        operation.host() == Host::Api,
        "the partner API names its errors: {context}"
    );
}

#[tokio::test]
async fn a_required_parameter_or_field_that_is_missing_is_named() {
    let (spec, sandbox) = (spec(), frozen().await);
    let mut broken = 0;
    for (operation, _, call) in calls(&spec) {
        let required = parameters(&spec, Call::object(&spec, operation))
            .filter(|p| p["in"] == "query" && p["required"] == true)
            .map(|p| p["name"].as_str().unwrap().to_owned());
        for name in required {
            let mut dropped = call.clone();
            dropped.query.retain(|(key, _)| *key != name);
            is_validation(operation, &dropped.send(&sandbox).await, &name, "missing");
            dropped.query.push((name.clone(), String::new()));
            is_validation(operation, &dropped.send(&sandbox).await, &name, "empty");
            broken += 1;
        }
        for Field { pointer, path, wrong } in required_fields(&spec, operation) {
            let mut dropped = call.clone();
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            dropped
                .body
                .as_mut()
                .unwrap()
                .pointer_mut(parent)
                .unwrap()
                .as_object_mut()
                .unwrap()
                .remove(name);
            is_validation(operation, &dropped.send(&sandbox).await, &path, "missing");
            // Parts of a form are texts and files; there is no other type to send.
            if let Some(wrong) = wrong.filter(|_| !call.is_form()) {
                let mut typed = call.clone();
                *typed.body.as_mut().unwrap().pointer_mut(&pointer).unwrap() = wrong;
                is_validation(operation, &typed.send(&sandbox).await, &path, "of the wrong type");
            }
            broken += 1;
        }
    }
    assert!(broken >= 20, "{broken}");
    assert_eq!(
        sandbox.control().counts().world.calls.len(),
        0,
        "the world was never asked"
    );
}

#[tokio::test]
async fn a_parameter_of_the_wrong_type_or_given_twice_is_named() {
    let (spec, sandbox) = (spec(), frozen().await);
    let mut broken = 0;
    for (operation, _, call) in calls(&spec) {
        for parameter in parameters(&spec, Call::object(&spec, operation)).filter(|p| p["in"] == "query") {
            let name = parameter["name"].as_str().unwrap();
            let schema = schema(&spec, parameter);
            let wrong: &[&str] = match (schema["type"].as_str(), schema["format"].as_str()) {
                (Some("integer"), _) => &["ten", "1.5", "99999999999999999999", "+1", " 1"],
                (Some("number"), _) => &["ten", "NaN", "1,5", "0x10", "1e999999"],
                (_, Some("date")) => &["2026-02-30", "01.02.2026", "2026-1-2"],
                _ if schema.get("enum").is_some() => &["SOMETHING_ELSE", "buy "],
                _ => &[],
            };
            for value in wrong {
                let mut call = call.clone();
                call.query.retain(|(key, _)| key != name);
                call.query.push((name.to_owned(), (*value).to_owned()));
                is_validation(operation, &call.send(&sandbox).await, name, value);
                broken += 1;
            }
            let mut twice = call.clone();
            let first = twice.query.iter().find(|(key, _)| key == name).unwrap().clone();
            twice.query.push(first);
            is_validation(operation, &twice.send(&sandbox).await, name, "twice");
        }
    }
    assert!(broken >= 30, "{broken}");
}

#[tokio::test]
async fn a_credential_header_that_is_missing_is_refused() {
    let (spec, sandbox) = (spec(), frozen().await);
    let mut refused = 0;
    for (operation, alternative, call) in calls(&spec) {
        for header in alternative.headers() {
            let rest: Vec<&str> = alternative
                .headers()
                .iter()
                .map(|h| h.name())
                .filter(|n| *n != header.name())
                .collect();
            let enough = |a: &Alternative| a.headers().iter().all(|h| rest.contains(&h.name()));
            if operation.alternatives().iter().any(enough) {
                continue;
            }
            for empty in [false, true] {
                let mut call = call.clone();
                call.headers.retain(|(name, _)| name != header.name());
                if empty {
                    call.headers.push((header.name().to_owned(), String::new()));
                }
                let answer = call.send(&sandbox).await;
                let context = format!("{} without {}: {answer:?}", operation.id(), header.name());
                let listed = &Call::object(&spec, operation)["responses"];
                let forbidden = listed.get("403").is_some() && listed.get("401").is_none();
                assert_eq!(answer.status, if forbidden { 403 } else { 401 }, "{context}");
                let gateway = operation.host() == Host::Gateway;
                let code = if operation.id().starts_with("submitReliance") {
                    1010
                } else {
                    1002
                };
                assert_eq!(answer.code(), gateway.then_some(code), "{context}");
                assert_eq!(answer.json()["error"].get("name").is_some(), !gateway, "{context}");
                refused += 1;
            }
        }
    }
    assert!(refused >= 80, "{refused}");
}

#[tokio::test]
async fn a_repeated_credential_and_both_methods_at_once_are_refused() {
    let (spec, sandbox) = (spec(), frozen().await);
    let mut mixed = 0;
    for (operation, alternative, call) in calls(&spec) {
        let mut twice = call.clone();
        twice
            .headers
            .push((alternative.headers()[0].name().to_owned(), "another".to_owned()));
        is_validation(
            operation,
            &twice.send(&sandbox).await,
            alternative.headers()[0].name(),
            "twice",
        );
        let names: Vec<&str> = call.headers.iter().map(|(name, _)| name.as_str()).collect();
        let other: &[&str] = match () {
            () if names.contains(&"x-user-identifier") => &["authorization"],
            () if names.contains(&"authorization") => &["x-access-token", "x-user-identifier"],
            () => &[],
        };
        for name in other {
            let mut both = call.clone();
            both.headers.push(((*name).to_owned(), "made-up".to_owned()));
            is_validation(
                operation,
                &both.send(&sandbox).await,
                "authorization",
                "with the other method",
            );
            mixed += 1;
        }
    }
    assert!(mixed >= 10, "{mixed}");
}

#[tokio::test]
async fn bodies_have_to_be_json_and_say_so() {
    let (spec, sandbox) = (spec(), frozen().await);
    for (operation, _, call) in calls(&spec).filter(|(_, _, call)| call.body.is_some() && !call.is_form()) {
        let base = if operation.host() == Host::Api {
            sandbox.api_url()
        } else {
            sandbox.gateway_url()
        };
        let send = async |kind: Option<&str>, body: &str| {
            let method = operation.method().parse().unwrap();
            let mut request = http()
                .request(method, format!("{base}{}", call.path))
                .query(&call.query)
                .body(body.to_owned());
            for (name, value) in &call.headers {
                request = request.header(name, value);
            }
            if let Some(kind) = kind {
                request = request.header("content-type", kind);
            }
            Answer::of(request.send().await.unwrap()).await
        };
        let good = call.body.as_ref().unwrap().to_string();
        for kind in [
            None,
            Some("text/plain"),
            Some("application/x-www-form-urlencoded"),
            Some("application/jsonp"),
        ] {
            assert_eq!(send(kind, &good).await.status, 415, "{kind:?}");
        }
        let json = Some("Application/JSON; charset=utf-8");
        for bad in ["{", "nul", "{} {}", "\u{0}", &"[".repeat(100_000)] {
            is_validation(operation, &send(json, bad).await, "body", "no JSON");
        }
        for bad in ["null", "[]", "17", "\"text\""] {
            is_validation(operation, &send(json, bad).await, "body", bad);
        }
        is_validation(operation, &send(json, "").await, "body", "nothing");
    }
}

#[tokio::test]
async fn fields_deep_in_a_body_are_named_by_their_path() {
    let (spec, sandbox) = (spec(), frozen().await);
    let operation = &operations::CREATE_WIDGET_URL;
    let mut call = Call::valid(&spec, operation, &operation.alternatives()[0]);
    let params = |extra: Value| {
        let mut params = json!({"apiKey": "k", "referrerDomain": "d"});
        params
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        Some(json!({ "widgetParams": params }))
    };
    for (extra, field) in [
        (json!({"fiatAmount": "12"}), "widgetParams.fiatAmount"),
        (json!({"colorMode": "PINK"}), "widgetParams.colorMode"),
        (json!({"userData": {"firstName": 7}}), "widgetParams.userData.firstName"),
        (json!({"nftData": [{}, 5]}), "widgetParams.nftData["),
    ] {
        call.body = params(extra);
        let answer = call.send(&sandbox).await;
        assert_eq!((answer.status, answer.code()), (400, Some(9001)), "{answer:?}");
        assert!(answer.message().starts_with(field), "{field}: {answer:?}");
    }
    // Members the spec does not know are the caller's own business.
    call.body = params(json!({"somethingNew": 1}));
    assert_eq!(
        call.send(&sandbox).await.status,
        401,
        "refused for its made-up key only"
    );
}

#[tokio::test]
async fn paths_methods_and_hosts_are_told_apart() {
    let sandbox = frozen().await;
    for operation in operations::ALL {
        let (own, other) = match operation.host() {
            Host::Api => (sandbox.api_url(), sandbox.gateway_url()),
            _ => (sandbox.gateway_url(), sandbox.api_url()),
        };
        let path = filled(operation.path());
        let allowed: Vec<&str> = operations::ALL
            .iter()
            .filter(|o| o.host() == operation.host() && o.path() == operation.path())
            .map(|o| o.method())
            .collect();
        let send = async |method: &str, url: String| {
            Answer::of(http().request(method.parse().unwrap(), url).send().await.unwrap()).await
        };
        assert_eq!(
            send(operation.method(), format!("{other}{path}")).await.status,
            404,
            "{path}"
        );
        let slash = path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned);
        assert_eq!(
            send(operation.method(), format!("{own}{slash}")).await.status,
            404,
            "{slash}"
        );
        let methods = ["DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "PROPFIND"];
        for method in methods.into_iter().filter(|method| !allowed.contains(method)) {
            let answer = send(method, format!("{own}{path}")).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.headers["allow"], allowed.join(", "), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn forms_have_to_be_forms_and_say_so() {
    let (spec, sandbox) = (spec(), frozen().await);
    let mut forms = 0;
    for (operation, _, call) in calls(&spec).filter(|(_, _, call)| call.is_form()) {
        let send = async |kind: Option<&str>, body: &str| {
            let url = format!("{}{}", sandbox.gateway_url(), call.path);
            let mut request = http().post(url).body(body.to_owned());
            for (name, value) in &call.headers {
                request = request.header(name, value);
            }
            if let Some(kind) = kind {
                request = request.header("content-type", kind);
            }
            Answer::of(request.send().await.unwrap()).await
        };
        for kind in [None, Some("application/json"), Some("multipart/form-data")] {
            assert_eq!(send(kind, "{}").await.status, 415, "{kind:?}");
        }
        let kind = Some("multipart/form-data; boundary=parts");
        for bad in ["{}", "--parts", "--parts\r\n\r\nx\r\n--parts--\r\n"] {
            is_validation(operation, &send(kind, bad).await, "body", bad);
        }
        is_validation(operation, &send(kind, "").await, "body", "nothing");
        forms += 1;
    }
    assert!(forms > 0);
}

/// A path with some text for every parameter.
fn filled(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "x" } else { part }.to_owned();
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}
