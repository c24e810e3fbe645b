//! Base URLs, parsed once, and whether a request still goes where its operation's path template says.
//!
//! Ids in paths often come from outside: a webhook, a browser. The generated code escapes `/` in them, but a
//! URL parser also takes `..`, `.` and `\` for steps in the path, so that the id `..\webhooks` would be sent,
//! with credentials, to another operation.

use std::fmt::Write as _;

use url::Url;

use crate::environment::Environment;
use crate::operations::Host;

/// The base URL of one host.
#[derive(Debug)]
pub(crate) struct Base {
    url: Url,
    prefix: Box<str>,
}

impl Base {
    fn parse(url: &str) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        let prefix = url.path().trim_end_matches('/').into();
        Some(Self { url, prefix })
    }

    pub(crate) const fn url(&self) -> &Url {
        &self.url
    }

    /// What every path on this host begins with: empty, or a path without a trailing slash.
    pub(crate) const fn prefix(&self) -> &str {
        &self.prefix
    }
}

/// The base URLs of an environment.
#[derive(Debug)]
pub(crate) struct Bases(Vec<(Host, Base)>);

impl Bases {
    pub(crate) fn of(environment: &Environment) -> Self {
        let base = |host: &Host| Some((*host, Base::parse(environment.base_url(*host)?)?));
        Self(Host::ALL.iter().filter_map(base).collect())
    }

    pub(crate) fn get(&self, host: Host) -> Option<&Base> {
        self.0.iter().find(|(of, _)| *of == host).map(|(_, base)| base)
    }
}

/// Why such a request is refused; it repeats nothing of the value.
pub(crate) const REASON: &str = "an empty text, a step such as `..` or a backslash would lead to another path";

/// The first path parameter that may have led elsewhere, in the spelling of the builders.
///
/// # Errors
/// The name, when the path behind the base URL's own no longer has the template's shape.
pub(crate) fn check(template: &str, prefix: &str, path: &str) -> Result<(), String> {
    // Without parameters there is nothing that could lead elsewhere.
    if !template.contains('{') {
        return Ok(());
    }
    let Some(path) = path.strip_prefix(prefix) else {
        return Err(first_parameter(template));
    };
    let (mut wanted, mut found) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return Ok(()),
            (Some(wanted), Some(found)) if fits(wanted, found) => {}
            _ => return Err(first_parameter(template)),
        }
    }
}

fn fits(wanted: &str, found: &str) -> bool {
    match (wanted.split_once('{'), wanted.rsplit_once('}')) {
        (Some((before, _)), Some((_, after))) => found
            .strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after))
            .is_some_and(|value| !value.is_empty()),
        _ => wanted == found,
    }
}

fn first_parameter(template: &str) -> String {
    let name = template.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
    let mut snake = String::new();
    for c in name.map_or("path", |(name, _)| name).chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        // Writing to a `String` does not fail.
        let _ = write!(snake, "{}", c.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Base, check};
    use progenitor_client::encode_path;

    const TEMPLATE: &str = "/partners/api/v2/order/{orderId}";

    fn checked(base: &str, id: &str) -> Result<(), String> {
        let base = Base::parse(base).unwrap();
        let path = format!("{}/partners/api/v2/order/{}", base.prefix(), encode_path(id));
        let mut url = base.url().clone();
        url.set_path(&path);
        url.query_pairs_mut().append_pair("a", "/b");
        check(TEMPLATE, base.prefix(), url.path())
    }

    #[test]
    fn plain_ids_pass_whatever_they_hold() {
        for base in [
            "https://api.example.com",
            "http://127.0.0.1:80",
            "https://x.example.com/order/transak",
        ] {
            for id in [
                "a",
                "a-1_b",
                "a/b",
                "%2e%2e",
                "...",
                "ü ?#",
                "a..b",
                "{x}",
                ":@!$&'()*+,;=",
                "\t",
                "[]|^",
            ] {
                assert_eq!(checked(base, id), Ok(()), "{base} {id}");
            }
        }
    }

    #[test]
    fn ids_that_change_the_path_are_refused_by_the_name_of_the_parameter() {
        for base in ["https://api.example.com", "https://x.example.com/order/transak"] {
            for id in [
                "",
                ".",
                "..",
                "..\\webhooks",
                "a\\b",
                "\\",
                "..\\..\\..\\..\\..\\x",
                ".\\",
                "..\\..\\..\\..\\..\\..\\..\\y",
            ] {
                assert_eq!(checked(base, id), Err("order_id".to_owned()), "{base} {id}");
            }
        }
    }

    #[test]
    fn templates_with_text_around_the_parameter_and_a_slash_at_the_end() {
        assert_eq!(check("/a/v{n}.json/", "", "/a/v7.json/"), Ok(()));
        assert_eq!(check("/a/v{n}.json/", "", "/a/v.json/"), Err("n".to_owned()));
        assert_eq!(check("/a/v{n}.json/", "", "/a/v7.json"), Err("n".to_owned()));
        assert_eq!(check("/a/v{n}.json/", "/b", "/a/v7.json/"), Err("n".to_owned()));
    }
}
