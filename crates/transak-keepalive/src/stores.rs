//! The store by its address.

use std::sync::Arc;
use std::time::Duration;

use transak_session::store::seal::KeyRing;
use transak_session::store::{SessionStore, StoreError};

use crate::cli::Arguments;
use crate::secrets::{self, SecretError};

/// Why there is no store.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("the address of the store begins with none of {0}")]
    Unknown(&'static str),
    #[error("the file of certificates for the store cannot be read: {0}")]
    Certificates(std::io::ErrorKind),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An engine, as far as it has to be told apart from others.
#[derive(Clone)]
pub(crate) enum Engine {
    #[cfg(feature = "postgres")]
    Postgres(transak_store_postgres::PostgresStore),
    #[cfg(feature = "redis")]
    Redis(transak_store_redis::RedisStore),
    #[cfg(feature = "sqlite")]
    Sqlite(transak_session::store::SqliteStore),
}

const KNOWN: &str = "postgres:, postgresql:, redis:, rediss:, redis-cluster:, rediss-cluster:, sqlite:, as far as this \
    program was built with them";

impl Engine {
    pub(crate) async fn open(arguments: &Arguments) -> Result<Self, OpenError> {
        let address = match &arguments.store {
            Some(address) => address.clone(),
            None => secrets::required("TRANSAK_STORE")?.to_string(),
        };
        let keys = secrets::seal_keys()?;
        let certificates = match &arguments.store_ca {
            Some(path) => Some(std::fs::read(path).map_err(|e| OpenError::Certificates(e.kind()))?),
            None => None,
        };
        let scheme = address.split(':').next().unwrap_or_default();
        match scheme {
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => postgres(&address, keys, certificates, arguments).await,
            #[cfg(feature = "redis")]
            "redis" | "rediss" => redis(&address, false, keys, certificates, arguments).await,
            #[cfg(feature = "redis")]
            "redis-cluster" | "rediss-cluster" => {
                let plain = address.replacen("-cluster", "", 1);
                redis(&plain, true, keys, certificates, arguments).await
            }
            #[cfg(feature = "sqlite")]
            "sqlite" => {
                let path = address.trim_start_matches("sqlite:");
                Ok(Self::Sqlite(
                    transak_session::store::SqliteStore::open(path, keys).await?,
                ))
            }
            _ => Err(OpenError::Unknown(KNOWN)),
        }
    }

    pub(crate) fn shared(&self) -> Arc<dyn SessionStore> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => Arc::new(store.clone()),
            #[cfg(feature = "redis")]
            Self::Redis(store) => Arc::new(store.clone()),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(store) => Arc::new(store.clone()),
        }
    }

    /// Removes some of what expired long ago. Redis does so by itself.
    pub(crate) async fn forget_expired(&self, since: Duration, limit: usize) -> Result<usize, StoreError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.forget_expired(since, limit).await,
            #[cfg(feature = "redis")]
            Self::Redis(_) => Ok(0),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(store) => store.forget_expired(since, limit).await,
        }
    }

    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => store.close(),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.close(),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(store) => store.close().await?,
        }
        Ok(())
    }
}

#[cfg(feature = "postgres")]
async fn postgres(
    address: &str,
    keys: KeyRing,
    certificates: Option<Vec<u8>>,
    arguments: &Arguments,
) -> Result<Engine, OpenError> {
    use transak_store_postgres::{Durability, PostgresOptions};
    let mut options = PostgresOptions::new(address, keys);
    if let Some(schema) = &arguments.namespace {
        options = options.schema(schema);
    }
    if let Some(pem) = certificates {
        options = options.root_certificates(pem);
    }
    if arguments.vouched {
        options = options.durability(Durability::Vouched);
    }
    Ok(Engine::Postgres(options.open().await?))
}

#[cfg(feature = "redis")]
async fn redis(
    address: &str,
    cluster: bool,
    keys: KeyRing,
    certificates: Option<Vec<u8>>,
    arguments: &Arguments,
) -> Result<Engine, OpenError> {
    use transak_store_redis::{Durability, RedisOptions};
    let mut options = RedisOptions::new(address, keys);
    if let Some(namespace) = &arguments.namespace {
        options = options.namespace(namespace);
    }
    if let Some(pem) = certificates {
        options = options.root_certificates(pem);
    }
    if arguments.vouched {
        options = options.durability(Durability::Vouched);
    }
    if cluster {
        options = options.cluster([]);
    }
    Ok(Engine::Redis(options.open().await?))
}
