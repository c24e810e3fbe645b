//! What the machine tells the world.

use crate::events::SessionEvent;
use crate::identity::UserKey;

/// What happened, without to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    LoggedOut,
}

impl Note {
    pub(crate) fn about(self, user: UserKey) -> SessionEvent {
        match self {
            Self::LoggedOut => SessionEvent::LoggedOut { user },
        }
    }
}
