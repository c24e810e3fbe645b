//! Servers: which hosts there are, and that every path says which one is its.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Report, Rule, spec::Spec};
use crate::codegen::load::shape::{Kind, Node, join};

const HELP_LIST: &str = "alias one of the lists under `x-transak-servers`, such as `servers: *api`";

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "path-servers",
        why: "progenitor ignores `servers`; without a list of its own a path would go to whatever host the caller gave",
        check: path_servers,
    },
    Rule {
        name: "server-extensions",
        why: "the operation table knows hosts by `x-transak-host` and `x-transak-environment`",
        check: extensions,
    },
    Rule {
        name: "server-environments",
        why: "every host needs exactly one URL for staging and one for production",
        check: environments,
    },
    Rule {
        name: "server-consistent",
        why: "one host with two URLs would send some calls to the wrong place",
        check: consistent,
    },
    Rule {
        name: "server-url",
        why: "generated paths and mock matchers are anchored: a base URL is `https://host` and nothing more",
        check: url,
    },
];

/// progenitor parses `servers` and drops it; the operation table needs it at the path and only
/// there.
fn path_servers(spec: &Spec<'_>, report: &mut Report<'_>) {
    for node in spec.all(Kind::PathItem) {
        let servers = node.get("servers").and_then(Value::as_array);
        if servers.is_none_or(Vec::is_empty) {
            report.add(
                &node.pointer,
                format!("the path `{}` has no servers", node.key),
                HELP_LIST,
            );
        }
    }
    for node in spec.all(Kind::Operation).filter(|node| node.has("servers")) {
        report.add(
            &node.at("servers"),
            "servers of a single operation are ignored",
            "move the list to the path item; a path lives on one host",
        );
    }
}

/// The table is keyed by these two; an entry without them is no host at all.
fn extensions(spec: &Spec<'_>, report: &mut Report<'_>) {
    for server in spec.all(Kind::Server) {
        for key in ["x-transak-host", "x-transak-environment"] {
            if !server.has(key) {
                report.add(&server.pointer, format!("the server has no `{key}`"), HELP_LIST);
            }
        }
    }
}

/// The generated host type holds one URL per environment; a missing one would be a hole in it.
fn environments(spec: &Spec<'_>, report: &mut Report<'_>) {
    for (pointer, servers) in lists(spec) {
        let mut hosts: Vec<_> = servers.iter().filter_map(|s| s.text("x-transak-host")).collect();
        hosts.dedup();
        if hosts.len() > 1 {
            report.add(&pointer, "the list names more than one host", HELP_LIST);
        }
        for environment in ["staging", "production"] {
            let count = servers
                .iter()
                .filter(|server| server.text("x-transak-environment") == Some(environment))
                .count();
            if count != 1 {
                report.add(
                    &pointer,
                    format!("the list has {count} servers for {environment} instead of one"),
                    HELP_LIST,
                );
            }
        }
    }
}

/// The table takes the first URL it meets for a host; a second one would never be called.
fn consistent(spec: &Spec<'_>, report: &mut Report<'_>) {
    let mut known: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    let mut owners: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for server in spec.all(Kind::Server) {
        let (Some(host), Some(environment), Some(url)) = (
            server.text("x-transak-host"),
            server.text("x-transak-environment"),
            server.text("url"),
        ) else {
            continue;
        };
        let first = *known.entry((host, environment)).or_insert(url);
        if first != url {
            report.add(
                &server.at("url"),
                format!("`{host}` in {environment} is {url} here and {first} elsewhere"),
                HELP_LIST,
            );
        }
        let owner = *owners.entry(url).or_insert((host, environment));
        if owner != (host, environment) {
            report.add(
                &server.at("url"),
                format!("{url} is also `{}` in {}", owner.0, owner.1),
                "give every host and environment a URL of its own",
            );
        }
    }
}

/// The client hook replaces scheme and authority only, and httpmock's path patterns are anchored
/// at the root, so a base path would be lost in one and never match in the other.
fn url(spec: &Spec<'_>, report: &mut Report<'_>) {
    for server in spec.all(Kind::Server) {
        let url = server.text("url").unwrap_or_default();
        let is_host = |host: &str| {
            host.split('.').all(|label| {
                !label.is_empty()
                    && label
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            })
        };
        if !url.strip_prefix("https://").is_some_and(is_host) {
            report.add(
                &server.at("url"),
                format!("`{url}` is more or less than `https://host`"),
                "write https, a lower-case host name, no port, no path, no slash at the end, no variables",
            );
        }
        if server.has("variables") {
            report.add(
                &server.at("variables"),
                "server variables are ignored by the generator",
                "write one server per environment",
            );
        }
    }
}

/// Every list of servers with its pointer, in document order.
fn lists<'s, 'a>(spec: &'s Spec<'a>) -> Vec<(String, Vec<&'s Node<'a>>)> {
    let mut lists: Vec<(String, Vec<&Node<'_>>)> = Vec::new();
    for server in spec.all(Kind::Server) {
        let Some((list, _)) = server.pointer.rsplit_once('/') else {
            continue;
        };
        match lists.last_mut() {
            Some((pointer, servers)) if pointer == list => servers.push(server),
            _ => lists.push((list.to_owned(), vec![server])),
        }
    }
    // An empty list has no server to be found by; paths without servers have their own rule.
    if let Some(Value::Object(named)) = spec.json.get("x-transak-servers") {
        for (name, list) in named {
            if list.as_array().is_none_or(Vec::is_empty) {
                lists.push((join("#/x-transak-servers", name), Vec::new()));
            }
        }
    }
    lists
}
