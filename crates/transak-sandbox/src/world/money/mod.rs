//! Orders, payments and virtual bank accounts of the Whitelabel API.

mod accounts;
mod instruments;
mod ordering;
mod purse;
mod transactions;
mod user_order;
mod user_orders;

pub(crate) use purse::Purse;
pub(crate) use transactions::Transactions;

use transak_client::Operation;

use super::{Moment, Request, World, refusal::Answer};

/// Answers an operation of this module; `None` for any other.
pub(crate) fn dispatch(world: &mut World, operation: &Operation, request: &Request<'_>, now: Moment) -> Option<Answer> {
    Some(match operation.id() {
        "createOrder" => world.create_order(request, now),
        "getUserOrders" => world.user_orders(request, now),
        "getUserOrder" => world.user_order(request, now),
        "getActiveOrders" => world.active_orders(request, now),
        "cancelOrder" => world.cancel_order(request, now),
        "confirmPayment" => world.confirm_payment(request, now),
        "requestOneTimeToken" => world.one_time_token(request, now),
        "createVirtualAccount" => world.create_instrument(request, now),
        "getVirtualAccountStatus" => world.instrument_of_quote(request, now),
        "getPaymentInstrumentStatus" => world.instrument_status(request, now),
        "deleteSavedCard" => world.delete_card(request, now),
        "createTransactionSession" => world.create_transaction(request, now, &["apple_pay", "google_pay"]),
        "createCardTransactionSession" => world.create_transaction(request, now, &["credit_debit_card"]),
        "processTransaction" | "processCardTransaction" => {
            let id = request.path.get("requestId").map(String::as_str).unwrap_or_default();
            world.process_transaction(id, request, now)
        }
        "getTransactionStatus" => world.transaction_status(request, now),
        "createVirtualBankAccount" => world.create_bank_account(request, now),
        "listVirtualBankAccounts" => world.bank_accounts(request, now),
        "getVirtualBankAccount" => world.bank_account(request, now),
        "updateVirtualBankAccount" => world.update_bank_account(request, now),
        "deleteVirtualBankAccount" => world.delete_bank_account(request, now),
        "simulateVirtualBankTransfer" => world.simulate_transfer(request, now),
        _ => return None,
    })
}
