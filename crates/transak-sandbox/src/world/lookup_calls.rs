//! Lookups of the gateway: the catalogue once more, and quotes.

use super::{
    Moment, Reply, Request, World,
    auth_calls::data,
    catalogue_calls,
    json::{Object, array},
    quote::{Amount, Side, ask_of},
    refusal::{Answer, Refusal},
};

/// Longest id of the partner's own; with the caps on users and quotes it bounds the memory.
const LONGEST_ID: usize = 256;

impl World {
    /// A key in the query is older than the one in the header; when both are there, they must agree.
    pub(crate) fn same_key_if_any(&self, request: &Request<'_>) -> Answer<()> {
        match request.query("apiKey") {
            None => Ok(()),
            key => self.same_key(key, "apiKey must be the same as x-api-key"),
        }
    }

    pub(crate) fn lookup_fiat_currencies(&self, request: &Request<'_>) -> Answer {
        self.same_key_if_any(request)?;
        let currencies = array(catalogue_calls::lookup_fiat_items());
        Ok(data(Object::new().raw("fiatCurrencies", &currencies)))
    }

    pub(crate) fn get_quote(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        self.same_key_if_any(request)?;
        let mut ask = ask_of(request)?;
        let customer = request.query("partnerCustomerId").filter(|id| !id.is_empty());
        if customer.is_some_and(|id| id.len() > LONGEST_ID) {
            return Err(Refusal::invalid("partnerCustomerId may have 256 bytes"));
        }
        // What it does is not documented; we put the fee on top of the amount.
        if let (Some("true"), Side::Buy, Amount::Fiat(fiat)) =
            (request.query("isFeeExcludedFromFiat"), ask.side, ask.amount)
        {
            ask.amount = Amount::Crypto(fiat * ask.conversion());
        }
        let mut quote = self.price(ask, now)?;
        quote.customer = customer.map(str::to_owned);
        let answer = data(quote.json());
        let dropped = self.quotes.add(quote, &self.settings);
        self.counters.evicted("quotes", dropped);
        Ok(answer)
    }
}

pub(crate) fn countries() -> Reply {
    let countries = array(catalogue_calls::country_items());
    data(Object::new().raw("countries", &countries))
}

pub(crate) fn crypto_currencies() -> Reply {
    let currencies = array(catalogue_calls::lookup_crypto_items());
    data(Object::new().raw("cryptoCurrencies", &currencies))
}
