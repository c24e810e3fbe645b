//! One call: host and credentials resolved from the operation table, a trace id, and what came back.
//!
//! Generated `send` methods begin a [`Call`], run progenitor's request through a copy of the client that
//! carries it, and hand failures to [`Call::fail`]. The hooks below only apply what was resolved before.

use std::fmt;
use std::sync::{Arc, OnceLock};

use http::{HeaderMap, HeaderName, HeaderValue};
use progenitor_client::{ClientHooks, OperationInfo};
use serde::de::DeserializeOwned;

use crate::credentials::{Credentials, sensitive};
use crate::environment::Environment;
use crate::error::{CallContext, ConfigError, Error, MissingCredentialError, ResponseMeta};
use crate::generated::Client;
use crate::operation::Operation;
use crate::{limit, route};

/// What a generated client carries beside its HTTP client.
#[derive(Clone)]
pub struct Inner {
    pub(crate) environment: Arc<Environment>,
    pub(crate) credentials: Arc<Credentials>,
    max_answer_bytes: usize,
    scope: Option<Arc<Scope>>,
}

impl Inner {
    pub(crate) fn new(environment: Environment, credentials: Credentials, max_answer_bytes: usize) -> Self {
        Self {
            environment: Arc::new(environment),
            credentials: Arc::new(credentials),
            max_answer_bytes,
            scope: None,
        }
    }

    pub(crate) fn with_credentials(&self, credentials: Credentials) -> Self {
        Self {
            credentials: Arc::new(credentials),
            ..self.clone()
        }
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("environment", &self.environment)
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

struct Scope {
    operation: &'static Operation,
    headers: HeaderMap,
    trace_id: String,
    response: OnceLock<ResponseMeta>,
}

/// One call under way.
pub(crate) struct Call {
    client: Client,
    scope: Arc<Scope>,
}

impl Call {
    /// Resolves host and credentials.
    pub(crate) fn begin(client: &Client, operation: &'static Operation) -> Result<Self, Error> {
        let inner = &client.inner;
        let base_url = inner.environment.base_url(operation.host()).ok_or_else(|| {
            config(
                operation.host().id(),
                "has no base URL in this custom environment; add one",
            )
        })?;
        let alternative = inner
            .credentials
            .choose(operation)
            .ok_or_else(|| missing(inner, operation))?;
        let mut headers = HeaderMap::with_capacity(alternative.headers().len() + 1);
        for header in alternative.headers() {
            let value = inner.credentials.get(header.credential()).and_then(sensitive);
            let value = value.ok_or_else(|| {
                config(
                    header.credential().id(),
                    "holds characters that no HTTP header can carry; check for line breaks",
                )
            })?;
            headers.insert(HeaderName::from_static(header.name()), value);
        }
        let trace_id = uuid::Uuid::new_v4().to_string();
        if let Ok(value) = HeaderValue::from_str(&trace_id) {
            headers.insert("x-trace-id", value);
        }
        let scope = Arc::new(Scope {
            operation,
            headers,
            trace_id,
            response: OnceLock::new(),
        });
        let client = Client {
            baseurl: base_url.to_owned(),
            client: client.client.clone(),
            inner: Inner {
                scope: Some(Arc::clone(&scope)),
                ..inner.clone()
            },
        };
        Ok(Self { client, scope })
    }

    /// The client that carries this call.
    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// Turns a failure into our error; `T` is what a success would have been.
    pub(crate) async fn fail<T: DeserializeOwned>(&self, error: progenitor_client::Error<()>) -> Error {
        let context = CallContext {
            operation: self.scope.operation.id(),
            trace_id: &self.scope.trace_id,
            response: self.scope.response.get().cloned(),
        };
        crate::error::from_progenitor::<T>(context, error).await
    }

    /// A call that ended because of what it had to send.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn cut_short(&self, note: &str) -> Error {
        let context = CallContext {
            operation: self.scope.operation.id(),
            trace_id: &self.scope.trace_id,
            response: self.scope.response.get().cloned(),
        };
        Error::Transport(Box::new(crate::error::TransportError::upload(&context, note)))
    }
}

fn config(setting: &'static str, problem: &'static str) -> Error {
    Error::from(Box::new(ConfigError::new(setting, problem)))
}

fn missing(inner: &Inner, operation: &'static Operation) -> Error {
    Error::from(Box::new(MissingCredentialError::new(
        operation.id(),
        inner.credentials.missing(operation),
    )))
}

impl ClientHooks<Inner> for Client {
    async fn pre<E>(
        &self,
        request: &mut reqwest::Request,
        _info: &OperationInfo,
    ) -> Result<(), progenitor_client::Error<E>> {
        let Some(scope) = &self.inner.scope else {
            // Only reachable through generated code that bypasses `send`.
            return Err(progenitor_client::Error::Custom("the call was not begun".to_owned()));
        };
        route::check(scope.operation.path(), &self.baseurl, request.url()).map_err(|parameter| {
            let problem = format!("error converting supplied value for {parameter}: {}", route::REASON);
            progenitor_client::Error::InvalidRequest(problem)
        })?;
        let headers = request.headers_mut();
        // progenitor always sends the document's version; Transak knows no such header.
        headers.remove("api-version");
        for (name, value) in &scope.headers {
            headers.insert(name.clone(), value.clone());
        }
        Ok(())
    }

    async fn exec(&self, request: reqwest::Request, _info: &OperationInfo) -> reqwest::Result<reqwest::Response> {
        let response = self.client.execute(request).await?;
        Ok(limit::limited(response, self.inner.max_answer_bytes))
    }

    async fn post<E>(
        &self,
        result: &reqwest::Result<reqwest::Response>,
        _info: &OperationInfo,
    ) -> Result<(), progenitor_client::Error<E>> {
        if let (Some(scope), Ok(response)) = (&self.inner.scope, result) {
            // A decode error of progenitor no longer knows status and headers.
            let _ = scope
                .response
                .set(ResponseMeta::new(response.status(), response.headers()));
        }
        Ok(())
    }
}
