//! Which operations of the table have a world behind them.

use transak_client::{Operation, operations};

/// The operations a sandbox answers, sorted by id; it answers a call of any other of the table with 501.
pub const SERVED: &[&Operation] = &[
    &operations::CREATE_WIDGET_URL,
    &operations::GET_COUNTRIES,
    &operations::GET_CRYPTO_CURRENCIES,
    &operations::GET_FIAT_CURRENCIES,
    &operations::GET_ORDER_BY_ID,
    &operations::GET_ORDERS,
    &operations::GET_PRICE,
    &operations::GET_USER_DETAILS,
    &operations::GET_USER_LIMITS,
    &operations::GET_WEBHOOKS,
    &operations::LOGOUT_USER,
    &operations::ONBOARD_USER,
    &operations::REFRESH_ACCESS_TOKEN,
    &operations::REFRESH_USER_ACCESS_TOKEN,
    &operations::SEND_USER_OTP,
    &operations::VERIFY_USER_OTP,
    &operations::VERIFY_WALLET_ADDRESS,
];
