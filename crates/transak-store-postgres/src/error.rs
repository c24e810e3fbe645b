//! What failures of Postgres mean.

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;
use transak_session::store::{StoreError, StoreErrorKind};

/// Server messages can repeat values, so only their code is passed on.
pub(crate) fn of(error: &Error) -> StoreError {
    let Some(code) = error.code() else {
        let what = match error.is_closed() {
            true => "the connection to Postgres has ended; whether a write has happened is not known",
            false => {
                "Postgres could not be reached, or the connection failed; whether a write has happened is not known"
            }
        };
        return StoreError::new(what).because(shown(error));
    };
    let (kind, what) = meaning(code);
    StoreError::of(kind, what).because(format!("SQLSTATE {}", code.code()))
}

/// The connection's trouble without its address, which may be confidential.
fn shown(error: &Error) -> String {
    let io = std::error::Error::source(error).and_then(|source| source.downcast_ref::<std::io::Error>());
    match io {
        Some(io) => io.kind().to_string(),
        None => "no answer of the server's".to_owned(),
    }
}

fn meaning(code: &SqlState) -> (StoreErrorKind, &'static str) {
    use StoreErrorKind::{Corrupt, Full, Unavailable};
    // The first two characters are the class.
    let class = code.code().get(..2).unwrap_or_default();
    match (class, code) {
        (_, c) if *c == SqlState::DISK_FULL => (Full, "the disk of Postgres is full; make room"),
        (_, c) if *c == SqlState::READ_ONLY_SQL_TRANSACTION => (
            Unavailable,
            "this Postgres takes no writes; after a failover that passes, else give the primary's address",
        ),
        (_, c) if *c == SqlState::QUERY_CANCELED => (
            Unavailable,
            "Postgres did not finish in time and gave up; nothing was written",
        ),
        (_, c) if *c == SqlState::INSUFFICIENT_PRIVILEGE => (
            Unavailable,
            "the user's permissions do not suffice; the crate's documentation lists them",
        ),
        (_, c) if *c == SqlState::UNDEFINED_TABLE || *c == SqlState::UNDEFINED_COLUMN => (
            Corrupt,
            "the tables of the store are missing or are another program's; choose another schema, or restore them",
        ),
        (_, c) if *c == SqlState::INVALID_CATALOG_NAME => (Unavailable, "there is no such database"),
        (_, c) if *c == SqlState::INVALID_SCHEMA_NAME => (
            Corrupt,
            "the schema of the store is missing; open the store anew to make it, or restore it",
        ),
        ("28", _) => (Unavailable, "Postgres refused the user or the password"),
        ("40", _) => (
            Unavailable,
            "Postgres gave another transaction the way; nothing was written",
        ),
        ("53", _) => (
            Unavailable,
            "Postgres has no resources left (connections or memory); lower `connections` or raise its limits",
        ),
        ("08" | "57", _) => (
            Unavailable,
            "Postgres is ending or not ready; whether a write has happened is not known",
        ),
        ("XX" | "58", _) => (Unavailable, "Postgres is damaged or its disk fails; its log says more"),
        _ => (Unavailable, "Postgres could not do it"),
    }
}

/// A row that no statement of this store gives.
pub(crate) fn strange(_: Error) -> StoreError {
    damaged()
}

pub(crate) fn damaged() -> StoreError {
    StoreError::of(
        StoreErrorKind::Corrupt,
        "a row is not as this store writes it; restore it or delete it",
    )
}
