//! What can be asked over HTTP: `/live`, `/health` and `/metrics`.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use transak_session::{KeepAliveHandle, KeepAliveHealth};

/// A worker comes round every half minute at least.
const STUCK: Duration = Duration::from_secs(120);
/// So many failures in a row and the store is down, not slow.
const STORE_DOWN: u64 = 3;
/// Enough for every scraper there is.
const CONNECTIONS: usize = 64;
const PATIENCE: Duration = Duration::from_secs(10);

/// What answers are made of.
pub(crate) struct Facts {
    pub(crate) worker: KeepAliveHandle,
    pub(crate) metrics: PrometheusHandle,
    /// It is to end, and takes no more work.
    pub(crate) stop: CancellationToken,
}

pub(crate) async fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Answers until it is dropped.
pub(crate) async fn serve(listener: TcpListener, facts: Arc<Facts>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let facts = Arc::clone(&facts);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let answer = answer(&request, &facts);
                async move { Ok::<_, Infallible>(answer) }
            });
            let mut server = http1::Builder::new();
            server
                .timer(TokioTimer::new())
                .header_read_timeout(PATIENCE)
                .max_headers(64)
                .keep_alive(true);
            let serving = server.serve_connection(TokioIo::new(stream), service);
            // Whoever keeps a connection for longer connects again.
            let _ = tokio::time::timeout(PATIENCE * 30, serving).await;
            drop(place);
        });
    }
}

fn answer<B>(request: &Request<B>, facts: &Facts) -> Response<Full<Bytes>> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return text(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "only GET\n".to_owned());
    }
    match request.uri().path() {
        "/live" => text(StatusCode::OK, "text/plain", "alive\n".to_owned()),
        "/health" => {
            let health = facts.worker.health();
            let problem = problem(&health, facts.stop.is_cancelled(), now());
            let status = match problem {
                None => StatusCode::OK,
                Some(_) => StatusCode::SERVICE_UNAVAILABLE,
            };
            text(status, "application/json", body(&health, problem))
        }
        "/metrics" => text(StatusCode::OK, "text/plain; version=0.0.4", facts.metrics.render()),
        _ => text(
            StatusCode::NOT_FOUND,
            "text/plain",
            "there are /live, /health and /metrics\n".to_owned(),
        ),
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn problem(health: &KeepAliveHealth, stopping: bool, now: i64) -> Option<&'static str> {
    let seen = health.seen_at.map(transak_session::clock::Timestamp::unix_millis);
    let stuck = i64::try_from(STUCK.as_millis()).unwrap_or(i64::MAX);
    match () {
        () if stopping => Some("it is ending"),
        () if !health.running => Some("the worker has ended"),
        () if health.store_failures >= STORE_DOWN => Some("the store fails"),
        () if seen.is_some_and(|seen| now.saturating_sub(seen) > stuck) => Some("the worker is stuck"),
        () => None,
    }
}

fn body(health: &KeepAliveHealth, problem: Option<&'static str>) -> String {
    let value = serde_json::json!({
        "ok": problem.is_none(),
        "problem": problem,
        "running": health.running,
        "seen_at_unix_millis": health.seen_at.map(transak_session::clock::Timestamp::unix_millis),
        "renewed": health.renewed,
        "failed": health.failed,
        "store_failures_in_a_row": health.store_failures,
        "renewals_per_second": health.rate,
        "guarded": health.guarded,
    });
    format!("{value}\n")
}

fn text(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}
