//! Records as bytes, for stores that leave the process.
//!
//! A record becomes two JSON texts. The *clear* part holds what a store needs for its index and what an operator may look at:
//! kind, state, times, failures. The *secret* part holds tokens and the user's IP address; it has to be
//! [sealed](super::seal) before it is stored. The clear part begins with the schema, which says how to read both.
//!
//! # Schemas
//!
//! A release reads its own schema and all before it, and refuses later ones with [`StoreErrorKind::Incompatible`].
//!
//! | schema | what it has |
//! |---|---|
//! | 1 | state (live, lapsed, logged out), token, IP address, times of issue, expiry and renewal |
//! | 2 | as well: kind, the states suspect and dormant, `wake_at`, `signed_in_at`, `used_at`, failures, retired tokens |
//!
//! What schema 1 does not say is filled in on reading: a token without an IP address is the partner's; the first login and
//! the last use are taken to be the time of issue; a live user token is looked at when it is due. A moment that is left out
//! is "never" ([`Timestamp::MAX`]). A member that may be ignored can be added within a schema; anything else needs a new one.

mod wire;

use serde::Deserialize;
use zeroize::Zeroizing;

use self::wire::{Length, Moment, Text, WireClear, WireFailure, WireKind, WireRetired, WireSecret, WireState};
use super::{FailureClass, Record, RecordKind, RecordState, RetiredToken, StoreError, StoreErrorKind};
use crate::clock::Timestamp;
use crate::identity::UserIp;

/// A record as bytes.
///
/// See [`encode`].
#[derive(Clone)]
pub struct Encoded {
    /// UTF-8 JSON without secrets or personal data.
    pub clear: Vec<u8>,
    /// UTF-8 JSON with tokens and IP address: to be sealed. Wiped from memory when dropped.
    pub secret: Zeroizing<Vec<u8>>,
}

/// Without the secret part.
impl std::fmt::Debug for Encoded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoded")
            .field("clear", &String::from_utf8_lossy(&self.clear))
            .finish_non_exhaustive()
    }
}

/// Writes a record in this release's schema.
///
/// ```
/// use transak_session::clock::Timestamp;
/// use transak_session::store::{Record, codec};
/// use transak_session::{AccessToken, Issued};
///
/// let at = Timestamp::from_unix_seconds;
/// let issued = Issued::restore(AccessToken::new("the token's text"), at(10), at(30), at(20));
/// let encoded = codec::encode(&Record::user(&issued, None, at(10)))?;
/// assert!(!String::from_utf8_lossy(&encoded.clear).contains("the token's text"));
/// assert_eq!(codec::decode(&encoded.clear, &encoded.secret)?.expires_at, at(30));
/// # Ok::<(), transak_session::store::StoreError>(())
/// ```
///
/// # Errors
///
/// [`StoreErrorKind::Corrupt`] if the record cannot be written as JSON, which no record of this release can cause.
pub fn encode(record: &Record) -> Result<Encoded, StoreError> {
    // No `..`: a member that is added to records must not be forgotten here.
    let Record {
        schema: _,
        kind,
        state,
        token,
        issued_at,
        expires_at,
        due_at,
        wake_at,
        signed_in_at,
        used_at,
        failures,
        last_failure,
        user_ip,
        retired,
    } = record;
    let (state, since) = match state {
        RecordState::Live => (WireState::Live, None),
        RecordState::Suspect { since } => (WireState::Suspect, Some(since.unix_millis())),
        RecordState::Dormant => (WireState::Dormant, None),
        RecordState::Lapsed => (WireState::Lapsed, None),
        RecordState::LoggedOut => (WireState::LoggedOut, None),
    };
    let clear = WireClear {
        schema: Record::SCHEMA,
        kind: Some(match kind {
            RecordKind::Partner => WireKind::Partner,
            RecordKind::User => WireKind::User,
        }),
        state,
        since,
        issued_at: Moment::of(*issued_at),
        expires_at: Moment::of(*expires_at),
        due_at: Moment::of(*due_at),
        wake_at: Moment::of(*wake_at),
        signed_in_at: Moment::of(*signed_in_at),
        used_at: Moment::of(*used_at),
        failures: *failures,
        last_failure: last_failure.map(|class| match class {
            FailureClass::Transient => WireFailure::Transient,
            FailureClass::RateLimited => WireFailure::RateLimited,
            FailureClass::Rejected => WireFailure::Rejected,
            FailureClass::Unknown => WireFailure::Unknown,
            FailureClass::Invalid => WireFailure::Invalid,
        }),
    };
    let secret = WireSecret {
        token: token.as_ref().map(|token| Text::Borrowed(token.expose())),
        user_ip: user_ip.map(|ip| ip.expose()),
        retired: retired
            .iter()
            .map(|old| WireRetired {
                token: Text::Borrowed(old.token.expose()),
                issued_at: Moment::of(old.issued_at),
                expires_at: Moment::of(old.expires_at),
            })
            .collect(),
    };
    // Measured first: a buffer that grew would leave copies of the secret behind.
    let mut length = Length(0);
    serde_json::to_writer(&mut length, &secret).map_err(unwritable)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(length.0));
    serde_json::to_writer(&mut *bytes, &secret).map_err(unwritable)?;
    Ok(Encoded {
        clear: serde_json::to_vec(&clear).map_err(unwritable)?,
        secret: bytes,
    })
}

/// The schema a clear part was written in.
///
/// See [`encode`].
///
/// # Errors
///
/// [`StoreErrorKind::Corrupt`] if it is not a clear part, [`StoreErrorKind::Incompatible`] if a later release wrote it.
pub fn schema_of(clear: &[u8]) -> Result<u16, StoreError> {
    #[derive(Deserialize)]
    struct Head {
        schema: u64,
    }
    let head: Head =
        serde_json::from_slice(clear).map_err(|_| corrupt("the clear part of a record is not readable"))?;
    match u16::try_from(head.schema) {
        Ok(0) => Err(corrupt("a record says that it has schema 0, which does not exist")),
        Ok(schema) if schema <= Record::SCHEMA => Ok(schema),
        _ => Err(StoreError::of(
            StoreErrorKind::Incompatible,
            "a record was written by a later release of this library; use that one, or a later one still",
        )),
    }
}

/// Reads a record of this or an earlier schema. It never panics, whatever the bytes are, and errors repeat none of them.
///
/// See [`encode`].
///
/// # Errors
///
/// [`StoreErrorKind::Corrupt`] or [`StoreErrorKind::Incompatible`].
pub fn decode(clear: &[u8], secret: &[u8]) -> Result<Record, StoreError> {
    read_clear(clear)?.with(secret)
}

/// A clear part that has been read.
pub(super) struct Clear(WireClear);

/// Reads a clear part alone: what a later release wrote is refused for that, before anything is said of its secret part.
pub(super) fn read_clear(clear: &[u8]) -> Result<Clear, StoreError> {
    match serde_json::from_slice::<WireClear>(clear) {
        Ok(clear) if (1..=Record::SCHEMA).contains(&clear.schema) => Ok(Clear(clear)),
        _ => {
            schema_of(clear)?;
            Err(corrupt("the clear part of a record is not readable"))
        }
    }
}

impl Clear {
    /// The record, with its secret part.
    pub(super) fn with(self, secret: &[u8]) -> Result<Record, StoreError> {
        let Self(clear) = self;
        let secret: WireSecret<'_> =
            serde_json::from_slice(secret).map_err(|_| corrupt("the secret part of a record is not readable"))?;
        let token = secret.token.map(Text::into_token);
        let user_ip = secret.user_ip.map(UserIp::from);
        let state = match (clear.state, clear.since) {
            (WireState::Live, None) => RecordState::Live,
            (WireState::Suspect, Some(since)) => RecordState::Suspect {
                since: Timestamp::from_unix_millis(since),
            },
            (WireState::Dormant, None) => RecordState::Dormant,
            (WireState::Lapsed, None) => RecordState::Lapsed,
            (WireState::LoggedOut, None) => RecordState::LoggedOut,
            _ => return Err(corrupt("a record's state and the time since when it has it do not fit")),
        };
        let retired = secret.retired.into_iter().map(|old| RetiredToken {
            token: old.token.into_token(),
            issued_at: old.issued_at.at(),
            expires_at: old.expires_at.at(),
        });
        let mut record = Record {
            schema: Record::SCHEMA,
            kind: RecordKind::User,
            state,
            token,
            issued_at: clear.issued_at.at(),
            expires_at: clear.expires_at.at(),
            due_at: clear.due_at.at(),
            wake_at: clear.wake_at.at(),
            signed_in_at: clear.signed_in_at.at(),
            used_at: clear.used_at.at(),
            failures: clear.failures,
            last_failure: clear.last_failure.map(|class| match class {
                WireFailure::Transient => FailureClass::Transient,
                WireFailure::RateLimited => FailureClass::RateLimited,
                WireFailure::Rejected => FailureClass::Rejected,
                WireFailure::Unknown => FailureClass::Unknown,
                WireFailure::Invalid => FailureClass::Invalid,
            }),
            user_ip,
            retired: retired.collect(),
        };
        match (clear.schema, clear.kind) {
            (1, _) => fill_in_schema_1(&mut record),
            (_, Some(WireKind::Partner)) => record.kind = RecordKind::Partner,
            (_, Some(WireKind::User)) => {}
            (_, None) => return Err(corrupt("a record does not say whose token it is about")),
        }
        Ok(record)
    }
}

fn fill_in_schema_1(record: &mut Record) {
    if record.token.is_some() && record.user_ip.is_none() {
        record.kind = RecordKind::Partner;
    }
    record.signed_in_at = record.issued_at;
    record.used_at = record.issued_at;
    let looked_after = record.kind == RecordKind::User && record.state == RecordState::Live;
    record.wake_at = if looked_after { record.due_at } else { Timestamp::MAX };
}

fn corrupt(what: &'static str) -> StoreError {
    StoreError::of(StoreErrorKind::Corrupt, what)
}

/// The cause is left out: it could repeat a piece of the record.
fn unwritable(_: serde_json::Error) -> StoreError {
    corrupt("a record cannot be written as JSON")
}
