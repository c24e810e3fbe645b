//! What the machine tells the world.

use crate::clock::Timestamp;
use crate::error::{LapseCause, RefusedHint};
use crate::events::{SessionEvent, Subject};
use crate::identity::UserKey;
use crate::store::FailureClass;
use crate::token::TokenFingerprint;

/// What happened, without to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    LoggedIn {
        token: TokenFingerprint,
        expires_at: Timestamp,
    },
    Renewed {
        former: TokenFingerprint,
        token: TokenFingerprint,
        expires_at: Timestamp,
    },
    Failed {
        class: FailureClass,
        retry_at: Timestamp,
    },
    /// By the process that decided it; those who read of it do not say it again.
    OtpRequired {
        cause: LapseCause,
    },
    LoggedOut,
    Dormant,
    Suspect {
        token: TokenFingerprint,
    },
    Adopted {
        token: TokenFingerprint,
    },
    Refused {
        hint: RefusedHint,
        retry_at: Timestamp,
    },
    DuplicateUpstream,
    NotStored,
}

impl Note {
    pub(crate) fn about(self, user: UserKey) -> SessionEvent {
        let subject = Subject::User(user);
        match self {
            Self::LoggedIn { token, expires_at } => SessionEvent::LoggedIn {
                user,
                token,
                expires_at,
            },
            Self::Renewed {
                former,
                token,
                expires_at,
            } => SessionEvent::Renewed {
                user,
                former,
                token,
                expires_at,
            },
            Self::Failed { class, retry_at } => SessionEvent::Failed {
                subject,
                class,
                retry_at,
            },
            Self::OtpRequired { cause } => SessionEvent::OtpRequired { user, cause },
            Self::LoggedOut => SessionEvent::LoggedOut { user },
            Self::Dormant => SessionEvent::Dormant { user },
            Self::Suspect { token } => SessionEvent::Suspect { user, token },
            Self::Adopted { token } => SessionEvent::Adopted { subject, token },
            Self::Refused { hint, retry_at } => SessionEvent::Refused {
                subject,
                hint,
                retry_at,
            },
            Self::DuplicateUpstream => SessionEvent::DuplicateUpstream { subject },
            Self::NotStored => SessionEvent::NotStored { subject },
        }
    }
}
