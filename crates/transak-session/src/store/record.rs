//! What is kept about one token.

use crate::clock::Timestamp;
use crate::error::LapseCause;
use crate::identity::UserIp;
use crate::token::{AccessToken, Issued};

/// Whose token a record is about.
///
/// Part of a [`Record`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// The partner access token.
    Partner,
    /// A user access token.
    User,
}

/// How a token stands.
///
/// Part of a [`Record`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RecordState {
    /// The token may be used and renewed.
    Live,
    /// Transak has refused to renew the token, or answered 401 to it. It may be used; whether the session is over is found
    /// out later.
    Suspect {
        /// Since when.
        since: Timestamp,
    },
    /// The token may be used, but it is not kept alive any more: nobody has used it for a long time.
    Dormant,
    /// Transak refused the token and its renewal, or its time was over: only a new login helps.
    Lapsed,
    /// The user logged out. The record stays, without a token, so that another process learns of it.
    LoggedOut,
}

/// What kind of failure the last attempt at a token ended in.
///
/// Part of a [`Record`] and of [`SessionEvent::Failed`](crate::SessionEvent::Failed).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureClass {
    /// Transak could not be reached, or is unavailable.
    Transient,
    /// Transak limits the rate of requests.
    RateLimited,
    /// Transak refused the credential.
    Rejected,
    /// It is not known whether Transak received the request.
    Unknown,
    /// The request itself is at fault.
    Invalid,
}

/// A partner token that was replaced: it still verifies webhooks that were signed with it.
///
/// Part of a [`Record`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetiredToken {
    /// The token.
    pub token: AccessToken,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it would have expired. It is forgotten then.
    pub expires_at: Timestamp,
}

/// What is kept about one token.
///
/// The user's e-mail address is not part of it: renewals need none, and what is not stored cannot leak.
///
/// [`MemoryStore`](crate::store::MemoryStore) shows its use.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// Which layout this is: a later release reads earlier ones.
    pub schema: u16,
    /// Whose token it is.
    pub kind: RecordKind,
    /// How the token stands.
    pub state: RecordState,
    /// The token; `None` after a logout, and as long as no partner token could be minted.
    pub token: Option<AccessToken>,
    /// When the token was issued; after a logout, when that was.
    pub issued_at: Timestamp,
    /// When the token expires. A store may forget the record some time after that.
    pub expires_at: Timestamp,
    /// When the token is to be renewed. Drawn once, so that a restart does not draw again.
    pub due_at: Timestamp,
    /// When a keep-alive worker is to look at the record next: the due time, or later after a failure;
    /// [`Timestamp::MAX`] for never. For the partner token, until when no process is to mint again after a failure.
    pub wake_at: Timestamp,
    /// When a person last logged in; for the partner token, when it was minted.
    pub signed_in_at: Timestamp,
    /// When the session was last used, to within a day: a record is not written for each call. For the partner token, when a
    /// mint was last tried.
    pub used_at: Timestamp,
    /// How many attempts in a row have failed. For the partner token, how many tokens in a row were rejected soon after their
    /// mint.
    pub failures: u32,
    /// What the last attempt failed in, if it failed.
    pub last_failure: Option<FailureClass>,
    /// The address of the user with which Transak last accepted this session; `None` for the partner token.
    pub user_ip: Option<UserIp>,
    /// Former partner tokens, the latest first.
    pub retired: Vec<RetiredToken>,
}

impl Record {
    /// The layout that this release writes.
    pub const SCHEMA: u16 = 2;

    /// A record of a partner token.
    #[must_use]
    pub fn partner(issued: &Issued, retired: Vec<RetiredToken>) -> Self {
        Self {
            kind: RecordKind::Partner,
            wake_at: Timestamp::MAX,
            retired,
            ..Self::user(issued, None, issued.issued_at)
        }
    }

    /// A record of attempts to mint a partner token of which none has succeeded yet.
    #[must_use]
    pub fn partner_without_token(attempt: Timestamp, expires_at: Timestamp, retired: Vec<RetiredToken>) -> Self {
        Self {
            kind: RecordKind::Partner,
            state: RecordState::Lapsed,
            retired,
            ..Self::logged_out(attempt, expires_at)
        }
    }

    /// A record of a live user token.
    #[must_use]
    pub fn user(issued: &Issued, user_ip: Option<UserIp>, signed_in_at: Timestamp) -> Self {
        Self {
            schema: Self::SCHEMA,
            kind: RecordKind::User,
            state: RecordState::Live,
            token: Some(issued.token.clone()),
            issued_at: issued.issued_at,
            expires_at: issued.expires_at,
            due_at: issued.due_at,
            wake_at: issued.due_at,
            signed_in_at,
            used_at: signed_in_at,
            failures: 0,
            last_failure: None,
            user_ip,
            retired: Vec::new(),
        }
    }

    /// The same in another state.
    #[must_use]
    pub fn in_state(mut self, state: RecordState) -> Self {
        self.state = state;
        if matches!(
            state,
            RecordState::Dormant | RecordState::Lapsed | RecordState::LoggedOut
        ) {
            self.wake_at = Timestamp::MAX;
        }
        self
    }

    /// A record that remembers a logout until `expires_at`.
    #[must_use]
    pub fn logged_out(at: Timestamp, expires_at: Timestamp) -> Self {
        Self {
            schema: Self::SCHEMA,
            kind: RecordKind::User,
            state: RecordState::LoggedOut,
            token: None,
            issued_at: at,
            expires_at,
            due_at: Timestamp::MAX,
            wake_at: Timestamp::MAX,
            signed_in_at: at,
            used_at: at,
            failures: 0,
            last_failure: None,
            user_ip: None,
            retired: Vec::new(),
        }
    }

    /// The token with its life.
    #[must_use]
    pub fn issued(&self) -> Option<Issued> {
        let token = self.token.clone()?;
        Some(Issued::restore(token, self.issued_at, self.expires_at, self.due_at))
    }

    /// Why a login is needed, if the record says that one is. A [lapse](RecordState::Lapsed) whose last failure was a refusal
    /// was Transak's wish; every other one came with time.
    #[must_use]
    pub fn lapse_cause(&self) -> Option<LapseCause> {
        match self.state {
            RecordState::Lapsed if self.last_failure == Some(FailureClass::Rejected) => Some(LapseCause::Rejected),
            RecordState::Lapsed => Some(LapseCause::Expired),
            RecordState::LoggedOut => Some(LapseCause::LoggedOut),
            RecordState::Live | RecordState::Suspect { .. } | RecordState::Dormant => None,
        }
    }

    /// Whether a keep-alive worker may renew it, once its `wake_at` has come: what the due index holds.
    #[must_use]
    pub fn kept_alive(&self) -> bool {
        self.kind == RecordKind::User
            && matches!(self.state, RecordState::Live | RecordState::Suspect { .. })
            && self.wake_at < Timestamp::MAX
    }
}
