//! Making an order: everything that has to be true before there is one.

use crate::world::{
    Moment, Reply, Request, World,
    auth_calls::{data, gone},
    catalogue,
    json::Object,
    order::{Course, Order, Status},
    quote::{Quote, Side},
    readings::DuplicateOrder,
    refusal::{ACTIVE_ORDER, Answer, BAD_WALLET, Refusal},
};

/// What an order is made from.
pub(super) struct Plan {
    pub(super) user: String,
    pub(super) quote: Quote,
    pub(super) wallet: String,
    pub(super) course: Course,
}

const EXISTS: &str = "An order exists";

impl World {
    pub(super) fn create_order(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        if let Some(id) = request.text("requestId") {
            return self.process_transaction(id, request, now);
        }
        let user = self.user_of(request, now)?;
        let required = |name: &'static str, message| request.text(name).ok_or_else(|| Refusal::invalid(message));
        let quote = required("quoteId", "quoteId is required without requestId")?;
        let instrument = required(
            "paymentInstrumentId",
            "paymentInstrumentId is required without requestId",
        )?;
        let wallet = required("walletAddress", "walletAddress is required without requestId")?;
        let quote = self.live_quote(quote, now)?;
        if quote.ask.payment.id != instrument {
            return Err(Refusal::invalid("paymentInstrumentId is not the quote's paymentMethod"));
        }
        let card = instrument == "credit_debit_card";
        let wallet = fitting_wallet(&quote, wallet, if card { 422 } else { 400 })?;
        let purse = &self.known(&user)?.purse;
        let course = match request.text("paymentIdentifierId") {
            Some(card) if purse.has_card(card) => Course::Card,
            Some(_) => return Err(Refusal::invalid("paymentIdentifierId is not a saved card of this user")),
            None if purse.instruments.contains(quote.ask.payment.id) => Course::Bank,
            None if catalogue::is_bank(quote.ask.payment) => {
                return Err(Refusal::invalid("Create a virtual account for this quote first"));
            }
            None => return Err(Refusal::invalid("Pay with a saved card, or by a transaction session")),
        };
        let plan = Plan {
            user,
            quote,
            wallet,
            course,
        };
        self.place_order(plan, now)
    }

    /// A quote whose price holds.
    pub(super) fn live_quote(&self, id: &str, now: Moment) -> Answer<Quote> {
        let quote = self.quotes.live(id, now).cloned();
        let quote = quote.ok_or_else(|| Refusal::invalid("quoteId is not the id of a quote of the last minute"))?;
        match quote.ask.side {
            Side::Buy => Ok(quote),
            Side::Sell => Err(Refusal::invalid("The sandbox takes orders to buy only")),
        }
    }

    /// Places an order for a user, unless verification or another order stands in the way.
    pub(super) fn place_order(&mut self, plan: Plan, now: Moment) -> Answer {
        let user = self.known(&plan.user)?;
        let usd = self.with_spent(user, plan.quote.usd(), now);
        user.kyc
            .may_order(usd, &self.settings)
            .map_err(|why| Refusal::new(400, None, why))?;
        if self.active(&plan.user).next().is_some() {
            return match self.settings.duplicate_order {
                DuplicateOrder::Conflict => Err(Refusal::new(409, Some(ACTIVE_ORDER), EXISTS)),
                DuplicateOrder::BadRequest => Err(Refusal::new(400, None, EXISTS)),
                DuplicateOrder::Answered => Ok(data(Object::new().text("errorMessage", EXISTS))),
            };
        }
        self.take_order(plan, now)
    }

    /// Takes an order in, whatever else there is.
    pub(super) fn take_order(&mut self, plan: Plan, now: Moment) -> Answer {
        let user = self.known(&plan.user)?;
        let order = Order {
            id: String::new(),
            user_id: user.id.clone(),
            user_kyc: user.kyc.approved().unwrap_or(crate::world::kyc::Level::Simple).text(),
            partner_customer_id: plan.quote.customer.clone().or_else(|| user.customer.clone()),
            user: plan.user,
            course: plan.course,
            wallet: plan.wallet,
            transaction: String::new(),
            reference: 0,
            partner_order_id: None,
            created: now,
            expires: now.plus_seconds(self.settings.order_expiry_seconds),
            history: vec![(Status::AwaitingPayment, now)],
            quote: plan.quote,
        };
        let id = self.enter(order, now);
        self.order_reply(&id)
    }

    pub(super) fn order_reply(&self, id: &str) -> Answer<Reply> {
        let order = self.orders.find(id).ok_or_else(gone)?;
        Ok(data(order.for_user()))
    }
}

/// The wallet, if it fits the quote's network.
pub(super) fn fitting_wallet(quote: &Quote, wallet: &str, status: u16) -> Answer<String> {
    if catalogue::is_address(quote.ask.crypto.wallet, wallet) {
        Ok(wallet.to_owned())
    } else {
        Err(Refusal::new(
            status,
            Some(BAD_WALLET),
            "The wallet address is not valid",
        ))
    }
}
