//! One event of each kind, for tests.

use super::{SessionEvent, Subject};
use crate::clock::Timestamp;
use crate::error::{LapseCause, RefusedHint};
use crate::identity::{Email, Tenant, UserKey};
use crate::store::FailureClass;
use crate::token::{AccessToken, TokenFingerprint};

/// What the samples were made of and must not show.
pub(super) const PLANTED: [&str; 3] = ["planted", "example.com", "eyJ"];

#[allow(clippy::unwrap_used)]
fn user() -> UserKey {
    Tenant::new("staging", "planted-key").user_key(&Email::parse("jane.planted@example.com").unwrap())
}

fn token(name: &str) -> TokenFingerprint {
    AccessToken::new(format!("eyJ.planted.{name}")).fingerprint()
}

/// All kinds, and all reasons of each. A new kind does not compile until it is here.
pub(super) fn all() -> Vec<SessionEvent> {
    let mut all = Vec::new();
    let mut next = Some(SessionEvent::LoggedIn {
        user: user(),
        token: token("new"),
        expires_at: Timestamp::from_unix_seconds(1_800_000_000),
    });
    while let Some(event) = next {
        next = after(&event);
        all.push(event);
    }
    all
}

fn after(event: &SessionEvent) -> Option<SessionEvent> {
    use SessionEvent as E;
    let (user, token, former) = (user(), token("new"), token("old"));
    let retry_at = Timestamp::from_unix_seconds(1_800_000_060);
    let expires_at = retry_at;
    let subject = Subject::User(user);
    let failed = |class| E::Failed {
        subject,
        class,
        retry_at,
    };
    let required = |cause| E::OtpRequired { user, cause };
    let refused = |hint| E::Refused {
        subject: Subject::Partner,
        hint,
        retry_at,
    };
    Some(match event {
        E::LoggedIn { .. } => E::Renewed {
            user,
            former,
            token,
            expires_at,
        },
        E::Renewed { .. } => failed(FailureClass::Transient),
        E::Failed { class, .. } => match class {
            FailureClass::Transient => failed(FailureClass::RateLimited),
            FailureClass::RateLimited => failed(FailureClass::Rejected),
            FailureClass::Rejected => failed(FailureClass::Unknown),
            FailureClass::Unknown => failed(FailureClass::Invalid),
            FailureClass::Invalid => required(LapseCause::NeverLoggedIn),
        },
        E::OtpRequired { cause, .. } => match cause {
            LapseCause::NeverLoggedIn => required(LapseCause::Expired),
            LapseCause::Expired => required(LapseCause::Rejected),
            LapseCause::Rejected => required(LapseCause::LoggedOut),
            LapseCause::LoggedOut => E::LoggedOut { user },
        },
        E::LoggedOut { .. } => E::Dormant { user },
        E::Dormant { .. } => E::Suspect { user, token },
        E::Suspect { .. } => E::Minted { token, expires_at },
        E::Minted { .. } => E::Adopted { subject, token },
        E::Adopted { .. } => refused(RefusedHint::AllowListOrActivation),
        E::Refused { hint, .. } => match hint {
            RefusedHint::AllowListOrActivation => refused(RefusedHint::AnotherMinter),
            RefusedHint::AnotherMinter => E::ContestedMinter,
        },
        E::ContestedMinter => E::DuplicateUpstream { subject },
        E::DuplicateUpstream { .. } => E::NotStored { subject },
        E::NotStored { .. } => E::MassLapseGuard { refused: 19, of: 20 },
        E::MassLapseGuard { .. } => E::KeepAliveProgress { renewed: 3, failed: 1 },
        E::KeepAliveProgress { .. } => E::ClockSkewed {
            wall_ahead_by_millis: -90_000,
        },
        E::ClockSkewed { .. } => return None,
    })
}
