//! Accepting connections, and serving each within the limits.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::{Handler, Limits};

/// How long connections get to finish when the sandbox stops.
const GRACE: Duration = Duration::from_secs(2);
/// Pause after a failed accept, such as when the process is out of file descriptors.
const BREATH: Duration = Duration::from_millis(50);

/// Serves a listener until `stop` turns true. Dropping the future closes every connection.
pub(crate) async fn serve<H: Handler>(
    listener: TcpListener,
    handler: Arc<H>,
    limits: Limits,
    slots: Arc<Semaphore>,
    mut stop: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    let told = stop.clone();
    loop {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            // Finished connections are forgotten as they finish.
            Some(_) = connections.join_next() => {}
            next = accept(&listener, &slots) => {
                let Some((stream, peer, slot)) = next else { continue };
                connections.spawn(connection(stream, peer, Arc::clone(&handler), limits, slot, told.clone()));
            }
        }
    }
    drop(listener);
    let finished = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, finished).await;
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, slot)),
        Err(error) => {
            tracing::debug!(kind = ?error.kind(), "accepting a connection failed");
            tokio::time::sleep(BREATH).await;
            None
        }
    }
}

async fn connection<H: Handler>(
    stream: TcpStream,
    peer: SocketAddr,
    handler: Arc<H>,
    limits: Limits,
    slot: OwnedSemaphorePermit,
    mut stop: watch::Receiver<bool>,
) {
    let _slot = slot;
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let handler = Arc::clone(&handler);
        async move { handler.handle(request, peer.ip()).await }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(limits.head_bytes())
        .max_headers(limits.max_headers)
        // A caller who has stopped sending, or waiting, has still asked: the call is carried out.
        .half_close(true)
        // The date is the sandbox's own, see `answer`.
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => Some(ended),
        _ = stop.wait_for(|stop| *stop) => None,
        () = tokio::time::sleep(limits.max_connection_age) => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            serving.as_mut().graceful_shutdown();
            match tokio::time::timeout(limits.body_timeout, serving).await {
                Ok(ended) => ended,
                Err(_) => return,
            }
        }
    };
    if let Err(error) = ended {
        // Broken, dropped and timed-out connections are everyday life here.
        tracing::trace!(%error, "a connection ended early");
    }
}
