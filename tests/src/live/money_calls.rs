//! Orders, payments, virtual bank accounts, and what else concerns money.

use serde_json::json;
use transak_client::operations::Credential;
use transak_client::{Client, types};

use super::calls::{Live, body};
use crate::exercise::{Outcome, finish};

const WALLET: &str = "0x52908400098527886E0F7030069857D2E4169EE7";

/// Calls an operation of this kind; `None` if it is not one.
pub(super) async fn call(client: &Client, operation: &str, live: &Live) -> Option<Outcome> {
    let text = |known: &Option<String>| known.clone().unwrap_or_default();
    let (quote, order, transaction) = (text(&live.quote), text(&live.user_order), text(&live.transaction));
    let (card, account) = (text(&live.card), text(&live.account));
    let destination = json!({"cryptoCurrency": "ETH", "network": "ethereum", "walletAddress": WALLET});
    Some(match operation {
        "createVirtualAccount" => {
            let form: types::CreateVirtualAccountRequest = body(json!({"quoteId": quote}));
            finish(client.create_virtual_account().body(form).send().await)
        }
        "getVirtualAccountStatus" => finish(client.get_virtual_account_status().quote_id(quote).send().await),
        "getPaymentInstrumentStatus" => {
            let request = client.get_payment_instrument_status();
            finish(
                request
                    .payment_instrument_id("sepa_bank_transfer")
                    .quote_id(quote)
                    .send()
                    .await,
            )
        }
        "createOrder" => {
            let form: types::CreateOrderRequest = body(json!({
                "quoteId": quote, "paymentInstrumentId": "sepa_bank_transfer", "walletAddress": WALLET,
            }));
            finish(client.create_order().body(form).send().await)
        }
        "getUserOrders" => finish(client.get_user_orders().send().await),
        "getUserOrder" => finish(client.get_user_order().order_id(order).send().await),
        "getActiveOrders" => finish(client.get_active_orders().send().await),
        "confirmPayment" => {
            let form: types::ConfirmPaymentRequest =
                body(json!({"orderId": order, "paymentMethod": "sepa_bank_transfer"}));
            finish(client.confirm_payment().body(form).send().await)
        }
        "cancelOrder" => {
            let request = client.cancel_order().order_id(order);
            finish(request.cancel_reason("changed my mind").send().await)
        }
        "requestOneTimeToken" => {
            let form: types::RequestOneTimeTokenRequest = body(json!({"apiKey": live.value(Credential::ApiKey)}));
            finish(client.request_one_time_token().body(form).send().await)
        }
        "createTransactionSession" => {
            let form: types::CreateTransactionSessionRequest = body(json!({"quoteId": quote, "walletAddress": WALLET}));
            finish(client.create_transaction_session().body(form).send().await)
        }
        "createCardTransactionSession" => {
            let form: types::CreateCardTransactionSessionRequest = body(json!({
                "quoteId": quote, "walletAddress": WALLET,
                "successUrl": "https://app.example.com/paid", "failureUrl": "https://app.example.com/not-paid",
            }));
            finish(client.create_card_transaction_session().body(form).send().await)
        }
        "processTransaction" => {
            let form: types::ProcessTransactionRequest = body(json!({}));
            finish(
                client
                    .process_transaction()
                    .request_id(transaction)
                    .body(form)
                    .send()
                    .await,
            )
        }
        "processCardTransaction" => {
            let form: types::ProcessTransactionRequest = body(json!({}));
            finish(
                client
                    .process_card_transaction()
                    .request_id(transaction)
                    .body(form)
                    .send()
                    .await,
            )
        }
        "getTransactionStatus" => finish(client.get_transaction_status().request_id(transaction).send().await),
        "deleteSavedCard" => finish(client.delete_saved_card().payment_identifier_id(card).send().await),
        "createVirtualBankAccount" => {
            let form: types::CreateVirtualBankAccountRequest =
                body(json!({"source": {"fiatCurrency": "EUR"}, "destination": destination}));
            finish(client.create_virtual_bank_account().body(form).send().await)
        }
        "listVirtualBankAccounts" => finish(client.list_virtual_bank_accounts().status("ALL").send().await),
        "getVirtualBankAccount" => finish(client.get_virtual_bank_account().virtual_bank_id(account).send().await),
        "updateVirtualBankAccount" => {
            let form: types::UpdateVirtualBankAccountRequest = body(json!({"destination": destination}));
            finish(
                client
                    .update_virtual_bank_account()
                    .virtual_bank_id(account)
                    .body(form)
                    .send()
                    .await,
            )
        }
        "simulateVirtualBankTransfer" => {
            let form: types::SimulateVirtualBankTransferRequest = body(json!({
                "amount": 25.5, "paymentMethod": "sepa_bank_transfer",
                "source": {"fiatCurrency": "EUR"}, "destination": {"virtualBankId": account},
            }));
            finish(
                client
                    .simulate_virtual_bank_transfer()
                    .type_("bank_transfer")
                    .body(form)
                    .send()
                    .await,
            )
        }
        "deleteVirtualBankAccount" => finish(
            client
                .delete_virtual_bank_account()
                .virtual_bank_id(account)
                .send()
                .await,
        ),
        "updateWebhookUrl" => {
            let form: types::UpdateWebhookUrlRequest =
                body(json!({"webhookURL": "https://hooks.partner.example/transak"}));
            finish(client.update_webhook_url().body(form).send().await)
        }
        "testWebhook" => finish(client.test_webhook().send().await),
        "getUserData" => finish(client.get_user_data().partner_customer_id("customer-77").send().await),
        "getBusinessOrders" => {
            let request = client.get_business_orders().start_date("2026-01-01T00:00:00Z");
            finish(request.end_date("2035-01-01T00:00:00Z").limit(5_i64).send().await)
        }
        "getBusinessOrder" => {
            let id = live.order_id.clone().unwrap_or_default();
            finish(client.get_business_order().order_id(id).send().await)
        }
        _ => return None,
    })
}
