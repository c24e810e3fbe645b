//! Get Orders and Get Order By ID.

use super::{
    Moment, Reply, Request, World,
    json::{Object, array, day, texts},
    order::{Order, Status},
    quote::Side,
    refusal::{Answer, Refusal},
};

/// Days Get Orders looks back by itself.
const DEFAULT_DAYS: i64 = 90;
const DAY_SECONDS: i64 = 86_400;

/// A page of a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    pub(crate) limit: i64,
    pub(crate) skip: i64,
}

impl Page {
    /// `limit` and `skip`, which must be whole numbers that are not negative.
    pub(crate) fn of(request: &Request<'_>) -> Option<Self> {
        let number = |name, default| match request.query(name) {
            Some(text) => text.parse::<i64>().ok().filter(|number| *number >= 0),
            None => Some(default),
        };
        Some(Self {
            limit: number("limit", 100)?,
            skip: number("skip", 0)?,
        })
    }

    /// This page of the matching entries, and how many match at all.
    pub(crate) fn cut<T>(self, matching: impl Iterator<Item = T>) -> (Vec<T>, usize) {
        let (limit, skip) = (self.limit.unsigned_abs(), self.skip.unsigned_abs());
        let mut total = 0_usize;
        let mut page = Vec::new();
        for item in matching {
            if total as u64 >= skip && (page.len() as u64) < limit {
                page.push(item);
            }
            total += 1;
        }
        (page, total)
    }
}

/// Whether a text is a calendar day, `YYYY-MM-DD`. Days compare like their texts.
pub(crate) fn is_day(text: &str) -> bool {
    text.len() == 10 && chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

/// `filter[productsAvailed]`: JSON text of an array.
fn products(text: Option<&str>) -> Option<Vec<Side>> {
    let Some(text) = text else { return Some(vec![Side::Buy]) };
    let names: Vec<String> = serde_json::from_str(text).ok()?;
    let mut sides = Vec::new();
    for name in &names {
        let side = match name.as_str() {
            "BUY" => Side::Buy,
            "SELL" => Side::Sell,
            _ => return None,
        };
        if !sides.contains(&side) {
            sides.push(side);
        }
    }
    Some(sides)
}

impl World {
    pub(crate) fn get_orders(&self, request: &Request<'_>, now: Moment) -> Answer {
        self.partner(request, now)?;
        let refuse = |message| Refusal::invalid(message);
        let page = Page::of(request).ok_or_else(|| refuse("limit and skip must be whole numbers from 0"))?;
        if self.settings.start_date_required && request.query("startDate").is_none() {
            return Err(refuse("startDate is a required argument"));
        }
        let start = match request.query("startDate") {
            Some(text) => text.to_owned(),
            None => day(now.plus_seconds(-DEFAULT_DAYS * DAY_SECONDS)),
        };
        let end = request.query("endDate").map_or_else(|| day(now), str::to_owned);
        if !is_day(&start) || !is_day(&end) {
            return Err(refuse("startDate and endDate must be days, YYYY-MM-DD"));
        }
        let sides = products(request.query("filter[productsAvailed]"))
            .ok_or_else(|| refuse("filter[productsAvailed] must be the JSON text of an array of BUY and SELL"))?;
        let status = request.query("filter[status]").unwrap_or("COMPLETED");
        if !Status::ALL.contains(&status) {
            return Err(refuse("filter[status] is not a status"));
        }
        let order = request.query("filter[sortOrder]").unwrap_or("desc");
        if !matches!(order, "asc" | "desc") {
            return Err(refuse("filter[sortOrder] must be asc or desc"));
        }
        let wallet = request.query("filter[walletAddress]");
        let partner_order = request.query("filter[partnerOrderId]");
        let mut matching: Vec<&Order> = (self.orders.by_age.values())
            .filter(|order| {
                let day = order.day();
                sides.contains(&order.side())
                    && order.status().text() == status
                    && start <= day
                    && day <= end
                    && wallet.is_none_or(|wallet| order.side() == Side::Buy && order.wallet == wallet)
                    && partner_order.is_none_or(|id| order.partner_order_id.as_deref() == Some(id))
            })
            .collect();
        // The sort key is not documented; we take the moment of creation.
        matching.sort_by_key(|order| order.created());
        if order == "desc" {
            matching.reverse();
        }
        let (orders, total) = page.cut(matching.into_iter());
        let filter = Object::new()
            .raw("productsAvailed", &texts(sides.iter().map(|side| side.text())))
            .raw("status", &texts([status]));
        let meta = Object::new()
            .object("filter", filter)
            .text("sortOrder", order)
            .text("startDate", &start)
            .text("endDate", &end)
            .int("limit", page.limit)
            .int("skip", page.skip)
            .int("totalCount", i64::try_from(total).unwrap_or(i64::MAX));
        let data = array(orders.iter().map(|order| order.json(&self.settings, false).finish()));
        Ok(Reply::json(
            200,
            Object::new().object("meta", meta).raw("data", &data).finish(),
        ))
    }

    pub(crate) fn get_order(&self, request: &Request<'_>, now: Moment) -> Answer {
        self.partner(request, now)?;
        let id = request.path.get("orderId").map(String::as_str).unwrap_or_default();
        let order = self
            .orders
            .find(id)
            .ok_or_else(|| Refusal::new(400, None, "Order not found"))?;
        let meta = Object::new().text("orderId", id);
        let object = Object::new()
            .object("meta", meta)
            .object("data", order.json(&self.settings, false));
        Ok(Reply::json(200, object.finish()))
    }
}
