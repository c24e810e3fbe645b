//! The control API against its own OpenAPI document: every answer fits it, and nothing in it is never answered.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use transak_sandbox::world::Moment;
use transak_sandbox::{CONTROL_OPENAPI, Limits, Sandbox};

use crate::common::{Answer, EMAIL, START, client, http, key, login};

/// The document, and which of its answers were seen.
struct Document {
    root: Value,
    seen: BTreeSet<(String, String, String)>,
}

/// OpenAPI 3.0 in JSON Schema's words. Objects that do not say otherwise are closed: a member the document does not
/// name is one its readers do not know.
fn convert(value: &mut Value) {
    if let Some(object) = value.as_object_mut() {
        if object.get("nullable") == Some(&Value::Bool(true)) {
            let kind = object["type"].clone();
            object.insert("type".to_owned(), json!([kind, "null"]));
        }
        if object.get("properties").is_some_and(Value::is_object)
            && object.get("type") == Some(&json!("object"))
            && !object.contains_key("additionalProperties")
        {
            object.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
        object.values_mut().for_each(convert);
    }
    if let Some(list) = value.as_array_mut() {
        list.iter_mut().for_each(convert);
    }
}

impl Document {
    fn new() -> Self {
        let mut root: Value = serde_yaml::from_str(CONTROL_OPENAPI).unwrap();
        convert(&mut root["components"]["schemas"]);
        Self {
            root,
            seen: BTreeSet::new(),
        }
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => self.root.pointer(&reference[1..]).expect(reference),
            None => value,
        }
    }

    /// Every path, method and status of the document.
    fn all(&self) -> BTreeSet<(String, String, String)> {
        let mut all = BTreeSet::new();
        for (path, item) in self.root["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                for status in operation["responses"].as_object().unwrap().keys() {
                    all.insert((path.clone(), method.clone(), status.clone()));
                }
            }
        }
        all
    }

    fn check(&mut self, template: &str, method: &str, answer: &Answer) {
        let status = answer.status.to_string();
        let at = format!("{method} {template} {status}: {}", answer.text);
        let listed = &self.root["paths"][template][method]["responses"][&status];
        assert!(listed.is_object(), "not in the document: {at}");
        let response = self.resolve(listed);
        let content = answer.headers.get("content-type").map(|kind| kind.to_str().unwrap());
        match response["content"].as_object() {
            None => assert_eq!((content, answer.text.as_str()), (None, ""), "{at}"),
            Some(kinds) => {
                let essence = content.expect(&at).split(';').next().unwrap();
                let schema = &kinds.get(essence).expect(&at)["schema"];
                if essence == "application/json" {
                    let mut schema = schema.clone();
                    schema["components"] = self.root["components"].clone();
                    let validator = jsonschema::options()
                        .with_draft(jsonschema::Draft::Draft202012)
                        .build(&schema)
                        .unwrap();
                    let problems: Vec<String> = validator.iter_errors(&answer.json()).map(|e| e.to_string()).collect();
                    assert!(problems.is_empty(), "{at}\n{problems:#?}");
                }
            }
        }
        for header in response["headers"].as_object().into_iter().flat_map(|all| all.keys()) {
            assert!(answer.headers.contains_key(header), "no {header}: {at}");
        }
        self.seen.insert((template.to_owned(), method.to_owned(), status));
    }

    /// Sends a request and checks its answer; `path` is the template with `{id}` filled in.
    async fn send(
        &mut self,
        sandbox: &Sandbox,
        method: &str,
        template: &str,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let request = http().request(
            method.to_uppercase().parse().unwrap(),
            format!("{}{path}", sandbox.control_url()),
        );
        let request = match &body {
            Some(body) => request.json(body),
            None => request,
        };
        let answer = Answer::of(request.send().await.unwrap()).await;
        self.check(template, method, &answer);
        answer
    }
}

/// A widget session's id.
async fn widget(sandbox: &Sandbox) -> String {
    let (client, key) = (client(sandbox), key(sandbox));
    let minted = client
        .refresh_access_token()
        .body_map(|b| b.api_key(&key))
        .send()
        .await
        .unwrap();
    let token = minted.data.access_token.expose().to_owned();
    let params = json!({"widgetParams": {"apiKey": key, "referrerDomain": "app.example.com"}});
    let answer = http()
        .post(format!("{}/api/v2/auth/session", sandbox.gateway_url()))
        .header("access-token", token)
        .header("authorization", login(sandbox, EMAIL).await)
        .header("x-api-key", &key)
        .header("x-user-ip", "203.0.113.7")
        .json(&params);
    let answer = Answer::of(answer.send().await.unwrap()).await;
    let url = answer.json()["data"]["widgetUrl"]
        .as_str()
        .expect(&answer.text)
        .to_owned();
    url.rsplit_once("sessionId=").unwrap().1.to_owned()
}

#[tokio::test]
async fn every_answer_fits_the_document_and_every_one_of_it_is_given() {
    let mut limits = Limits::default();
    limits.max_body_bytes = 300 * 1024;
    let sandbox = Sandbox::builder()
        .limits(limits)
        .clock_start(START)
        .frozen()
        .start()
        .await
        .unwrap();
    let mut document = Document::new();
    let d = &mut document;
    let s = &sandbox;

    let session = widget(s).await;
    let opening = format!("/widget-sessions/{session}/open");
    let open = "/widget-sessions/{id}/open";
    assert_eq!(d.send(s, "post", open, &opening, None).await.json()["email"], EMAIL);
    assert_eq!(d.send(s, "post", open, &opening, None).await.status, 410);
    d.send(s, "post", open, "/widget-sessions/none/open", None).await;

    for path in [
        "/health",
        "/openapi.yaml",
        "/clock",
        "/mailbox",
        "/counters",
        "/settings",
        "/faults",
    ] {
        d.send(s, "get", path, path, None).await;
    }
    let clock = "/clock";
    for change in [
        json!({"action": "advance", "millis": 0}),
        json!({"action": "advance", "millis": u64::MAX}),
        json!({"action": "set", "unixMillis": 0}),
        json!({"action": "set", "unixMillis": i64::MIN}),
        json!({"action": "set", "unixMillis": START.unix_millis}),
        json!({"action": "run"}),
        json!({"action": "freeze"}),
        json!("freeze"),
    ] {
        d.send(s, "post", clock, clock, Some(change)).await;
    }
    assert_eq!(s.control().clock().unix_millis / 60_000, START.unix_millis / 60_000);
    s.control()
        .set_clock(Moment::from_seconds(START.unix_seconds()))
        .unwrap();

    let faults = "/faults";
    for effect in [
        json!({"kind": "answer", "status": 200}),
        json!({"kind": "answer", "status": 429, "body": [1], "headers": {"Retry-After": "2"}, "when": "after"}),
        json!({"kind": "answer", "status": 200, "headers": {"Content-Length": "7"}}),
        json!({"kind": "html", "status": 502}),
        json!({"kind": "delay", "millis": 600_000}),
        json!({"kind": "dropBefore"}),
        json!({"kind": "dropAfter"}),
        json!({"kind": "slowBody", "pauseMillis": 1}),
    ] {
        let fault = json!({"operation": "getPrice", "times": u32::MAX, "effect": effect});
        d.send(s, "post", faults, faults, Some(fault)).await;
    }
    let listed = d.send(s, "get", faults, faults, None).await.json();
    assert_eq!(listed["faults"].as_array().unwrap().len(), 7);
    let one = "/faults/{id}";
    d.send(s, "delete", one, "/faults/1", None).await;
    d.send(s, "delete", one, "/faults/none", None).await;
    let any = json!({"effect": {"kind": "dropBefore"}});
    for _ in 0..994 {
        s.control()
            .inject(serde_json::from_value(any.clone()).unwrap())
            .unwrap();
    }
    assert_eq!(d.send(s, "post", faults, faults, Some(any)).await.status, 409);
    d.send(s, "delete", faults, faults, None).await;

    d.send(
        s,
        "post",
        "/users",
        "/users",
        Some(json!({"email": EMAIL, "kyc": "standard"})),
    )
    .await;
    d.send(s, "post", "/users", "/users", Some(json!({"email": "nobody"})))
        .await;
    for story in [
        "bankBuy",
        "cardBuy",
        "sell",
        "failing",
        "expiring",
        "cancelled",
        "refunded",
    ] {
        let order = json!({"email": EMAIL, "story": story, "fiatAmount": "49.95"});
        assert_eq!(d.send(s, "post", "/orders", "/orders", Some(order)).await.status, 201);
    }
    d.send(
        s,
        "post",
        "/orders",
        "/orders",
        Some(json!({"email": EMAIL, "fiatAmount": "1e30"})),
    )
    .await;
    let settings = d.send(s, "get", "/settings", "/settings", None).await.json();
    assert_eq!(
        d.send(s, "put", "/settings", "/settings", Some(settings)).await.status,
        200
    );
    d.send(s, "put", "/settings", "/settings", Some(json!({"no": 1}))).await;
    let counts = d.send(s, "get", "/counters", "/counters", None).await.json();
    assert_eq!(
        (&counts["world"]["otpsSent"], &counts["world"]["mints"]),
        (&json!(1), &json!(1))
    );
    d.send(s, "post", "/reset", "/reset", None).await;

    // What the framework refuses, on every operation that says it does.
    for (path, method, status) in d.all() {
        let url = format!("{}{}", s.control_url(), path.replace("{id}", "1"));
        let request = |method: &str| http().request(method.to_uppercase().parse().unwrap(), &url);
        let answer = match status.as_str() {
            "403" => {
                let own = request(&method).header("origin", "http://localhost:3000").send().await;
                assert_ne!(own.unwrap().status(), 403, "pages of this machine may");
                request(&method)
                    .header("origin", "http://evil.example")
                    .send()
                    .await
                    .unwrap()
            }
            "405" => request("patch").send().await.unwrap(),
            "413" => request(&method)
                .header("content-type", "application/json")
                .body(vec![b' '; 300 * 1024 + 1])
                .send()
                .await
                .unwrap(),
            "415" => request(&method).body("{}").send().await.unwrap(),
            _ => continue,
        };
        let answer = Answer::of(answer).await;
        assert_eq!(answer.status.to_string(), status, "{method} {path}");
        d.check(&path, &method, &answer);
    }
    let never: Vec<_> = d.all().difference(&d.seen).cloned().collect();
    assert!(never.is_empty(), "in the document but never answered: {never:?}");
}
