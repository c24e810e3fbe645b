//! What can be bought, with what, and from where: a small, fixed set of our own.
//!
//! All prices are products of powers of two and five. So every quotient that a quote needs is a finite decimal, and
//! quotes are exact in both directions.

use rust_decimal::Decimal;

/// An exact decimal: digits and how many of them are behind the point.
pub(crate) type Exact = (i64, u32);

pub(crate) fn decimal((digits, scale): Exact) -> Decimal {
    Decimal::new(digits, scale)
}

/// What an address on a network looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WalletKind {
    Evm,
    Bitcoin,
    Solana,
    Ripple,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Crypto {
    pub(crate) symbol: &'static str,
    pub(crate) name: &'static str,
    pub(crate) coin_id: &'static str,
    pub(crate) network: &'static str,
    pub(crate) chain_id: Option<&'static str>,
    pub(crate) address: Option<&'static str>,
    pub(crate) decimals: i64,
    pub(crate) usd: Exact,
    pub(crate) network_fee_usd: Exact,
    pub(crate) wallet: WalletKind,
    pub(crate) stable: bool,
    pub(crate) memo: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Payment {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) time: &'static str,
    pub(crate) min: i64,
    pub(crate) max: i64,
    /// Transak's share of the amount.
    pub(crate) share: Exact,
    pub(crate) pay_out: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fiat {
    pub(crate) symbol: &'static str,
    pub(crate) name: &'static str,
    pub(crate) usd: Exact,
    pub(crate) countries: &'static [&'static str],
    pub(crate) payments: &'static [Payment],
}

#[derive(Debug)]
pub(crate) struct Country {
    pub(crate) alpha2: &'static str,
    pub(crate) alpha3: &'static str,
    pub(crate) name: &'static str,
    pub(crate) currency: &'static str,
    pub(crate) allowed: bool,
    pub(crate) documents: &'static [&'static str],
    pub(crate) states: &'static [(&'static str, &'static str, bool)],
}

const fn card(min: i64, max: i64, pay_out: bool) -> Payment {
    let (id, name, time) = ("credit_debit_card", "Card Payment", "1-3 minutes");
    Payment {
        id,
        name,
        time,
        min,
        max,
        share: (4, 2),
        pay_out,
    }
}

/// Cards in the wallet of a telephone.
const fn pay(id: &'static str, name: &'static str, max: i64) -> Payment {
    let (min, time) = (15, "1-3 minutes");
    Payment {
        id,
        name,
        time,
        min,
        max,
        share: (4, 2),
        pay_out: false,
    }
}

const fn bank(id: &'static str, name: &'static str, min: i64, max: i64) -> Payment {
    Payment {
        id,
        name,
        time: "1-2 days",
        min,
        max,
        share: (1, 2),
        pay_out: true,
    }
}

pub(crate) static FIAT: &[Fiat] = &[
    Fiat {
        symbol: "EUR",
        name: "Euro",
        usd: (125, 2),
        countries: &["DE", "ES", "FR", "NL"],
        payments: &[
            card(15, 5_000, true),
            bank("sepa_bank_transfer", "SEPA Bank Transfer", 15, 50_000),
            pay("apple_pay", "Apple Pay", 5_000),
            pay("google_pay", "Google Pay", 5_000),
        ],
    },
    Fiat {
        symbol: "GBP",
        name: "Pound Sterling",
        usd: (128, 2),
        countries: &["GB"],
        payments: &[
            card(15, 5_000, false),
            bank("gbp_bank_transfer", "Faster Payments", 15, 40_000),
            bank("pm_open_banking", "Open Banking", 15, 40_000),
            pay("apple_pay", "Apple Pay", 5_000),
            pay("google_pay", "Google Pay", 5_000),
        ],
    },
    Fiat {
        symbol: "USD",
        name: "US Dollar",
        usd: (1, 0),
        countries: &["US"],
        payments: &[card(20, 6_000, true), bank("pm_wire", "Wire Transfer", 50, 60_000)],
    },
    Fiat {
        symbol: "INR",
        name: "Indian Rupee",
        usd: (125, 4),
        countries: &["IN"],
        payments: &[bank("inr_bank_transfer", "Bank Transfer", 1_500, 4_000_000)],
    },
];

const fn evm(symbol: &'static str, name: &'static str, coin_id: &'static str, usd: Exact) -> Crypto {
    Crypto {
        symbol,
        name,
        coin_id,
        network: "ethereum",
        chain_id: Some("1"),
        address: None,
        decimals: 18,
        usd,
        network_fee_usd: (128, 2),
        wallet: WalletKind::Evm,
        stable: false,
        memo: false,
    }
}

const fn own_chain(symbol: &'static str, name: &'static str, coin_id: &'static str, usd: Exact) -> Crypto {
    Crypto {
        network: "mainnet",
        chain_id: None,
        ..evm(symbol, name, coin_id, usd)
    }
}

pub(crate) static CRYPTO: &[Crypto] = &[
    evm("ETH", "Ethereum", "ethereum", (2_560, 0)),
    Crypto {
        network: "base",
        chain_id: Some("8453"),
        network_fee_usd: (8, 2),
        ..evm("ETH", "Ethereum", "ethereum", (2_560, 0))
    },
    Crypto {
        decimals: 8,
        network_fee_usd: (16, 1),
        wallet: WalletKind::Bitcoin,
        ..own_chain("BTC", "Bitcoin", "bitcoin", (64_000, 0))
    },
    Crypto {
        decimals: 6,
        stable: true,
        address: Some("0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"),
        ..evm("USDC", "USD Coin", "usd-coin", (1, 0))
    },
    Crypto {
        network: "polygon",
        chain_id: Some("137"),
        decimals: 6,
        stable: true,
        network_fee_usd: (8, 2),
        address: Some("0x3c499c542cef5e3811e1192ce70d8cc03d5c3359"),
        ..evm("USDC", "USD Coin", "usd-coin", (1, 0))
    },
    Crypto {
        network: "polygon",
        chain_id: Some("137"),
        network_fee_usd: (8, 2),
        ..evm("POL", "Polygon", "polygon-ecosystem-token", (5, 1))
    },
    Crypto {
        network: "solana",
        decimals: 9,
        network_fee_usd: (16, 2),
        wallet: WalletKind::Solana,
        ..own_chain("SOL", "Solana", "solana", (160, 0))
    },
    Crypto {
        decimals: 6,
        network_fee_usd: (8, 2),
        wallet: WalletKind::Ripple,
        memo: true,
        ..own_chain("XRP", "XRP", "ripple", (512, 3))
    },
];

const PAPERS: &[&str] = &["passport", "driving_licence", "national_identity_card"];

const fn a_country(
    alpha2: &'static str,
    alpha3: &'static str,
    name: &'static str,
    currency: &'static str,
    allowed: bool,
) -> Country {
    Country {
        alpha2,
        alpha3,
        name,
        currency,
        allowed,
        documents: PAPERS,
        states: &[],
    }
}

pub(crate) static COUNTRIES: &[Country] = &[
    a_country("DE", "DEU", "Germany", "EUR", true),
    a_country("ES", "ESP", "Spain", "EUR", true),
    a_country("FR", "FRA", "France", "EUR", true),
    Country {
        documents: &["passport", "driving_licence"],
        ..a_country("GB", "GBR", "United Kingdom", "GBP", true)
    },
    a_country("IN", "IND", "India", "INR", true),
    a_country("KP", "PRK", "North Korea", "KPW", false),
    a_country("NL", "NLD", "Netherlands", "EUR", true),
    Country {
        documents: &["passport", "driving_licence"],
        states: &[
            ("US-CA", "California", true),
            ("US-NY", "New York", false),
            ("US-TX", "Texas", true),
        ],
        ..a_country("US", "USA", "United States of America", "USD", true)
    },
];

/// Whether money comes by bank, so that an account has to be there before an order, and the user says when they paid.
pub(crate) fn is_bank(payment: &Payment) -> bool {
    payment.id.ends_with("_bank_transfer") || matches!(payment.id, "pm_wire" | "pm_open_banking")
}

/// Whether a text has the form of an ISO 3166-1 alpha-2 code, in capitals.
pub(crate) fn is_alpha2(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase())
}

/// The country of an ISO 3166-1 alpha-2 code, in whatever case.
pub(crate) fn country(alpha2: &str) -> Option<&'static Country> {
    COUNTRIES
        .iter()
        .find(|country| country.alpha2.eq_ignore_ascii_case(alpha2))
}

pub(crate) fn fiat(symbol: &str) -> Option<&'static Fiat> {
    FIAT.iter().find(|fiat| fiat.symbol.eq_ignore_ascii_case(symbol))
}

/// A coin on a network; the vendor's own samples also call a coin's home `mainnet`.
pub(crate) fn crypto(symbol: &str, network: &str) -> Option<&'static Crypto> {
    let mut named = CRYPTO
        .iter()
        .filter(|crypto| crypto.symbol.eq_ignore_ascii_case(symbol));
    let exact = named
        .clone()
        .find(|crypto| crypto.network.eq_ignore_ascii_case(network));
    exact.or_else(|| named.next().filter(|_| network.eq_ignore_ascii_case("mainnet")))
}

pub(crate) fn payment(fiat: &'static Fiat, id: Option<&str>) -> Option<&'static Payment> {
    match id {
        Some(id) => fiat.payments.iter().find(|payment| payment.id == id),
        None => fiat.payments.first(),
    }
}

/// Whether an address could be one. No checksums: shape and alphabet only.
pub(crate) fn is_address(kind: WalletKind, address: &str) -> bool {
    let base58 = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() && !b"0OIl".contains(&b));
    match kind {
        WalletKind::Evm => address
            .strip_prefix("0x")
            .is_some_and(|digits| digits.len() == 40 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())),
        WalletKind::Bitcoin => match address.strip_prefix("bc1").or_else(|| address.strip_prefix("tb1")) {
            Some(rest) => {
                (20..=87).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
            }
            None => {
                (26..=35).contains(&address.len()) && address.starts_with(['1', '2', '3', 'm', 'n']) && base58(address)
            }
        },
        WalletKind::Solana => (32..=44).contains(&address.len()) && base58(address),
        WalletKind::Ripple => (25..=35).contains(&address.len()) && address.starts_with('r') && base58(address),
    }
}
