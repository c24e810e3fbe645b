//! Prices. `cryptoAmount = (fiatAmount - totalFee) * conversionPrice` when buying, with a plus when selling; exactly.

use rust_decimal::{Decimal, RoundingStrategy};

use super::{
    Moment, Reply, Request, World,
    catalogue::{self, Crypto, Fiat, Payment, decimal},
    json::{Object, array, digits, texts},
    refusal::{Answer, Refusal},
    rng::Rng,
};

/// Which way the money goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Buy,
    Sell,
}

impl Side {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Buy => "BUY",
            Self::Sell => "SELL",
        }
    }
}

/// The amount that was asked for; the other one follows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Amount {
    Fiat(Decimal),
    Crypto(Decimal),
}

/// What a price is wanted for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask {
    pub(crate) side: Side,
    pub(crate) fiat: &'static Fiat,
    pub(crate) crypto: &'static Crypto,
    pub(crate) payment: &'static Payment,
    pub(crate) amount: Amount,
}

/// A price.
#[derive(Debug, Clone)]
pub(crate) struct Quote {
    pub(crate) id: String,
    pub(crate) ask: Ask,
    pub(crate) fiat_amount: Decimal,
    pub(crate) crypto_amount: Decimal,
    pub(crate) market: Decimal,
    pub(crate) conversion: Decimal,
    pub(crate) total_fee: Decimal,
    pub(crate) network_fee: Decimal,
    pub(crate) at: Moment,
    /// The partner's own id of the customer, if the caller gave one.
    pub(crate) customer: Option<String>,
}

/// The market's price: crypto for one unit of fiat money.
fn market(fiat: &Fiat, crypto: &Crypto) -> Decimal {
    decimal(fiat.usd) / decimal(crypto.usd)
}

impl Ask {
    /// Our price: crypto for one unit of fiat money.
    pub(crate) fn conversion(&self) -> Decimal {
        let market = market(self.fiat, self.crypto);
        match self.side {
            Side::Buy => market / decimal(SPREAD),
            Side::Sell => market * decimal(SPREAD),
        }
    }
}

/// The distance between market price and ours; a power of two over a power of ten, to keep quotients finite.
const SPREAD: catalogue::Exact = (1_024, 3);

/// Amounts beyond it are refused before anything is computed, so that nothing overflows.
const LARGEST: i64 = 100_000_000;

fn cents(value: Decimal) -> Decimal {
    value.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// Prices an ask, or says in words why there is no price.
pub(crate) fn quote(ask: Ask, rng: &mut Rng, at: Moment) -> Result<Quote, &'static str> {
    const TOO_MUCH: &str = "fiatAmount or cryptoAmount is out of range";
    let (Amount::Fiat(asked) | Amount::Crypto(asked)) = ask.amount;
    if asked <= Decimal::ZERO || asked > Decimal::from(LARGEST) {
        return Err(TOO_MUCH);
    }
    let (market, conversion) = (market(ask.fiat, ask.crypto), ask.conversion());
    let share = decimal(ask.payment.share);
    let rest = Decimal::ONE - share;
    let network_fee = cents(decimal(ask.crypto.network_fee_usd) / decimal(ask.fiat.usd));
    // `traded` is the part that changes hands at the price: without the fee when buying, with it when selling.
    let (fiat_amount, crypto_amount, total_fee) = match ask.amount {
        Amount::Fiat(fiat) => {
            let (traded, fee) = match ask.side {
                Side::Buy => {
                    let fee = cents(fiat * share + network_fee);
                    (fiat - fee, fee)
                }
                Side::Sell => {
                    let fee = cents((fiat + network_fee) / rest - fiat);
                    (fiat + fee, fee)
                }
            };
            (fiat, traded.checked_mul(conversion).ok_or(TOO_MUCH)?, fee)
        }
        Amount::Crypto(crypto) => {
            let traded = crypto.checked_div(conversion).ok_or(TOO_MUCH)?;
            match ask.side {
                Side::Buy => {
                    let fee = cents((traded + network_fee) / rest - traded);
                    (traded + fee, crypto, fee)
                }
                Side::Sell => {
                    let fee = cents(traded * share + network_fee);
                    (traded - fee, crypto, fee)
                }
            }
        }
    };
    let range = Decimal::from(ask.payment.min)..=Decimal::from(ask.payment.max);
    if ask.side == Side::Sell && !ask.payment.pay_out {
        return Err("This payment method does not pay out");
    }
    if !range.contains(&fiat_amount) || crypto_amount <= Decimal::ZERO {
        return Err(TOO_MUCH);
    }
    let id = rng.uuid();
    Ok(Quote {
        customer: None,
        id,
        ask,
        fiat_amount,
        crypto_amount,
        market,
        conversion,
        total_fee,
        network_fee,
        at,
    })
}

impl Quote {
    /// Share of the fee in what the user hands over.
    pub(crate) fn fee_decimal(&self) -> Decimal {
        let whole = match self.ask.side {
            Side::Buy => self.fiat_amount,
            Side::Sell => self.fiat_amount + self.total_fee,
        };
        (self.total_fee / whole).round_dp(17)
    }

    /// Distance from the market in percent.
    pub(crate) fn slippage(&self) -> Decimal {
        ((self.market - self.conversion).abs() / self.market * Decimal::ONE_HUNDRED).round_dp(2)
    }

    /// Amount in US dollars, in cents.
    pub(crate) fn usd(&self) -> Decimal {
        cents(self.fiat_amount * decimal(self.ask.fiat.usd))
    }

    /// The parts of the fee.
    pub(crate) fn fees(&self) -> String {
        let fee = |id: &str, name: &str, value: Decimal| {
            Object::new()
                .text("name", name)
                .decimal("value", value)
                .text("id", id)
                .raw("ids", &texts([id]))
                .finish()
        };
        array([
            fee("transak_fee", "Transak fee", self.total_fee - self.network_fee),
            fee("network_fee", "Network/Exchange fee", self.network_fee),
        ])
    }

    /// The quote as both hosts show it.
    pub(crate) fn json(&self) -> Object {
        self.members(Object::new().text("quoteId", &self.id))
            .raw("totalFee", &digits(self.total_fee))
            .raw("feeBreakdown", &self.fees())
            .int("nonce", self.at.unix_seconds())
    }

    /// The members that quotes and the price snapshots of orders share.
    pub(crate) fn members(&self, object: Object) -> Object {
        object
            .decimal("conversionPrice", self.conversion)
            .decimal("marketConversionPrice", self.market)
            .decimal("slippage", self.slippage())
            .text("fiatCurrency", self.ask.fiat.symbol)
            .text("cryptoCurrency", self.ask.crypto.symbol)
            .text("paymentMethod", self.ask.payment.id)
            .decimal("fiatAmount", self.fiat_amount)
            .decimal("cryptoAmount", self.crypto_amount)
            .text("isBuyOrSell", self.ask.side.text())
            .text("network", self.ask.crypto.network)
            .decimal("feeDecimal", self.fee_decimal())
            .text("cryptoLiquidityProvider", "transak")
            .raw("notes", "[]")
    }
}

/// A positive amount with few enough digits to be computed with exactly.
fn amount(text: Option<&str>, places: u32) -> Result<Option<Decimal>, &'static str> {
    let Some(text) = text else { return Ok(None) };
    let value = Decimal::from_str_exact(text)
        .or_else(|_| Decimal::from_scientific(text))
        .map_err(|_| "fiatAmount or cryptoAmount is not a number")?;
    let value = value.normalize();
    if value <= Decimal::ZERO || value > Decimal::from(LARGEST) {
        return Err("fiatAmount or cryptoAmount is out of range");
    }
    if value.scale() > places {
        Err("fiatAmount or cryptoAmount has too many decimal places")
    } else {
        Ok(Some(value))
    }
}

/// Reads what a price is wanted for, as the price operations of both hosts ask for it.
pub(crate) fn ask_of(request: &Request<'_>) -> Answer<Ask> {
    let refuse = |message| Refusal::invalid(message);
    let side = match request.query("isBuyOrSell") {
        Some(side) if side.eq_ignore_ascii_case("buy") => Side::Buy,
        Some(side) if side.eq_ignore_ascii_case("sell") => Side::Sell,
        _ => return Err(refuse("isBuyOrSell must be BUY or SELL")),
    };
    let fiat = request.query("fiatCurrency").and_then(catalogue::fiat);
    let fiat = fiat.ok_or_else(|| refuse("This fiatCurrency is not supported"))?;
    let symbol = request.query("cryptoCurrency").unwrap_or_default();
    let crypto = catalogue::crypto(symbol, request.query("network").unwrap_or_default());
    let crypto = crypto.ok_or_else(|| refuse("This cryptoCurrency is not available on this network"))?;
    let payment = catalogue::payment(fiat, request.query("paymentMethod"));
    let payment = payment.ok_or_else(|| refuse("This paymentMethod is not available for this fiatCurrency"))?;
    if let Some(code) = request.query("quoteCountryCode")
        && !catalogue::country(code).is_some_and(|country| country.allowed)
    {
        return Err(refuse("This quoteCountryCode is not supported"));
    }
    let fiat_amount = amount(request.query("fiatAmount"), 4).map_err(refuse)?;
    let crypto_amount = amount(request.query("cryptoAmount"), 12).map_err(refuse)?;
    let amount = match (fiat_amount, crypto_amount) {
        // Of two amounts the crypto amount wins.
        (_, Some(crypto)) => Amount::Crypto(crypto),
        (Some(fiat), None) => Amount::Fiat(fiat),
        (None, None) => return Err(refuse("fiatAmount or cryptoAmount must be given")),
    };
    Ok(Ask {
        side,
        fiat,
        crypto,
        payment,
        amount,
    })
}

impl World {
    /// Prices what was asked for.
    pub(crate) fn price(&mut self, ask: Ask, now: Moment) -> Answer<Quote> {
        quote(ask, &mut self.rng, now).map_err(|message| {
            let range = format!("{} to {} {}", ask.payment.min, ask.payment.max, ask.fiat.symbol);
            Refusal::invalid(message).with_detail(range)
        })
    }

    pub(crate) fn get_price(&mut self, request: &Request<'_>, now: Moment) -> Answer {
        self.same_key(
            request.query("partnerApiKey"),
            "partnerApiKey must be the same as x-api-key",
        )?;
        let quote = self.price(ask_of(request)?, now)?;
        Ok(Reply::json(
            200,
            Object::new().object("response", quote.json()).finish(),
        ))
    }
}
