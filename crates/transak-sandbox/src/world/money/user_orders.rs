//! A user's orders: looking at them, paying them, cancelling them.

use crate::world::{
    Moment, Reply, Request, World,
    auth_calls::data,
    catalogue,
    json::{Object, array},
    order::{Order, Status},
    refusal::{Answer, Refusal},
};

fn list<'a>(orders: impl Iterator<Item = &'a Order>) -> Reply {
    let orders = array(orders.map(|order| order.for_user().finish()));
    Reply::json(200, Object::new().raw("data", &orders).finish())
}

impl World {
    /// A user's orders, oldest first.
    fn orders_of(&self, user: &str) -> impl Iterator<Item = &Order> {
        let user = self.users.by_key.get(user);
        let numbers = user.into_iter().flat_map(|user| &user.orders);
        numbers.filter_map(|number| self.orders.by_age.get(number))
    }

    /// A user's orders that have not come to an end.
    pub(super) fn active(&self, user: &str) -> impl Iterator<Item = &Order> {
        self.orders_of(user).filter(|order| !order.status().is_final())
    }

    pub(super) fn user_orders(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let user = self.user_of(request, now)?;
        Ok(list(self.orders_of(&user)))
    }

    pub(super) fn active_orders(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let user = self.user_of(request, now)?;
        Ok(list(self.active(&user)))
    }

    /// The caller's order of this id.
    fn own_order(&mut self, id: &str, request: &Request<'_>, now: Moment) -> Answer<&Order> {
        let user = self.user_of(request, now)?;
        self.orders
            .find(id)
            .filter(|order| order.user == user)
            .ok_or_else(|| Refusal::new(404, None, "There is no such order"))
    }

    pub(super) fn user_order(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let id = request.path.get("orderId").map(String::as_str).unwrap_or_default();
        Ok(data(self.own_order(id, request, now)?.for_user()))
    }

    pub(super) fn cancel_order(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let id = request.path.get("orderId").map(String::as_str).unwrap_or_default();
        let order = self.own_order(id, request, now)?;
        if !matches!(order.status(), Status::AwaitingPayment | Status::PaymentMarked) {
            return Err(Refusal::new(400, None, "The order can no longer be cancelled"));
        }
        self.move_order(id, Status::Cancelled, now);
        self.order_reply(id)
    }

    pub(super) fn confirm_payment(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let id = request.text("orderId").unwrap_or_default();
        let order = self.own_order(id, request, now)?;
        let payment = order.quote.ask.payment;
        if request.text("paymentMethod") != Some(payment.id) {
            return Err(Refusal::invalid("paymentMethod is not the order's"));
        }
        if !catalogue::is_bank(payment) {
            return Err(Refusal::invalid("Only bank transfers are confirmed"));
        }
        match order.status() {
            Status::AwaitingPayment => self.move_order(id, Status::PaymentMarked, now),
            // Said twice is said once.
            Status::PaymentMarked => {}
            _ => return Err(Refusal::new(400, None, "The order does not wait for a payment")),
        }
        self.order_reply(id)
    }

    pub(super) fn one_time_token(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        self.same_key(request.text("apiKey"), "apiKey must be the same as x-api-key")?;
        self.user_of(request, now)?;
        Ok(data(Object::new().text("ott", &self.rng.uuid())))
    }
}
