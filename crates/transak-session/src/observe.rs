//! Watches the calls that leave the process: a tracing span for each, and its duration for whoever collects metrics.

mod issuer;
mod store;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tracing::{Instrument, Span};

use crate::clock::Timekeeper;

/// Does what `inner` does, and is watched while it does.
#[derive(Debug)]
pub(crate) struct Observed<T: ?Sized> {
    inner: Arc<T>,
    time: Arc<Timekeeper>,
}

impl<T: ?Sized> Observed<T> {
    pub(crate) fn new(inner: Arc<T>, time: &Arc<Timekeeper>) -> Self {
        Self {
            inner,
            time: Arc::clone(time),
        }
    }
}

/// Whom a call asks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tier {
    Issuer,
    Store,
}

/// Awaits a call within its span. A call that is dropped before it ends is told as well.
async fn watched<T, E>(
    tier: Tier,
    call: &'static str,
    time: &Timekeeper,
    span: Span,
    work: impl Future<Output = Result<T, E>>,
    reason: impl FnOnce(&E) -> &'static str,
) -> Result<T, E> {
    let mut watch = Watch {
        tier,
        call,
        time,
        span,
        began: time.elapsed(),
        outcome: "dropped",
    };
    let result = work.instrument(watch.span.clone()).await;
    watch.outcome = result.as_ref().err().map_or("ok", reason);
    result
}

struct Watch<'a> {
    tier: Tier,
    call: &'static str,
    time: &'a Timekeeper,
    span: Span,
    began: Duration,
    outcome: &'static str,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.span.record("outcome", self.outcome);
        measure(
            self.tier,
            self.call,
            self.outcome,
            self.time.elapsed().saturating_sub(self.began),
        );
    }
}

#[cfg(feature = "metrics")]
use crate::metrics::measure;

#[cfg(not(feature = "metrics"))]
fn measure(_: Tier, _: &'static str, _: &'static str, _: Duration) {}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Mutex;

    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record as Fields};
    use tracing::{Event, Metadata, Subscriber};

    use super::*;
    use crate::clock::{ManualClock, Timestamp};
    use crate::events::Events;
    use crate::identity::RecordKey;
    use crate::issuer::{Issuer, IssuerError, IssuerErrorKind, OtpSent, StateToken};
    use crate::store::{MemoryStore, SessionStore, StoreError};
    use crate::token::{AccessToken, Grant};
    use crate::{Otp, UserIdentity, UserIp};

    /// Writes down the names of spans and what they record later.
    #[derive(Clone, Default)]
    struct Notes(Arc<Mutex<Vec<String>>>);

    impl Visit for Notes {
        fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
            self.0.lock().unwrap().push(format!("{field}={value:?}"));
        }
    }

    impl Subscriber for Notes {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, span: &Attributes<'_>) -> Id {
            self.0.lock().unwrap().push(span.metadata().name().to_owned());
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, fields: &Fields<'_>) {
            fields.record(&mut self.clone());
        }

        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, _: &Event<'_>) {}
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    /// Refuses to mint, and never answers anything else.
    #[derive(Debug)]
    struct Surly;

    #[async_trait::async_trait]
    impl Issuer for Surly {
        async fn mint(&self) -> Result<Grant, IssuerError> {
            Err(IssuerError::new(IssuerErrorKind::Rejected))
        }
        async fn refresh(&self, _: &AccessToken, _: UserIp) -> Result<Grant, IssuerError> {
            std::future::pending().await
        }
        async fn send_otp(&self, _: &UserIdentity) -> Result<OtpSent, IssuerError> {
            std::future::pending().await
        }
        async fn verify_otp(&self, _: &UserIdentity, _: &Otp, _: &StateToken) -> Result<Grant, IssuerError> {
            std::future::pending().await
        }
        async fn logout(&self, _: &AccessToken, _: UserIp) -> Result<(), IssuerError> {
            std::future::pending().await
        }
        async fn probe(&self, _: &AccessToken, _: UserIp) -> Result<(), IssuerError> {
            std::future::pending().await
        }
    }

    fn time() -> Arc<Timekeeper> {
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_seconds(1_800_000_000)));
        Arc::new(Timekeeper::new(clock, Events::new(1), false))
    }

    #[test]
    fn each_call_has_a_span_with_its_outcome() {
        let notes = Notes::default();
        let _guard = tracing::subscriber::set_default(notes.clone());
        let time = time();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let store: Arc<dyn SessionStore> = Arc::new(MemoryStore::new(10));
            let store = Observed::new(store, &time);
            let key = RecordKey::from_bytes([7; 40]);
            assert!(store.load(&key).await.unwrap().is_none());
            let down = watched(
                Tier::Store,
                "load",
                &time,
                store::span("load"),
                async { Err::<(), _>(StoreError::new("down")) },
                |error| error.kind().name(),
            );
            assert!(down.await.is_err());

            let issuer: Arc<dyn Issuer> = Arc::new(Surly);
            let issuer = Observed::new(issuer, &time);
            assert!(issuer.mint().await.is_err());
            let token = AccessToken::new("planted");
            let ip = UserIp::parse("203.0.113.7").unwrap();
            let mut never = Box::pin(issuer.probe(&token, ip));
            assert!(futures_util::poll!(&mut never).is_pending());
            drop(never);
        });
        let notes = notes.0.lock().unwrap().join(" ");
        assert_eq!(
            notes,
            "store outcome=\"ok\" store outcome=\"unavailable\" issuer outcome=\"rejected\" issuer outcome=\"dropped\""
        );
    }
}
