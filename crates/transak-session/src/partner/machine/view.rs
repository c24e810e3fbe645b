//! What the state looks like from outside.

use std::sync::Arc;

use super::{Activity, Effect, Event, MintFailure, PartnerState, Step};
use crate::clock::Timestamp;
use crate::error::TokenError;
use crate::events::SessionEvent;
use crate::issuer::{IssuerError, IssuerErrorKind};
use crate::machine::Machine;
use crate::policy::PartnerPolicy;
use crate::store::StoreError;
use crate::token::{AccessToken, Issued, TokenFingerprint};

/// The state in a word.
///
/// Part of [`PartnerStatus`](crate::PartnerStatus).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PartnerLabel {
    /// There is no usable token.
    Empty,
    /// A mint is under way.
    Minting,
    /// The token is good.
    Live,
    /// The token is good but near its expiry.
    Due,
    /// Transak answered 401 to the token; it is served until there is another.
    Doubted,
}

impl PartnerState {
    pub(crate) fn label(&self, now: Timestamp) -> PartnerLabel {
        match &self.held {
            _ if matches!(self.activity, Activity::Minting { .. }) => PartnerLabel::Minting,
            Some(h) if !h.issued.usable(now) => PartnerLabel::Empty,
            Some(h) if h.doubted => PartnerLabel::Doubted,
            Some(h) if now >= h.issued.due_at => PartnerLabel::Due,
            Some(_) => PartnerLabel::Live,
            None => PartnerLabel::Empty,
        }
    }

    /// All tokens with which something may have been signed, the current one first.
    pub(crate) fn keys(&self, now: Timestamp) -> Vec<AccessToken> {
        let current = self.held.iter().map(|h| h.issued.token.clone());
        current
            .chain(self.retired.list(now).into_iter().map(|t| t.token))
            .collect()
    }

    /// From when on another mint is possible, if it is not possible now.
    pub(crate) fn next_mint_at(&self, now: Timestamp, policy: &PartnerPolicy) -> Option<Timestamp> {
        Some(self.opens_at(policy)).filter(|at| *at > now)
    }

    pub(crate) fn retired_count(&self, now: Timestamp) -> usize {
        self.retired.list(now).len()
    }

    /// Whether this token is held and was answered with a 401.
    pub(crate) fn doubts(&self, which: TokenFingerprint) -> bool {
        self.doubted() && self.current() == Some(which)
    }

    fn rebase(&mut self, now: Timestamp) {
        [
            &mut self.minted,
            &mut self.closed,
            &mut self.resting,
            &mut self.looked,
            &mut self.unsaved,
        ]
        .into_iter()
        .flatten()
        .for_each(|pause| pause.rebase(now));
    }
}

impl Machine for PartnerState {
    type Policy = PartnerPolicy;
    type Event = Event;
    type Effect = Effect;
    type Note = SessionEvent;

    fn step(mut self, event: Event, now: Timestamp, policy: &PartnerPolicy) -> Step {
        self.rebase(now);
        match (event, self.activity.clone()) {
            (Event::Wanted, _) => self.wanted(now),
            (Event::Look, _) => self.look(now),
            (Event::Retry, Activity::Idle) => self.finish(now),
            (Event::Hinted(version), _) => self.hinted(version, now),
            (Event::Rejected(which), _) => self.rejected(which, now),
            (Event::Lost(cause), _) => self.lost(cause, now, policy),
            (Event::Read(result), Activity::Reading { look }) => self.have_read(result, look, now, policy),
            (Event::Read(result), Activity::Polling(wait)) => self.polled(result, wait, now, policy),
            (Event::Claimed(result), Activity::Claiming { round }) => self.claimed(result, round, now, policy),
            (Event::Minted(result), Activity::Minting { hold, former }) => {
                self.minted(result, hold, former, now, policy)
            }
            (Event::Saved(result), Activity::Saving { tries, hold, note }) => {
                self.saved(result, (tries, hold, note), now, policy)
            }
            (Event::Released, Activity::Releasing) => self.rest(now),
            // The answer to an effect that is not under way any more.
            _ => (self, None),
        }
    }

    fn held(&self) -> Option<&Issued> {
        self.held.as_ref().map(|h| &h.issued)
    }

    fn quiet_until(&self) -> Timestamp {
        let Some(held) = &self.held else {
            return Timestamp::MIN;
        };
        if !matches!(self.activity, Activity::Idle) {
            return Timestamp::MAX;
        }
        let rest = self.resting.map_or(Timestamp::MIN, |p| p.until());
        let save = self.unsaved.map_or(Timestamp::MAX, |p| p.until());
        held.issued.due_at.max(rest).min(save)
    }

    fn retry_at(&self) -> Option<Timestamp> {
        self.unsaved.map(|pause| pause.until())
    }

    fn retry() -> Event {
        Event::Retry
    }

    fn take_notes(&mut self) -> Vec<SessionEvent> {
        std::mem::take(&mut self.notes)
    }

    fn failure(&self) -> Option<TokenError> {
        self.failure.clone()
    }

    fn must_be_heard(_: &Event) -> bool {
        // Partner tokens come out of flights only, which have their own way in.
        false
    }

    fn lost(cause: TokenError) -> Event {
        Event::Lost(cause)
    }

    fn overdue(effect: &Effect) -> Event {
        let silent = || Arc::new(StoreError::new("no answer in time"));
        match effect {
            Effect::Read | Effect::Poll { .. } => Event::Read(Err(silent())),
            Effect::Claim => Event::Claimed(Err(silent())),
            Effect::Mint { .. } => {
                let error = IssuerError::new(IssuerErrorKind::Unknown);
                Event::Minted(Err(MintFailure::Issuer(Arc::new(error))))
            }
            Effect::Save { .. } => Event::Saved(Err(silent())),
            Effect::Release { .. } => Event::Released,
        }
    }
}
