//! All operations the sandbox serves in one story, told by the generated client over real TCP.

use crate::common::{DAY, EMAIL, START, client, frozen, key, login};
use transak_client::operations::Credential;
use transak_client::types::ErrorCode;
use transak_sandbox::world::{OrderStory, SeedKyc, SeedOrder, SeedUser};

fn order(email: &str, story: OrderStory) -> SeedOrder {
    serde_json::from_value(serde_json::json!({ "email": email, "story": story })).unwrap()
}

#[tokio::test]
async fn a_user_lives_through_thirty_days() {
    let sandbox = frozen().await;
    let control = sandbox.control();
    let key = key(&sandbox);
    let anybody = client(&sandbox);

    // The public half needs the API key only.
    assert!(!anybody.get_countries().send().await.unwrap().response.is_empty());
    assert!(
        !anybody
            .get_crypto_currencies()
            .send()
            .await
            .unwrap()
            .response
            .is_empty()
    );
    assert!(!anybody.get_fiat_currencies().send().await.unwrap().response.is_empty());
    let quote = anybody
        .get_price()
        .partner_api_key(&key)
        .fiat_currency("EUR")
        .crypto_currency("ETH")
        .is_buy_or_sell("BUY")
        .network("ethereum")
        .fiat_amount("100")
        .send()
        .await
        .unwrap();
    assert_eq!(quote.response.fiat_amount.to_string(), "100");
    let wallet = anybody
        .verify_wallet_address()
        .crypto_currency("ETH")
        .network("ethereum")
        .wallet_address("0x52908400098527886E0F7030069857D2E4169EE7")
        .send()
        .await
        .unwrap();
    assert_eq!(wallet.response, Some(true));

    // The partner token.
    let minted = anybody
        .refresh_access_token()
        .body_map(|b| b.api_key(&key))
        .send()
        .await
        .unwrap();
    assert_eq!(
        minted.data.expires_at.to_string(),
        START.plus_seconds(604_800).unix_seconds().to_string()
    );
    let partner = anybody.with_credential(Credential::PartnerToken, minted.data.access_token.expose());

    // The user logs in with the mailed code.
    control
        .seed_user(SeedUser {
            email: EMAIL.to_owned(),
            kyc: SeedKyc::Standard,
            tnc_accepted: true,
        })
        .unwrap();
    let token = login(&sandbox, EMAIL).await;
    let user = anybody.with_credential(Credential::UserToken, token.as_str());
    let details = user.get_user_details().api_key(&key).send().await.unwrap();
    assert_eq!(details.data.email.expose(), EMAIL);
    let limits = user
        .get_user_limits()
        .is_buy_or_sell("BUY")
        .payment_category("credit_debit_card")
        .kyc_type("STANDARD")
        .fiat_currency("EUR");
    limits.send().await.unwrap();

    // Day 29: the token is renewed in time. Day 60: too late.
    control.advance(29 * DAY);
    let renewed = user.refresh_user_access_token().send().await.unwrap();
    let user = user.with_credential(Credential::UserToken, renewed.data.access_token.expose());
    user.get_user_details().api_key(&key).send().await.unwrap();
    control.advance(30 * DAY);
    let error = user.refresh_user_access_token().send().await.unwrap_err();
    assert!(error.is_unauthorized(), "{error:?}");
    assert_eq!(error.error_code(), Some(&ErrorCode::TokenRejected));

    // So the user logs in again, and out.
    let token = login(&sandbox, EMAIL).await;
    let user = user.with_credential(Credential::UserToken, token.as_str());
    user.get_user_details().api_key(&key).send().await.unwrap();
    user.logout_user().send().await.unwrap();
    assert!(
        user.get_user_details()
            .api_key(&key)
            .send()
            .await
            .unwrap_err()
            .is_unauthorized()
    );

    // Auth Reliance: the partner token is dead by now, and minting kills the one before.
    let vouched = partner.with_credential(Credential::UserIdentifier, "grace@example.com");
    assert!(vouched.onboard_user().send().await.unwrap_err().is_unauthorized());
    let minted = anybody
        .refresh_access_token()
        .body_map(|b| b.api_key(&key))
        .send()
        .await
        .unwrap();
    let partner = anybody.with_credential(Credential::PartnerToken, minted.data.access_token.expose());
    let vouched = partner.with_credential(Credential::UserIdentifier, "grace@example.com");
    let onboarded = vouched.onboard_user().send().await.unwrap();
    let again = vouched.onboard_user().send().await.unwrap();
    assert_eq!(onboarded.data.partner_user_id, again.data.partner_user_id);
    assert_eq!(
        vouched
            .get_user_details()
            .api_key(&key)
            .send()
            .await
            .unwrap()
            .data
            .email
            .expose(),
        "grace@example.com"
    );

    // A widget URL opens once.
    let params = serde_json::json!({"widgetParams": {"apiKey": key, "referrerDomain": "app.example.com"}});
    let body: transak_client::types::CreateWidgetUrlRequest = serde_json::from_value(params).unwrap();
    let session = partner.create_widget_url().body(body).send().await.unwrap();
    let url = url::Url::parse(session.data.widget_url.expose()).unwrap();
    let (_, id) = url.query_pairs().find(|(name, _)| name == "sessionId").unwrap();
    let opened = control.open_widget_session(&id).unwrap();
    assert!(opened.params.contains("app.example.com"));
    assert!(control.open_widget_session(&id).is_err());

    // Orders walk as the clock moves.
    let bought = control.seed_order(order(EMAIL, OrderStory::CardBuy)).unwrap();
    control.advance(DAY);
    let listed = partner.get_orders().send().await.unwrap();
    assert!(listed.data.iter().any(|order| order.id == bought));
    let one = partner.get_order_by_id().order_id(&bought).send().await.unwrap();
    assert_eq!(serde_json::to_value(&*one).unwrap()["data"]["status"], "COMPLETED");
    partner.get_webhooks().send().await.unwrap();

    let counts = control.counts();
    assert_eq!(counts.http.violations, 0);
    let uncalled: Vec<&str> = transak_client::operations::ALL
        .iter()
        .map(|o| o.id())
        .filter(|id| !crate::whitelabel::TOLD.contains(id) && !counts.world.calls.contains_key(id))
        .collect();
    assert!(uncalled.is_empty(), "{uncalled:?}");
    assert_eq!(
        (counts.world.mints, counts.world.otps_sent, counts.world.refreshes),
        (2, 2, 1)
    );
    sandbox.shutdown().await;
}
