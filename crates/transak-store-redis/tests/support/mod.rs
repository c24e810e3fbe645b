//! What the tests of the Redis store share.
#![allow(dead_code, unreachable_pub, unused_imports, clippy::unwrap_used)]

use transak_store_redis::{Durability, RedisOptions, RedisStore};
use transak_test_servers::redis::RedisServer;

pub use transak_test_servers::records::*;

pub fn options(server: &RedisServer) -> RedisOptions {
    RedisOptions::new(server.url(), ring(1)).namespace("test")
}

pub async fn open(server: &RedisServer) -> RedisStore {
    options(server).open().await.unwrap()
}

/// For servers whose settings do not matter.
pub fn careless(url: &str, namespace: &str) -> RedisOptions {
    RedisOptions::new(url, ring(1))
        .namespace(namespace)
        .durability(Durability::CacheOnly)
}
