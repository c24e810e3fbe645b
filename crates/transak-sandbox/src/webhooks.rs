//! Posting webhooks, one after the other, to local servers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, watch};
use url::{Host, Url};

use crate::state::Shared;
use crate::world::{Delivery, DeliveryOutcome};

/// Most webhooks that may wait to be posted.
const WAITING: usize = 1024;
/// Time for one post, answer included.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of an answer that are kept.
const KEPT: usize = 16 * 1024;

/// Where webhooks may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Reach {
    /// To this machine only.
    #[default]
    Loopback,
    /// Anywhere.
    Anywhere,
}

/// Webhooks that wait to be posted.
#[derive(Debug)]
pub(crate) struct Outbox {
    queue: mpsc::Sender<Parcel>,
    /// Posted or waiting, but not reported yet.
    pending: watch::Sender<usize>,
    /// Webhooks of another generation are from before a reset.
    generation: AtomicU64,
}

#[derive(Debug)]
pub(crate) struct Parcel {
    delivery: Delivery,
    generation: u64,
}

impl Outbox {
    pub(crate) fn new() -> (Self, mpsc::Receiver<Parcel>) {
        let (queue, parcels) = mpsc::channel(WAITING);
        (
            Self {
                queue,
                pending: watch::Sender::new(0),
                generation: AtomicU64::new(0),
            },
            parcels,
        )
    }

    /// Takes a webhook, or gives it back when too many are waiting.
    pub(crate) fn offer(&self, delivery: Delivery) -> Result<(), Delivery> {
        let generation = self.generation.load(Ordering::Acquire);
        self.pending.send_modify(|pending| *pending += 1);
        self.queue.try_send(Parcel { delivery, generation }).map_err(|refused| {
            self.finished();
            refused.into_inner().delivery
        })
    }

    /// Webhooks that were handed over so far are nobody's business any more.
    pub(crate) fn forget(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn pending(&self) -> usize {
        *self.pending.borrow()
    }

    /// Waits until nothing is pending.
    pub(crate) async fn settled(&self) {
        let _ = self.pending.subscribe().wait_for(|pending| *pending == 0).await;
    }

    fn finished(&self) {
        self.pending.send_modify(|pending| *pending = pending.saturating_sub(1));
    }
}

/// The client webhooks are posted with.
pub(crate) fn client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        // A proxy would take webhooks off this machine.
        .no_proxy()
        .user_agent(concat!("transak-sandbox/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Posts what comes out of the outbox until the sandbox is gone. One after the other: order is kept.
pub(crate) async fn deliver(
    shared: Arc<Shared>,
    mut parcels: mpsc::Receiver<Parcel>,
    client: reqwest::Client,
    reach: Reach,
) {
    while let Some(Parcel { delivery, generation }) = parcels.recv().await {
        let current = || shared.outbox.generation.load(Ordering::Acquire) == generation;
        if current() {
            let outcome = post(&client, reach, &delivery).await;
            shared.with_world(|world, now| {
                if current() {
                    world.delivered(&delivery.id, outcome, now);
                }
            });
        }
        shared.outbox.finished();
    }
}

async fn post(client: &reqwest::Client, reach: Reach, delivery: &Delivery) -> DeliveryOutcome {
    let unreachable = |reason: &str| DeliveryOutcome::Unreachable {
        reason: reason.to_owned(),
    };
    let Ok(url) = Url::parse(&delivery.url) else {
        return unreachable("the URL is not one");
    };
    if reach == Reach::Loopback && !is_loopback(&url) {
        return unreachable("webhooks go to loopback addresses only, unless the sandbox was told otherwise");
    }
    let request = client
        .post(url)
        .header("content-type", "application/json")
        .body(delivery.body.clone());
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_timeout() => return unreachable("timed out"),
        Err(error) if error.is_connect() => return unreachable("could not connect"),
        Err(_) => return unreachable("no answer"),
    };
    let status = response.status();
    let mut kept = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = KEPT.saturating_sub(kept.len());
        kept.extend_from_slice(chunk.get(..room.min(chunk.len())).unwrap_or_default());
        if kept.len() >= KEPT {
            break;
        }
    }
    let body =
        serde_json::from_slice(&kept).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&kept).into_owned()));
    let message = status.canonical_reason().unwrap_or_default().to_owned();
    DeliveryOutcome::Answered {
        status: status.as_u16(),
        message,
        body,
    }
}

/// Whether a URL leads to this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        let loopback = |url: &str| Url::parse(url).map(|url| is_loopback(&url)).unwrap_or(false);
        for yes in [
            "http://127.0.0.1:1/x",
            "http://[::1]/",
            "http://localhost",
            "http://127.9.9.9",
        ] {
            assert!(loopback(yes), "{yes}");
        }
        for no in [
            "http://10.0.0.1",
            "http://localhost.example.com",
            "http://169.254.169.254",
            "mailto:a@b",
        ] {
            assert!(!loopback(no), "{no}");
        }
    }
}
