//! Transaction sessions: cards, Apple Pay and Google Pay without the widget.

use super::ordering::{Plan, fitting_wallet};
use crate::world::{
    Moment, Request, Settings, World,
    auth_calls::{data, gone},
    bounded::Bounded,
    json::{Object, timestamp},
    jwt::SigningKey,
    order::Course,
    quote::Quote,
    refusal::{Answer, Refusal},
};

/// One session, by its `requestId`.
struct Transaction {
    user: String,
    quote: Quote,
    wallet: String,
    expires: Moment,
    order: Option<String>,
}

/// The newest sessions.
pub(crate) struct Transactions {
    by_id: Bounded<String, Transaction>,
}

impl std::fmt::Debug for Transactions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transactions").field("len", &self.len()).finish()
    }
}

impl Transactions {
    pub(crate) fn new() -> Self {
        Self { by_id: Bounded::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }
}

/// Signs what the vendor's front end is given. Its claims are ours: `requestId` says how the session is referred to.
fn token(request: &str, now: Moment, expires: Moment, settings: &Settings) -> String {
    let claims = Object::new()
        .text("requestId", request)
        .int("iat", now.unix_seconds())
        .int("exp", expires.unix_seconds());
    SigningKey::new(format!("transaction/{}", settings.seed).as_bytes()).sign(&claims.finish())
}

impl World {
    pub(super) fn create_transaction(&mut self, request: &Request<'_>, now: Moment, payments: &[&str]) -> Answer {
        let user = self.user_of(request, now)?;
        let quote = self.live_quote(request.text("quoteId").unwrap_or_default(), now)?;
        if !payments.contains(&quote.ask.payment.id) {
            return Err(Refusal::invalid("The quote is for another paymentMethod"));
        }
        if quote.ask.payment.id == "google_pay"
            && (request.text("successUrl").is_none() || request.text("failureUrl").is_none())
        {
            return Err(Refusal::invalid(
                "successUrl and failureUrl are required for google_pay",
            ));
        }
        let wallet = fitting_wallet(&quote, request.text("walletAddress").unwrap_or_default(), 422)?;
        let id = self.rng.uuid();
        let expires = now.plus_seconds(self.settings.transaction_session_seconds);
        let session = token(&id, now, expires, &self.settings);
        let transaction = Transaction {
            user,
            quote,
            wallet,
            expires,
            order: None,
        };
        let cap = self.settings.max_transactions;
        let dropped = self.transactions.by_id.insert(id, transaction, cap);
        self.counters.evicted("transactions", dropped.len() as u64);
        Ok(data(
            Object::new()
                .text("sessionId", &session)
                .text("expiresAt", &timestamp(expires)),
        ))
    }

    /// The caller's transaction of this id.
    fn transaction(&mut self, id: &str, user: &str) -> Answer<&mut Transaction> {
        self.transactions
            .by_id
            .get_mut(id)
            .filter(|transaction| transaction.user == user)
            .ok_or_else(|| Refusal::new(404, None, "There is no such transaction"))
    }

    pub(super) fn process_transaction(&mut self, id: &str, request: &Request<'_>, now: Moment) -> Answer {
        let user = self.user_of(request, now)?;
        let transaction = self.transaction(id, &user)?;
        if transaction.order.is_some() {
            return Err(Refusal::new(400, None, "The transaction has been processed"));
        }
        if now >= transaction.expires {
            return Err(Refusal::new(400, None, "The transaction session has expired"));
        }
        let plan = Plan {
            user: user.clone(),
            quote: transaction.quote.clone(),
            wallet: transaction.wallet.clone(),
            course: Course::Card,
        };
        let card = plan.quote.ask.payment.id == "credit_debit_card";
        let before = self.orders.newest();
        let reply = self.place_order(plan, now)?;
        let order = self.orders.newest().filter(|order| Some(order) != before.as_ref());
        // Without a new order the answer tells of another one that is active.
        let Some(order) = order else { return Ok(reply) };
        self.transaction(id, &user)?.order = Some(order);
        if card {
            let id = self.rng.uuid();
            let user = self.users.by_key.get_mut(&user).ok_or_else(gone)?;
            user.purse.save_card(id);
        }
        Ok(reply)
    }

    pub(super) fn transaction_status(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let user = self.user_of(request, now)?;
        let id = request.path.get("requestId").map(String::as_str).unwrap_or_default();
        let order = self.transaction(id, &user)?.order.clone();
        // No other word is known than the one of the sample.
        let object = Object::new().text("status", "IN_PROGRESS");
        Ok(data(object.maybe("orderId", order.as_deref())))
    }
}
