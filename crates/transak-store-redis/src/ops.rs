//! What can be done to one record: one script each.

use std::time::Duration;

use redis::Value;
use tokio::time::Instant;
use transak_session::RecordKey;
use transak_session::store::{Claim, Lease, LeaseEpoch, Record, StoreError, StoreErrorKind, Swap, Version, Versioned};

use crate::blob::{self, LAST_MILLIS};
use crate::error::strange;
use crate::layout::member;
use crate::open;
use crate::script::{self, Script};
use crate::store::Inner;

/// How often a version is chosen anew: once for a new shard, once for a clock that was off, and some for bad luck.
const TRIES: usize = 6;

pub(crate) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).map_or(LAST_MILLIS, |millis| millis.min(LAST_MILLIS))
}

/// The answer of a script: what came of it, the server's time (which the clock takes over), and the rest.
pub(crate) struct Answer {
    pub(crate) outcome: String,
    pub(crate) rest: Vec<Value>,
}

impl Answer {
    pub(crate) fn read(inner: &Inner, mut values: Vec<Value>) -> Result<Self, StoreError> {
        if values.len() < 2 {
            return Err(strange());
        }
        let rest = values.split_off(2);
        let (Some(Value::BulkString(time)), Some(Value::BulkString(outcome))) = (values.pop(), values.pop()) else {
            return Err(strange());
        };
        inner.clock.heard(number(&time)?);
        let outcome = String::from_utf8(outcome).map_err(|_| strange())?;
        Ok(Self { outcome, rest })
    }

    pub(crate) fn bytes(&self, at: usize) -> Option<&[u8]> {
        match self.rest.get(at) {
            Some(Value::BulkString(bytes)) => Some(bytes),
            _ => None,
        }
    }

    fn number(&self, at: usize) -> Result<i64, StoreError> {
        number(self.bytes(at).ok_or_else(strange)?)
    }
}

pub(crate) fn number(text: &[u8]) -> Result<i64, StoreError> {
    let text = std::str::from_utf8(text).map_err(|_| strange())?;
    text.parse().map_err(|_| strange())
}

pub(crate) fn span_of(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or_default())
}

/// Runs a script about one record. The clock and the record's name are its first arguments.
async fn run(
    inner: &Inner,
    script: &Script,
    key: &RecordKey,
    more: &[&[u8]],
    until: Instant,
) -> Result<Answer, StoreError> {
    let (clock, member) = (inner.clock.argument(), member(key));
    let mut arguments = vec![clock.as_bytes(), member.as_bytes()];
    arguments.extend(more);
    let values = inner
        .link
        .run(script, &inner.layout.keys(key), &arguments, until)
        .await?;
    Answer::read(inner, values)
}

pub(crate) async fn load(inner: &Inner, key: &RecordKey) -> Result<Option<Versioned>, StoreError> {
    let record = inner.layout.record(key);
    let mut command = redis::cmd("GET");
    command.arg(record);
    match inner.link.ask(&command, inner.link.deadline()).await? {
        Value::Nil => Ok(None),
        Value::BulkString(found) => blob::open(&*inner.sealer, key, &found).map(Some),
        _ => Err(strange()),
    }
}

pub(crate) async fn swap(
    inner: &Inner,
    key: &RecordKey,
    expected: Option<Version>,
    record: &Record,
    finishing: Option<&Lease>,
) -> Result<Swap, StoreError> {
    let until = inner.link.deadline();
    let text = |number: i64| number.to_string();
    let wanted = expected.map(|version| version.get().to_string()).unwrap_or_default();
    let ending = finishing.filter(|lease| lease.key == *key);
    let ending = ending.map(|lease| lease.epoch.get().to_string()).unwrap_or_default();
    let alive = if record.kept_alive() { "1" } else { "0" };
    let (expires, wake) = (text(blob::score(record.expires_at)), text(blob::score(record.wake_at)));
    let retention = text(inner.keep_expired);
    // A record is sealed for its version, so the writer has to know it before: it takes the store's time in microseconds.
    // The script refuses one that would not be greater than all before, and says what would be.
    let mut base = expected.map_or(0, |version| i64::try_from(version.get()).unwrap_or(0));
    for _ in 0..TRIES {
        let version = inner.clock.micros().max(base.saturating_add(1));
        let number = u64::try_from(version).map_err(|_| StoreError::new("the clock of Redis is before 1970"))?;
        let sealed = blob::seal(&*inner.sealer, key, Version::new(number), record)?;
        let version = text(version);
        let arguments: [&[u8]; 8] = [
            wanted.as_bytes(),
            version.as_bytes(),
            ending.as_bytes(),
            alive.as_bytes(),
            expires.as_bytes(),
            wake.as_bytes(),
            retention.as_bytes(),
            &sealed,
        ];
        let answer = run(inner, &script::SWAP, key, &arguments, until).await?;
        match answer.outcome.as_str() {
            "stored" => return Ok(Swap::Stored(Version::new(number))),
            // A command that was sent twice, because the connection broke, finds its own record.
            "conflict" if answer.bytes(0) == Some(&sealed) => return Ok(Swap::Stored(Version::new(number))),
            "conflict" => return Ok(Swap::Conflict(blob::open_any(&*inner.sealer, key, answer.bytes(0))?)),
            "again" => base = answer.number(0)?,
            "new" => {
                base = answer.number(0)?;
                register(inner, key, until).await?;
            }
            _ => return Err(strange()),
        }
    }
    Err(StoreError::new(
        "no version could be found for the write; nothing was written",
    ))
}

/// Writes down that there is such a tenant, in a store that may just have been emptied.
async fn register(inner: &Inner, key: &RecordKey, until: Instant) -> Result<(), StoreError> {
    let mut command = redis::cmd("SADD");
    command.arg(inner.layout.tenants()).arg(key.tenant().to_string());
    inner.link.ask(&command, until).await?;
    open::restore_note(inner, until).await
}

pub(crate) async fn delete(inner: &Inner, key: &RecordKey) -> Result<(), StoreError> {
    let until = inner.link.deadline();
    run(inner, &script::DELETE, key, &[], until).await.map(drop)
}

pub(crate) async fn claim(inner: &Inner, key: &RecordKey, span: Duration) -> Result<Claim, StoreError> {
    let until = inner.link.deadline();
    let span = millis(span).to_string();
    let answer = run(inner, &script::CLAIM, key, &[span.as_bytes()], until).await?;
    match answer.outcome.as_str() {
        "busy" => Ok(Claim::Busy {
            retry_in: span_of(answer.number(0)?),
            record: blob::open_any(&*inner.sealer, key, answer.bytes(1))?,
        }),
        "granted" => {
            let lease = lease(*key, answer.bytes(0), answer.bytes(1))?;
            match blob::open_any(&*inner.sealer, key, answer.bytes(2)) {
                Ok(record) => Ok(Claim::Granted { lease, record }),
                Err(e) => {
                    // Nobody knows of this lease, so it would only be in the way.
                    let _ = release(inner, &lease).await;
                    Err(e)
                }
            }
        }
        _ => Err(strange()),
    }
}

/// A lease from its epoch and the age of the one before, as scripts answer them.
pub(crate) fn lease(key: RecordKey, epoch: Option<&[u8]>, age: Option<&[u8]>) -> Result<Lease, StoreError> {
    let epoch = number(epoch.ok_or_else(strange)?)?;
    let abandoned = match age {
        None | Some([]) => None,
        Some(age) => Some(span_of(number(age)?)),
    };
    let negative = |_| StoreError::of(StoreErrorKind::Corrupt, "a counter is negative");
    Ok(Lease {
        key,
        epoch: LeaseEpoch::new(u64::try_from(epoch).map_err(negative)?),
        abandoned,
    })
}

pub(crate) async fn extend(inner: &Inner, lease: &Lease, span: Duration) -> Result<bool, StoreError> {
    let until = inner.link.deadline();
    let (epoch, span) = (lease.epoch.get().to_string(), millis(span).to_string());
    let answer = run(
        inner,
        &script::EXTEND,
        &lease.key,
        &[epoch.as_bytes(), span.as_bytes()],
        until,
    )
    .await?;
    Ok(answer.outcome == "extended")
}

pub(crate) async fn release(inner: &Inner, lease: &Lease) -> Result<(), StoreError> {
    let until = inner.link.deadline();
    let epoch = lease.epoch.get().to_string();
    run(inner, &script::RELEASE, &lease.key, &[epoch.as_bytes()], until)
        .await
        .map(drop)
}
