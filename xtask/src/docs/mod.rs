//! `cargo xtask docs`: the spec as one HTML file that needs nothing else, with the provenance of everything in it.
//!
//! [Redoc](https://github.com/Redocly/redoc) renders it. Redocly's own bundler refers to a CDN, so its script is taken
//! from the npm package, which is pinned with the other judges, and put into the page. A content security policy keeps
//! the page from loading anything, whatever the script may try; [`external`] finds what would be tried.

mod check;
mod lower;

pub use check::{absent, external};
pub use lower::lowered;

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::codegen::{load, problem::Failure};
use crate::judges::{self, JudgesError};
use crate::steps;

/// Where the page goes unless told otherwise, below the workspace.
pub const PAGE: &str = "target/docs/index.html";
/// The renderer, below the workspace, once npm has installed it.
const SCRIPT: &str = "tests/judges/node_modules/redoc/bundles/redoc.standalone.js";
/// The one picture the renderer loads from elsewhere.
const LOGO: &str = "https://cdn.redoc.ly/redoc/logo-mini.svg";
const NO_PICTURE: &str = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocsError {
    /// The spec cannot be read.
    #[error(transparent)]
    Spec(#[from] Failure),
    /// The renderer cannot be installed.
    #[error(transparent)]
    Install(#[from] JudgesError),
    /// A file cannot be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        error: std::io::Error,
    },
    /// The page would load something.
    #[error("the page is not self-contained, it refers to: {0}")]
    External(String),
    /// Operations got lost.
    #[error("the page lacks operations: {0}")]
    Absent(String),
}

/// Writes the page to `to`, or to [`PAGE`], and returns where that is.
///
/// # Errors
/// [`DocsError`]; nothing is written unless the page holds every operation and loads nothing.
pub fn run(spec: &Path, to: Option<PathBuf>) -> Result<PathBuf, DocsError> {
    let root = steps::workspace_root();
    let spec = load::load(spec)?.json;
    let script = root.join(SCRIPT);
    judges::install_npm()?;
    let io = |path: &Path, error| DocsError::Io {
        path: path.to_owned(),
        error,
    };
    let renderer = std::fs::read_to_string(&script).map_err(|error| io(&script, error))?;
    let html = page(&spec, &renderer);
    let refers = external(&html);
    if !refers.is_empty() {
        return Err(DocsError::External(refers.join(", ")));
    }
    let lost = absent(&spec, &html);
    if !lost.is_empty() {
        return Err(DocsError::Absent(lost.join(", ")));
    }
    let to = to.unwrap_or_else(|| root.join(PAGE));
    if let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| io(folder, error))?;
    }
    std::fs::write(&to, html).map_err(|error| io(&to, error))?;
    Ok(to)
}

/// The page for `spec`, rendered by the script `renderer` when it is opened.
#[must_use]
pub fn page(spec: &Value, renderer: &str) -> String {
    let title = spec.pointer("/info/title").and_then(Value::as_str).unwrap_or("API");
    let title = title.replace('&', "&amp;").replace('<', "&lt;");
    // Inside of a script element only its end tag and a comment mean something.
    let json = lowered(spec).to_string().replace('<', "\\u003c");
    let renderer = renderer
        .replace(LOGO, NO_PICTURE)
        .replace("</script", "<\\/script")
        .replace("<!--", "<\\!--");
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>body {{ margin: 0; padding: 0; }}</style>
</head>
<body>
<div id="reference">This page is rendered by the script in it.</div>
<script type="application/json" id="spec">{json}</script>
<script>{renderer}</script>
<script>
Redoc.init(JSON.parse(document.getElementById("spec").textContent), {OPTIONS}, document.getElementById("reference"));
</script>
</body>
</html>
"#
    )
}

/// Nothing is loaded from anywhere. The renderer makes its search index in a worker, from a script of its own.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; \
                      font-src data:; worker-src blob:; connect-src 'none'; form-action 'none'; base-uri 'none'";

/// Texts of the spec are not taken for HTML; the fonts are those of the reader's system.
const OPTIONS: &str = r#"{
  sanitize: true,
  hideDownloadButtons: true,
  expandResponses: "200",
  theme: {typography: {fontFamily: "system-ui, sans-serif", headings: {fontFamily: "system-ui, sans-serif"}, code: {fontFamily: "ui-monospace, monospace"}}}
}"#;
