//! What a user pays with: ways to pay that were set up, saved cards, virtual bank accounts.

use std::collections::BTreeSet;

use crate::world::{
    catalogue::{Crypto, Fiat},
    json::Object,
};

/// Most cards and virtual bank accounts of one user; with the cap on users it bounds the memory.
pub(super) const MOST: usize = 20;

/// All that one user pays with.
#[derive(Clone, Default)]
pub(crate) struct Purse {
    /// Ids of payment methods for which an account was set up.
    pub(super) instruments: BTreeSet<&'static str>,
    pub(super) cards: Vec<Card>,
    pub(super) accounts: Vec<Account>,
}

/// A card that was paid with.
#[derive(Clone)]
pub(super) struct Card {
    /// `paymentIdentifierId`.
    pub(super) id: String,
    /// A deleted card is remembered, so that a second deletion is harmless.
    pub(super) deleted: bool,
}

/// A virtual bank account: money that arrives there becomes crypto.
#[derive(Clone)]
pub(super) struct Account {
    pub(super) id: String,
    pub(super) active: bool,
    pub(super) fiat: &'static Fiat,
    pub(super) number: String,
    pub(super) destination: Destination,
}

/// Where the crypto goes.
#[derive(Clone)]
pub(super) struct Destination {
    pub(super) crypto: &'static Crypto,
    pub(super) wallet: String,
    pub(super) memo: Option<String>,
}

impl Purse {
    /// Saves a card; the oldest goes when there are too many.
    pub(super) fn save_card(&mut self, id: String) {
        if self.cards.len() >= MOST {
            self.cards.remove(0);
        }
        self.cards.push(Card { id, deleted: false });
    }

    /// Whether this is a card that can be paid with.
    pub(super) fn has_card(&self, id: &str) -> bool {
        self.cards.iter().any(|card| card.id == id && !card.deleted)
    }

    pub(super) fn account(&mut self, id: &str) -> Option<&mut Account> {
        self.accounts.iter_mut().find(|account| account.id == id)
    }
}

impl Account {
    pub(super) const fn status(&self) -> &'static str {
        if self.active { "ACTIVE" } else { "INACTIVE" }
    }

    pub(super) fn json(&self) -> Object {
        let identifier = |kind: &str, value: &str| Object::new().text("type", kind).text("value", value);
        let source = Object::new()
            .text("fiatCurrency", self.fiat.symbol)
            .object("bankAccount", identifier("account_number", &self.number))
            .object("bankLocalCode", identifier("routing_number", "000000017"));
        let destination = Object::new()
            .text("cryptoCurrency", self.destination.crypto.symbol)
            .text("walletAddress", &self.destination.wallet)
            .text("network", self.destination.crypto.network)
            .maybe("memoTag", self.destination.memo.as_deref());
        Object::new()
            .text("id", &self.id)
            .text("status", self.status())
            .object("source", source)
            .object("destination", destination)
    }
}
