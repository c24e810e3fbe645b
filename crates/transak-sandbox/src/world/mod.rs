//! The domain: everything Transak would know and decide, without a clock of its own, without I/O.

mod access;
mod auth_calls;
mod bounded;
mod catalogue;
mod catalogue_calls;
mod counters;
mod delivery;
mod json;
mod jwt;
mod kyc;
mod lookup_calls;
mod mail;
mod money;
mod order;
mod order_calls;
mod orders;
mod otp;
mod partner;
mod partner_calls;
mod quote;
mod quotes;
mod readings;
mod refusal;
mod rng;
mod seam;
mod seed;
mod sessions;
mod settings;
mod user_calls;
mod users;
mod webhooks;
mod widget;

pub use counters::Counters;
pub use delivery::{Delivery, DeliveryOutcome};
pub use mail::Mail;
pub use readings::{
    AllowListScope, ApiErrorStatus, CancelledEvent, DuplicateOrder, ExpiredStatus, InvalidWallet, KycVerdict,
    LockedStatus, LogoutForm, LogoutScope, UnsetFields, WebhookEnvelope, WrongOtpStatus,
};
pub use seam::{Body, Moment, Reply, Request};
pub use seed::{OrderStory, SeedError, SeedKyc, SeedOrder, SeedUser};
pub use settings::Settings;
pub use widget::{WidgetOpened, WidgetRefusal};

use std::collections::BTreeMap;

use transak_client::{Operation, operations::Host};

pub(crate) use refusal::rejected;

use refusal::Answer;

/// All state of one imitation of Transak: bounded, and deterministic from its seed.
#[derive(Debug)]
pub struct World {
    settings: Settings,
    counters: Counters,
    rng: rng::Rng,
    calls: u64,
    challenges: otp::Challenges,
    mailbox: mail::Mailbox,
    users: users::Users,
    sessions: sessions::Sessions,
    partner: partner::Partner,
    widgets: widget::WidgetSessions,
    quotes: quotes::Quotes,
    transactions: money::Transactions,
    /// Users by the partner's own id of them.
    customers: bounded::Bounded<String, String>,
    reviews: kyc::Reviews,
    orders: orders::Orders,
    webhooks: webhooks::Webhooks,
}

impl World {
    /// A new world.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            counters: Counters::default(),
            rng: rng::Rng::new(settings.seed),
            calls: 0,
            challenges: otp::Challenges::new(),
            mailbox: mail::Mailbox::default(),
            users: users::Users::new(),
            sessions: sessions::Sessions::new(&settings),
            partner: partner::Partner::new(&settings),
            widgets: widget::WidgetSessions::new(),
            quotes: quotes::Quotes::new(),
            transactions: money::Transactions::new(),
            customers: bounded::Bounded::new(),
            reviews: kyc::Reviews::default(),
            orders: orders::Orders::new(),
            webhooks: webhooks::Webhooks::new(),
            settings,
        }
    }

    /// Answers a request that has already been checked against the spec.
    pub fn call(&mut self, operation: &'static Operation, request: &Request<'_>, now: Moment) -> Reply {
        self.tick(now);
        self.calls += 1;
        *self.counters.calls.entry(operation.id()).or_default() += 1;
        let answer = self
            .admit(operation, request)
            .and_then(|()| self.dispatch(operation, request, now));
        let mut reply = match answer {
            Ok(reply) => reply,
            Err(refusal) => refusal.reply(operation, &self.settings),
        };
        if reply.status >= 400 {
            *self.counters.refusals.entry(operation.id()).or_default() += 1;
        }
        if operation.host() == Host::Gateway {
            // Not from the generator: a trace must not change what comes after it.
            let high = rng::mix(self.settings.seed ^ self.calls);
            reply
                .headers
                .push(("trace-id", format!("{high:016x}{:016x}", rng::mix(high))));
        }
        reply
    }

    fn dispatch(&mut self, operation: &Operation, request: &Request<'_>, now: Moment) -> Answer {
        match operation.id() {
            "sendUserOtp" => self.send_user_otp(request, now),
            "verifyUserOtp" => self.verify_user_otp(request, now),
            "refreshUserAccessToken" => self.refresh_user_token(request, now),
            "logoutUser" => self.logout_user(request, now),
            "getUserDetails" => self.get_user_details(request, now),
            "getUserLimits" => self.get_user_limits(request, now),
            "onboardUser" => self.onboard_user(request, now),
            "refreshAccessToken" => self.refresh_access_token(request, now),
            "createWidgetUrl" => self.create_widget_url(request, now),
            "getOrders" => self.get_orders(request, now),
            "getOrderById" => self.get_order(request, now),
            "getWebhooks" => self.get_webhooks(request, now),
            "getPrice" => self.get_price(request, now),
            "verifyWalletAddress" => self.verify_wallet_address(request),
            "getCountries" => Ok(catalogue_calls::countries()),
            "getCryptoCurrencies" => Ok(catalogue_calls::crypto_currencies()),
            "getFiatCurrencies" => Ok(catalogue_calls::fiat_currencies()),
            "lookupCountries" => Ok(lookup_calls::countries()),
            "lookupCryptoCurrencies" => Ok(lookup_calls::crypto_currencies()),
            "lookupFiatCurrencies" => self.lookup_fiat_currencies(request),
            "updateWebhookUrl" => self.update_webhook_url(request, now),
            "testWebhook" => self.test_webhook(request, now),
            "getUserData" => self.get_user_data(request, now),
            "getBusinessOrders" => self.business_orders(request, now),
            "getBusinessOrder" => self.business_order(request, now),
            "getQuote" => self.get_quote(request, now),
            _ => kyc::dispatch(self, operation, request, now)
                .or_else(|| money::dispatch(self, operation, request, now))
                .unwrap_or_else(|| Ok(user_calls::unknown_operation())),
        }
    }

    /// Time has moved: orders walk on, webhooks fall due, dead sessions are forgotten. Cheap when nothing is due.
    pub fn tick(&mut self, now: Moment) {
        self.walk_orders(now);
        self.review_users(now);
        self.sessions.sweep(now);
    }

    /// The mails sent, newest last.
    #[must_use]
    pub fn mailbox(&self) -> &[Mail] {
        self.mailbox.as_slice()
    }

    /// Opens the widget session with this id (`sessionId` of the widget URL), which works once.
    ///
    /// # Errors
    /// When there is no such session, or it was opened before, or its time is over.
    pub fn consume_widget_session(&mut self, session_id: &str, now: Moment) -> Result<WidgetOpened, WidgetRefusal> {
        self.widgets.consume(session_id, &self.settings, now)
    }

    /// What has happened so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How many entries each collection holds.
    #[must_use]
    pub fn sizes(&self) -> BTreeMap<&'static str, usize> {
        BTreeMap::from([
            ("challenges", self.challenges.len()),
            ("mails", self.mailbox.as_slice().len()),
            ("users", self.users.by_key.len()),
            ("sessions", self.sessions.len()),
            ("usersWithSessions", self.sessions.users()),
            ("mintsInWindow", self.partner.len()),
            ("widgetSessions", self.widgets.len()),
            ("quotes", self.quotes.len()),
            ("transactions", self.transactions.len()),
            ("customers", self.customers.len()),
            ("reviews", self.reviews.len()),
            ("orders", self.orders.len()),
            ("webhooks", self.webhooks.len()),
        ])
    }

    /// Back to the beginning, with the same settings.
    pub fn reset(&mut self) {
        *self = Self::new(self.settings.clone());
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Replaces the settings. A new seed or API key makes every token foreign; collections above a new cap shrink
    /// with the next entry.
    pub fn set_settings(&mut self, settings: Settings) {
        let rekey = settings.seed != self.settings.seed || settings.api_key != self.settings.api_key;
        self.settings = settings;
        if rekey {
            self.sessions.rekey(&self.settings);
            self.partner.rekey(&self.settings);
        }
    }
}
