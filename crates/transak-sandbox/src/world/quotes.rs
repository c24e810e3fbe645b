//! Quotes that were given to callers and may be referred to by id.

use super::{Moment, Settings, bounded::Bounded, quote::Quote};

/// How long a quote's price holds, in seconds: "the price refreshes every minute".
const LIVE_SECONDS: i64 = 60;

/// The newest quotes by id.
#[derive(Debug)]
pub(crate) struct Quotes {
    by_id: Bounded<String, Quote>,
}

impl Quotes {
    pub(crate) fn new() -> Self {
        Self { by_id: Bounded::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Keeps a quote; gives the number of quotes that had to go.
    pub(crate) fn add(&mut self, quote: Quote, settings: &Settings) -> u64 {
        self.by_id.insert(quote.id.clone(), quote, settings.max_quotes).len() as u64
    }

    /// A quote, however old: verification may take longer than its price holds.
    pub(crate) fn find(&self, id: &str) -> Option<&Quote> {
        self.by_id.get(id)
    }

    /// A quote whose price still holds. A clock that was moved back lets none hold that is yet to come.
    pub(crate) fn live(&self, id: &str, now: Moment) -> Option<&Quote> {
        self.find(id)
            .filter(|quote| quote.at <= now && now < quote.at.plus_seconds(LIVE_SECONDS))
    }
}
