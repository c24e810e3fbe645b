//! Webhooks: what is to be sent, what was sent, and what came back.

use std::collections::{HashMap, VecDeque};

use super::{
    Counters, Delivery, DeliveryOutcome, Moment, Reply, Request, Settings, World,
    json::{Object, array, day},
    order::Order,
    order_calls::{Page, is_day},
    readings::WebhookEnvelope,
    refusal::{Answer, Refusal},
    rng::mix,
};

/// Longest answer of the partner's server that is kept.
const LONGEST_ANSWER: usize = 16_384;

#[derive(Debug)]
enum Stage {
    Waiting,
    UnderWay,
    Done(DeliveryOutcome),
}

/// What a webhook tells of, as JSON.
enum Content {
    Order(String),
    Kyc(String),
}

struct Webhook {
    id: String,
    order_id: String,
    event: &'static str,
    created: Moment,
    url: String,
    /// What it tells of, as it was when the event happened.
    content: Content,
    stage: Stage,
}

/// All webhooks by number, oldest first.
pub(crate) struct Webhooks {
    log: VecDeque<Webhook>,
    /// Number of the first entry of the log.
    first: u64,
    by_id: HashMap<String, u64>,
    waiting: VecDeque<u64>,
}

impl std::fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhooks")
            .field("len", &self.log.len())
            .finish_non_exhaustive()
    }
}

impl Webhooks {
    pub(crate) fn new() -> Self {
        Self {
            log: VecDeque::new(),
            first: 0,
            by_id: HashMap::new(),
            waiting: VecDeque::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.log.len().max(self.by_id.len()).max(self.waiting.len())
    }

    fn at(&mut self, number: u64) -> Option<&mut Webhook> {
        let index = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.log.get_mut(index)
    }

    /// Puts the event of an order's present status in the queue, when somebody wants to hear it.
    pub(crate) fn queue(&mut self, order: &Order, settings: &Settings, counters: &mut Counters, at: Moment) {
        let Some(url) = &settings.webhook_url else { return };
        let content = Content::Order(order.json(settings, true).finish());
        let event = order.status().event(settings);
        self.add(url, order.id.clone(), event, content, settings, counters, at);
    }

    /// Puts an event of a user's verification in the queue, when somebody wants to hear it.
    pub(crate) fn queue_kyc(
        &mut self,
        event: &'static str,
        claims: Object,
        settings: &Settings,
        counters: &mut Counters,
        at: Moment,
    ) {
        let Some(url) = &settings.kyc_webhook_url else { return };
        let content = Content::Kyc(claims.finish());
        self.add(url, String::new(), event, content, settings, counters, at);
    }

    #[allow(clippy::too_many_arguments)]
    fn add(
        &mut self,
        url: &str,
        order_id: String,
        event: &'static str,
        content: Content,
        settings: &Settings,
        counters: &mut Counters,
        at: Moment,
    ) {
        // Not from the generator: orders move on with time, and a caller's next code must not depend on whether one
        // just did.
        let high = mix(settings.seed ^ mix(counters.webhooks_queued));
        let webhook = Webhook {
            id: format!("{high:016x}{:08x}", mix(high) >> 32),
            order_id,
            event,
            created: at,
            url: url.to_owned(),
            content,
            stage: Stage::Waiting,
        };
        let number = self.first + self.log.len() as u64;
        self.by_id.insert(webhook.id.clone(), number);
        self.log.push_back(webhook);
        self.waiting.push_back(number);
        counters.webhooks_queued += 1;
        while self.log.len() > settings.max_webhooks.max(1) {
            let Some(oldest) = self.log.pop_front() else { break };
            self.by_id.remove(&oldest.id);
            if self.waiting.front() == Some(&self.first) {
                self.waiting.pop_front();
            }
            self.first += 1;
            counters.evicted("webhooks", 1);
        }
    }
}

impl World {
    /// Webhooks that are to be posted now; report each with [`World::delivered`].
    ///
    /// They are signed here, with the partner token of this moment. Before the first token is minted they wait.
    pub fn take_deliveries(&mut self) -> Vec<Delivery> {
        let mut deliveries = Vec::new();
        while let Some(&number) = self.webhooks.waiting.front() {
            if let Some(webhook) = self.webhooks.at(number) {
                let claims = match (&webhook.content, self.settings.webhook_envelope) {
                    (Content::Kyc(claims), _) => Object::new().raw("data", claims).finish(),
                    (Content::Order(order), WebhookEnvelope::Documented) => Object::new()
                        .raw("webhookData", order)
                        .text("eventID", webhook.event)
                        .finish(),
                    (Content::Order(order), WebhookEnvelope::Data) => Object::new().raw("data", order).finish(),
                    (Content::Order(order), WebhookEnvelope::Bare) => order.clone(),
                };
                let Some(token) = self.partner.sign_webhook(&claims) else {
                    break;
                };
                webhook.stage = Stage::UnderWay;
                deliveries.push(Delivery {
                    id: webhook.id.clone(),
                    url: webhook.url.clone(),
                    body: Object::new().text("data", &token).finish(),
                });
            }
            self.webhooks.waiting.pop_front();
        }
        deliveries
    }

    /// How a delivery went. There is no second attempt: none is documented.
    pub fn delivered(&mut self, id: &str, outcome: DeliveryOutcome, _now: Moment) {
        let Some(&number) = self.webhooks.by_id.get(id) else {
            return;
        };
        if let Some(webhook) = self.webhooks.at(number) {
            webhook.stage = Stage::Done(cut(outcome));
        }
    }

    pub(crate) fn get_webhooks(&self, request: &Request<'_>, now: Moment) -> Answer {
        self.partner(request, now)?;
        let page = Page::of(request).ok_or_else(|| Refusal::invalid("limit and skip must be whole numbers from 0"))?;
        let [event, order, status] = ["eventID", "orderID", "status"].map(|name| request.query(name));
        let [start, end] = ["startDate", "endDate"].map(|name| request.query(name).filter(|text| is_day(text)));
        let matching = self.webhooks.log.iter().rev().filter_map(|webhook| {
            // Those on verification have an address of their own, and no list that is known.
            let (Stage::Done(outcome), Content::Order(told)) = (&webhook.stage, &webhook.content) else {
                return None;
            };
            let created = day(webhook.created);
            let fits = event.is_none_or(|event| webhook.event == event)
                && order.is_none_or(|order| webhook.order_id == order)
                && status.is_none_or(|status| status == verdict(outcome))
                && start.is_none_or(|start| start <= created.as_str())
                && end.is_none_or(|end| created.as_str() <= end);
            fits.then_some((webhook, told, outcome))
        });
        let (webhooks, _) = page.cut(matching);
        let meta = Object::new().maybe("orderID", order).maybe("eventID", event);
        let data = array(webhooks.into_iter().map(|(webhook, told, outcome)| {
            Object::new()
                .text("id", &webhook.id)
                .text("partnerApiKey", &self.settings.api_key)
                .moment("createdAt", webhook.created)
                .text("eventID", webhook.event)
                .raw("webhookData", told)
                .object("webhookResponse", response(webhook, outcome))
                .finish()
        }));
        Ok(Reply::json(
            200,
            Object::new().object("meta", meta).raw("data", &data).finish(),
        ))
    }
}

fn response(webhook: &Webhook, outcome: &DeliveryOutcome) -> Object {
    let object = Object::new().text("url", &webhook.url);
    match outcome {
        DeliveryOutcome::Answered { status, message, body } => object
            .int("statusCode", i64::from(*status))
            .text("statusMessage", message)
            .raw("body", &body.to_string()),
        DeliveryOutcome::Unreachable { reason } => object.text("statusMessage", reason),
    }
}

fn verdict(outcome: &DeliveryOutcome) -> &'static str {
    match outcome {
        DeliveryOutcome::Answered { status: 200..=299, .. } => "success",
        _ => "failed",
    }
}

/// Keeps the log small whatever the partner's server says.
fn cut(outcome: DeliveryOutcome) -> DeliveryOutcome {
    let short = |text: String| text.chars().take(256).collect();
    match outcome {
        DeliveryOutcome::Answered { status, message, body } => {
            let long = body.to_string().len() > LONGEST_ANSWER;
            let body = if long {
                serde_json::Value::String("(too long to keep)".to_owned())
            } else {
                body
            };
            DeliveryOutcome::Answered {
                status,
                message: short(message),
                body,
            }
        }
        DeliveryOutcome::Unreachable { reason } => DeliveryOutcome::Unreachable { reason: short(reason) },
    }
}
