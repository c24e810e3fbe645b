//! Records as bytes, and sealed: what comes back, what is refused, what is never shown.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use transak_session::clock::Timestamp;
use transak_session::store::seal::{
    KeyRing, SealError, SealKey, SealKeyError, Sealer, open_record, reseal_record, seal_record, sealed_with,
};
use transak_session::store::{
    FailureClass, Record, RecordKind, RecordState, RetiredToken, StoreErrorKind, Version, codec,
};
use transak_session::{AccessToken, Issued, RecordKey, UserIp};

fn at() -> impl Strategy<Value = Timestamp> {
    let any = prop_oneof![Just(i64::MAX), Just(i64::MIN), Just(0), any::<i64>()];
    any.prop_map(Timestamp::from_unix_millis)
}

fn token() -> impl Strategy<Value = AccessToken> {
    prop_oneof!["[A-Za-z0-9._-]{0,900}", any::<String>()].prop_map(AccessToken::new)
}

prop_compose! {
    fn retired()(token in token(), issued_at in at(), expires_at in at()) -> RetiredToken {
        RetiredToken { token, issued_at, expires_at }
    }
}

prop_compose! {
    fn record()(
        token in proptest::option::of(token()),
        times in proptest::array::uniform7(at()),
        (partner, state, failures) in (any::<bool>(), 0..5, any::<u32>()),
        failure in proptest::option::of(0..5),
        ip in proptest::option::of(any::<std::net::IpAddr>()),
        retired in proptest::collection::vec(retired(), 0..3),
    ) -> Record {
        let [issued, expires, due, wake, signed_in, used, since] = times;
        let issued = Issued::restore(AccessToken::new(""), issued, expires, due);
        let mut record = Record::user(&issued, ip.map(UserIp::from), signed_in);
        if partner {
            record.kind = RecordKind::Partner;
        }
        record.state = match state {
            0 => RecordState::Live,
            1 => RecordState::Suspect { since },
            2 => RecordState::Dormant,
            3 => RecordState::Lapsed,
            _ => RecordState::LoggedOut,
        };
        record.last_failure = failure.map(|f| match f {
            0 => FailureClass::Transient,
            1 => FailureClass::RateLimited,
            2 => FailureClass::Rejected,
            3 => FailureClass::Unknown,
            _ => FailureClass::Invalid,
        });
        record.token = token;
        record.wake_at = wake;
        record.used_at = used;
        record.failures = failures;
        record.retired = retired;
        record
    }
}

fn ring() -> KeyRing {
    KeyRing::new(SealKey::generate().unwrap())
}

fn key(byte: u8) -> RecordKey {
    RecordKey::from_bytes([byte; 40])
}

fn kind(error: transak_session::store::StoreError) -> StoreErrorKind {
    error.kind()
}

proptest! {
    #[test]
    fn every_record_comes_back(record in record(), version in any::<u64>()) {
        let encoded = codec::encode(&record).unwrap();
        prop_assert_eq!(encoded.secret.capacity(), encoded.secret.len(), "a buffer that grew left a copy behind");
        prop_assert_eq!(&codec::decode(&encoded.clear, &encoded.secret).unwrap(), &record);

        let (ring, version) = (ring(), Version::new(version));
        let sealed = seal_record(&ring, &key(1), version, &record).unwrap();
        let opened = open_record(&ring, &key(1), version, &sealed.clear, &sealed.sealed).unwrap();
        prop_assert_eq!(&opened, &record);
    }

    #[test]
    fn no_bytes_make_it_panic(clear in any::<Vec<u8>>(), secret in any::<Vec<u8>>(), text in "[{\":a-z0-9,}]{0,80}") {
        let _ = codec::decode(&clear, &secret);
        let _ = codec::decode(text.as_bytes(), &secret);
        let _ = codec::decode(br#"{"schema":2,"kind":"user","state":"live"}"#, &secret);
        let _ = open_record(&ring(), &key(1), Version::new(1), br#"{"schema":2}"#, &secret);
    }

    #[test]
    fn a_changed_byte_is_noticed(record in record(), at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let ring = ring();
        let whole = seal_record(&ring, &key(1), Version::new(1), &record).unwrap();
        let (clear, mut sealed) = (whole.clear, whole.sealed);
        let at = at.index(sealed.len());
        sealed[at] ^= 1 << bit;
        let refused = kind(open_record(&ring, &key(1), Version::new(1), &clear, &sealed).unwrap_err());
        let expected: &[StoreErrorKind] = match at {
            0 => &[StoreErrorKind::Incompatible, StoreErrorKind::Corrupt],
            1..9 => &[StoreErrorKind::WrongKey],
            _ => &[StoreErrorKind::Corrupt],
        };
        prop_assert!(expected.contains(&refused), "byte {at}: {refused:?}");
    }
}

fn live() -> Record {
    let day = |d: i64| Timestamp::from_unix_seconds(1_800_000_000 + d * 86_400);
    let issued = Issued::restore(AccessToken::new("s3cret-token"), day(0), day(30), day(20));
    Record::user(&issued, Some(UserIp::parse("203.0.113.77").unwrap()), day(0))
}

#[test]
fn a_sealed_record_opens_only_where_it_was_written() {
    let ring = ring();
    let whole = seal_record(&ring, &key(1), Version::new(7), &live()).unwrap();
    let open = |key, version, clear: &[u8]| open_record(&ring, &key, Version::new(version), clear, &whole.sealed);
    assert!(open(key(1), 7, &whole.clear).is_ok());
    assert_eq!(
        kind(open(key(2), 7, &whole.clear).unwrap_err()),
        StoreErrorKind::Corrupt
    );
    assert_eq!(
        kind(open(key(1), 8, &whole.clear).unwrap_err()),
        StoreErrorKind::Corrupt
    );
    let mut never = live();
    never.wake_at = Timestamp::MAX;
    let clear = codec::encode(&never).unwrap().clear;
    assert_eq!(kind(open(key(1), 7, &clear).unwrap_err()), StoreErrorKind::Corrupt);
    let other = open_record(&self::ring(), &key(1), Version::new(7), &whole.clear, &whole.sealed);
    assert_eq!(kind(other.unwrap_err()), StoreErrorKind::WrongKey);
}

#[test]
fn nothing_readable_is_left_and_no_two_sealings_are_alike() {
    let ring = ring();
    let whole = seal_record(&ring, &key(1), Version::new(1), &live()).unwrap();
    for secret in ["s3cret-token", "203.0.113.77"] {
        for part in [&whole.clear, &whole.sealed] {
            assert!(!part.windows(secret.len()).any(|w| w == secret.as_bytes()));
        }
        assert!(!format!("{:?}", codec::encode(&live()).unwrap()).contains(secret));
    }
    let again = seal_record(&ring, &key(1), Version::new(1), &live()).unwrap();
    assert_ne!(whole.sealed, again.sealed);
    assert_eq!(whole.clear, again.clear);
}

#[test]
fn keys_are_changed_by_sealing_anew() {
    let (old, new) = (SealKey::generate().unwrap(), SealKey::generate().unwrap());
    let copy = |key: &SealKey| SealKey::from_base64(&key.expose_base64()).unwrap();
    let (before, both, after) = (
        KeyRing::new(copy(&old)),
        KeyRing::new(copy(&new)).with_older(copy(&old)),
        KeyRing::new(copy(&new)),
    );
    let (at, version) = (key(1), Version::new(3));
    let whole = seal_record(&before, &at, version, &live()).unwrap();
    assert_eq!(sealed_with(&whole.sealed).unwrap(), old.id());
    assert_eq!(
        open_record(&both, &at, version, &whole.clear, &whole.sealed).unwrap(),
        live()
    );
    let anew = reseal_record(&both, &at, version, &whole.clear, &whole.sealed)
        .unwrap()
        .unwrap();
    assert_eq!(sealed_with(&anew).unwrap(), new.id());
    assert_eq!(open_record(&after, &at, version, &whole.clear, &anew).unwrap(), live());
    assert_eq!(reseal_record(&both, &at, version, &whole.clear, &anew).unwrap(), None);
    let wrong = reseal_record(&after, &at, version, &whole.clear, &whole.sealed);
    assert_eq!(kind(wrong.unwrap_err()), StoreErrorKind::WrongKey);
}

#[test]
fn older_schemas_are_read_and_later_ones_refused() {
    let clear = br#"{"schema":1,"state":"live","issued_at":1000,"expires_at":9000,"due_at":5000}"#;
    let user = codec::decode(clear, br#"{"token":"a","user_ip":"203.0.113.7"}"#).unwrap();
    assert_eq!((user.schema, user.kind), (Record::SCHEMA, RecordKind::User));
    assert_eq!(user.signed_in_at, Timestamp::from_unix_millis(1_000));
    assert_eq!(user.wake_at, Timestamp::from_unix_millis(5_000));
    assert!(user.kept_alive());
    let partner = codec::decode(clear, br#"{"token":"a"}"#).unwrap();
    assert_eq!((partner.kind, partner.wake_at), (RecordKind::Partner, Timestamp::MAX));
    let gone = codec::decode(
        br#"{"schema":1,"state":"logged_out","issued_at":1000,"expires_at":9000}"#,
        b"{}",
    )
    .unwrap();
    assert_eq!((gone.kind, gone.state), (RecordKind::User, RecordState::LoggedOut));

    for (clear, expected) in [
        (&br#"{"schema":3,"state":{"odd":1}}"#[..], StoreErrorKind::Incompatible),
        (br#"{"schema":70000}"#, StoreErrorKind::Incompatible),
        (br#"{"schema":0}"#, StoreErrorKind::Corrupt),
        (br#"{"schema":2,"state":"live"}"#, StoreErrorKind::Corrupt),
        (
            br#"{"schema":2,"kind":"user","state":"live","since":1}"#,
            StoreErrorKind::Corrupt,
        ),
        (
            br#"{"schema":2,"kind":"user","state":"suspect"}"#,
            StoreErrorKind::Corrupt,
        ),
        (b"", StoreErrorKind::Corrupt),
    ] {
        let text = String::from_utf8_lossy(clear);
        assert_eq!(kind(codec::decode(clear, b"{}").unwrap_err()), expected, "{text}");
    }
}

#[test]
fn the_clear_part_is_what_it_was_in_the_first_release() {
    let encoded = codec::encode(&live()).unwrap();
    assert_eq!(
        String::from_utf8(encoded.clear).unwrap(),
        r#"{"schema":2,"kind":"user","state":"live","issued_at":1800000000000,"expires_at":1802592000000,"due_at":1801728000000,"wake_at":1801728000000,"signed_in_at":1800000000000,"used_at":1800000000000,"failures":0}"#
    );
    assert_eq!(
        &**encoded.secret,
        br#"{"token":"s3cret-token","user_ip":"203.0.113.77"}"#
    );
}

#[test]
fn keys_are_checked_and_not_shown() {
    let text = "kA0YcJxgTq1yBz3mN8vLwQ7rPfE2sHdU5iOaKXjZ4t9=";
    let url = "kA0YcJxgTq1yBz3mN8vLwQ7rPfE2sHdU5iOaKXjZ4t8";
    assert!(
        matches!(SealKey::from_base64(text), Err(SealKeyError::NotBase64)),
        "stray bits are a typing error"
    );
    let (padded, bare) = (format!(" {url}=\n"), SealKey::from_base64(url).unwrap());
    assert_eq!(SealKey::from_base64(&padded).unwrap().id(), bare.id());
    assert_eq!(
        SealKey::from_base64("not base64!").unwrap_err(),
        SealKeyError::NotBase64
    );
    assert_eq!(SealKey::from_base64("c2hvcnQ=").unwrap_err(), SealKeyError::Length(5));
    assert_eq!(SealKey::from_bytes(&[7; 32]).unwrap_err(), SealKeyError::NotRandom);
    assert_eq!(SealKey::from_bytes(&[]).unwrap_err(), SealKeyError::Length(0));
    let ring = KeyRing::new(SealKey::from_base64(url).unwrap());
    for shown in [format!("{bare:?}"), format!("{ring:?}")] {
        assert!(
            shown.contains(&bare.id().to_string()) && !shown.contains(&url[..8]),
            "{shown}"
        );
    }
    assert_eq!(
        ring.open(SealKey::generate().unwrap().id(), b"", b"")
            .map_err(|e| matches!(e, SealError::UnknownKey(_))),
        Err(true)
    );
    assert_eq!(
        ring.open(ring.current(), b"short", b"").unwrap_err(),
        SealError::Refused
    );
}
