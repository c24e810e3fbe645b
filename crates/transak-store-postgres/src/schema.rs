//! The tables and how older ones become them.

use deadpool_postgres::ClientWrapper;
use transak_session::store::{StoreError, StoreErrorKind};

use crate::error;

/// Each makes one layout of the one before. What was published is never changed, and a new one must leave everything as it
/// is for processes that still run the release before.
///
/// Leases are in a table of their own, because a claim would otherwise write the large rows anew. `before` is when the lease
/// before a lapsed one was taken. The counter gives versions and epochs: it begins at the time in microseconds and is moved
/// there again by each new connection that finds it behind, so that a restored database gives none again.
/// Rows are rewritten every three weeks or so; a little room in each page and an eager vacuum keep the indexes short.
const MIGRATIONS: [&str; 1] = ["CREATE TABLE {schema}.meta (
    name text PRIMARY KEY,
    value bytea NOT NULL
);
CREATE SEQUENCE {schema}.counter AS bigint MINVALUE 1 START 1;
CREATE TABLE {schema}.session (
    key bytea PRIMARY KEY,
    tenant bigint NOT NULL,
    version bigint NOT NULL,
    live boolean NOT NULL,
    expires_at bigint NOT NULL,
    wake_at bigint NOT NULL,
    seal_key bytea NOT NULL,
    clear bytea NOT NULL,
    sealed bytea NOT NULL
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05);
CREATE INDEX session_expiry ON {schema}.session (tenant, expires_at, wake_at) WHERE live;
CREATE INDEX session_wake ON {schema}.session (tenant, wake_at, expires_at) WHERE live;
CREATE INDEX session_end ON {schema}.session (expires_at);
CREATE TABLE {schema}.lease (
    key bytea PRIMARY KEY,
    epoch bigint NOT NULL,
    taken_at bigint NOT NULL,
    until bigint NOT NULL,
    before bigint
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
CREATE TABLE {schema}.pace (
    tenant bigint PRIMARY KEY,
    permits double precision NOT NULL,
    filled_at bigint NOT NULL,
    granted bigint NOT NULL
) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 500);"];

/// The layout of this release.
const LAYOUT: usize = MIGRATIONS.len();

pub(crate) fn migrations(schema: &str) -> Vec<String> {
    let mut steps: Vec<String> = MIGRATIONS
        .iter()
        .enumerate()
        .map(|(at, step)| {
            let step = step.replace("{schema}", schema);
            let layout = at + 1;
            // As text, so that whoever looks can read it.
            let mark = format!(
                "INSERT INTO {schema}.meta (name, value) VALUES ('layout', convert_to('{layout}', 'UTF8'))
    ON CONFLICT (name) DO UPDATE SET value = excluded.value;"
            );
            format!("{step}\n{mark}")
        })
        .collect();
    if let Some(first) = steps.first_mut() {
        *first = format!("CREATE SCHEMA IF NOT EXISTS {schema};\n{first}");
    }
    steps
}

/// Serialises openings and the counter's moves: a number of this store's own, with the schema's beside it.
pub(crate) fn lock(schema: &str) -> String {
    format!("SELECT pg_advisory_xact_lock(1416785523, hashtext('{schema}'))")
}

/// Makes the tables, or brings them up to date, or refuses those that are not this release's to touch.
pub(crate) async fn prepare(client: &mut ClientWrapper, schema: &str, migrate: bool) -> Result<(), StoreError> {
    if layout(&**client, schema).await? == Some(LAYOUT) {
        return Ok(());
    }
    if !migrate {
        return Err(StoreError::of(
            StoreErrorKind::Incompatible,
            "the tables are missing or older than this release; run the statements of PostgresOptions::migrations",
        ));
    }
    let transaction = client.transaction().await.map_err(|e| error::of(&e))?;
    transaction
        .batch_execute(&lock(schema))
        .await
        .map_err(|e| error::of(&e))?;
    // Another one may have done it while this one waited.
    let from = layout(&*transaction, schema).await?.unwrap_or(0);
    for step in migrations(schema).iter().skip(from) {
        transaction.batch_execute(step).await.map_err(|e| error::of(&e))?;
    }
    transaction.commit().await.map_err(|e| error::of(&e))
}

/// Which layout there is; `None` if there is nothing.
async fn layout(client: &impl tokio_postgres::GenericClient, schema: &str) -> Result<Option<usize>, StoreError> {
    let tables = "SELECT count(*), count(*) FILTER (WHERE c.relname = 'meta')
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')";
    let found = client.query_one(tables, &[&schema]).await.map_err(|e| error::of(&e))?;
    let all: i64 = found.try_get(0).map_err(error::strange)?;
    let meta: i64 = found.try_get(1).map_err(error::strange)?;
    match (all, meta) {
        (0, _) => return Ok(None),
        (_, 0) => return Err(foreign()),
        _ => {}
    }
    let mark = format!("SELECT convert_from(value, 'UTF8') FROM {schema}.meta WHERE name = 'layout'");
    // A table of that name which is another program's.
    let found = client.query_opt(&mark, &[]).await.map_err(|e| match e.code() {
        Some(_) => foreign().because(e.code().map(|c| c.code().to_owned()).unwrap_or_default()),
        None => error::of(&e),
    })?;
    let text: String = found.ok_or_else(foreign)?.try_get(0).map_err(error::strange)?;
    match text.parse::<usize>() {
        Ok(layout @ 1..=LAYOUT) => Ok(Some(layout)),
        Ok(layout) if layout > LAYOUT => Err(StoreError::of(
            StoreErrorKind::Incompatible,
            "the tables are of a later release of this library; use that one, or a later one still",
        )),
        _ => Err(foreign()),
    }
}

fn foreign() -> StoreError {
    StoreError::of(
        StoreErrorKind::Corrupt,
        "the schema holds tables of another program; choose another schema",
    )
}
