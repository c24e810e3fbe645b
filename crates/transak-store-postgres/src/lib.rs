//! Transak sessions on PostgreSQL, for a fleet of processes on many machines.
//!
//! ```no_run
//! use transak_session::Transak;
//! use transak_session::store::seal::{KeyRing, SealKey};
//! use transak_store_postgres::PostgresStore;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let keys = KeyRing::new(SealKey::from_base64(&std::env::var("SEAL_KEY")?)?);
//! let store = PostgresStore::open("postgres://user:password@db.example/wallet", keys).await?;
//! let transak = Transak::builder().api_key("your-api-key").store(store).build()?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is promised
//!
//! * What was acknowledged is on the server's disk: a server that would lose it is refused ([`Durability`]).
//! * A version never comes back, nor an epoch of a lease: not after a deletion, and not in a database that was restored from
//!   an older copy, as long as the server's clock was not set back and all connections are new (a pooler in between has to
//!   be restarted).
//! * Leases and due times are the server's: processes whose clocks differ agree.
//! * Tokens and IP addresses are sealed before they leave the process; e-mail addresses are never stored. Keys can be changed
//!   in use ([`PostgresStore::reseal`]).
//! * No transaction is held while Transak is called: each call of the store is one or two statements that commit by
//!   themselves. So a few connections serve many sessions, and a killed process leaves nothing behind but a lease that lapses.
//! * Every call has a deadline, and every queue a bound.
//!
//! # What is not
//!
//! * A failover to a replica that lags, or a database that is restored from an older copy, gives older tokens out. Transak
//!   refuses them if it has revoked them, and those sessions end with a login.
//!
//! # What is needed
//!
//! PostgreSQL 13 or later. The store has a schema of its own (`transak`), which it makes and brings up to date when it is
//! opened; where that is a database administrator's work, [`PostgresOptions::migrations`] has the statements, and
//! [`PostgresOptions::migrate`] turns it off. The user then needs `USAGE` on the schema, `SELECT`, `INSERT`, `UPDATE` and
//! `DELETE` on its tables, and `ALL` on its sequence.

mod due;
mod error;
mod forget;
mod hints;
mod link;
mod open;
mod ops;
mod options;
mod pace;
mod reseal;
mod schema;
mod sql;
mod store;
mod tls;

pub use options::{Durability, PostgresOptions};
pub use reseal::Resealed;
pub use store::PostgresStore;
