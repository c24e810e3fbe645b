//! The first look at a server: whether it is fit, and whether the data there are ours.

use std::sync::Arc;

use redis::Value;
use tokio::time::Instant;
use transak_session::store::seal::{Sealer, open_note, seal_note, sealed_with};
use transak_session::store::{StoreError, StoreErrorKind};

use crate::clock::StoreClock;
use crate::layout::Layout;
use crate::link::Link;
use crate::options::RedisOptions;
use crate::store::{Inner, RedisStore};
use crate::{error, settings};

/// The layout of keys and values that this release writes.
const LAYOUT: u16 = 1;
const NOTE: &str = "redis store";

pub(crate) async fn open(options: RedisOptions) -> Result<RedisStore, StoreError> {
    let link = Link::open(&options).await?;
    settings::check(&link, options.durability).await?;
    let layout = Layout {
        namespace: options.namespace.clone(),
        shards: options.shards,
    };
    recognise(&link, &layout, &*options.sealer).await?;
    let clock = StoreClock::new(options.manual_clock.clone());
    hear(&link, &clock).await?;
    Ok(RedisStore {
        inner: Arc::new(Inner::new(link, layout, clock, &options)),
    })
}

async fn hear(link: &Link, clock: &StoreClock) -> Result<(), StoreError> {
    let time = link.ask(&redis::cmd("TIME"), link.deadline()).await?;
    let (seconds, micros): (i64, i64) = redis::from_redis_value(time).map_err(|_| error::strange())?;
    clock.heard(seconds.saturating_mul(1_000_000).saturating_add(micros));
    Ok(())
}

/// Refuses what another release, another number of shards or another key has written; marks what is new.
async fn recognise(link: &Link, layout: &Layout, sealer: &dyn Sealer) -> Result<(), StoreError> {
    let meta = layout.meta();
    // One of several that open a new store at once writes the note; all read it afterwards.
    for _ in 0..2 {
        let mut ask = redis::cmd("GET");
        ask.arg(&meta);
        match link.ask(&ask, link.deadline()).await? {
            Value::Nil => {}
            Value::BulkString(note) => return understand(&note, layout, sealer),
            _ => return Err(error::strange()),
        }
        let mut write = redis::cmd("SET");
        write.arg(&meta).arg(note(layout, sealer)?).arg("NX");
        link.ask(&write, link.deadline()).await?;
    }
    Err(StoreError::new("the store was emptied while it was being opened"))
}

fn note(layout: &Layout, sealer: &dyn Sealer) -> Result<Vec<u8>, StoreError> {
    let line = format!("{LAYOUT} {}\n", layout.shards);
    let sealed = seal_note(sealer, NOTE, line.as_bytes())?;
    Ok([line.as_bytes(), &sealed].concat())
}

fn understand(note: &[u8], layout: &Layout, sealer: &dyn Sealer) -> Result<(), StoreError> {
    let strange = || {
        StoreError::of(
            StoreErrorKind::Corrupt,
            "the keys of this namespace are another program's, or damaged; choose another namespace",
        )
    };
    let (line, sealed) = split(note).ok_or_else(strange)?;
    let text = std::str::from_utf8(line).map_err(|_| strange())?;
    let mut words = text.split(' ').map(str::parse::<u16>);
    let (Some(Ok(release)), Some(Ok(shards))) = (words.next(), words.next()) else {
        return Err(strange());
    };
    if release > LAYOUT {
        return Err(StoreError::of(
            StoreErrorKind::Incompatible,
            "the store was written by a later release of this library; use that one, or a later one still",
        ));
    }
    if shards != layout.shards {
        return Err(StoreError::of(
            StoreErrorKind::Incompatible,
            "the store was made with another number of shards; give that one",
        ));
    }
    let plain = open_note(sealer, NOTE, sealed)?;
    match plain.strip_suffix(b"\n") == Some(line) {
        true => Ok(()),
        false => Err(strange()),
    }
}

fn split(note: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = note.iter().take(32).position(|byte| *byte == b'\n')?;
    let (line, rest) = note.split_at_checked(end)?;
    Some((line, rest.get(1..)?))
}

/// Writes the note again where it has gone.
pub(crate) async fn restore_note(inner: &Inner, until: Instant) -> Result<(), StoreError> {
    let mut write = redis::cmd("SET");
    write
        .arg(inner.layout.meta())
        .arg(note(&inner.layout, &*inner.sealer)?)
        .arg("NX");
    inner.link.ask(&write, until).await.map(drop)
}

/// Seals the note with the current key, once nothing else needs an older one.
pub(crate) async fn renew_note(inner: &Inner) -> Result<(), StoreError> {
    let mut ask = redis::cmd("GET");
    ask.arg(inner.layout.meta());
    let Value::BulkString(old) = inner.link.ask(&ask, inner.link.deadline()).await? else {
        return Ok(());
    };
    let by = split(&old).map(|(_, sealed)| sealed_with(sealed)).transpose()?;
    if by == Some(inner.sealer.current()) {
        return Ok(());
    }
    let mut write = redis::cmd("SET");
    write
        .arg(inner.layout.meta())
        .arg(note(&inner.layout, &*inner.sealer)?)
        .arg("XX");
    inner.link.ask(&write, inner.link.deadline()).await.map(drop)
}
