//! Telling other processes of writes, and hearing of theirs: `PUBLISH` and `SUBSCRIBE`.
//!
//! In a cluster a message that is published at one node reaches those who have subscribed at any other.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use redis::aio::{PubSubSink, PubSubStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use transak_session::store::{Hint, HintSender, Hints, StoreError, Version};
use transak_session::{RecordKey, TenantId};

use crate::error;
use crate::store::Inner;

/// How many may wait to be sent.
pub(crate) const OUTBOX: usize = 4_096;
/// How many are sent in one message.
const IN_ONE: usize = 256;
/// How often the server is asked whether it is still there: where nothing is said, nothing tells that it has gone.
const PROBE: Duration = Duration::from_secs(30);

/// Says that a record was written. Nobody waits for it.
pub(crate) fn tell(inner: &Arc<Inner>, key: &RecordKey, version: Version) {
    let Some(outbox) = &inner.hints else { return };
    let store = Arc::clone(inner);
    outbox.tell(Hint { key: *key, version }, |hints| async move {
        for part in hints.chunks(IN_ONE) {
            let mut publish = redis::cmd("PUBLISH");
            publish.arg(store.layout.hints()).arg(Hint::to_text(part));
            if let Err(error) = store.link.ask(&publish, store.link.deadline()).await {
                tracing::debug!(%error, hints = part.len(), "other processes could not be told of writes");
            }
        }
    });
}

/// Listens on a connection of its own, until nobody wants to hear any more or the store is closed.
pub(crate) async fn listen(inner: &Inner, tenant: TenantId) -> Result<Option<Hints>, StoreError> {
    if inner.hints.is_none() {
        return Ok(None);
    }
    let closing = inner.link.closing();
    if *closing.borrow() {
        return Err(StoreError::new("the store is closed"));
    }
    let until = Instant::now() + inner.link.connect_timeout;
    let subscribing = subscribe(inner);
    let (sink, messages) = match timeout_at(until, subscribing).await {
        Ok(subscribed) => subscribed?,
        Err(_) => return Err(StoreError::new("Redis could not be listened to in time")),
    };
    let (sender, hints) = Hints::channel();
    tokio::spawn(hear(sink, messages, inner.link.deadline, tenant, sender, closing));
    Ok(Some(hints))
}

/// At the first server that can be reached.
async fn subscribe(inner: &Inner) -> Result<(PubSubSink, PubSubStream), StoreError> {
    let mut failure = None;
    for client in inner.link.nodes() {
        let subscribed = async {
            let (mut sink, messages) = client.get_async_pubsub().await?.split();
            sink.subscribe(inner.layout.hints()).await?;
            Ok((sink, messages))
        };
        match subscribed.await {
            Ok(subscribed) => return Ok(subscribed),
            Err(e) => failure = Some(error::of(&e)),
        }
    }
    Err(failure.unwrap_or_else(|| StoreError::new("there is no address of Redis")))
}

async fn hear(
    mut sink: PubSubSink,
    mut messages: PubSubStream,
    deadline: Duration,
    tenant: TenantId,
    sender: HintSender,
    mut closing: watch::Receiver<bool>,
) {
    loop {
        let message = tokio::select! {
            () = sender.closed() => return,
            // Closed, or all handles on the store have gone.
            _ = closing.changed() => return,
            message = messages.next() => message,
            () = sleep(PROBE) => {
                let answer = timeout(deadline, sink.ping::<redis::Value>()).await;
                if matches!(answer, Ok(Ok(_))) {
                    continue;
                }
                return;
            }
        };
        let Some(message) = message else { return };
        if !sender.send_text(&String::from_utf8_lossy(message.get_payload_bytes()), tenant) {
            return;
        }
    }
}
