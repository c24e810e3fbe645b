//! Encrypted connections.
#![cfg(feature = "rustls")]
#![allow(clippy::unwrap_used)]
mod support;

use support::{careless, idle, key, put};
use transak_session::store::{SessionStore, StoreErrorKind};
use transak_test_servers::Certificates;
use transak_test_servers::postgres::PostgresServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_trusted_by_its_certificate_only() {
    let certificates = Certificates::make();
    let server = PostgresServer::start_with_tls(&certificates);
    let url = format!("{}?sslmode=require", server.url());
    // The platform does not know this authority.
    let unknown = careless(&url).open().await.unwrap_err();
    assert_eq!(unknown.kind(), StoreErrorKind::Unavailable, "{unknown}");
    let trusted = || careless(&url).root_certificates(certificates.read("ca.pem"));
    let store = trusted().open().await.unwrap();
    put(&store, &key(1), idle(1)).await;
    assert!(store.load(&key(1)).await.unwrap().is_some());
    let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'transak-session'";
    assert_eq!(server.command(encrypted), "t");
    let shown = trusted().identity(certificates.read("client.pem"), certificates.read("client.key"));
    let known = shown.schema("second").open().await.unwrap();
    put(&known, &key(1), idle(1)).await;
    let names = server.command("SELECT count(*) FROM pg_stat_ssl WHERE client_dn IS NOT NULL AND client_dn <> ''");
    assert_ne!(names, "0");
    for bad in [
        careless(&url).root_certificates("no PEM"),
        trusted().identity("no PEM", certificates.read("client.key")),
        trusted().identity(certificates.read("client.pem"), "no PEM"),
    ] {
        assert_eq!(bad.open().await.unwrap_err().kind(), StoreErrorKind::Unavailable);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_tls_is_not_spoken_to_where_tls_is_asked_for() {
    let server = PostgresServer::start();
    let error = careless(format!("{}?sslmode=require", server.url())).open().await;
    assert_eq!(error.unwrap_err().kind(), StoreErrorKind::Unavailable);
}
