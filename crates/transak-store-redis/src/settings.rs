//! Whether the server keeps what it is given.

use redis::Value;
use transak_session::store::StoreError;

use crate::link::{Link, unsafe_settings};
use crate::options::Durability;

pub(crate) async fn check(link: &Link, durability: Durability) -> Result<(), StoreError> {
    let every_second = match durability {
        Durability::Always => false,
        Durability::EverySecond => true,
        Durability::Vouched | Durability::CacheOnly => return Ok(()),
    };
    must_be(
        link,
        "maxmemory-policy",
        &["noeviction"],
        "Redis may evict sessions: set `maxmemory-policy noeviction`, or say Durability::CacheOnly",
    )
    .await?;
    must_be(
        link,
        "appendonly",
        &["yes"],
        "Redis forgets sessions when it ends: set `appendonly yes`, or say Durability::CacheOnly",
    )
    .await?;
    let (allowed, what): (&[&str], _) = match every_second {
        false => (
            &["always"],
            "Redis can lose the last second of writes: set `appendfsync always`, or say Durability::EverySecond",
        ),
        true => (
            &["always", "everysec"],
            "Redis can lose many writes: set `appendfsync always` or `everysec`, or say Durability::CacheOnly",
        ),
    };
    must_be(link, "appendfsync", allowed, what).await
}

async fn must_be(link: &Link, name: &str, allowed: &[&str], what: &'static str) -> Result<(), StoreError> {
    let mut command = redis::cmd("CONFIG");
    command.arg("GET").arg(name);
    let unreadable = || {
        unsafe_settings(
            "the settings of Redis cannot be read (CONFIG GET is forbidden): make sure of `maxmemory-policy noeviction`, \
             `appendonly yes` and `appendfsync always`, or what your service calls them, and say Durability::Vouched",
        )
    };
    let answers = match link.ask_primaries(&command).await? {
        Ok(answers) => answers,
        // Whoever cannot be reached says nothing about its settings.
        Err(e) if e.is_io_error() || e.is_timeout() => return Err(crate::error::of(&e)),
        Err(e) => return Err(unreadable().because(e.code().unwrap_or("refused").to_owned())),
    };
    for answer in answers {
        let value = value_of(&answer).ok_or_else(unreadable)?;
        if !allowed.contains(&value.as_str()) {
            return Err(unsafe_settings(what));
        }
    }
    Ok(())
}

/// The value of the one setting that was asked for.
fn value_of(answer: &Value) -> Option<String> {
    let value = match answer {
        Value::Array(pair) => pair.get(1)?,
        Value::Map(pairs) => &pairs.first()?.1,
        _ => return None,
    };
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes.clone()).ok(),
        Value::SimpleString(text) => Some(text.clone()),
        _ => None,
    }
}
