//! One order and the statuses it walks through.

use super::{
    Moment, Settings,
    json::{Object, array, day},
    quote::{Quote, Side},
    readings::CancelledEvent,
    seed::OrderStory,
};

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    AwaitingPayment,
    PaymentMarked,
    Processing,
    PendingDelivery,
    Completed,
    Cancelled,
    Failed,
    Expired,
    Refunded,
}

impl Status {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::AwaitingPayment => "AWAITING_PAYMENT_FROM_USER",
            Self::PaymentMarked => "PAYMENT_DONE_MARKED_BY_USER",
            Self::Processing => "PROCESSING",
            Self::PendingDelivery => "PENDING_DELIVERY_FROM_TRANSAK",
            Self::Completed => "COMPLETED",
            Self::Cancelled => "CANCELLED",
            Self::Failed => "FAILED",
            Self::Expired => "EXPIRED",
            Self::Refunded => "REFUNDED",
        }
    }

    /// Every status a filter may name, the one no story reaches included.
    pub(crate) const ALL: &'static [&'static str] = &[
        "AWAITING_PAYMENT_FROM_USER",
        "PAYMENT_DONE_MARKED_BY_USER",
        "PROCESSING",
        "PENDING_DELIVERY_FROM_TRANSAK",
        "ON_HOLD_PENDING_DELIVERY_FROM_TRANSAK",
        "COMPLETED",
        "CANCELLED",
        "FAILED",
        "EXPIRED",
        "REFUNDED",
    ];

    /// The webhook event that carries this status.
    pub(crate) const fn event(self, settings: &Settings) -> &'static str {
        match self {
            Self::AwaitingPayment => "ORDER_CREATED",
            Self::PaymentMarked => "ORDER_PAYMENT_VERIFYING",
            Self::Processing | Self::PendingDelivery => "ORDER_PROCESSING",
            Self::Completed => "ORDER_COMPLETED",
            Self::Failed | Self::Expired => "ORDER_FAILED",
            Self::Cancelled => match settings.cancelled_event {
                CancelledEvent::OrderFailed => "ORDER_FAILED",
                CancelledEvent::OrderCancelled => "ORDER_CANCELLED",
            },
            Self::Refunded => "ORDER_REFUNDED",
        }
    }

    /// Whether nothing comes after it.
    pub(crate) const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Completed | Self::Cancelled | Self::Failed | Self::Expired | Self::Refunded
        )
    }

    /// Whether the amount counts towards the user's limits.
    pub(crate) const fn counts(self) -> bool {
        !matches!(self, Self::Cancelled | Self::Failed | Self::Expired | Self::Refunded)
    }

    /// What is told about an order that went wrong.
    const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Cancelled => Some("The user cancelled the order."),
            Self::Failed => Some("The card was declined."),
            Self::Expired => Some("No payment arrived in time."),
            Self::Refunded => Some("The payout failed; the crypto was returned."),
            _ => None,
        }
    }
}

/// The statuses of a story, in order.
pub(crate) const fn path(story: OrderStory) -> &'static [Status] {
    use Status::*;
    match story {
        OrderStory::BankBuy => &[AwaitingPayment, PaymentMarked, PendingDelivery, Completed],
        OrderStory::CardBuy => &[AwaitingPayment, Processing, PendingDelivery, Completed],
        OrderStory::Sell => &[AwaitingPayment, PendingDelivery, Completed],
        OrderStory::Failing => &[AwaitingPayment, Processing, Failed],
        OrderStory::Expiring => &[AwaitingPayment, Expired],
        OrderStory::Cancelled => &[AwaitingPayment, Cancelled],
        OrderStory::Refunded => &[AwaitingPayment, PendingDelivery, Refunded],
    }
}

/// Who decides where an order goes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Course {
    /// It was seeded, and walks through its story by itself.
    Told(OrderStory),
    /// Its user pays by bank, says so, or lets it expire.
    Bank,
    /// It was paid with a card.
    Card,
}

impl Course {
    /// The status after those that an order has been through, if it comes by itself.
    fn next(self, history: &[(Status, Moment)]) -> Option<Status> {
        let (now, _) = *history.last()?;
        match (self, now) {
            _ if now.is_final() => None,
            (Self::Told(story), _) => path(story).get(history.len()).copied(),
            (Self::Bank, Status::AwaitingPayment) => Some(Status::Expired),
            (Self::Card, Status::AwaitingPayment) => Some(Status::Processing),
            (_, Status::PaymentMarked | Status::Processing) => Some(Status::PendingDelivery),
            (_, Status::PendingDelivery) => Some(Status::Completed),
            _ => None,
        }
    }
}

/// One order.
#[derive(Clone)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) user: String,
    pub(crate) user_id: String,
    pub(crate) user_kyc: &'static str,
    pub(crate) course: Course,
    pub(crate) quote: Quote,
    pub(crate) wallet: String,
    pub(crate) transaction: String,
    pub(crate) reference: i64,
    pub(crate) partner_order_id: Option<String>,
    pub(crate) partner_customer_id: Option<String>,
    pub(crate) created: Moment,
    pub(crate) expires: Moment,
    /// Statuses reached so far, oldest first; never empty.
    pub(crate) history: Vec<(Status, Moment)>,
}

impl std::fmt::Debug for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Order")
            .field("id", &self.id)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

impl Order {
    pub(crate) fn status(&self) -> Status {
        self.history
            .last()
            .map_or(Status::AwaitingPayment, |(status, _)| *status)
    }

    pub(crate) fn side(&self) -> Side {
        self.quote.ask.side
    }

    pub(crate) fn created(&self) -> Moment {
        self.created
    }

    /// When it came to its present status.
    pub(crate) fn updated(&self) -> Moment {
        self.history.last().map_or(self.created, |(_, at)| *at)
    }

    /// What was paid for it.
    pub(crate) fn paid(&self) -> rust_decimal::Decimal {
        let status = self.status();
        let paid = self.history.iter().any(|(status, _)| {
            matches!(
                status,
                Status::PaymentMarked | Status::Processing | Status::PendingDelivery
            )
        }) && !matches!(status, Status::Failed | Status::Cancelled);
        match paid {
            true => self.quote.fiat_amount,
            false => rust_decimal::Decimal::ZERO,
        }
    }

    /// When the next status is due, and which.
    pub(crate) fn next(&self, settings: &Settings) -> Option<(Moment, Status)> {
        let next = self.course.next(&self.history)?;
        let (_, since) = *self.history.last()?;
        let due = match next {
            Status::Expired => self.expires,
            // Never at once: a step of nothing would let a status pass unseen.
            _ => since.plus_millis(settings.order_step_seconds.saturating_mul(1000).max(1)),
        };
        Some((due, next))
    }

    /// The order as JSON. A webhook leaves out what the vendor's sample leaves out.
    pub(crate) fn json(&self, settings: &Settings, webhook: bool) -> Object {
        let quote = &self.quote;
        let status = self.status();
        let buy = self.side() == Side::Buy;
        let object = Object::new().text("id", &self.id);
        let object = object
            .when(!webhook, |object| {
                object.text("_id", &self.id).text("appVersionName", "staging-api")
            })
            .moment("createdAt", self.created())
            .text("status", status.text())
            .text("isBuyOrSell", self.side().text())
            .text("fiatCurrency", quote.ask.fiat.symbol)
            .text("cryptoCurrency", quote.ask.crypto.symbol)
            .text("network", quote.ask.crypto.network)
            .decimal("fiatAmount", quote.fiat_amount)
            .decimal("cryptoAmount", quote.crypto_amount)
            .decimal("conversionPrice", quote.conversion)
            .decimal("totalFeeInFiat", quote.total_fee)
            .decimal("totalfeeDecimal", quote.fee_decimal())
            .decimal("fiatAmountInUsd", quote.usd())
            .decimal("amountPaid", self.paid())
            .text("paymentOptionId", quote.ask.payment.id)
            .raw("paymentOptions", "[]")
            .text("quoteId", &quote.id)
            .text("userId", &self.user_id)
            .text("userKycType", self.user_kyc)
            .text(
                "countryCode",
                quote.ask.fiat.countries.first().copied().unwrap_or_default(),
            )
            .text("ipAddress", "203.0.113.7")
            .text("orderProcessingType", "NORMAL")
            .text("orderChannelType", "WIDGET")
            .flag("addressAdditionalData", false)
            .int("referenceCode", self.reference)
            .text("partnerApiKey", &settings.api_key)
            .maybe("partnerOrderId", self.partner_order_id.as_deref())
            .maybe("partnerCustomerId", self.partner_customer_id.as_deref())
            .maybe("statusReason", status.reason());
        let object = match buy {
            true => object.text("walletAddress", &self.wallet).text(
                "walletLink",
                &format!("https://explorer.example/address/{}", self.wallet),
            ),
            false => object.object("cryptoPaymentData", Object::new().text("paymentAddress", &self.wallet)),
        };
        object
            .when(!webhook, |object| object.moment("autoExpiresAt", self.expires))
            .when(self.history.len() > 1, |object| match self.history.last() {
                Some((_, at)) => object.moment("updatedAt", *at),
                None => object,
            })
            .when(status == Status::Completed, |object| match self.history.last() {
                Some((_, at)) => object
                    .moment("completedAt", *at)
                    .text("transactionHash", &self.transaction)
                    .text(
                        "transactionLink",
                        &format!("https://explorer.example/tx/{}", self.transaction),
                    ),
                None => object,
            })
            .object("conversionPriceData", self.snapshot(settings))
            .raw("statusHistories", &self.histories(settings))
    }

    fn snapshot(&self, settings: &Settings) -> Object {
        self.quote
            .members(Object::new().text("id", &self.quote.id).text("_id", &self.quote.id))
            .moment("createdAt", self.quote.at)
            .text("partnerApiKey", &settings.api_key)
            .decimal("fiatFeeAmount", self.quote.total_fee)
            .decimal("fiatAmountInUsd", self.quote.usd())
            .raw("fees", &self.quote.fees())
    }

    fn histories(&self, settings: &Settings) -> String {
        array(self.history.iter().map(|(status, at)| {
            Object::new()
                .text("status", status.text())
                .moment("createdAt", *at)
                .text("message", "")
                .flag("isEmailSentToUser", false)
                .text("partnerEventId", status.event(settings))
                .finish()
        }))
    }

    /// The day the order was made, for date filters.
    pub(crate) fn day(&self) -> String {
        day(self.created())
    }
}
