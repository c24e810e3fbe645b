//! Building a [`Client`] and giving it other credentials.

use std::fmt;
use std::time::Duration;

use crate::Secret;
use crate::call::Inner;
use crate::credentials::Credentials;
use crate::environment::Environment;
use crate::error::{ConfigError, Error};
use crate::generated::Client;
use crate::limit;
use crate::operations::Credential;

/// Our product token of the `User-Agent` header.
const USER_AGENT: &str = concat!("transak-client/", env!("CARGO_PKG_VERSION"), " (Rust)");

impl Client {
    /// A builder for staging without credentials.
    #[must_use]
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A copy with one credential added or replaced. Copies share the connection pool.
    #[must_use]
    pub fn with_credential(&self, credential: Credential, value: impl Into<Secret>) -> Self {
        self.with_credentials(Credentials::clone(&self.inner.credentials).with(credential, value))
    }

    /// A copy without one credential.
    #[must_use]
    pub fn without_credential(&self, credential: Credential) -> Self {
        self.with_credentials(Credentials::clone(&self.inner.credentials).without(credential))
    }

    /// A copy with another set of credentials.
    #[must_use]
    pub fn with_credentials(&self, credentials: Credentials) -> Self {
        Self {
            baseurl: self.baseurl.clone(),
            client: self.client.clone(),
            inner: self.inner.with_credentials(credentials),
        }
    }

    /// The environment this client talks to.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.inner.place.environment
    }

    /// The credentials this client holds.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.inner.credentials
    }
}

/// Prints no setting of the HTTP client: the address of a proxy may hold a password, a default header a token.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("environment", &self.inner.place.environment)
            .field("credentials", &self.inner.credentials)
            .finish_non_exhaustive()
    }
}

type Configure = Box<dyn FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send>;

/// Settings of a [`Client`].
pub struct ClientBuilder {
    environment: Environment,
    credentials: Credentials,
    timeout: Duration,
    connect_timeout: Duration,
    max_answer_bytes: usize,
    product: Option<String>,
    configure: Option<Configure>,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            environment: Environment::default(),
            credentials: Credentials::default(),
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
            max_answer_bytes: limit::DEFAULT,
            product: None,
            configure: None,
        }
    }
}

impl ClientBuilder {
    /// Which environment to talk to; staging unless set.
    #[must_use]
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }

    /// Adds one credential.
    #[must_use]
    pub fn credential(mut self, credential: Credential, value: impl Into<Secret>) -> Self {
        self.credentials = self.credentials.with(credential, value);
        self
    }

    /// Replaces all credentials.
    #[must_use]
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// Longest time for one whole call, answer included; 30 seconds unless set. In browsers it has no effect.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Longest time to open a connection; 5 seconds unless set. In browsers it has no effect.
    #[must_use]
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Most bytes read of one answer, 32 MiB unless set; a longer one is [`Error::Decode`]. In browsers it has no effect.
    #[must_use]
    pub const fn max_answer_bytes(mut self, bytes: usize) -> Self {
        self.max_answer_bytes = bytes;
        self
    }

    /// Names your product in front of ours in `User-Agent`, as in `acme-wallet/2.1`.
    #[must_use]
    pub fn product(mut self, product: impl Into<String>) -> Self {
        self.product = Some(product.into());
        self
    }

    /// Changes the HTTP client's own settings (proxy, root certificates, client identity, pool). Timeouts,
    /// user agent and the redirect policy are set afterwards and cannot be changed here: a followed
    /// redirect would carry credential headers to another host. (A browser follows redirects on its own.)
    ///
    /// The system's proxy is used as for any `reqwest` client, unless a base URL is plain http: a proxy would
    /// see the credentials. Set one here if that is what you want, to watch the traffic of a test.
    #[must_use]
    pub fn configure_http(
        mut self,
        configure: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + 'static,
    ) -> Self {
        self.configure = Some(Box::new(configure));
        self
    }

    /// Builds the client. No connection is opened.
    ///
    /// # Errors
    /// [`Error::Config`] when the HTTP client cannot be set up or the product name fits no header.
    pub fn build(self) -> Result<Client, Error> {
        let user_agent = match &self.product {
            Some(product) => format!("{product} {USER_AGENT}"),
            None => USER_AGENT.to_owned(),
        };
        let mut http = reqwest::Client::builder();
        #[cfg(not(target_arch = "wasm32"))]
        if self.environment.has_plain_http() {
            // What is meant for this machine would otherwise go, unencrypted, to the host in `HTTP_PROXY`.
            http = http.no_proxy();
        }
        if let Some(configure) = self.configure {
            http = configure(http);
        }
        http = http.user_agent(user_agent);
        #[cfg(not(target_arch = "wasm32"))]
        {
            http = http
                .timeout(self.timeout)
                .connect_timeout(self.connect_timeout)
                .redirect(reqwest::redirect::Policy::none());
        }
        let http = http.build().map_err(|cause| {
            let problem = "do not make an HTTP client; check product name, certificates and proxy";
            Box::new(ConfigError::new("http", problem).caused_by(cause.without_url()))
        })?;
        Ok(Client {
            // Every call brings the base URL of its own host.
            baseurl: String::new(),
            client: http,
            inner: Inner::new(self.environment, self.credentials, self.max_answer_bytes),
        })
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("environment", &self.environment)
            .field("credentials", &self.credentials)
            .field("timeout", &self.timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("max_answer_bytes", &self.max_answer_bytes)
            .field("product", &self.product)
            .finish_non_exhaustive()
    }
}
