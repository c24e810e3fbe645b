//! The issuer over Transak's HTTP API.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Semaphore, SemaphorePermit};
use transak_client::enums::ErrorCode;
use transak_client::error::{TransportPhase, server_time};
use transak_client::operations::Credential;
use transak_client::types::PartnerTokenExpiry;
use transak_client::{Client, Error, Personal, ResponseValue, Secret};

use super::{Issuer, IssuerError, IssuerErrorKind, OtpSent, StateToken};
use crate::clock::{Clock, Timekeeper, Timestamp};
use crate::identity::{Otp, UserIdentity, UserIp};
use crate::token::{AccessToken, Grant};

/// The longest wait for a place. Well below the deadline of a step, so that the call itself still has time.
const PATIENCE: Duration = Duration::from_secs(5);

/// Calls Transak through the generated client, once per request.
pub(crate) struct HttpIssuer {
    client: Client,
    api_key: Secret,
    time: Arc<Timekeeper>,
    clock: Arc<dyn Clock>,
    places: Semaphore,
}

impl HttpIssuer {
    /// `client` must hold the API key and, if partner tokens are to be minted, the API secret.
    pub(crate) fn new(
        client: Client,
        api_key: Secret,
        time: Arc<Timekeeper>,
        clock: Arc<dyn Clock>,
        places: usize,
    ) -> Self {
        Self {
            client,
            api_key,
            time,
            clock,
            places: Semaphore::new(places.min(Semaphore::MAX_PERMITS)),
        }
    }

    /// A place among the calls that this process makes on its own account: sessions that come due together must not open
    /// thousands of connections. Steps that a person takes do not queue.
    async fn place(&self) -> Result<SemaphorePermit<'_>, IssuerError> {
        tokio::select! {
            biased;
            Ok(place) = self.places.acquire() => Ok(place),
            // Nothing was sent, so it can be tried again.
            () = self.clock.sleep(PATIENCE) => Err(IssuerError::new(IssuerErrorKind::Transient)),
        }
    }

    fn at(&self, ip: UserIp) -> Client {
        self.client.with_credential(Credential::UserIp, ip.expose().to_string())
    }

    /// Makes the call and learns from the answer what time it is at Transak.
    async fn timed<T>(&self, call: impl Future<Output = Result<ResponseValue<T>, Error>>) -> Result<T, Error> {
        let sent = self.time.elapsed();
        let answer = call.await;
        let date = match &answer {
            Ok(answer) => server_time(answer.headers()),
            Err(error) => error.server_time(),
        };
        if let Some(date) = date {
            self.time.observe(date.into(), sent);
        }
        Ok(answer?.into_inner())
    }

    fn with_token(&self, token: &AccessToken, ip: UserIp) -> Client {
        self.at(ip).with_credential(Credential::UserToken, token.expose())
    }
}

impl fmt::Debug for HttpIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpIssuer").finish_non_exhaustive()
    }
}

#[async_trait]
impl Issuer for HttpIssuer {
    async fn mint(&self) -> Result<Grant, IssuerError> {
        let _place = self.place().await?;
        let call = self.client.refresh_access_token();
        let call = call.body_map(|b| b.api_key(self.api_key.expose()));
        let data = self.timed(call.send()).await.map_err(failed)?.data;
        let grant = Grant::new(token(&data.access_token));
        // Without it the claim `exp` of the token decides: a token that was just minted is never thrown away.
        Ok(match unix_seconds(&data.expires_at) {
            Some(end) => grant.expires_at(Timestamp::from_unix_seconds(end)),
            None => grant,
        })
    }

    async fn refresh(&self, old: &AccessToken, ip: UserIp) -> Result<Grant, IssuerError> {
        let _place = self.place().await?;
        let client = self.with_token(old, ip);
        let call = client.refresh_user_access_token();
        let data = self.timed(call.send()).await.map_err(failed)?.data;
        Ok(Grant::new(token(&data.access_token)))
    }

    async fn send_otp(&self, user: &UserIdentity) -> Result<OtpSent, IssuerError> {
        let client = self.at(user.ip());
        let call = client.send_user_otp();
        let body = call.body_map(|b| {
            b.api_key(self.api_key.expose())
                .email(Personal::from(user.email().expose()))
        });
        let data = self.timed(body.send()).await.map_err(failed)?.data;
        Ok(OtpSent {
            state: StateToken::new(data.state_token.expose()),
            expires_in: data.expires_in.and_then(seconds),
        })
    }

    async fn verify_otp(&self, user: &UserIdentity, otp: &Otp, state: &StateToken) -> Result<Grant, IssuerError> {
        let client = self.at(user.ip());
        let call = client.verify_user_otp();
        let body = call.body_map(|b| {
            b.api_key(self.api_key.expose())
                .email(Personal::from(user.email().expose()))
                .otp(Secret::from(otp.expose()))
                .state_token(Secret::from(state.expose()))
        });
        let data = self.timed(body.send()).await.map_err(otp_failed)?.data;
        let grant = Grant::new(token(&data.access_token));
        // `created` is not used: in the documented sample it lies weeks before the token's own `iat`.
        Ok(match seconds(data.ttl) {
            Some(life) => grant.expires_at(self.time.now() + life),
            None => grant,
        })
    }

    async fn logout(&self, old: &AccessToken, ip: UserIp) -> Result<(), IssuerError> {
        let client = self.with_token(old, ip);
        self.timed(client.logout_user().send()).await.map(drop).map_err(failed)
    }

    async fn probe(&self, token: &AccessToken, ip: UserIp) -> Result<(), IssuerError> {
        let _place = self.place().await?;
        let client = self.with_token(token, ip);
        let call = client.get_user_details().api_key(self.api_key.expose());
        self.timed(call.send()).await.map(drop).map_err(failed)
    }
}

fn token(secret: &Secret) -> AccessToken {
    AccessToken::new(secret.expose())
}

/// A number, or a text that begins with one, as a page of 2022 prints it.
fn unix_seconds(expiry: &PartnerTokenExpiry) -> Option<i64> {
    match expiry {
        PartnerTokenExpiry::Integer(seconds) => Some(*seconds),
        PartnerTokenExpiry::String(text) => text.trim().split(|c: char| !c.is_ascii_digit()).next()?.parse().ok(),
        _ => None,
    }
}

fn seconds(number: i64) -> Option<Duration> {
    let number = u64::try_from(number).ok().filter(|n| *n > 0)?;
    Some(Duration::from_secs(number))
}

fn failed(error: Error) -> IssuerError {
    let kind = kind(&error);
    IssuerError::caused_by(kind, error)
}

/// Which status a wrong one-time password has is not documented: 400 and 401 both mean that this pair did not log in.
fn otp_failed(error: Error) -> IssuerError {
    let kind = match kind(&error) {
        IssuerErrorKind::Rejected => IssuerErrorKind::InvalidOtp,
        IssuerErrorKind::Invalid
            if error.status().is_some_and(|s| s.as_u16() == 400)
                && error.error_code() != Some(&ErrorCode::ValidationFailed) =>
        {
            IssuerErrorKind::InvalidOtp
        }
        other => other,
    };
    IssuerError::caused_by(kind, error)
}

/// Transak asks to go by `errorCode` first: <https://docs.transak.com/api/whitelabel/error-codes>
fn kind(error: &Error) -> IssuerErrorKind {
    match error.error_code() {
        Some(ErrorCode::TokenRejected | ErrorCode::RelianceTokenRejected) => return IssuerErrorKind::Rejected,
        Some(ErrorCode::OtpRequestedTooEarly) => return IssuerErrorKind::OtpTooEarly,
        Some(ErrorCode::ValidationFailed) => return IssuerErrorKind::Invalid,
        _ => {}
    }
    match error {
        Error::Api(answer) => match answer.status().as_u16() {
            401 | 403 => IssuerErrorKind::Rejected,
            429 => IssuerErrorKind::RateLimited {
                retry_after: error.retry_after(),
            },
            503 => IssuerErrorKind::Transient,
            // Of an internal error or a gateway's time-out it is not known whether a token was issued before it.
            408 | 500.. => IssuerErrorKind::Unknown,
            _ => IssuerErrorKind::Invalid,
        },
        Error::Transport(cause) | Error::Timeout(cause) if cause.phase() == TransportPhase::Connect => {
            IssuerErrorKind::Transient
        }
        Error::Transport(_) | Error::Timeout(_) | Error::Decode(_) => IssuerErrorKind::Unknown,
        _ => IssuerErrorKind::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_read_from_a_number_and_from_a_text_that_begins_with_one() {
        let text = |text: &str| unix_seconds(&PartnerTokenExpiry::String(text.to_owned()));
        assert_eq!(
            unix_seconds(&PartnerTokenExpiry::Integer(1_795_996_800)),
            Some(1_795_996_800)
        );
        assert_eq!(text("1795996800"), Some(1_795_996_800));
        assert_eq!(text(" 1795996800 // Unix time"), Some(1_795_996_800));
        for odd in ["", "soon", "99999999999999999999", "// 1795996800"] {
            assert_eq!(text(odd), None, "{odd}");
        }
    }
}
