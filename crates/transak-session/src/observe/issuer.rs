//! An issuer whose calls are watched.

use async_trait::async_trait;
use tracing::field::Empty;

use super::{Observed, Tier, watched};
use crate::identity::{Otp, UserIdentity, UserIp};
use crate::issuer::{Issuer, IssuerError, OtpSent, StateToken};
use crate::token::{AccessToken, Grant};

impl Observed<dyn Issuer> {
    async fn watch<T>(
        &self,
        call: &'static str,
        work: impl Future<Output = Result<T, IssuerError>>,
    ) -> Result<T, IssuerError> {
        let span = tracing::debug_span!("issuer", call, outcome = Empty);
        let reason = |error: &IssuerError| error.kind().name();
        watched(Tier::Issuer, call, &self.time, span, work, reason).await
    }
}

#[async_trait]
impl Issuer for Observed<dyn Issuer> {
    async fn mint(&self) -> Result<Grant, IssuerError> {
        self.watch("mint", self.inner.mint()).await
    }

    async fn refresh(&self, token: &AccessToken, ip: UserIp) -> Result<Grant, IssuerError> {
        self.watch("refresh", self.inner.refresh(token, ip)).await
    }

    async fn send_otp(&self, user: &UserIdentity) -> Result<OtpSent, IssuerError> {
        self.watch("send_otp", self.inner.send_otp(user)).await
    }

    async fn verify_otp(&self, user: &UserIdentity, otp: &Otp, state: &StateToken) -> Result<Grant, IssuerError> {
        self.watch("verify_otp", self.inner.verify_otp(user, otp, state)).await
    }

    async fn logout(&self, token: &AccessToken, ip: UserIp) -> Result<(), IssuerError> {
        self.watch("logout", self.inner.logout(token, ip)).await
    }

    async fn probe(&self, token: &AccessToken, ip: UserIp) -> Result<(), IssuerError> {
        self.watch("probe", self.inner.probe(token, ip)).await
    }
}
