//! What the page must be: complete, and sufficient in itself.

use serde_json::Value;

use crate::api::Api;

/// Attributes through which a page loads something by itself. A link that is only followed when clicked is none.
const LOADING: [&str; 9] = [
    "src",
    "srcset",
    "poster",
    "data",
    "background",
    "action",
    "formaction",
    "manifest",
    "ping",
];
/// Elements whose `href` is loaded without a click.
const LINKS: [&str; 5] = ["link", "base", "image", "use", "script"];

/// Everything the page would load when it is opened. Empty for a page that is sufficient in itself.
///
/// Texts of scripts are data here: what they can load is up to the policy of the page, which must forbid it.
#[must_use]
pub fn external(html: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !html.contains("http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';") {
        found.push("anything, for there is no content security policy".to_owned());
    }
    for tag in tags(html) {
        for (name, value) in &tag.attributes {
            let loads = LOADING.contains(&name.as_str()) || (name == "href" && LINKS.contains(&tag.name.as_str()));
            let inside = value.is_empty() || value.starts_with("data:") || value.starts_with('#');
            if (loads && !inside) || (name == "style" && styles_load(value)) {
                found.push(format!("<{} {name}=\"{value}\">", tag.name));
            }
        }
        if tag.name == "style" && styles_load(tag.text) {
            found.push("a style sheet's url() or @import".to_owned());
        }
    }
    found
}

/// Operations of `spec` whose id is not in the page.
#[must_use]
pub fn absent(spec: &Value, html: &str) -> Vec<String> {
    let operations = Api::read(spec).operations;
    let ids = operations.iter().filter_map(|operation| operation.id);
    let lost = ids.filter(|id| !html.contains(&format!("\"operationId\":\"{id}\"")));
    lost.map(str::to_owned).collect()
}

fn styles_load(css: &str) -> bool {
    let css = css.to_lowercase();
    let urls = css
        .split("url(")
        .skip(1)
        .map(|rest| rest.trim_start_matches(['"', '\'', ' ']));
    css.contains("@import")
        || urls
            .into_iter()
            .any(|url| !url.starts_with("data:") && !url.starts_with('#'))
}

struct Tag<'a> {
    name: String,
    attributes: Vec<(String, String)>,
    /// What follows up to the end tag, for elements whose content is text.
    text: &'a str,
}

/// The start tags of a page that we have written ourselves: attributes are quoted or have no value.
fn tags(html: &str) -> Vec<Tag<'_>> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once('<') {
        rest = after;
        if !after.starts_with(|first: char| first.is_ascii_alphabetic()) {
            continue;
        }
        let end = tag_end(after);
        let (inside, behind) = after.split_at_checked(end).unwrap_or((after, ""));
        let (name, attributes) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
        let name = name.trim_end_matches('/').to_lowercase();
        let mut text = "";
        if matches!(name.as_str(), "script" | "style") {
            let content = behind.strip_prefix('>').unwrap_or(behind);
            let close = format!("</{name}");
            text = content.split_once(&close).map_or(content, |(text, _)| text);
            rest = content.get(text.len()..).unwrap_or_default();
        } else {
            rest = behind;
        }
        found.push(Tag {
            name,
            attributes: attributes_of(attributes),
            text,
        });
    }
    found
}

/// Where the tag ends: the first `>` outside of quotes.
fn tag_end(text: &str) -> usize {
    let mut quote = None;
    for (index, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return index,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    text.len()
}

fn attributes_of(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let (name, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let mut value = "";
        rest = after.trim_start();
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start();
            let quoted = after.chars().next().filter(|first| matches!(first, '"' | '\''));
            (value, rest) = match quoted {
                Some(quote) => after
                    .get(1..)
                    .and_then(|after| after.split_once(quote))
                    .unwrap_or((after, "")),
                None => after.split_once(char::is_whitespace).unwrap_or((after, "")),
            };
            rest = rest.trim_start();
        }
        if !name.is_empty() {
            found.push((name.to_lowercase(), value.trim().to_owned()));
        } else if value.is_empty() {
            break;
        }
    }
    found
}
