//! Rules about what comes back.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::broken::ensure;
use super::data::{Draws, due_with, idle, key, key_of};
use super::stage::{DAY, HOUR, OTHER_TENANT, Stage};
use super::{Broken, Outcome};
use crate::clock::Timestamp;
use crate::identity::{RecordKey, UserIp};
use crate::store::{FailureClass, Lane, Record, RecordKind, RecordState, RetiredToken};
use crate::token::AccessToken;

fn same(left: &Record, right: &Record) -> bool {
    // Tokens are compared by fingerprint; here the text counts too.
    let texts = |r: &Record| -> Vec<String> {
        let retired = r.retired.iter().map(|t| &t.token);
        r.token.iter().chain(retired).map(|t| t.expose().to_owned()).collect()
    };
    left == right && texts(left) == texts(right)
}

/// Writes a record and reads it back, also through another handle and after a restart where there are such things.
async fn comes_back(stage: &mut Stage, key: RecordKey, record: Record, what: &str) -> Outcome {
    stage.replace(key, record.clone()).await?;
    let handles = [stage.store(), stage.second().await];
    for store in handles {
        let loaded = store.load(&key).await?;
        ensure!(
            loaded.is_some_and(|v| same(&v.record, &record)),
            "{what} came back changed"
        );
    }
    Ok(())
}

fn all_states() -> Vec<RecordState> {
    let since = Timestamp::from_unix_millis(1_234_567_890_123);
    let states = vec![
        RecordState::Live,
        RecordState::Suspect { since },
        RecordState::Suspect { since: Timestamp::MIN },
        RecordState::Suspect { since: Timestamp::MAX },
        RecordState::Dormant,
        RecordState::Lapsed,
        RecordState::LoggedOut,
    ];
    // A new state does not compile here until it is added above.
    for state in &states {
        match state {
            RecordState::Live
            | RecordState::Suspect { .. }
            | RecordState::Dormant
            | RecordState::Lapsed
            | RecordState::LoggedOut => {}
        }
    }
    states
}

fn all_failures() -> Vec<FailureClass> {
    let failures = vec![
        FailureClass::Transient,
        FailureClass::RateLimited,
        FailureClass::Rejected,
        FailureClass::Unknown,
        FailureClass::Invalid,
    ];
    for failure in &failures {
        match failure {
            FailureClass::Transient
            | FailureClass::RateLimited
            | FailureClass::Rejected
            | FailureClass::Unknown
            | FailureClass::Invalid => {}
        }
    }
    failures
}

/// Every field keeps its own value: no two are mixed up, none is rounded or dropped. A claim shows the same as a load.
pub async fn every_field(stage: &mut Stage) -> Outcome {
    let now = stage.now();
    let later = |n: i64| Timestamp::from_unix_millis(now.unix_millis() + n * 86_400_001);
    let record = Record {
        schema: Record::SCHEMA,
        kind: RecordKind::User,
        state: RecordState::Suspect { since: later(-1) },
        token: Some(AccessToken::new("head.body.tail")),
        issued_at: later(-9),
        expires_at: later(21),
        due_at: later(12),
        wake_at: later(-2),
        signed_in_at: later(-40),
        used_at: later(-3),
        failures: 7,
        last_failure: Some(FailureClass::Unknown),
        user_ip: Some(UserIp::from(IpAddr::from([198, 51, 100, 4]))),
        retired: vec![RetiredToken {
            token: AccessToken::new("old"),
            issued_at: later(-50),
            expires_at: later(2),
        }],
    };
    comes_back(stage, key(1), record.clone(), "a record").await?;
    let claimed = stage.due(Lane::Normal, 1, HOUR).await?;
    let right = claimed.first().is_some_and(|c| same(&c.record.record, &record));
    ensure!(right, "a claim shows another record than a load");
    let bare = Record {
        token: None,
        last_failure: None,
        user_ip: None,
        retired: Vec::new(),
        failures: u32::MAX,
        ..record
    };
    comes_back(stage, key(1), bare, "a record without what is optional").await
}

/// All states, kinds and failure classes come back.
pub async fn states_and_kinds(stage: &mut Stage) -> Outcome {
    let now = stage.now();
    for kind in [RecordKind::User, RecordKind::Partner] {
        for state in all_states() {
            let record = Record {
                kind,
                state,
                ..idle(1, now)
            };
            comes_back(stage, key(1), record, &format!("a record of {kind:?} in {state:?}")).await?;
        }
    }
    for failure in all_failures() {
        let record = Record {
            last_failure: Some(failure),
            ..idle(1, now)
        };
        comes_back(stage, key(1), record, &format!("a record that failed as {failure:?}")).await?;
    }
    comes_back(stage, key(1), Record::logged_out(now, now + DAY), "a logout").await
}

/// Times are whole milliseconds over the whole range of 64 bits. (A record that expired long ago may be forgotten; this rule
/// writes none.)
pub async fn extreme_times(stage: &mut Stage) -> Outcome {
    let now = stage.now();
    let at = Timestamp::from_unix_millis;
    for time in [
        i64::MIN,
        i64::MIN + 1,
        -1,
        0,
        1,
        999,
        i64::from(u32::MAX) + 1,
        i64::MAX - 1,
        i64::MAX,
    ]
    .map(at)
    {
        let record = Record {
            state: RecordState::Suspect { since: time },
            issued_at: time,
            expires_at: time.max(now + DAY),
            due_at: time,
            wake_at: time,
            signed_in_at: time,
            used_at: time,
            retired: vec![RetiredToken {
                token: AccessToken::new("old"),
                issued_at: time,
                expires_at: time,
            }],
            ..idle(1, now)
        };
        comes_back(
            stage,
            key(1),
            record,
            &format!("a record with times of {}", time.unix_millis()),
        )
        .await?;
    }
    Ok(())
}

/// Addresses of both families come back as they were.
pub async fn addresses(stage: &mut Stage) -> Outcome {
    let now = stage.now();
    let v6 = |text: &str| text.parse::<Ipv6Addr>().map(IpAddr::from);
    let mut addresses = vec![
        IpAddr::from(Ipv4Addr::UNSPECIFIED),
        IpAddr::from(Ipv4Addr::BROADCAST),
        IpAddr::from([203, 0, 113, 7]),
    ];
    for text in [
        "::",
        "::1",
        "2001:db8::8:800:200c:417a",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ] {
        addresses.push(v6(text).map_err(|e| Broken::Rule(e.to_string()))?);
    }
    for address in addresses {
        let record = Record {
            user_ip: Some(UserIp::from(address)),
            ..idle(1, now)
        };
        comes_back(stage, key(1), record, &format!("a record with the address {address}")).await?;
    }
    Ok(())
}

/// Tokens of any length up to 8 KiB come back, with any characters.
pub async fn token_lengths(stage: &mut Stage) -> Outcome {
    let now = stage.now();
    let mut draws = Draws::new(8);
    let alphabet: Vec<char> = ('0'..='z').collect();
    for length in [0, 1, 15, 16, 17, 255, 256, 640, 4_096, 8_192] {
        let text: String = (0..length).map(|_| draws.pick(&alphabet)).collect();
        let record = Record {
            token: Some(AccessToken::new(text)),
            ..idle(1, now)
        };
        comes_back(stage, key(1), record, &format!("a token of {length} characters")).await?;
    }
    for text in ["a\0b", "'; --", "\u{fffd}é漢🙂", "\r\n\t \"\\"] {
        let record = Record {
            token: Some(AccessToken::new(text)),
            ..idle(1, now)
        };
        comes_back(stage, key(1), record, &format!("the token {text:?}")).await?;
    }
    Ok(())
}

/// Former tokens come back, all of them and in their order.
pub async fn retired_tokens(stage: &mut Stage) -> Outcome {
    let now = stage.now();
    for number in [1, 2, 64] {
        let retired = (0..number).map(|n| RetiredToken {
            token: AccessToken::new(format!("retired.{n}.{}", "x".repeat(n * 16))),
            issued_at: Timestamp::from_unix_millis(n as i64),
            expires_at: now + DAY,
        });
        let record = Record {
            kind: RecordKind::Partner,
            retired: retired.collect(),
            ..idle(1, now)
        };
        comes_back(stage, key(1), record, &format!("a record with {number} former tokens")).await?;
    }
    Ok(())
}

/// A smaller record leaves nothing of the larger one that it replaces.
pub async fn nothing_is_left_over(stage: &mut Stage) -> Outcome {
    let now = stage.now();
    let large = Record {
        failures: 3,
        last_failure: Some(FailureClass::Rejected),
        retired: vec![RetiredToken {
            token: AccessToken::new("old"),
            issued_at: now,
            expires_at: now + DAY,
        }],
        ..idle(1, now)
    };
    comes_back(stage, key(1), large, "a large record").await?;
    comes_back(
        stage,
        key(1),
        Record::logged_out(now, now + DAY),
        "a small record over a large one",
    )
    .await?;
    stage.store().delete(&key(1)).await?;
    comes_back(stage, key(1), idle(2, now), "a record after a deletion").await
}

/// Two tenants share nothing: not records of the same name, not leases, not what is due.
pub async fn tenants_are_separate(stage: &mut Stage) -> Outcome {
    let now = stage.now();
    let (ours, theirs) = (key(1), key_of(OTHER_TENANT, 1));
    stage.create(ours, due_with(1, now, HOUR)).await?;
    ensure!(
        stage.load(theirs).await?.is_none(),
        "a record shows up at another tenant"
    );
    stage.create(theirs, due_with(2, now, HOUR)).await?;
    stage.granted(ours, HOUR).await?;
    let lease = stage.granted(theirs, HOUR).await?;
    stage.store().release(&lease).await?;
    stage.store().delete(&ours).await?;
    let loaded = stage.load(theirs).await?;
    ensure!(
        loaded.is_some_and(|v| same(&v.record, &due_with(2, now, HOUR))),
        "a deletion took another tenant's record"
    );
    let due = stage.due(Lane::Critical, 10, HOUR).await?;
    ensure!(due.is_empty(), "another tenant's record was claimed");
    Ok(())
}

/// What the store shows of itself by `Debug` holds no token and no address.
pub async fn nothing_secret_is_shown(stage: &mut Stage) -> Outcome {
    let now = stage.now();
    let record = Record {
        token: Some(AccessToken::new("secret.planted.token")),
        user_ip: Some(UserIp::from(IpAddr::from([203, 0, 113, 77]))),
        ..due_with(1, now, HOUR)
    };
    stage.create(key(1), record).await?;
    stage.granted(key(1), HOUR).await?;
    let shown = format!("{:?}", stage.store());
    for secret in ["planted", "203.0.113", "203, 0, 113"] {
        ensure!(!shown.contains(secret), "the store's Debug shows a secret");
    }
    Ok(())
}
