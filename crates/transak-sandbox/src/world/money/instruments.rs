//! Ways to pay that are set up before an order, and saved cards.

use crate::world::{
    Moment, Reply, Request, World,
    auth_calls::{data, gone},
    catalogue::{self, Payment},
    json::{Object, array},
    refusal::{Answer, Refusal},
};

fn completed() -> Reply {
    data(Object::new().text("status", "COMPLETED"))
}

impl World {
    /// The payment method of the quote that a call names.
    fn payment_of(&self, quote: Option<&str>) -> Answer<&'static Payment> {
        let quote = quote.and_then(|id| self.quotes.find(id));
        let quote = quote.ok_or_else(|| Refusal::invalid("quoteId is not the id of a quote"))?;
        Ok(quote.ask.payment)
    }

    pub(super) fn create_instrument(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let key = self.user_of(request, now)?;
        let payment = self.payment_of(request.text("quoteId"))?;
        if !catalogue::is_bank(payment) {
            return Err(Refusal::invalid("The quote's paymentMethod needs no account"));
        }
        let user = self.users.by_key.get_mut(&key).ok_or_else(gone)?;
        if user.kyc.approved().is_none() {
            return Err(Refusal::new(403, None, "The user's KYC is not approved"));
        }
        user.purse.instruments.insert(payment.id);
        Ok(completed())
    }

    pub(super) fn instrument_of_quote(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let key = self.user_of(request, now)?;
        let payment = self.payment_of(request.query("quoteId"))?;
        self.is_set_up(&key, payment.id)
    }

    pub(super) fn instrument_status(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let key = self.user_of(request, now)?;
        let wanted = request.query("paymentInstrumentId").unwrap_or_default();
        if wanted == "credit_debit_card" {
            let cards = self.known(&key)?.purse.cards.iter().filter(|card| !card.deleted);
            let cards = array(cards.map(|card| Object::new().text("paymentIdentifierId", &card.id).finish()));
            return Ok(data(Object::new().raw("cards", &cards)));
        }
        if let Some(quote) = request.query("quoteId")
            && self.payment_of(Some(quote))?.id != wanted
        {
            return Err(Refusal::invalid("paymentInstrumentId is not the quote's paymentMethod"));
        }
        self.is_set_up(&key, wanted)
    }

    fn is_set_up(&self, key: &str, payment: &str) -> Answer {
        match self.known(key)?.purse.instruments.contains(payment) {
            true => Ok(completed()),
            false => Err(Refusal::new(404, None, "There is no such payment instrument")),
        }
    }

    pub(super) fn delete_card(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let key = self.user_of(request, now)?;
        let id = request
            .path
            .get("paymentIdentifierId")
            .map(String::as_str)
            .unwrap_or_default();
        let user = self.users.by_key.get_mut(&key).ok_or_else(gone)?;
        let card = user.purse.cards.iter_mut().find(|card| card.id == id);
        let card = card.ok_or_else(|| Refusal::new(403, None, "This is not a card of the user"))?;
        card.deleted = true;
        Ok(data(Object::new()))
    }
}
