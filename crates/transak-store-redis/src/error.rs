//! What failures of Redis mean.

use redis::{ErrorKind, RedisError, ServerErrorKind};
use transak_session::store::{StoreError, StoreErrorKind};

/// Server messages can repeat arguments, so only their code is passed on.
pub(crate) fn of(error: &RedisError) -> StoreError {
    let code = error.code().unwrap_or_default().to_owned();
    let (kind, what) = match (error.kind(), code.as_str()) {
        (_, "OOM") => (
            StoreErrorKind::Full,
            "Redis has reached its maxmemory; give it more or remove other data",
        ),
        (_, "MISCONF") => (
            StoreErrorKind::Unavailable,
            "Redis cannot write to its disk and refuses writes; its log says why",
        ),
        (_, "READONLY") => (
            StoreErrorKind::Unavailable,
            "this Redis is a replica and takes no writes; after a failover that passes, else give the primary's address",
        ),
        (_, "NOREPLICAS") => (
            StoreErrorKind::Unavailable,
            "too few replicas follow Redis (min-replicas-to-write)",
        ),
        (_, "LOADING" | "BUSY" | "CLUSTERDOWN" | "TRYAGAIN" | "MASTERDOWN") => {
            (StoreErrorKind::Unavailable, "Redis is not ready")
        }
        (ErrorKind::AuthenticationFailed, _) | (_, "NOAUTH" | "WRONGPASS") => (
            StoreErrorKind::Unavailable,
            "Redis refused the user name or the password",
        ),
        (_, "NOPERM") => (
            StoreErrorKind::Unavailable,
            "the user's permissions do not suffice; the crate's documentation lists the commands and keys",
        ),
        (_, "WRONGTYPE") => (
            StoreErrorKind::Corrupt,
            "a key of this store holds what another program has written; choose another namespace",
        ),
        (ErrorKind::InvalidClientConfig, _) => (
            StoreErrorKind::Unavailable,
            "the address or the TLS settings are not usable",
        ),
        (ErrorKind::Server(ServerErrorKind::ResponseError), _) => (
            StoreErrorKind::Unavailable,
            "Redis refused a command; it has to be 6.2 or later, with scripts allowed",
        ),
        (ErrorKind::Io, _) => (
            StoreErrorKind::Unavailable,
            "the connection to Redis failed; whether a write has happened is not known",
        ),
        _ => (StoreErrorKind::Unavailable, "Redis could not do it"),
    };
    let cause = match code.is_empty() {
        true => error.category().to_owned(),
        false => code,
    };
    StoreError::of(kind, what).because(cause)
}

/// An answer that no script of this store gives.
pub(crate) fn strange() -> StoreError {
    StoreError::of(
        StoreErrorKind::Corrupt,
        "Redis gave an answer that this store's scripts do not give",
    )
}
