//! Auth Reliance: users that the partner has authenticated itself and vouches for.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use transak_client::operations::Credential;
use transak_client::types::OnboardedUser;
use transak_client::{Client, Error};

use crate::call::CallError;
use crate::engine::Engine;
use crate::error::SessionError;
use crate::identity::{UserIdentity, UserKey};
use crate::partner::PartnerHandle;
use crate::token::AccessToken;
use crate::user::UserState;

/// How a user is authenticated towards Transak: one of the two for each user.
///
/// <https://docs.transak.com/features/authentication>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuthMethod {
    /// The user logs in with one-time passwords and has an access token: [`UserSession`](crate::UserSession).
    TransakAuth,
    /// The partner vouches for the user: [`VouchedUser`].
    AuthReliance,
}

impl fmt::Display for AuthMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TransakAuth => "Transak Auth (one-time passwords)",
            Self::AuthReliance => "Auth Reliance (vouching)",
        })
    }
}

/// A user for whom the partner vouches. Cheap to clone; nothing about it is stored.
///
/// Calls carry the partner access token, the user's e-mail address and the user's IP address, and never a user access token:
/// this type has none. Transak enables Auth Reliance for an API key, and wants the backend's addresses on its allow-list.
/// <https://docs.transak.com/features/authentication>
///
/// A user is served by one method. The first call by this one settles it, and so does the first use of a
/// [`UserSession`](crate::UserSession); after that the other method answers [`TokenError::OtherMethod`](crate::TokenError::OtherMethod). This is known per
/// process, for as long as a handle of the user lives, and after that until room is made for other users
/// ([`max_sessions_at_hand`](crate::TransakBuilder::max_sessions_at_hand)); it is not stored.
#[derive(Clone)]
pub struct VouchedUser {
    /// Remembers by which method the user is served, and is used for nothing else.
    engine: Arc<Engine<UserState>>,
    partner: PartnerHandle,
    key: UserKey,
    identity: UserIdentity,
}

/// The key only.
impl fmt::Debug for VouchedUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VouchedUser")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl VouchedUser {
    pub(crate) fn new(
        engine: Arc<Engine<UserState>>,
        partner: PartnerHandle,
        key: UserKey,
        identity: UserIdentity,
    ) -> Self {
        Self {
            engine,
            partner,
            key,
            identity,
        }
    }

    /// The name of the user in logs.
    #[must_use]
    pub fn key(&self) -> UserKey {
        self.key
    }

    /// Who this is.
    #[must_use]
    pub fn identity(&self) -> &UserIdentity {
        &self.identity
    }

    /// Calls the API for this user: `call` is given a client that holds the API key, the partner access token, the user's
    /// e-mail address and IP address.
    ///
    /// On a 401 the partner token is reported as rejected, as by [`PartnerHandle::call`]: if there is a newer one, and the
    /// operation table says that the operation may be repeated, `call` runs once more. Dropping the future drops the call.
    ///
    /// ```no_run
    /// # async fn run(transak: &transak_session::Transak) -> Result<(), Box<dyn std::error::Error>> {
    /// use transak_session::UserIdentity;
    ///
    /// let user = transak.vouch_for(UserIdentity::parse("jane@example.com", "203.0.113.7")?);
    /// user.onboard().await?;
    /// let details = user
    ///     .call(|client| async move { client.get_user_details().api_key("your-api-key").send().await })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CallError`]; its `decision` is [`TokenError::Refused`](crate::TokenError::Refused) if a new partner token would meet the same 401, because
    /// Transak has not enabled Auth Reliance for this API key or does not know this server's address. An answer of 404 most
    /// likely stands for a user who has not been [onboarded](Self::onboard).
    pub async fn call<T, F, Fut>(&self, call: F) -> Result<T, CallError>
    where
        F: FnMut(Client) -> Fut,
        Fut: Future<Output = Result<T, Error>>,
    {
        self.engine
            .serve_by(AuthMethod::AuthReliance)
            .map_err(SessionError::from)?;
        self.partner.call_with(|token| self.client_with(token), call).await
    }

    /// Tells Transak of the user, whom it creates if it does not know them, and says how their verification stands.
    ///
    /// Needed once before other calls for a user; a repetition changes nothing.
    /// <https://docs.transak.com/api/whitelabel/user/onboard-user-auth-reliance>
    ///
    /// # Errors
    ///
    /// As for [`call`](Self::call).
    pub async fn onboard(&self) -> Result<OnboardedUser, CallError> {
        let answer = self.call(|client| async move { client.onboard_user().send().await });
        Ok(answer.await?.into_inner().data)
    }

    fn client_with(&self, token: &AccessToken) -> Client {
        let client = &self.engine.env().client;
        // At once: each copy of a client has a set of credentials of its own.
        let credentials = client
            .credentials()
            .clone()
            .with(Credential::UserIp, self.identity.ip().expose().to_string())
            .with(Credential::UserIdentifier, self.identity.email().expose())
            .with(Credential::PartnerToken, token.expose());
        client.with_credentials(credentials)
    }
}
