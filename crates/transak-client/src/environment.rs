//! Where the API is: Transak's two environments, or base URLs of your own.

use std::collections::BTreeMap;
use std::fmt;

use url::{Host as UrlHost, Url};

use crate::operations::Host;

/// An environment of the API. Keys, secrets and tokens belong to one environment and are of no use in another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Environment {
    /// Transak's staging environment.
    #[default]
    Staging,
    /// Transak's production environment: real money.
    Production,
    /// Base URLs of your own: a proxy, a sandbox, a mock server.
    Custom(BaseUrls),
}

impl Environment {
    /// An environment in which every host has the same base URL, as with one mock server.
    ///
    /// # Errors
    /// [`InvalidBaseUrl`] as for [`BaseUrls::with`].
    pub fn single(url: &str) -> Result<Self, InvalidBaseUrl> {
        Host::ALL
            .iter()
            .try_fold(BaseUrls::default(), |urls, host| urls.with(*host, url))
            .map(Self::Custom)
    }

    /// An environment with a base URL for each of the two hosts.
    ///
    /// # Errors
    /// [`InvalidBaseUrl`] as for [`BaseUrls::with`].
    pub fn custom(api: &str, gateway: &str) -> Result<Self, InvalidBaseUrl> {
        BaseUrls::default()
            .with(Host::Api, api)?
            .with(Host::Gateway, gateway)
            .map(Self::Custom)
    }

    /// Base URL of a host, without a trailing slash; `None` when a custom environment lacks it.
    #[must_use]
    pub fn base_url(&self, host: Host) -> Option<&str> {
        match self {
            Self::Staging => Some(host.staging_url()),
            Self::Production => Some(host.production_url()),
            Self::Custom(urls) => urls.urls.get(&host).map(String::as_str),
        }
    }

    /// Whether a host is reached without TLS, which [`BaseUrls::with`] allows for loopback addresses only.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn has_plain_http(&self) -> bool {
        matches!(self, Self::Custom(urls) if urls.urls.values().any(|url| url.starts_with("http:")))
    }

    /// A short name for logs and storage keys; a custom environment is named by its base URLs.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Staging => "staging".to_owned(),
            Self::Production => "production".to_owned(),
            Self::Custom(urls) => {
                let parts: Vec<String> = urls
                    .urls
                    .iter()
                    .map(|(host, url)| format!("{}={url}", host.id()))
                    .collect();
                parts.join(",")
            }
        }
    }
}

/// Base URLs by host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BaseUrls {
    urls: BTreeMap<Host, String>,
}

impl BaseUrls {
    /// Sets the base URL of one host. A path prefix is kept; a trailing slash is not.
    ///
    /// # Errors
    /// [`InvalidBaseUrl`] unless it is an absolute `https` URL without user name, query or fragment.
    /// Plain `http` is accepted for loopback addresses only, since every request carries credentials.
    pub fn with(mut self, host: Host, url: &str) -> Result<Self, InvalidBaseUrl> {
        let refuse = |reason| InvalidBaseUrl {
            host: host.id(),
            reason,
        };
        let parsed = Url::parse(url).map_err(|_| refuse(Reason::NotAbsolute))?;
        match parsed.scheme() {
            "https" => {}
            "http" if is_loopback(&parsed) => {}
            "http" => return Err(refuse(Reason::PlainHttp)),
            _ => return Err(refuse(Reason::NotAbsolute)),
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(refuse(Reason::UserInfo));
        }
        if parsed.query().is_some() || parsed.fragment().is_some() {
            return Err(refuse(Reason::QueryOrFragment));
        }
        self.urls.insert(host, parsed.as_str().trim_end_matches('/').to_owned());
        Ok(self)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(UrlHost::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(UrlHost::Ipv4(ip)) => ip.is_loopback(),
        Some(UrlHost::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// A base URL that credentials must not be sent to. The URL itself is not repeated: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidBaseUrl {
    host: &'static str,
    reason: Reason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    NotAbsolute,
    PlainHttp,
    UserInfo,
    QueryOrFragment,
}

impl fmt::Display for InvalidBaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = match self.reason {
            Reason::NotAbsolute => "it is no absolute http(s) URL; write something like https://api.example.com",
            Reason::PlainHttp => "plain http is allowed for loopback addresses only; use https",
            Reason::UserInfo => "it holds a user name or password; put credentials into `Credentials`",
            Reason::QueryOrFragment => "it holds a query or fragment; give scheme, host and path only",
        };
        write!(f, "the base URL of host `{}` is refused: {reason}", self.host)
    }
}

impl std::error::Error for InvalidBaseUrl {}
