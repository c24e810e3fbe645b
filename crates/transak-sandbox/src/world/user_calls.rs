//! Details, limits and onboarding.

use rust_decimal::Decimal;

use super::{
    Moment, Reply, Request, World,
    access::Caller,
    auth_calls::{data, gone},
    catalogue::{self, Fiat, decimal},
    json::Object,
    kyc::Kyc,
    quote::Side,
    refusal::{Answer, Refusal},
    seed::{SeedError, SeedUser},
    users::{self, User},
};

/// Lengths of the windows in days, and their names in answers.
const WINDOWS: [(i64, &str); 3] = [(1, "1"), (30, "30"), (365, "365")];

impl World {
    /// Creates or overwrites a user and returns its id.
    ///
    /// # Errors
    /// When the address is not one.
    pub fn seed_user(&mut self, seed: SeedUser, now: Moment) -> Result<String, SeedError> {
        let key = users::key(&seed.email, &self.settings).ok_or(SeedError::Email)?;
        let (user, dropped) = self.users.ensure(&key, &seed.email, &mut self.rng, &self.settings, now);
        self.counters.evicted("users", dropped);
        let user = user.ok_or(SeedError::Email)?;
        user.kyc = Kyc::seeded(seed.kyc);
        user.tnc_accepted = seed.tnc_accepted;
        Ok(user.id.clone())
    }

    /// Key of the user a Whitelabel call is about, who exists; reviews of theirs that are over have taken effect.
    pub(crate) fn user_of(&mut self, request: &Request<'_>, now: Moment) -> Answer<String> {
        let caller = self.caller(request, now)?;
        if self.users.by_key.get(caller.user()).is_none() {
            return Err(match &caller {
                Caller::User(_) => gone(),
                Caller::Vouched { .. } => Refusal::new(404, None, "User not found; onboard the user first"),
            });
        }
        self.settle_user(caller.user(), now);
        Ok(caller.user().to_owned())
    }

    /// The user of a key that [`World::user_of`] gave.
    pub(crate) fn known(&self, key: &str) -> Answer<&User> {
        self.users.by_key.get(key).ok_or_else(gone)
    }

    pub(crate) fn get_user_details(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let key = self.user_of(request, now)?;
        self.same_key(request.query("apiKey"), "apiKey must be the same as x-api-key")?;
        Ok(data(self.known(&key)?.details(&self.settings)))
    }

    pub(crate) fn onboard_user(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let caller = self.vouched(request, now)?;
        let Caller::Vouched { user: key, email } = &caller else {
            return Err(gone());
        };
        let (user, dropped) = self.users.ensure(key, email, &mut self.rng, &self.settings, now);
        let answer = user
            .map(|user| {
                user.kyc.settle(&self.settings, now);
                data(user.onboarded())
            })
            .ok_or_else(gone);
        self.counters.evicted("users", dropped);
        answer
    }

    pub(crate) fn get_user_limits(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        let key = self.user_of(request, now)?;
        let user = self.known(&key)?;
        if request.query("isBuyOrSell") != Some("BUY") {
            return Err(Refusal::invalid("isBuyOrSell must be BUY"));
        }
        let limits_usd = match request.query("kycType") {
            Some("SIMPLE") => self.settings.simple_limits_usd,
            Some("STANDARD") => self.settings.standard_limits_usd,
            _ => return Err(Refusal::invalid("kycType must be SIMPLE or STANDARD")),
        };
        let fiat = request.query("fiatCurrency").and_then(catalogue::fiat);
        let fiat = fiat.ok_or_else(|| Refusal::invalid("fiatCurrency is not supported"))?;
        let category = request.query("paymentCategory");
        if catalogue::payment(fiat, category).is_none() {
            return Err(Refusal::invalid(
                "paymentCategory is not a payment method of this fiatCurrency",
            ));
        }
        let spent_usd = self.spent_usd(user, now);
        let [mut limits, mut spent, mut remaining, mut exceeded, mut shortage] = std::array::from_fn(|_| Object::new());
        for (((_, name), limit), used) in WINDOWS.into_iter().zip(limits_usd).zip(spent_usd) {
            let (limit, used) = (in_fiat(limit, fiat), in_fiat(used, fiat));
            limits = limits.decimal(name, limit);
            spent = spent.decimal(name, used);
            remaining = remaining.decimal(name, limit.saturating_sub(used).max(Decimal::ZERO));
            exceeded = exceeded.flag(name, used > limit);
            // Its meaning is not documented; we tell by how much a window is overdrawn.
            shortage = shortage.when(used > limit, |shortage| {
                shortage.decimal(name, used.saturating_sub(limit))
            });
        }
        Ok(data(
            Object::new()
                .object("limits", limits)
                .object("spent", spent)
                .object("remaining", remaining)
                .object("exceeded", exceeded)
                .object("shortage", shortage),
        ))
    }

    /// What a user spends within a day, if they spend so much more.
    pub(crate) fn with_spent(&self, user: &User, usd: Decimal, now: Moment) -> Decimal {
        let [today, ..] = self.spent_usd(user, now);
        today.saturating_add(usd)
    }

    /// What the user's purchases of each window add up to; failed, expired, cancelled and refunded ones do not count.
    fn spent_usd(&self, user: &User, now: Moment) -> [Decimal; 3] {
        let mut spent = [Decimal::ZERO; 3];
        let orders = user.orders.iter().filter_map(|number| self.orders.by_age.get(number));
        for order in orders.filter(|order| order.side() == Side::Buy && order.status().counts()) {
            for ((days, _), sum) in WINDOWS.into_iter().zip(&mut spent) {
                if order.created() > now.plus_seconds(-days * 86_400) && order.created() <= now {
                    *sum += order.quote.fiat_amount * decimal(order.quote.ask.fiat.usd);
                }
            }
        }
        spent
    }
}

/// Dollars in another currency, in cents. Limits are taken to be in the currency that was asked for.
fn in_fiat(usd: Decimal, fiat: &Fiat) -> Decimal {
    usd.checked_div(decimal(fiat.usd)).unwrap_or(Decimal::MAX).round_dp(2)
}

/// Answers without state.
pub(crate) fn unknown_operation() -> Reply {
    let error = Object::new()
        .int("statusCode", 500)
        .text("message", "The sandbox does not know this operation");
    Reply::json(500, Object::new().object("error", error).finish())
}
