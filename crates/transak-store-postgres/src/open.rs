//! The first look at a database: whether it is fit, and whether the tables there are ours.

use std::sync::Arc;

use tokio::time::{Instant, timeout_at};
use transak_session::store::seal::{Sealer, open_note, seal_note, sealed_with};
use transak_session::store::{StoreError, StoreErrorKind};

use crate::link::Link;
use crate::options::PostgresOptions;
use crate::sql::Statements;
use crate::store::{Inner, PostgresStore};
use crate::{error, link, schema};

/// The sealed text that shows whether the keys fit, by its name.
const NOTE: &str = "key check";

pub(crate) async fn open(options: PostgresOptions) -> Result<PostgresStore, StoreError> {
    let link = Link::new(&options)?;
    let statements = Statements::new(&options.schema);
    let until = Instant::now() + options.connect_timeout + options.deadline;
    match timeout_at(until, recognise(&link, &statements, &options)).await {
        Ok(outcome) => outcome?,
        Err(_) => return Err(StoreError::new("Postgres did not answer in time")),
    }
    Ok(PostgresStore {
        inner: Arc::new(Inner::new(link, statements, options)),
    })
}

async fn recognise(link: &Link, statements: &Statements, options: &PostgresOptions) -> Result<(), StoreError> {
    let until = Instant::now() + options.connect_timeout + options.deadline;
    let mut connection = link.connection(until).await?;
    schema::prepare(connection.object()?, &options.schema, options.migrate).await?;
    link::catch_up(connection.object()?, &options.schema)
        .await
        .map_err(|e| error::of(&e))?;
    // One of several that open a new store at once writes the note; all read it afterwards.
    for _ in 0..2 {
        let found = connection.rows(&statements.note, &[&NOTE]).await?;
        if let Some(row) = found.first() {
            let note: &[u8] = row.try_get(0).map_err(error::strange)?;
            return open_note(&*options.sealer, NOTE, note).map(drop).map_err(|e| match e.kind() {
                StoreErrorKind::WrongKey => StoreError::of(
                    StoreErrorKind::WrongKey,
                    "the store was made with a key that was not given; open it with that key, or add it as an older one",
                )
                .because(e),
                _ => e,
            });
        }
        let note = seal_note(&*options.sealer, NOTE, b"")?;
        connection.run(&statements.write_note, &[&NOTE, &note]).await?;
    }
    Err(StoreError::new("the store was emptied while it was being opened"))
}

/// Seals the note with the current key, once nothing else needs an older one.
pub(crate) async fn renew_note(inner: &Inner) -> Result<(), StoreError> {
    let found = inner.link.rows(&inner.sql.note, &[&NOTE]).await?;
    let Some(row) = found.first() else {
        return Ok(());
    };
    let old: &[u8] = row.try_get(0).map_err(error::strange)?;
    if sealed_with(old)? == inner.sealer.current() {
        return Ok(());
    }
    let new = seal_note(sealer(inner), NOTE, b"")?;
    inner
        .link
        .run(&inner.sql.renew_note, &[&NOTE, &old, &new])
        .await
        .map(drop)
}

fn sealer(inner: &Inner) -> &dyn Sealer {
    &*inner.sealer
}
