//! What happened: one typed event for every transition that somebody may want to know of.

mod log;
#[cfg(test)]
mod samples;

use std::fmt;

use tokio::sync::broadcast;

use crate::clock::Timestamp;
use crate::error::{LapseCause, RefusedHint};
use crate::identity::UserKey;
use crate::store::FailureClass;
use crate::token::TokenFingerprint;

/// Whose token an event is about.
///
/// See [`SessionEvent::subject`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The partner access token.
    Partner,
    /// A user access token.
    User(UserKey),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Partner => f.write_str("partner"),
            Self::User(key) => key.fmt(f),
        }
    }
}

/// Something that happened to a token, or that threatens tokens. Each event is also one line of the log (target
/// `transak_session`, field `event` with its [`name`](Self::name)). Holds fingerprints and keyed hashes only, neither secrets nor personal data.
///
/// [`Transak::events`](crate::Transak::events) shows how they are read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionEvent {
    /// A person logged in.
    LoggedIn {
        /// Who.
        user: UserKey,
        /// The token that came of it.
        token: TokenFingerprint,
        /// When it expires.
        expires_at: Timestamp,
    },
    /// A user token was renewed.
    Renewed {
        /// Whose.
        user: UserKey,
        /// The token that was presented.
        former: TokenFingerprint,
        /// The new one.
        token: TokenFingerprint,
        /// When the new one expires.
        expires_at: Timestamp,
    },
    /// Renewing a user token, or minting a partner token, failed. A usable token is still served.
    Failed {
        /// Whose.
        subject: Subject,
        /// In what.
        class: FailureClass,
        /// From when on it is tried again.
        retry_at: Timestamp,
    },
    /// Only a login helps.
    OtpRequired {
        /// Whom.
        user: UserKey,
        /// How it came to this.
        cause: LapseCause,
    },
    /// A user logged out.
    LoggedOut {
        /// Who.
        user: UserKey,
    },
    /// A session that nobody has used for long is not kept alive any more.
    Dormant {
        /// Whose.
        user: UserKey,
    },
    /// Transak refused a token or its renewal; whether the session is over is being found out.
    Suspect {
        /// Whose.
        user: UserKey,
        /// Which token.
        token: TokenFingerprint,
    },
    /// A partner token was minted, which ended the one before it.
    Minted {
        /// The new one.
        token: TokenFingerprint,
        /// When it expires.
        expires_at: Timestamp,
    },
    /// A token that another process got was taken over from the store.
    Adopted {
        /// Whose.
        subject: Subject,
        /// The token.
        token: TokenFingerprint,
    },
    /// A mint, or a renewal after a 401, was not made, because it would not help.
    Refused {
        /// Whose.
        subject: Subject,
        /// Why.
        hint: RefusedHint,
        /// From when on it is possible.
        retry_at: Timestamp,
    },
    /// Token after token died young: another program mints with the same API key.
    ContestedMinter,
    /// Two calls for one token reached Transak, because a process was paused for longer than its lease. The later token won.
    DuplicateUpstream {
        /// Whose.
        subject: Subject,
    },
    /// A token could not be stored. It is used from memory, and offered again by itself.
    NotStored {
        /// Whose.
        subject: Subject,
    },
    /// So many renewals were refused at once that the fault is taken to be Transak's, or the allow-list's: nobody is logged
    /// out, and renewals pause.
    MassLapseGuard {
        /// Refused renewals in the window.
        refused: u32,
        /// All renewals in the window.
        of: u32,
    },
    /// A keep-alive worker has been through a batch.
    KeepAliveProgress {
        /// Renewed.
        renewed: u32,
        /// Not renewed, to be tried again.
        failed: u32,
    },
    /// The machine's wall clock differs from Transak's by more than 30 seconds. Expiry is judged by Transak's.
    ClockSkewed {
        /// How far the wall clock is ahead, in milliseconds; negative if it is behind.
        wall_ahead_by_millis: i64,
    },
}

impl SessionEvent {
    /// A short name of the kind of event, as in its line of the log and on its counter.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::LoggedIn { .. } => "logged_in",
            Self::Renewed { .. } => "renewed",
            Self::Failed { .. } => "failed",
            Self::OtpRequired { .. } => "otp_required",
            Self::LoggedOut { .. } => "logged_out",
            Self::Dormant { .. } => "dormant",
            Self::Suspect { .. } => "suspect",
            Self::Minted { .. } => "minted",
            Self::Adopted { .. } => "adopted",
            Self::Refused { .. } => "refused",
            Self::ContestedMinter => "contested_minter",
            Self::DuplicateUpstream { .. } => "duplicate_upstream",
            Self::NotStored { .. } => "not_stored",
            Self::MassLapseGuard { .. } => "mass_lapse_guard",
            Self::KeepAliveProgress { .. } => "keep_alive_progress",
            Self::ClockSkewed { .. } => "clock_skewed",
        }
    }

    /// Whose token it is about; `None` if it is not about one.
    #[must_use]
    pub const fn subject(&self) -> Option<Subject> {
        match *self {
            Self::LoggedIn { user, .. }
            | Self::Renewed { user, .. }
            | Self::OtpRequired { user, .. }
            | Self::LoggedOut { user }
            | Self::Dormant { user }
            | Self::Suspect { user, .. } => Some(Subject::User(user)),
            Self::Failed { subject, .. }
            | Self::Adopted { subject, .. }
            | Self::Refused { subject, .. }
            | Self::DuplicateUpstream { subject }
            | Self::NotStored { subject } => Some(subject),
            Self::Minted { .. } | Self::ContestedMinter => Some(Subject::Partner),
            Self::MassLapseGuard { .. } | Self::KeepAliveProgress { .. } | Self::ClockSkewed { .. } => None,
        }
    }

    /// Why, as a short name, for the kinds that have a reason: [`Failed`](Self::Failed),
    /// [`OtpRequired`](Self::OtpRequired) and [`Refused`](Self::Refused).
    #[must_use]
    pub const fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Failed { class, .. } => Some(match class {
                FailureClass::Transient => "transient",
                FailureClass::RateLimited => "rate_limited",
                FailureClass::Rejected => "rejected",
                FailureClass::Unknown => "unknown",
                FailureClass::Invalid => "invalid",
            }),
            Self::OtpRequired { cause, .. } => Some(match cause {
                LapseCause::NeverLoggedIn => "never_logged_in",
                LapseCause::Expired => "expired",
                LapseCause::Rejected => "rejected",
                LapseCause::LoggedOut => "logged_out",
            }),
            Self::Refused { hint, .. } => Some(match hint {
                RefusedHint::AllowListOrActivation => "allow_list_or_activation",
                RefusedHint::AnotherMinter => "another_minter",
            }),
            _ => None,
        }
    }
}

#[cfg(feature = "metrics")]
use crate::metrics::count;

#[cfg(not(feature = "metrics"))]
fn count(_: &'static str) {}

/// Where events go: to whoever subscribes. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Events(broadcast::Sender<SessionEvent>);

impl Events {
    pub(crate) fn new(capacity: usize) -> Self {
        Self(broadcast::Sender::new(capacity.max(1)))
    }

    /// The one place where an event is logged, counted and handed to whoever reads them. Never waits: who reads too slowly
    /// misses the oldest ones. Most callers hold the lock of a state, so that events come in their order.
    pub(crate) fn emit(&self, event: SessionEvent) {
        log::log(&event);
        count(event.name());
        // Nobody may be listening, which is no failure.
        let _ = self.0.send(event);
    }

    pub(crate) fn subscribe(&self) -> EventStream {
        EventStream(self.0.subscribe())
    }
}

/// Events from the moment of the subscription on. Bounded: a reader that falls behind is told how many it has missed.
///
/// [`Transak::events`](crate::Transak::events) makes one, and shows how it is read.
#[derive(Debug)]
pub struct EventStream(broadcast::Receiver<SessionEvent>);

/// What a subscriber reads.
///
/// [`Transak::events`](crate::Transak::events) shows how they are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// An event.
    Event(SessionEvent),
    /// This many events were dropped, because they were not read in time.
    Missed(u64),
}

impl EventStream {
    /// The next event; `None` once the `Transak` and everything made from it has gone. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Delivery> {
        match self.0.recv().await {
            Ok(event) => Some(Delivery::Event(event)),
            Err(broadcast::error::RecvError::Lagged(missed)) => Some(Delivery::Missed(missed)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }

    /// The next event if there is one already.
    pub fn try_next(&mut self) -> Option<Delivery> {
        match self.0.try_recv() {
            Ok(event) => Some(Delivery::Event(event)),
            Err(broadcast::error::TryRecvError::Lagged(missed)) => Some(Delivery::Missed(missed)),
            Err(broadcast::error::TryRecvError::Empty | broadcast::error::TryRecvError::Closed) => None,
        }
    }
}

#[cfg(all(test, feature = "metrics"))]
mod tests {
    use metrics_util::debugging::{DebugValue, DebuggingRecorder};

    use super::*;

    #[test]
    fn each_kind_of_event_has_a_counter() {
        let recorder = DebuggingRecorder::new();
        let snapshots = recorder.snapshotter();
        metrics::with_local_recorder(&recorder, || {
            let events = Events::new(1);
            events.emit(SessionEvent::ContestedMinter);
            events.emit(SessionEvent::ContestedMinter);
            events.emit(SessionEvent::MassLapseGuard { refused: 1, of: 2 });
        });
        let mut counted = Vec::new();
        for (key, _, _, value) in snapshots.snapshot().into_vec() {
            assert_eq!(key.key().name(), "transak_session_events_total");
            let labels: Vec<_> = key.key().labels().map(|label| label.value().to_owned()).collect();
            if let DebugValue::Counter(count) = value {
                counted.push((labels.concat(), count));
            }
        }
        counted.sort();
        assert_eq!(
            counted,
            [("contested_minter".to_owned(), 2), ("mass_lapse_guard".to_owned(), 1)]
        );
    }
}
