//! What the tests of the Postgres store share.
#![allow(dead_code, unreachable_pub, unused_imports, clippy::unwrap_used)]

use transak_store_postgres::{Durability, PostgresOptions, PostgresStore};
use transak_test_servers::postgres::PostgresServer;

pub use transak_test_servers::records::*;

/// The servers of these tests do not wait for the disk.
pub fn careless(url: impl Into<String>) -> PostgresOptions {
    PostgresOptions::new(url, ring(1)).durability(Durability::Vouched)
}

pub fn options(server: &PostgresServer) -> PostgresOptions {
    careless(server.url())
}

pub async fn open(server: &PostgresServer) -> PostgresStore {
    options(server).open().await.unwrap()
}
