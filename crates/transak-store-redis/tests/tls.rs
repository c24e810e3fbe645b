//! Encrypted connections.
#![cfg(feature = "rustls")]
#![allow(clippy::unwrap_used)]
mod support;

use support::{idle, key, put, ring};
use transak_session::store::{SessionStore, StoreErrorKind};
use transak_store_redis::RedisOptions;
use transak_test_servers::Certificates;
use transak_test_servers::redis::RedisServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_are_known_by_their_certificates() {
    let certificates = Certificates::make();
    let (_server, port) = RedisServer::start_with_tls(&certificates);
    let options = || RedisOptions::new(format!("rediss://127.0.0.1:{port}/"), ring(1));
    let known = || {
        options()
            .root_certificates(certificates.read("ca.pem"))
            .identity(certificates.read("client.pem"), certificates.read("client.key"))
    };
    let store = known().open().await.unwrap();
    put(&store, &key(1), idle(1)).await;
    assert!(store.load(&key(1)).await.unwrap().is_some());
    // Neither a server of an unknown authority nor a client that shows nothing.
    for stranger in [options(), options().root_certificates(certificates.read("ca.pem"))] {
        let error = stranger.open().await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    }
}
