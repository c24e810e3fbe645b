//! All orders: making them, walking them on, finding them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rust_decimal::Decimal;

use super::{
    Moment, Settings, World, catalogue,
    kyc::Level,
    order::{Course, Order, Status},
    quote::{Amount, Ask, Side, quote},
    seed::{OrderStory, SeedError, SeedOrder},
    users,
};

/// Orders by age, and the moments at which they move on.
#[derive(Debug)]
pub(crate) struct Orders {
    pub(crate) by_age: BTreeMap<u64, Order>,
    by_id: HashMap<String, u64>,
    due: BTreeSet<(Moment, u64)>,
    next: u64,
}

impl Orders {
    pub(crate) fn new() -> Self {
        Self {
            by_age: BTreeMap::new(),
            by_id: HashMap::new(),
            due: BTreeSet::new(),
            next: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.by_age.len().max(self.by_id.len()).max(self.due.len())
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Order> {
        self.by_age.get(self.by_id.get(id)?)
    }

    /// Adds an order; returns its number and the oldest orders that had to go.
    fn add(&mut self, order: Order, settings: &Settings) -> (u64, Vec<(u64, Order)>) {
        let number = self.next;
        self.next += 1;
        if let Some((due, _)) = order.next(settings) {
            self.due.insert((due, number));
        }
        self.by_id.insert(order.id.clone(), number);
        self.by_age.insert(number, order);
        let mut dropped = Vec::new();
        while self.by_age.len() > settings.max_orders.max(1) {
            let Some((number, order)) = self.by_age.pop_first() else {
                break;
            };
            self.by_id.remove(&order.id);
            dropped.push((number, order));
        }
        if !dropped.is_empty() {
            let by_age = &self.by_age;
            self.due.retain(|(_, number)| by_age.contains_key(number));
        }
        (number, dropped)
    }

    /// Id of the order that was added last.
    pub(crate) fn newest(&self) -> Option<String> {
        let (_, order) = self.by_age.last_key_value()?;
        Some(order.id.clone())
    }

    /// Puts an order into a status.
    fn set(&mut self, id: &str, status: Status, now: Moment, settings: &Settings) -> Option<&Order> {
        let number = *self.by_id.get(id)?;
        let order = self.by_age.get_mut(&number)?;
        if let Some((due, _)) = order.next(settings) {
            self.due.remove(&(due, number));
            // A change of the settings may have left it elsewhere.
            self.due.retain(|(_, other)| *other != number);
        }
        order.history.push((status, now));
        if let Some((due, _)) = order.next(settings) {
            self.due.insert((due, number));
        }
        Some(order)
    }

    /// The next order that is due by now, moved on by one status.
    fn step(&mut self, now: Moment, settings: &Settings) -> Option<&Order> {
        let &(due, number) = self.due.first().filter(|(due, _)| *due <= now)?;
        self.due.remove(&(due, number));
        let order = self.by_age.get_mut(&number)?;
        if let Some((_, status)) = order.next(settings) {
            // It moved when it was due, not when somebody looked.
            order.history.push((status, due));
        }
        if let Some((next, _)) = order.next(settings) {
            self.due.insert((next.max(due), number));
        }
        Some(order)
    }
}

/// Longest id of the partner's own; with the caps on orders and webhooks it bounds the memory.
const LONGEST_ID: usize = 256;

impl World {
    /// Creates an order and returns its id.
    ///
    /// # Errors
    /// When the address is not one, or the catalogue has no price for the order.
    pub fn seed_order(&mut self, seed: SeedOrder, now: Moment) -> Result<String, SeedError> {
        let key = users::key(&seed.email, &self.settings).ok_or(SeedError::Email)?;
        let refuse = |message: &str| SeedError::Order(message.to_owned());
        let ask = ask(&seed).map_err(refuse)?;
        let short = |text: &Option<String>| text.as_ref().is_none_or(|text| text.len() <= LONGEST_ID);
        if !short(&seed.partner_order_id) || !short(&seed.partner_customer_id) {
            return Err(refuse("partnerOrderId and partnerCustomerId may have 256 bytes"));
        }
        let wallet = match seed.wallet_address {
            Some(wallet) if catalogue::is_address(ask.crypto.wallet, &wallet) => wallet,
            Some(_) => return Err(refuse("the wallet address does not fit the network")),
            None => made_up_wallet(ask.crypto.wallet, &self.rng.hex(40)),
        };
        let quote = quote(ask, &mut self.rng, now).map_err(refuse)?;
        let (user, dropped_users) = self.users.ensure(&key, &seed.email, &mut self.rng, &self.settings, now);
        let Some(user) = user else { return Err(SeedError::Email) };
        let order = Order {
            id: String::new(),
            user: key.clone(),
            user_id: user.id.clone(),
            user_kyc: user.kyc.approved().unwrap_or(Level::Simple).text(),
            course: Course::Told(seed.story),
            wallet,
            transaction: String::new(),
            reference: 0,
            partner_order_id: seed.partner_order_id,
            partner_customer_id: seed.partner_customer_id,
            created: now,
            expires: now.plus_seconds(self.settings.order_expiry_seconds),
            history: vec![(Status::AwaitingPayment, now)],
            quote,
        };
        if let Some(customer) = order.partner_customer_id.clone() {
            self.customers.insert(customer, key, self.settings.max_users);
        }
        self.counters.evicted("users", dropped_users);
        Ok(self.enter(order, now))
    }

    /// Takes an order in, gives it its ids, and tells of it; returns its id.
    pub(crate) fn enter(&mut self, mut order: Order, now: Moment) -> String {
        order.id = self.rng.uuid();
        order.transaction = format!("0x{}", self.rng.hex(64));
        order.reference = 100_000 + i64::try_from(self.rng.below(900_000)).unwrap_or(0);
        let (id, key) = (order.id.clone(), order.user.clone());
        self.webhooks.queue(&order, &self.settings, &mut self.counters, now);
        let (number, dropped) = self.orders.add(order, &self.settings);
        if let Some(user) = self.users.by_key.get_mut(&key) {
            user.orders.push(number);
        }
        self.counters.evicted("orders", dropped.len() as u64);
        for (number, order) in dropped {
            if let Some(user) = self.users.by_key.get_mut(&order.user) {
                user.orders.retain(|other| *other != number);
            }
        }
        id
    }

    /// Puts an order into another status because somebody wants it, and tells of it.
    pub(crate) fn move_order(&mut self, id: &str, status: Status, now: Moment) {
        if let Some(order) = self.orders.set(id, status, now, &self.settings) {
            self.webhooks.queue(order, &self.settings, &mut self.counters, now);
        }
    }

    /// Moves orders on that are due.
    pub(crate) fn walk_orders(&mut self, now: Moment) {
        while let Some(order) = self.orders.step(now, &self.settings) {
            let at = order.history.last().map_or(now, |(_, at)| *at);
            self.webhooks.queue(order, &self.settings, &mut self.counters, at);
        }
    }
}

fn ask(seed: &SeedOrder) -> Result<Ask, &'static str> {
    let side = match seed.story {
        OrderStory::Sell | OrderStory::Refunded => Side::Sell,
        _ => Side::Buy,
    };
    let fiat = catalogue::fiat(seed.fiat_currency.as_deref().unwrap_or("EUR")).ok_or("unknown fiat currency")?;
    let symbol = seed.crypto_currency.as_deref().unwrap_or("ETH");
    let crypto = match seed.network.as_deref() {
        Some(network) => catalogue::crypto(symbol, network),
        None => catalogue::crypto(symbol, "mainnet"),
    };
    let crypto = crypto.ok_or("unknown crypto currency or network")?;
    let card = matches!(seed.story, OrderStory::CardBuy | OrderStory::Failing);
    let payment = match card {
        true => catalogue::payment(fiat, Some("credit_debit_card")),
        false => fiat.payments.iter().find(|payment| payment.id != "credit_debit_card"),
    };
    let payment = payment.ok_or("the fiat currency has no such payment method")?;
    let amount = seed.fiat_amount.unwrap_or(Decimal::ONE_HUNDRED).normalize();
    if amount.scale() > 2 {
        return Err("the amount has more than two decimal places");
    }
    Ok(Ask {
        side,
        fiat,
        crypto,
        payment,
        amount: Amount::Fiat(amount),
    })
}

fn made_up_wallet(kind: catalogue::WalletKind, hex: &str) -> String {
    use catalogue::WalletKind;
    // Base58 has no zero.
    let base58 = hex.replace('0', "A");
    match kind {
        WalletKind::Evm => format!("0x{hex}"),
        WalletKind::Bitcoin => format!("tb1q{}", hex.get(..38).unwrap_or(hex)),
        WalletKind::Solana => base58,
        WalletKind::Ripple => format!("r{}", base58.get(..33).unwrap_or(&base58)),
    }
}
