//! What listeners hand requests to.

use std::future::Future;
use std::net::IpAddr;

use ::http::{Request, Response};

use super::out::OutBody;

/// A request as it comes in; its body has not been read.
pub(crate) type Incoming = Request<hyper::body::Incoming>;
/// A response as it goes out.
pub(crate) type Outgoing = Response<OutBody>;

/// The connection is to be closed without an answer.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("dropped on purpose")]
pub(crate) struct Dropped;

/// Answers requests.
pub(crate) trait Handler: Send + Sync + 'static {
    /// Answers one request of `peer`, or has the connection dropped.
    fn handle(&self, request: Incoming, peer: IpAddr) -> impl Future<Output = Result<Outgoing, Dropped>> + Send;
}
