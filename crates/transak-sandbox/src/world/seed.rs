//! Users and orders put into the world from outside.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// A user to create or overwrite.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedUser {
    /// E-mail address; the key.
    pub email: String,
    /// How far the user's KYC is.
    #[serde(default)]
    pub kyc: SeedKyc,
    /// Whether the terms have been accepted.
    #[serde(default)]
    pub tnc_accepted: bool,
}

impl std::fmt::Debug for SeedUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SeedUser")
            .field("kyc", &self.kyc)
            .finish_non_exhaustive()
    }
}

/// How far a user's KYC is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SeedKyc {
    /// Nothing submitted: no name, no address.
    #[default]
    None,
    /// Personal data submitted, not yet approved.
    Submitted,
    /// Approved at the lower level.
    Simple,
    /// Approved at the full level.
    Standard,
    /// Refused.
    Rejected,
}

/// What kind of story an order tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OrderStory {
    /// Bought by bank transfer: awaiting, marked as paid, pending, completed.
    #[default]
    BankBuy,
    /// Bought by card: awaiting, processing, pending, completed.
    CardBuy,
    /// Sold: awaiting, pending, completed.
    Sell,
    /// Bought by card and declined: awaiting, processing, failed.
    Failing,
    /// Bought by bank transfer, never paid: awaiting until it expires.
    Expiring,
    /// Bought by bank transfer, called off by the user: awaiting, cancelled.
    Cancelled,
    /// Sold, payout failed: awaiting, pending, refunded.
    Refunded,
}

/// An order to create; everything but the user has a default.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SeedOrder {
    /// E-mail address of the user; created when unknown.
    pub email: String,
    /// Which statuses it walks through.
    #[serde(default)]
    pub story: OrderStory,
    /// Amount on the fiat side; default 100.
    #[serde(default)]
    pub fiat_amount: Option<Decimal>,
    /// Fiat currency; default `EUR`.
    #[serde(default)]
    pub fiat_currency: Option<String>,
    /// Crypto currency; default `ETH`.
    #[serde(default)]
    pub crypto_currency: Option<String>,
    /// Network; default `ethereum`.
    #[serde(default)]
    pub network: Option<String>,
    /// Wallet the crypto goes to; a made-up one by default. Not used when selling.
    #[serde(default)]
    pub wallet_address: Option<String>,
    /// The partner's own id of the order.
    #[serde(default)]
    pub partner_order_id: Option<String>,
    /// The partner's own id of the customer.
    #[serde(default)]
    pub partner_customer_id: Option<String>,
}

impl std::fmt::Debug for SeedOrder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SeedOrder")
            .field("story", &self.story)
            .finish_non_exhaustive()
    }
}

/// Why something could not be seeded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeedError {
    /// The e-mail address is not one.
    #[error("not an e-mail address")]
    Email,
    /// The catalogue has no such pair, network or payment method.
    #[error("{0}")]
    Order(String),
}
