//! One call: host and credentials resolved from the operation table, a trace id, and what came back.
//!
//! Generated `send` methods begin a [`Call`], build their request on it and have it executed here. All of this is on the
//! path of every call, so it copies neither the client nor a credential; only what fails is slow.

use std::fmt;
use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use progenitor_client::{Error as Raw, ResponseValue};
use reqwest::{Request, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use url::Url;
use uuid::Uuid;

use crate::credentials::Credentials;
use crate::environment::Environment;
use crate::error::{CallContext, ConfigError, Error, MissingCredentialError, ResponseMeta};
use crate::generated::Client;
use crate::limit::{self, Unread};
use crate::operation::{Alternative, Operation};
use crate::route::{self, Base, Bases};
use crate::trace;

const TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

/// What a generated client carries beside its HTTP client.
#[derive(Clone)]
pub struct Inner {
    pub(crate) place: Arc<Place>,
    pub(crate) credentials: Arc<Credentials>,
    max_answer_bytes: usize,
}

/// Where calls go; the same for all copies of a client.
pub(crate) struct Place {
    pub(crate) environment: Environment,
    bases: Bases,
}

impl Inner {
    pub(crate) fn new(environment: Environment, credentials: Credentials, max_answer_bytes: usize) -> Self {
        let bases = Bases::of(&environment);
        Self {
            place: Arc::new(Place { environment, bases }),
            credentials: Arc::new(credentials),
            max_answer_bytes,
        }
    }

    pub(crate) fn with_credentials(&self, credentials: Credentials) -> Self {
        Self {
            place: Arc::clone(&self.place),
            credentials: Arc::new(credentials),
            max_answer_bytes: self.max_answer_bytes,
        }
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("environment", &self.place.environment)
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

/// One call under way. To generated code it stands for the client: `baseurl` is what every path begins with, `client` makes
/// the request.
pub(crate) struct Call<'c> {
    pub(crate) baseurl: &'c str,
    pub(crate) client: Http<'c>,
    inner: &'c Inner,
    operation: &'static Operation,
    alternative: Alternative,
    trace_id: Uuid,
}

/// Begins requests to the host of the call.
pub(crate) struct Http<'c> {
    client: &'c reqwest::Client,
    base: &'c Base,
}

/// One method for each of HTTP, whether or not an operation has it today.
#[allow(dead_code)]
impl Http<'_> {
    pub(crate) fn get(&self, path: String) -> RequestBuilder {
        self.client.get(self.url(&path))
    }

    pub(crate) fn post(&self, path: String) -> RequestBuilder {
        self.client.post(self.url(&path))
    }

    pub(crate) fn put(&self, path: String) -> RequestBuilder {
        self.client.put(self.url(&path))
    }

    pub(crate) fn patch(&self, path: String) -> RequestBuilder {
        self.client.patch(self.url(&path))
    }

    pub(crate) fn delete(&self, path: String) -> RequestBuilder {
        self.client.delete(self.url(&path))
    }

    /// The host was parsed when the client was built.
    fn url(&self, path: &str) -> Url {
        let mut url = self.base.url().clone();
        url.set_path(path);
        url
    }
}

impl<'c> Call<'c> {
    /// Resolves host and credentials.
    pub(crate) fn begin(client: &'c Client, operation: &'static Operation) -> Result<Self, Error> {
        let inner = &client.inner;
        let base = inner.place.bases.get(operation.host()).ok_or_else(|| {
            config(
                operation.host().id(),
                "has no base URL in this custom environment; add one",
            )
        })?;
        let alternative = inner
            .credentials
            .choose(operation)
            .ok_or_else(|| missing(inner, operation))?;
        for header in alternative.headers() {
            if inner.credentials.header(header.credential()).is_none() {
                return Err(config(
                    header.credential().id(),
                    "holds characters that no HTTP header can carry; check for line breaks",
                ));
            }
        }
        Ok(Self {
            baseurl: base.prefix(),
            client: Http {
                client: &client.client,
                base,
            },
            inner,
            operation,
            alternative,
            trace_id: trace::id(),
        })
    }

    /// Checks the request that generated code has built, adds what the operation table asks for and sends it.
    pub(crate) async fn execute(&self, request: Result<Request, Raw<()>>) -> Result<Response, Error> {
        let error = match request {
            Ok(mut request) => match self.dress(&mut request) {
                Ok(()) => match self.client.client.execute(request).await {
                    Ok(response) => return Ok(response),
                    Err(cause) => Raw::CommunicationError(cause),
                },
                Err(problem) => Raw::InvalidRequest(problem),
            },
            Err(error) => error,
        };
        Err(self.fail::<()>(None, error).await)
    }

    /// Adds the headers; refuses a request that would go elsewhere.
    fn dress(&self, request: &mut Request) -> Result<(), String> {
        route::check(self.operation.path(), self.baseurl, request.url().path())
            .map_err(|parameter| format!("error converting supplied value for {parameter}: {}", route::REASON))?;
        let headers = request.headers_mut();
        for header in self.alternative.headers() {
            if let Some(value) = self.inner.credentials.header(header.credential()) {
                headers.insert(HeaderName::from_static(header.name()), value.clone());
            }
        }
        let mut text = Uuid::encode_buffer();
        if let Ok(value) = HeaderValue::from_str(self.trace_id.hyphenated().encode_lower(&mut text)) {
            headers.insert(TRACE_ID, value);
        }
        Ok(())
    }

    /// Reads the JSON of a success.
    pub(crate) async fn json<T: DeserializeOwned>(&self, mut response: Response) -> Result<ResponseValue<T>, Error> {
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let error = match limit::read(response, self.inner.max_answer_bytes).await {
            Ok(body) => match serde_json::from_slice(&body) {
                Ok(value) => return Ok(ResponseValue::new(value, status, headers)),
                Err(error) => Raw::InvalidResponsePayload(body, error),
            },
            Err(Unread::Broken(cause)) => Raw::ResponseBodyError(cause),
            Err(Unread::TooLong) => {
                let text = self.trace_id.to_string();
                let context = self.context(&text, Some(ResponseMeta::new(status, &headers)));
                return Err(crate::error::too_long(&context));
            }
        };
        Err(self.fail::<T>(Some(ResponseMeta::new(status, &headers)), error).await)
    }

    /// Reads an answer that is not a success.
    pub(crate) async fn refused(&self, response: Response) -> Error {
        self.fail::<()>(None, Raw::UnexpectedResponse(response)).await
    }

    /// Turns a failure into our error; `T` is what a success would have been. Boxed, for this is the rare case and would
    /// make the future of every call larger.
    async fn fail<T: DeserializeOwned>(&self, response: Option<ResponseMeta>, error: Raw<()>) -> Error {
        let text = self.trace_id.to_string();
        Box::pin(crate::error::from_progenitor::<T>(self.context(&text, response), error)).await
    }

    fn context<'t>(&self, trace_id: &'t str, response: Option<ResponseMeta>) -> CallContext<'t> {
        CallContext {
            operation: self.operation.id(),
            trace_id,
            response,
        }
    }

    /// A call that ended because of what it had to send.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn cut_short(&self, note: &str) -> Error {
        let text = self.trace_id.to_string();
        let context = self.context(&text, None);
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
