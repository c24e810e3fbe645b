//! Telling other processes of writes, and hearing of theirs: `NOTIFY` and `LISTEN`.
//!
//! Writers of notifications wait for each other until their transactions have reached the disk. So they are sent by
//! transactions of their own, some time after the writes that they tell of, and many in one.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;

use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout_at};
use tokio_postgres::{AsyncMessage, Connection, Socket};
use transak_session::store::{Hint, HintSender, Hints, StoreError, Version};
use transak_session::{RecordKey, TenantId};

use crate::error;
use crate::store::Inner;
use crate::tls::Stream;

/// How many may wait to be sent.
pub(crate) const OUTBOX: usize = 4_096;
/// Postgres takes 8,000 bytes in one notification.
const IN_ONE: usize = 120;

/// The channel of a store. Its name needs no quotes.
fn channel(schema: &str) -> String {
    format!("{schema}_hints")
}

/// Says that a record was written. Nobody waits for it.
pub(crate) fn tell(inner: &Arc<Inner>, key: &RecordKey, version: Version) {
    let Some(outbox) = &inner.hints else { return };
    let store = Arc::clone(inner);
    outbox.tell(Hint { key: *key, version }, |hints| async move {
        let texts: Vec<String> = hints.chunks(IN_ONE).map(Hint::to_text).collect();
        let channel = channel(&store.schema);
        if let Err(error) = store.link.run(&store.sql.tell, &[&channel, &texts]).await {
            tracing::debug!(%error, hints = hints.len(), "other processes could not be told of writes");
        }
    });
}

/// Listens on a connection of its own, until nobody wants to hear any more or the store is closed.
pub(crate) async fn listen(inner: &Inner, tenant: TenantId) -> Result<Option<Hints>, StoreError> {
    // A pooler gives the connection to others between two transactions.
    if inner.hints.is_none() || !inner.link.keeps_connections() {
        return Ok(None);
    }
    let closing = inner.link.closing();
    if *closing.borrow() {
        return Err(StoreError::new("the store is closed"));
    }
    let until = Instant::now() + inner.link.connect_timeout;
    let late = |_| StoreError::new("Postgres could not be listened to in time");
    let connecting = timeout_at(until, inner.link.connect_apart()).await;
    let (client, connection) = connecting.map_err(late)?.map_err(|e| error::of(&e))?;
    let (sender, hints) = Hints::channel();
    let (ready, is_ready) = oneshot::channel();
    let listen = format!("LISTEN {}", channel(&inner.schema));
    tokio::spawn(async move {
        // The connection does nothing unless it is driven, and ends with its client.
        let mut hearing = pin!(hear(connection, tenant, sender, closing));
        tokio::select! {
            () = &mut hearing => return,
            done = client.batch_execute(&listen) => {
                if ready.send(done).is_err() {
                    return;
                }
            }
        }
        hearing.await;
    });
    match timeout_at(until, is_ready).await.map_err(late)? {
        Ok(done) => done.map_err(|e| error::of(&e))?,
        Err(_) => return Err(StoreError::new("the connection to Postgres was lost")),
    }
    Ok(Some(hints))
}

async fn hear(
    mut connection: Connection<Socket, Stream>,
    tenant: TenantId,
    sender: HintSender,
    mut closing: watch::Receiver<bool>,
) {
    loop {
        let message = tokio::select! {
            () = sender.closed() => return,
            // Closed, or all handles on the store have gone.
            _ = closing.changed() => return,
            message = poll_fn(|cx| connection.poll_message(cx)) => message,
        };
        match message {
            Some(Ok(AsyncMessage::Notification(told))) => {
                if !sender.send_text(told.payload(), tenant) {
                    return;
                }
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return,
        }
    }
}
