//! What the state looks like from outside.

use std::sync::Arc;

use super::{Activity, Effect, Event, PartnerState, Step};
use crate::clock::Timestamp;
use crate::error::TokenError;
use crate::events::SessionEvent;
use crate::issuer::{IssuerError, IssuerErrorKind};
use crate::machine::Machine;
use crate::policy::PartnerPolicy;
use crate::store::StoreError;
use crate::token::Issued;

/// The state in a word.
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

    fn rebase(&mut self, now: Timestamp) {
        let unsaved = self.held.as_mut().and_then(|h| h.unsaved.as_mut());
        [
            self.minted.as_mut(),
            self.closed.as_mut(),
            self.resting.as_mut(),
            unsaved,
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
        match event {
            Event::Wanted => self.wanted(now),
            Event::Rejected(which) => self.rejected(which, now, policy),
            Event::Lost(cause) => self.lost(cause, now, policy),
            Event::Read(result) if self.activity == Activity::Reading => self.read(result, now, policy),
            Event::Minted(result) if matches!(self.activity, Activity::Minting { .. }) => {
                self.minted(result, now, policy)
            }
            Event::Saved(result) if matches!(self.activity, Activity::Saving { .. }) => self.saved(result, now, policy),
            // The answer to an effect that is not under way any more.
            Event::Read(_) | Event::Minted(_) | Event::Saved(_) => (self, None),
        }
    }

    fn held(&self) -> Option<&Issued> {
        self.held.as_ref().map(|h| &h.issued)
    }

    fn quiet_until(&self) -> Timestamp {
        let Some(held) = &self.held else {
            return Timestamp::MIN;
        };
        if self.activity != Activity::Idle {
            return Timestamp::MAX;
        }
        let rest = self.resting.map_or(Timestamp::MIN, |p| p.until());
        let save = held.unsaved.map_or(Timestamp::MAX, |p| p.until());
        held.issued.due_at.max(rest).min(save)
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
            Effect::Read => Event::Read(Err(silent())),
            Effect::Mint => Event::Minted(Err(Arc::new(IssuerError::new(IssuerErrorKind::Unknown)))),
            Effect::Save { .. } => Event::Saved(Err(silent())),
        }
    }
}
