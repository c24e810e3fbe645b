//! Countries, currencies and wallet checks.

use rust_decimal::Decimal;

use super::{
    Reply, Request, World,
    catalogue::{self, Crypto},
    json::{Object, array, texts},
    readings::InvalidWallet,
    refusal::{Answer, BAD_WALLET, Refusal},
};

fn response(items: impl IntoIterator<Item = String>) -> Reply {
    Reply::json(200, Object::new().raw("response", &array(items)).finish())
}

pub(crate) fn countries() -> Reply {
    response(country_items())
}

/// All countries, as both hosts show them.
pub(crate) fn country_items() -> impl Iterator<Item = String> {
    catalogue::COUNTRIES.iter().map(|country| {
        let states = country.states.iter().map(|(code, name, allowed)| {
            Object::new()
                .text("code", code)
                .text("name", name)
                .flag("isAllowed", *allowed)
                .finish()
        });
        let partner = Object::new()
            .text("name", "provider-a")
            .flag("isCardPayment", true)
            .flag("isBankTransfer", true)
            .text("currencyCode", country.currency);
        Object::new()
            .text("alpha2", country.alpha2)
            .text("alpha3", country.alpha3)
            .flag("isAllowed", country.allowed)
            .flag("isLightKycAllowed", country.allowed)
            .text("name", country.name)
            .text("currencyCode", country.currency)
            .raw("supportedDocuments", &texts(country.documents))
            .raw("partners", &array(country.allowed.then(|| partner.finish())))
            .raw("states", &array(states))
            .finish()
    })
}

pub(crate) fn crypto_currencies() -> Reply {
    response(catalogue::CRYPTO.iter().map(|crypto| {
        let memo = Object::new()
            .text("name", "tag")
            .text("display_name", "Destination tag");
        let object = Object::new().text("coinId", crypto.coin_id);
        let object = match crypto.address {
            Some(address) => object.text("address", address),
            None => object.null("address"),
        };
        let object = match crypto.memo {
            true => object.object("addressAdditionalData", memo),
            false => object.flag("addressAdditionalData", false),
        };
        crypto_members(crypto, object)
            .int("decimals", crypto.decimals)
            .flag("isPayInAllowed", true)
            .flag("isSuspended", false)
            .flag("isPopular", matches!(crypto.symbol, "ETH" | "BTC"))
            .flag("isIgnorePriceVerification", false)
            .finish()
    }))
}

/// All crypto currencies, as the gateway shows them.
pub(crate) fn lookup_crypto_items() -> impl Iterator<Item = String> {
    catalogue::CRYPTO.iter().map(|crypto| {
        crypto_members(crypto, Object::new())
            .flag("isSellAllowed", true)
            .finish()
    })
}

/// The members that both hosts show of a crypto currency.
fn crypto_members(crypto: &Crypto, object: Object) -> Object {
    let image = format!("https://assets.example/coins/{}.png", crypto.coin_id);
    let images = Object::new()
        .text("large", &image)
        .text("small", &image)
        .text("thumb", &image);
    let network = Object::new().text("name", crypto.network);
    let network = match crypto.chain_id {
        Some(id) => network.text("chainId", id),
        None => network.null("chainId"),
    };
    object
        .text("uniqueId", &format!("{}{}", crypto.symbol, crypto.network))
        .text("symbol", crypto.symbol)
        .text("name", crypto.name)
        .int("roundOff", 8)
        .object("image", images)
        .flag("isAllowed", true)
        .flag("isStable", crypto.stable)
        .raw("kycCountriesNotSupported", "[]")
        .object("network", network.raw("fiatCurrenciesNotSupported", "[]"))
}

/// All fiat currencies, as the gateway shows them.
pub(crate) fn lookup_fiat_items() -> impl Iterator<Item = String> {
    catalogue::FIAT.iter().map(|fiat| {
        let options = fiat.payments.iter().map(|payment| {
            let (min, max) = (Decimal::from(payment.min), Decimal::from(payment.max));
            let option = Object::new()
                .text("id", payment.id)
                .text("name", payment.name)
                .text("processingTime", payment.time)
                .text("icon", "https://assets.example/payments/option.svg")
                .flag("isActive", true)
                .text("limitCurrency", fiat.symbol)
                .decimal("minAmount", min)
                .decimal("maxAmount", max)
                .decimal("defaultAmount", min * Decimal::from(10))
                .flag("isBuyAllowed", true)
                .flag("isSellAllowed", payment.pay_out)
                .flag("isNftAllowed", false);
            option
                .when(payment.pay_out, |option| {
                    option
                        .decimal("minAmountForSell", min)
                        .decimal("maxAmountForSell", max)
                        .decimal("defaultAmountForSell", min * Decimal::from(10))
                })
                .finish()
        });
        Object::new()
            .text("symbol", fiat.symbol)
            .text("name", fiat.name)
            .text("icon", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>")
            .flag("isAllowed", true)
            .flag("isSellAllowed", fiat.payments.iter().any(|payment| payment.pay_out))
            .int("roundOff", 2)
            .raw("supportingCountries", &texts(fiat.countries))
            .raw("paymentOptions", &array(options))
            .finish()
    })
}

pub(crate) fn fiat_currencies() -> Reply {
    response(catalogue::FIAT.iter().map(|fiat| {
        let options = fiat.payments.iter().map(|payment| {
            let (min, max) = (Decimal::from(payment.min), Decimal::from(payment.max));
            let option = Object::new()
                .text("id", payment.id)
                .text("name", payment.name)
                .flag("displayText", true)
                .text("processingTime", payment.time)
                .text("icon", "https://assets.example/payments/option.svg")
                .text("limitCurrency", fiat.symbol)
                .decimal("minAmount", min)
                .decimal("maxAmount", max)
                .decimal("defaultAmount", min * Decimal::from(10))
                .flag("isActive", true)
                .flag("isPayOutAllowed", payment.pay_out);
            match payment.pay_out {
                true => option
                    .decimal("minAmountForPayOut", min)
                    .decimal("maxAmountForPayOut", max),
                false => option.null("minAmountForPayOut").null("maxAmountForPayOut"),
            }
            .finish()
        });
        Object::new()
            .text("symbol", fiat.symbol)
            .raw("supportingCountries", &texts(fiat.countries))
            .text("logoSymbol", fiat.countries.first().copied().unwrap_or_default())
            .text("name", fiat.name)
            .raw("paymentOptions", &array(options))
            .flag("isPopular", matches!(fiat.symbol, "EUR" | "USD" | "GBP"))
            .flag("isAllowed", true)
            .int("roundOff", 2)
            .flag("isPayOutAllowed", fiat.payments.iter().any(|payment| payment.pay_out))
            .text(
                "defaultCountryForNFT",
                fiat.countries.first().copied().unwrap_or_default(),
            )
            .text("icon", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>")
            .text("displayMessage", "")
            .finish()
    }))
}

impl World {
    pub(crate) fn verify_wallet_address(&self, request: &Request<'_>) -> Answer {
        let symbol = request.query("cryptoCurrency").unwrap_or_default();
        let network = request.query("network").unwrap_or_default();
        let crypto = catalogue::crypto(symbol, network)
            .ok_or_else(|| Refusal::invalid("This cryptoCurrency is not available on this network"))?;
        let valid = catalogue::is_address(crypto.wallet, request.query("walletAddress").unwrap_or_default());
        if !valid && self.settings.invalid_wallet == InvalidWallet::BadRequest {
            return Err(Refusal::new(400, Some(BAD_WALLET), "Invalid wallet address"));
        }
        Ok(Reply::json(200, Object::new().flag("response", valid).finish()))
    }
}
