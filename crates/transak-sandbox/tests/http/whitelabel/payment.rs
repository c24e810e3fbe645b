//! How users pay, and what they get.

use serde_json::{Value, json};
use transak_client::operations::Credential;
use transak_client::types::{self, ErrorCode};
use transak_sandbox::world::{DuplicateOrder, SeedKyc};

use super::{Buyer, WALLET, body, status, told};
use crate::common::{key, login};

pub(super) async fn pays_by_bank() -> Vec<&'static str> {
    let buyer = Buyer::with(SeedKyc::Standard).await;
    let control = buyer.sandbox.control();
    let quote = buyer.quote("sepa_bank_transfer").await;
    assert_eq!(
        status(buyer.order(&quote, "sepa_bank_transfer").await),
        400,
        "no account yet"
    );
    let instrument = async || {
        let request = buyer.client.get_payment_instrument_status();
        status(
            request
                .payment_instrument_id("sepa_bank_transfer")
                .quote_id(&quote)
                .send()
                .await,
        )
    };
    assert_eq!(instrument().await, 404);
    assert_eq!(
        status(buyer.client.get_virtual_account_status().quote_id(&quote).send().await),
        404
    );
    buyer.set_up(&quote).await;
    assert_eq!(instrument().await, 200);
    assert_eq!(
        status(buyer.client.get_virtual_account_status().quote_id(&quote).send().await),
        200
    );
    assert_eq!(
        status(buyer.order(&quote, "gbp_bank_transfer").await),
        400,
        "another method"
    );
    let order = told(buyer.order(&quote, "sepa_bank_transfer").await);
    assert_eq!(order["data"]["status"], "AWAITING_PAYMENT_FROM_USER");
    assert_eq!(order["data"]["amountPaid"], 0);
    let id = order["data"]["orderId"].as_str().unwrap().to_owned();

    // Another one has to wait, and there are three ways to say so.
    let again = async || {
        buyer
            .order(&buyer.quote("sepa_bank_transfer").await, "sepa_bank_transfer")
            .await
    };
    let error = again().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(409));
    assert_eq!(error.error_code(), Some(&ErrorCode::ActiveOrderExists));
    control.update_settings(|settings| settings.duplicate_order = DuplicateOrder::BadRequest);
    assert_eq!(status(again().await), 400);
    control.update_settings(|settings| settings.duplicate_order = DuplicateOrder::Answered);
    assert_eq!(told(again().await)["data"], json!({"errorMessage": "An order exists"}));
    let active = told(buyer.client.get_active_orders().send().await);
    assert_eq!(active["data"].as_array().unwrap().len(), 1);

    // The user pays, says so, and gets what they paid for.
    let confirm = async |method: &str| {
        let form: types::ConfirmPaymentRequest = body(json!({"orderId": id, "paymentMethod": method}));
        status(buyer.client.confirm_payment().body(form).send().await)
    };
    assert_eq!(confirm("pm_wire").await, 400);
    assert_eq!(confirm("sepa_bank_transfer").await, 200);
    assert_eq!(confirm("sepa_bank_transfer").await, 200, "said twice");
    assert_eq!(buyer.order_status(&id).await, "PAYMENT_DONE_MARKED_BY_USER");
    buyer.pass(60 * 60);
    assert_eq!(buyer.order_status(&id).await, "COMPLETED");
    assert_eq!(
        status(
            buyer
                .client
                .cancel_order()
                .order_id(&id)
                .cancel_reason("late")
                .send()
                .await
        ),
        400
    );
    assert_eq!(told(buyer.client.get_active_orders().send().await)["data"], json!([]));

    // The next one is cancelled, the one after that forgotten.
    let quote = buyer.quote("sepa_bank_transfer").await;
    let order = told(buyer.order(&quote, "sepa_bank_transfer").await);
    let id = order["data"]["orderId"].as_str().unwrap().to_owned();
    let cancelled = told(
        buyer
            .client
            .cancel_order()
            .order_id(&id)
            .cancel_reason("changed my mind")
            .send()
            .await,
    );
    assert_eq!(cancelled["data"]["status"], "CANCELLED");
    let quote = buyer.quote("sepa_bank_transfer").await;
    told(buyer.order(&quote, "sepa_bank_transfer").await);
    buyer.pass(30 * 86_400 - 4_000);
    let mine = told(buyer.client.get_user_orders().send().await);
    let statuses: Vec<&str> = mine["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| o["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["COMPLETED", "CANCELLED", "EXPIRED"]);

    // Nobody sees what is not theirs, and an old quote buys nothing.
    let token = login(&buyer.sandbox, "grace@example.com").await;
    let grace = buyer.client.with_credential(Credential::UserToken, token.as_str());
    assert_eq!(status(grace.get_user_order().order_id(&id).send().await), 404);
    assert_eq!(
        status(grace.cancel_order().order_id(&id).cancel_reason("mine").send().await),
        404
    );
    let form: types::RequestOneTimeTokenRequest = body(json!({"apiKey": key(&buyer.sandbox)}));
    assert!(told(grace.request_one_time_token().body(form).send().await)["data"]["ott"].is_string());
    buyer.done().await
}

pub(super) async fn pays_by_card_and_telephone() -> Vec<&'static str> {
    let buyer = Buyer::with(SeedKyc::Standard).await;
    let session = async |payment: &str, wallet: &str| {
        let quote = buyer.quote(payment).await;
        let form = json!({"quoteId": quote, "walletAddress": wallet,
            "successUrl": "https://app.example.com/paid", "failureUrl": "https://app.example.com/not-paid"});
        match payment {
            "credit_debit_card" => {
                let form: types::CreateCardTransactionSessionRequest = body(form);
                buyer.client.create_card_transaction_session().body(form).send().await
            }
            _ => {
                let form: types::CreateTransactionSessionRequest = body(form);
                buyer.client.create_transaction_session().body(form).send().await
            }
        }
    };
    let error = session("apple_pay", "not a wallet").await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(422));
    assert_eq!(error.error_code(), Some(&ErrorCode::InvalidWalletAddress));
    assert_eq!(status(session("sepa_bank_transfer", WALLET).await), 400);
    // What the vendor's front end tells the partner.
    let request_of = |session: &Value| {
        let token = session["data"]["sessionId"].as_str().unwrap();
        let claims = token.split('.').nth(1).unwrap();
        use base64::Engine as _;
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        claims["requestId"].as_str().unwrap().to_owned()
    };

    let opened = session("google_pay", WALLET).await.unwrap();
    let opened = json!({"data": {"sessionId": opened.data.session_id.expose()}});
    let request = request_of(&opened);
    let state = async |request: &str| buyer.client.get_transaction_status().request_id(request).send().await;
    assert_eq!(told(state(&request).await)["data"]["orderId"], Value::Null);
    let empty = || body::<types::ProcessTransactionRequest>(json!({}));
    let order = told(
        buyer
            .client
            .process_transaction()
            .request_id(&request)
            .body(empty())
            .send()
            .await,
    );
    let id = order["data"]["orderId"].as_str().unwrap().to_owned();
    assert_eq!(told(state(&request).await)["data"]["orderId"], id.as_str());
    assert_eq!(
        status(
            buyer
                .client
                .process_transaction()
                .request_id(&request)
                .body(empty())
                .send()
                .await
        ),
        400
    );
    assert_eq!(status(state("another").await), 404);
    buyer.pass(60 * 60);
    assert_eq!(buyer.order_status(&id).await, "COMPLETED");

    // A card is remembered, pays once more, and is forgotten.
    let opened = session("credit_debit_card", WALLET).await.unwrap();
    let request = request_of(&json!({"data": {"sessionId": opened.data.session_id.expose()}}));
    let processed = buyer
        .client
        .process_card_transaction()
        .request_id(&request)
        .body(empty())
        .send()
        .await;
    assert_eq!(told(processed)["data"]["paymentMethod"], "credit_debit_card");
    buyer.pass(60 * 60);
    let cards = told(
        buyer
            .client
            .get_payment_instrument_status()
            .payment_instrument_id("credit_debit_card")
            .send()
            .await,
    );
    let card = cards["data"]["cards"][0]["paymentIdentifierId"]
        .as_str()
        .unwrap()
        .to_owned();
    let pay = async |card: &str| {
        let quote = buyer.quote("credit_debit_card").await;
        let form: types::CreateOrderRequest =
            body(json!({"quoteId": quote, "paymentInstrumentId": "credit_debit_card",
            "walletAddress": WALLET, "paymentIdentifierId": card}));
        status(buyer.client.create_order().body(form).send().await)
    };
    assert_eq!(pay("another").await, 400);
    assert_eq!(pay(&card).await, 200);
    buyer.pass(60 * 60);
    let delete = async |card: &str| {
        status(
            buyer
                .client
                .delete_saved_card()
                .payment_identifier_id(card)
                .send()
                .await,
        )
    };
    assert_eq!(delete("another").await, 403);
    assert_eq!(delete(&card).await, 200);
    assert_eq!(delete(&card).await, 200, "deleted twice");
    assert_eq!(pay(&card).await, 400);

    // A session that nobody processes expires.
    let opened = session("apple_pay", WALLET).await.unwrap();
    let request = request_of(&json!({"data": {"sessionId": opened.data.session_id.expose()}}));
    buyer.pass(601);
    let form: types::CreateOrderRequest = body(json!({"requestId": request}));
    assert_eq!(status(buyer.client.create_order().body(form).send().await), 400);
    buyer.done().await
}

pub(super) async fn streams_money() -> Vec<&'static str> {
    let buyer = Buyer::with(SeedKyc::Standard).await;
    let destination = json!({"cryptoCurrency": "ETH", "network": "ethereum", "walletAddress": WALLET});
    let form: types::CreateVirtualBankAccountRequest =
        body(json!({"source": {"fiatCurrency": "EUR"}, "destination": destination}));
    let account = told(buyer.client.create_virtual_bank_account().body(form).send().await);
    assert_eq!(account["data"]["status"], "ACTIVE");
    let id = account["data"]["id"].as_str().unwrap().to_owned();
    let other = "0x00000000000000000000000000000000000a11ce";
    let update = async |wallet: &str| {
        let form: types::UpdateVirtualBankAccountRequest = body(json!({"destination":
            {"cryptoCurrency": "ETH", "network": "ethereum", "walletAddress": wallet}}));
        status(
            buyer
                .client
                .update_virtual_bank_account()
                .virtual_bank_id(&id)
                .body(form)
                .send()
                .await,
        )
    };
    assert_eq!(update("not a wallet").await, 400);
    assert_eq!(update(other).await, 200);
    let shown = told(
        buyer
            .client
            .get_virtual_bank_account()
            .virtual_bank_id(&id)
            .send()
            .await,
    );
    assert_eq!(shown["data"]["destination"]["walletAddress"], other);
    assert_eq!(
        status(
            buyer
                .client
                .get_virtual_bank_account()
                .virtual_bank_id("another")
                .send()
                .await
        ),
        404
    );

    let transfer = async |amount: f64, to: &str| {
        let form: types::SimulateVirtualBankTransferRequest = body(json!({"amount": amount,
            "paymentMethod": "sepa_bank_transfer", "source": {}, "destination": {"virtualBankId": to}}));
        buyer
            .client
            .simulate_virtual_bank_transfer()
            .type_("bank_transfer")
            .body(form)
            .send()
            .await
    };
    assert_eq!(status(transfer(50.5, &id).await), 400);
    assert_eq!(status(transfer(25.5, "another").await), 404);
    let order = told(transfer(25.5, &id).await);
    let order = order["data"]["orderId"].as_str().unwrap().to_owned();
    buyer.pass(60 * 60);
    let order = told(buyer.client.get_user_order().order_id(order).send().await);
    assert_eq!(
        (&order["data"]["status"], &order["data"]["walletAddress"]),
        (&json!("COMPLETED"), &json!(other))
    );

    let list = async |status: &str| {
        let answer = told(buyer.client.list_virtual_bank_accounts().status(status).send().await);
        answer["data"]["accounts"].as_array().unwrap().len()
    };
    assert_eq!(
        (list("ALL").await, list("ACTIVE").await, list("INACTIVE").await),
        (1, 1, 0)
    );
    let delete = async || {
        status(
            buyer
                .client
                .delete_virtual_bank_account()
                .virtual_bank_id(&id)
                .send()
                .await,
        )
    };
    assert_eq!((delete().await, delete().await), (200, 200));
    assert_eq!(
        (list("ALL").await, list("ACTIVE").await, list("INACTIVE").await),
        (1, 0, 1)
    );
    assert_eq!(update(WALLET).await, 400, "not in use");
    assert_eq!(status(transfer(25.5, &id).await), 404);
    buyer.done().await
}
