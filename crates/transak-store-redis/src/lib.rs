//! Transak sessions on Redis or Valkey, for a fleet of processes on many machines.
//!
//! ```no_run
//! use transak_session::Transak;
//! use transak_session::store::seal::{KeyRing, SealKey};
//! use transak_store_redis::RedisStore;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let keys = KeyRing::new(SealKey::from_base64(&std::env::var("SEAL_KEY")?)?);
//! let store = RedisStore::open("rediss://user:password@redis.example:6379/", keys).await?;
//! let transak = Transak::builder().api_key("your-api-key").store(store).build()?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is promised
//!
//! * What was acknowledged is in the server's append-only file: by default a server that would lose it, or evict it, is
//!   refused ([`Durability`]).
//! * A version never comes back, nor an epoch of a lease: not after a deletion, and not after the server was emptied.
//! * Leases and due times are the server's: processes whose clocks differ agree.
//! * Tokens and IP addresses are sealed before they leave the process; e-mail addresses are never stored. Keys can be changed
//!   in use ([`RedisStore::reseal`]).
//! * Every call has a deadline, and every queue a bound.
//!
//! # What is not
//!
//! * A failover to a replica can lose what was acknowledged, because Redis replicates afterwards. A lost record is a session
//!   that others may still have in memory; it comes back with their next write. A renewal that is lost so costs a login if
//!   Transak revokes old tokens.
//! * A server that is restored from an older copy gives older tokens out. Transak refuses them if it has revoked them, and
//!   those sessions end with a login.
//!
//! Names of keys begin with a namespace and hold, in a cluster, one hash tag for each tenant and shard.

mod blob;
mod clock;
mod due;
mod error;
mod hints;
mod layout;
mod link;
mod open;
mod ops;
mod options;
mod pace;
mod reseal;
mod script;
mod settings;
mod store;

#[cfg(feature = "test-util")]
pub mod test_util;

pub use options::{Durability, RedisOptions};
pub use reseal::Resealed;
pub use store::RedisStore;
