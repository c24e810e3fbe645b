//! Real engines for tests: started on a free port in a directory of their own, killed when the value is dropped.
//!
//! Nothing here skips a test. What is missing panics, with the Debian package that has it.
//!
//! * [`redis`]: `redis-server`, or another one named by `TRANSAK_TEST_REDIS_SERVER` (Valkey, for instance), or a server
//!   that runs already, named by `TRANSAK_TEST_REDIS_URL`.
//! * [`postgres`]: `initdb` and `postgres` of `PATH` or of the newest version below `/usr/lib/postgresql`, or those of a
//!   directory named by `TRANSAK_TEST_POSTGRES_BIN`, or a server that runs already, named by `TRANSAK_TEST_POSTGRES_URL`.
//!
//! * [`records`]: what such tests write, and what they must not find in any file.
//!
//! Starting and stopping blocks the calling thread, for milliseconds (Redis) or a second or two (Postgres) when all is well.
#![allow(clippy::panic)]

mod certificates;
mod find;
mod guard;
mod port;
pub mod postgres;
mod ready;
pub mod records;
pub mod redis;

pub use certificates::Certificates;
pub use find::program;
pub use guard::Guard;
pub use port::free_port;
pub use ready::wait_until;
