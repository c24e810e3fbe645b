//! Connections and deadlines.

use std::fmt;
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, Timeouts,
};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Row, Socket};
use transak_session::store::{StoreError, StoreErrorKind};

use crate::options::{Durability, PostgresOptions};
use crate::sql::Statement;
use crate::tls::{Connector, Stream};
use crate::{error, schema, tls};

pub(crate) type Parameters<'a> = [&'a (dyn ToSql + Sync)];

const LOSES: &str = "Postgres can lose what it has acknowledged: set `fsync = on` and `synchronous_commit = on`, or say \
    Durability::Vouched";
const REPLICA: &str =
    "this Postgres is a replica and takes no writes; after a failover that passes, else give the primary's address";

pub(crate) struct Link {
    pool: Pool,
    /// How a connection beside the pool is made.
    apart: (Config, Connector),
    closing: watch::Sender<bool>,
    pub(crate) connect_timeout: Duration,
    deadline: Duration,
    pub(crate) forecast_deadline: Duration,
    prepared: bool,
}

impl Link {
    pub(crate) fn new(options: &PostgresOptions) -> Result<Self, StoreError> {
        let mut config = options.config()?;
        tls::require(&mut config);
        let how = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let apart = (config, tls::connector(options)?);
        let manager = Manager::from_config(apart.0.clone(), apart.1.clone(), how);
        let (durability, schema) = (options.durability, options.schema.clone());
        let greet = Hook::async_fn(move |client: &mut ClientWrapper, _| {
            let schema = schema.clone();
            Box::pin(async move { greet(client, durability, &schema).await })
        });
        let pool = Pool::builder(manager)
            .max_size(options.connections)
            .create_timeout(Some(options.connect_timeout))
            .runtime(Runtime::Tokio1)
            .post_create(greet)
            .build()
            .map_err(|_| StoreError::new("no connections can be kept"))?;
        Ok(Self {
            pool,
            apart,
            closing: watch::Sender::new(false),
            connect_timeout: options.connect_timeout,
            deadline: options.deadline,
            forecast_deadline: options.forecast_deadline,
            prepared: !options.pooler,
        })
    }

    /// Until when a call that begins now has to be over.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.deadline
    }

    /// A connection for one call.
    pub(crate) async fn connection(&self, until: Instant) -> Result<Connection, StoreError> {
        let mut timeouts: Timeouts = self.pool.timeouts();
        timeouts.wait = Some(until.saturating_duration_since(Instant::now()));
        match timeout_at(until, self.pool.timeout_get(&timeouts)).await {
            Ok(Ok(object)) => Ok(Connection {
                object: Some(object),
                until,
                prepared: self.prepared,
                busy: false,
            }),
            Ok(Err(e)) => Err(no_connection(e)),
            Err(_) => Err(StoreError::new(
                "no connection to Postgres was free in time; nothing was sent",
            )),
        }
    }

    /// One statement that gives rows.
    pub(crate) async fn rows(
        &self,
        statement: &Statement,
        parameters: &Parameters<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        self.connection(self.deadline())
            .await?
            .rows(statement, parameters)
            .await
    }

    /// One statement that tells how many rows it has touched.
    pub(crate) async fn run(&self, statement: &Statement, parameters: &Parameters<'_>) -> Result<u64, StoreError> {
        self.connection(self.deadline()).await?.run(statement, parameters).await
    }

    /// Whether a connection stays the same between two calls.
    pub(crate) fn keeps_connections(&self) -> bool {
        self.prepared
    }

    /// A connection that is not of the pool.
    pub(crate) async fn connect_apart(
        &self,
    ) -> Result<(Client, tokio_postgres::Connection<Socket, Stream>), tokio_postgres::Error> {
        self.apart.0.connect(self.apart.1.clone()).await
    }

    /// Changes when the store is closed, and ends with it.
    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    /// Nothing is sent any more.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
        self.pool.close();
    }
}

/// What every new connection is asked, and what it does, before it is used.
async fn greet(client: &mut ClientWrapper, durability: Durability, schema: &str) -> Result<(), HookError> {
    let settings = "SELECT pg_is_in_recovery(), current_setting('fsync'), current_setting('synchronous_commit')";
    let row = client.query_typed(settings, &[]).await.map_err(HookError::Backend)?;
    let row = row.first().ok_or_else(|| HookError::message("no answer"))?;
    if row.try_get::<_, bool>(0).map_err(HookError::Backend)? {
        return Err(HookError::message(REPLICA));
    }
    let setting = |at| row.try_get::<_, &str>(at).map_err(HookError::Backend);
    if durability == Durability::Always && (setting(1)? != "on" || setting(2)? == "off") {
        return Err(HookError::message(LOSES));
    }
    // A new store has no counter yet.
    let there = format!("SELECT to_regclass('{schema}.counter') IS NOT NULL");
    let row = client.query_typed(&there, &[]).await.map_err(HookError::Backend)?;
    match row.first().map(|row| row.try_get::<_, bool>(0)) {
        Some(Ok(true)) => catch_up(client, schema).await.map_err(HookError::Backend),
        _ => Ok(()),
    }
}

/// Moves the counter to the time. Where a database was restored from an older copy or another server has taken over, all
/// connections are new, so this comes before any number that would be given again.
pub(crate) async fn catch_up(client: &ClientWrapper, schema: &str) -> Result<(), tokio_postgres::Error> {
    let lock = schema::lock(schema);
    // One message, so one transaction: two that move it at once do not move it back.
    let moving = format!(
        "{lock}; SELECT setval('{schema}.counter', m.micros) FROM {schema}.counter c,
            (SELECT floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS micros) m
        WHERE c.last_value < m.micros"
    );
    client.batch_execute(&moving).await
}

fn no_connection(error: PoolError) -> StoreError {
    match error {
        PoolError::Backend(e) | PoolError::PostCreateHook(HookError::Backend(e)) => error::of(&e),
        PoolError::PostCreateHook(HookError::Message(text)) if text == LOSES => {
            StoreError::of(StoreErrorKind::Unsafe, LOSES)
        }
        PoolError::PostCreateHook(HookError::Message(text)) if text == REPLICA => StoreError::new(REPLICA),
        PoolError::Closed => StoreError::new("the store is closed"),
        PoolError::Timeout(_) => StoreError::new("no connection to Postgres could be had in time; nothing was sent"),
        _ => StoreError::new("no connection to Postgres could be made"),
    }
}

/// A connection that is ours for one call. One that was left while an answer was awaited is not used again.
pub(crate) struct Connection {
    object: Option<Object>,
    until: Instant,
    prepared: bool,
    busy: bool,
}

impl Connection {
    /// The connection itself, for what is done once.
    pub(crate) fn object(&mut self) -> Result<&mut ClientWrapper, StoreError> {
        self.object
            .as_deref_mut()
            .ok_or_else(|| StoreError::new("the connection has gone"))
    }

    fn client(&self) -> Result<&ClientWrapper, StoreError> {
        self.object
            .as_deref()
            .ok_or_else(|| StoreError::new("the connection has gone"))
    }

    async fn timed<T>(
        &mut self,
        work: impl AsyncFnOnce(&ClientWrapper, bool) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, StoreError> {
        let (until, prepared) = (self.until, self.prepared);
        self.busy = true;
        let done = timeout_at(until, work(self.client()?, prepared)).await;
        match done {
            Ok(Ok(value)) => {
                self.busy = false;
                Ok(value)
            }
            Ok(Err(e)) => {
                // A statement that was refused leaves the connection as it was; anything else may not.
                self.busy = e.as_db_error().is_none();
                Err(error::of(&e))
            }
            Err(_) => Err(StoreError::new(
                "Postgres did not answer in time; whether a write has happened is not known",
            )),
        }
    }

    pub(crate) async fn rows(
        &mut self,
        statement: &Statement,
        parameters: &Parameters<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        self.timed(async |client: &ClientWrapper, prepared| rows(client, prepared, statement, parameters).await)
            .await
    }

    pub(crate) async fn run(&mut self, statement: &Statement, parameters: &Parameters<'_>) -> Result<u64, StoreError> {
        self.timed(async |client: &ClientWrapper, prepared| {
            if prepared {
                let known = client.prepare_typed_cached(&statement.text, statement.types).await?;
                client.execute(&known, parameters).await
            } else {
                client
                    .execute_typed(&statement.text, &typed(statement, parameters))
                    .await
            }
        })
        .await
    }

    /// Two statements, the second behind the first without waiting for its answer. Each commits by itself.
    pub(crate) async fn both(
        &mut self,
        first: (&Statement, &Parameters<'_>),
        second: (&Statement, &Parameters<'_>),
    ) -> Result<(Vec<Row>, Vec<Row>), StoreError> {
        self.timed(async |client: &ClientWrapper, prepared| {
            if prepared {
                let one = client.prepare_typed_cached(&first.0.text, first.0.types).await?;
                let two = client.prepare_typed_cached(&second.0.text, second.0.types).await?;
                // Polled in this order, and so sent in it.
                let (a, b) =
                    futures_util::future::join(client.query(&one, first.1), client.query(&two, second.1)).await;
                Ok((a?, b?))
            } else {
                // A pooler may give each transaction another connection.
                let a = rows(client, false, first.0, first.1).await?;
                Ok((a, rows(client, false, second.0, second.1).await?))
            }
        })
        .await
    }

    /// A transaction with a time-out of its own, for what takes long.
    pub(crate) async fn patiently(
        &mut self,
        span: Duration,
        statement: &Statement,
        parameters: &Parameters<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        self.until = Instant::now() + span;
        let object = self
            .object
            .as_mut()
            .ok_or_else(|| StoreError::new("the connection has gone"))?;
        self.busy = true;
        let work = async {
            let transaction = object.transaction().await?;
            let limit = format!("SET LOCAL statement_timeout = {}", span.as_millis());
            transaction.batch_execute(&limit).await?;
            let rows = transaction
                .query_typed(&statement.text, &typed(statement, parameters))
                .await?;
            transaction.commit().await?;
            Ok(rows)
        };
        match timeout_at(self.until, work).await {
            Ok(Ok(rows)) => {
                self.busy = false;
                Ok(rows)
            }
            Ok(Err(e)) => Err(error::of(&e)),
            Err(_) => Err(StoreError::new("Postgres did not answer in time; nothing was written")),
        }
    }
}

async fn rows(
    client: &ClientWrapper,
    prepared: bool,
    statement: &Statement,
    parameters: &Parameters<'_>,
) -> Result<Vec<Row>, tokio_postgres::Error> {
    if prepared {
        let known = client.prepare_typed_cached(&statement.text, statement.types).await?;
        client.query(&known, parameters).await
    } else {
        client.query_typed(&statement.text, &typed(statement, parameters)).await
    }
}

fn typed<'a>(
    statement: &Statement,
    parameters: &Parameters<'a>,
) -> Vec<(&'a (dyn ToSql + Sync), tokio_postgres::types::Type)> {
    parameters
        .iter()
        .copied()
        .zip(statement.types.iter().cloned())
        .collect()
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.busy
            && let Some(object) = self.object.take()
        {
            drop(Object::take(object));
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
