//! The rest of the partner API: webhook settings, user data, orders between businesses.

use super::{
    Moment, Reply, Request, World, catalogue,
    json::{Object, array},
    order::{Course, Order, Status},
    quote::{Amount, Ask, Side, quote},
    refusal::{Answer, Refusal},
    seed::OrderStory,
};

/// Longest address of a webhook.
const LONGEST_URL: usize = 2_048;

/// Host of an address; `None` if it is none that webhooks can go to.
fn host(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.host_str().map(str::to_owned))?
}

impl World {
    pub(crate) fn update_webhook_url(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        self.partner(request, now)?;
        let url = request.text("webhookURL").unwrap_or_default();
        if url.len() > LONGEST_URL || host(url).is_none() {
            return Err(Refusal::invalid("webhookURL must be an http or https address"));
        }
        self.settings.webhook_url = Some(url.to_owned());
        let object = Object::new()
            .object("meta", Object::new().flag("success", true))
            .object(
                "data",
                Object::new().text("message", "The webhook address was changed."),
            );
        Ok(Reply::json(200, object.finish()))
    }

    /// Sends the event of an order that is not there.
    pub(crate) fn test_webhook(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        self.partner(request, now)?;
        let host = self.settings.webhook_url.as_deref().and_then(host);
        let meta = Object::new()
            .flag("success", host.is_some())
            .maybe("webhookURL", host.as_deref());
        if let (Some(fiat), Some(crypto)) = (catalogue::fiat("EUR"), catalogue::crypto("ETH", "ethereum"))
            && let Some(payment) = fiat.payments.first()
        {
            let ask = Ask {
                side: Side::Buy,
                fiat,
                crypto,
                payment,
                amount: Amount::Fiat(rust_decimal::Decimal::ONE_HUNDRED),
            };
            let quote = quote(ask, &mut self.rng, now).map_err(Refusal::invalid)?;
            let order = Order {
                id: self.rng.uuid(),
                user: String::new(),
                user_id: self.rng.uuid(),
                user_kyc: "SIMPLE",
                course: Course::Told(OrderStory::CardBuy),
                wallet: format!("0x{}", self.rng.hex(40)),
                transaction: format!("0x{}", self.rng.hex(64)),
                reference: 100_000,
                partner_order_id: None,
                partner_customer_id: None,
                created: now,
                expires: now.plus_seconds(self.settings.order_expiry_seconds),
                history: vec![(Status::AwaitingPayment, now)],
                quote,
            };
            self.webhooks.queue(&order, &self.settings, &mut self.counters, now);
        }
        Ok(Reply::json(200, Object::new().object("meta", meta).finish()))
    }

    pub(crate) fn get_user_data(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        self.partner(request, now)?;
        let customer = request.query("partnerCustomerId").unwrap_or_default();
        let key = self.customers.get(customer).cloned();
        let unknown = || Refusal::new(400, None, "There is no such customer");
        let key = key.ok_or_else(unknown)?;
        self.settle_user(&key, now);
        let user = self.users.by_key.get(&key).ok_or_else(unknown)?;
        let object = user
            .kyc
            .partner_members(Object::new().text("email", &user.email), user.created)
            .text("partnerCustomerId", customer)
            .text("partnerApiKey", &self.settings.api_key)
            .raw("kycDocuments", "[]");
        let meta = Object::new().text("partnerCustomerId", customer);
        let object = Object::new().object("meta", meta).object("data", object);
        Ok(Reply::json(200, object.finish()))
    }

    /// What an order between businesses looks like is not documented. These are the partner's completed orders of the span.
    pub(crate) fn business_orders(&self, request: &Request<'_>, now: Moment) -> Answer {
        self.partner(request, now)?;
        let moment = |name: &str| {
            let at = request
                .query(name)
                .and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok());
            at.map(|at| Moment::from_millis(at.timestamp_millis()))
        };
        let (Some(start), Some(end)) = (moment("startDate"), moment("endDate")) else {
            return Err(Refusal::invalid("startDate and endDate must be moments with an offset"));
        };
        let number = |name: &str, default: usize| match request.query(name) {
            Some(text) => text.parse().ok().filter(|number| *number > 0),
            None => Some(default),
        };
        let (Some(page), Some(limit)) = (number("page", 1), number("limit", 100)) else {
            return Err(Refusal::invalid("page and limit must be whole numbers from 1"));
        };
        let orders = self.orders.by_age.values();
        let orders = orders
            .filter(|order| order.status() == Status::Completed && start <= order.created() && order.created() <= end);
        let orders = orders.skip((page - 1).saturating_mul(limit)).take(limit);
        let orders = array(orders.map(|order| order.json(&self.settings, false).finish()));
        let meta = Object::new().int("page", i64::try_from(page).unwrap_or(i64::MAX));
        let object = Object::new().object("meta", meta).raw("data", &orders);
        Ok(Reply::json(200, object.finish()))
    }

    pub(crate) fn business_order(&self, request: &Request<'_>, now: Moment) -> Answer {
        self.partner(request, now)?;
        let id = request.path.get("orderId").map(String::as_str).unwrap_or_default();
        let order = self.orders.find(id);
        let order = order.ok_or_else(|| Refusal::new(400, None, "Order not found"))?;
        let object = Object::new()
            .object("meta", Object::new().text("orderId", id))
            .object("data", order.json(&self.settings, false));
        Ok(Reply::json(200, object.finish()))
    }
}
