//! Calls of the API on behalf of a user, with what a 401 means decided once.

use std::future::Future;

use transak_client::operations::Credential;
use transak_client::{Client, Error, Operation};

use crate::error::{SessionError, TokenError};
use crate::partner::PartnerHandle;
use crate::token::AccessToken;
use crate::user::UserSession;

/// A call that did not succeed.
///
/// ```no_run
/// use transak_session::{CallError, UserSession};
///
/// # async fn run(user: &UserSession) {
/// let call = |client: transak_client::Client| async move {
///     client.get_user_details().api_key("your-api-key").send().await
/// };
/// match user.call(call).await {
///     Ok(details) => println!("{details:?}"),
///     Err(error) if error.is_otp_required() => println!("please log in"),
///     Err(CallError::NoToken(error)) => println!("no token at the moment: {error}"),
///     Err(other) => println!("the call itself failed: {other}"),
/// }
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// There was no token to call with.
    #[error(transparent)]
    NoToken(#[from] SessionError),
    /// Transak answered 401, and there is no other token to try with.
    #[error("Transak rejected the token: {decision}")]
    Rejected {
        /// What follows from it: a login, or that another token would not help.
        #[source]
        decision: SessionError,
        /// The answer.
        answer: Error,
    },
    /// Transak answered 401 and there is a newer token now, but this operation must not be repeated automatically.
    #[error("Transak rejected the token; there is a newer one, but the operation is not one to be repeated unasked")]
    NotRepeated {
        /// The answer.
        #[source]
        answer: Error,
    },
    /// The call failed for a reason that has nothing to do with the token, or twice.
    #[error(transparent)]
    Api(#[from] Error),
}

impl CallError {
    /// Whether only a login helps.
    #[must_use]
    pub fn is_otp_required(&self) -> bool {
        match self {
            Self::NoToken(error) | Self::Rejected { decision: error, .. } => error.is_otp_required(),
            Self::NotRepeated { .. } | Self::Api(_) => false,
        }
    }

    /// What Transak answered, if it did.
    #[must_use]
    pub fn answer(&self) -> Option<&Error> {
        match self {
            Self::NoToken(_) => None,
            Self::Rejected { answer, .. } | Self::NotRepeated { answer } | Self::Api(answer) => Some(answer),
        }
    }
}

impl UserSession {
    /// Calls the API as this user: `call` is given a client that holds the API key, the user's IP address and the token.
    ///
    /// On a 401 the token is reported as rejected. If that brings a newer one, and the operation table says that the
    /// operation may be repeated, `call` runs once more; never a third time. Dropping the future drops the call.
    ///
    /// ```no_run
    /// # async fn run(user: &transak_session::UserSession) -> Result<(), transak_session::CallError> {
    /// let details = user
    ///     .call(|client| async move { client.get_user_details().api_key("your-api-key").send().await })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CallError`], which keeps apart that a login is needed, that a token was refused and that the call itself failed.
    pub async fn call<T, F, Fut>(&self, mut call: F) -> Result<T, CallError>
    where
        F: FnMut(Client) -> Fut,
        Fut: Future<Output = Result<T, Error>>,
    {
        let token = self.token().await?;
        let answer = match call(self.client_with(&token)).await {
            Err(answer) if answer.is_unauthorized() => answer,
            other => return Ok(other?),
        };
        match self.report_rejected(token.fingerprint()).await {
            Ok(newer) if may_repeat(&answer) => Ok(call(self.client_with(&newer)).await?),
            Ok(_) => Err(CallError::NotRepeated { answer }),
            Err(decision) => Err(CallError::Rejected { decision, answer }),
        }
    }

    fn client_with(&self, token: &AccessToken) -> Client {
        let client = &self.engine.env().client;
        // At once: each copy of a client has a set of credentials of its own.
        let credentials = client.credentials().clone();
        let credentials = credentials.with(Credential::UserIp, self.identity.ip().expose().to_string());
        client.with_credentials(credentials.with(Credential::UserToken, token.expose()))
    }
}

impl PartnerHandle {
    /// Calls the API as the partner: `call` is given a client that holds the API key and the partner access token.
    ///
    /// On a 401 the token is reported as rejected. If that brings a newer one, and the operation table says that the
    /// operation may be repeated, `call` runs once more; never a third time. Dropping the future drops the call.
    ///
    /// # Errors
    ///
    /// [`CallError`]; its `decision` is [`TokenError::Refused`] if a new token would meet the same 401.
    pub async fn call<T, F, Fut>(&self, call: F) -> Result<T, CallError>
    where
        F: FnMut(Client) -> Fut,
        Fut: Future<Output = Result<T, Error>>,
    {
        let client = &self.engine.env().client;
        self.call_with(
            |token| client.with_credential(Credential::PartnerToken, token.expose()),
            call,
        )
        .await
    }

    /// The same with clients that hold more than the token.
    pub(crate) async fn call_with<T, F, Fut>(
        &self,
        with: impl Fn(&AccessToken) -> Client,
        mut call: F,
    ) -> Result<T, CallError>
    where
        F: FnMut(Client) -> Fut,
        Fut: Future<Output = Result<T, Error>>,
    {
        let token = self.ready().await.map_err(SessionError::from)?;
        let answer = match call(with(&token)).await {
            Err(answer) if answer.is_unauthorized() => answer,
            other => return Ok(other?),
        };
        match self.report_rejected(token.fingerprint()).await {
            Ok(newer) if may_repeat(&answer) => Ok(call(with(&newer)).await?),
            Ok(_) => Err(CallError::NotRepeated { answer }),
            Err(decision) => Err(rejected(decision, answer)),
        }
    }
}

fn rejected(decision: TokenError, answer: Error) -> CallError {
    CallError::Rejected {
        decision: decision.into(),
        answer,
    }
}

/// The answer tells which operation was called; one that the table does not know is not repeated.
fn may_repeat(answer: &Error) -> bool {
    let operation = answer.operation().and_then(Operation::find);
    operation.is_some_and(|o| o.safety().may_retry())
}
