//! Webhooks reach a local server, and what it answers is on record.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use transak_client::operations::Credential;
use transak_sandbox::Sandbox;

use crate::common::{EMAIL, client, frozen, key};

/// A server that answers every POST alike, and what it was sent.
async fn receiver(answer: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hooks", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let mut request = Vec::new();
                let whole = |request: &[u8]| {
                    let text = String::from_utf8_lossy(request).into_owned();
                    let (head, body) = text.split_once("\r\n\r\n")?;
                    let length = head
                        .lines()
                        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
                    (body.len() >= length.unwrap_or(0)).then_some(text)
                };
                while let Ok(1..) = stream.read_buf(&mut request).await {
                    if let Some(text) = whole(&request) {
                        log.lock().unwrap().push(text);
                        let _ = stream.write_all(answer.as_bytes()).await;
                        break;
                    }
                }
            });
        }
    });
    (url, seen)
}

const OK: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\nconnection: close\r\n\r\n{\"ok\":true}";
const MOVED: &str =
    "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://192.0.2.1/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Mints a partner token, lets an order walk to its end, and lists the deliveries.
async fn walk(sandbox: &Sandbox, url: &str) -> Value {
    let control = sandbox.control();
    control.update_settings(|settings| settings.webhook_url = Some(url.to_owned()));
    let client = client(sandbox);
    let minted = client
        .refresh_access_token()
        .body_map(|b| b.api_key(key(sandbox)))
        .send()
        .await
        .unwrap();
    let partner = client.with_credential(Credential::PartnerToken, minted.data.access_token.expose());
    control
        .seed_order(serde_json::from_value(json!({"email": EMAIL})).unwrap())
        .unwrap();
    control.advance(Duration::from_secs(3600));
    let settled = tokio::time::timeout(Duration::from_secs(20), control.webhooks_settled()).await;
    settled.expect("webhooks are posted and reported");
    assert_eq!(control.counts().webhooks_pending, 0);
    serde_json::to_value(&*partner.get_webhooks().send().await.unwrap()).unwrap()
}

#[tokio::test]
async fn an_order_tells_its_story_to_the_partner() {
    let sandbox = frozen().await;
    let (url, seen) = receiver(OK).await;
    let listed = walk(&sandbox, &url).await;
    let deliveries = listed["data"].as_array().unwrap();
    let posts = seen.lock().unwrap().clone();
    assert!(deliveries.len() >= 3, "{listed}");
    assert_eq!(posts.len(), deliveries.len());
    for post in &posts {
        assert!(
            post.starts_with("POST /hooks HTTP/1.1\r\n") && post.contains("content-type: application/json"),
            "{post}"
        );
        let body: Value = serde_json::from_str(post.split_once("\r\n\r\n").unwrap().1).unwrap();
        assert_eq!(body["data"].as_str().unwrap().split('.').count(), 3, "a JWT");
    }
    for delivery in deliveries {
        assert_eq!(delivery["webhookResponse"]["statusCode"], 200);
        assert_eq!(delivery["webhookResponse"]["body"], json!({"ok": true}));
    }
}

#[tokio::test]
async fn redirects_are_not_followed_and_unreachable_servers_are_on_record() {
    let sandbox = frozen().await;
    let (url, seen) = receiver(MOVED).await;
    let listed = walk(&sandbox, &url).await;
    assert_eq!(listed["data"][0]["webhookResponse"]["statusCode"], 307);
    assert_eq!(seen.lock().unwrap().len(), listed["data"].as_array().unwrap().len());

    // Nobody there; nobody we may talk to; nothing at all.
    for url in [
        "http://127.0.0.1:1/hooks",
        "http://192.0.2.1/hooks",
        "https://example.com",
        "gopher://127.0.0.1",
        "no",
    ] {
        let sandbox = frozen().await;
        let listed = walk(&sandbox, url).await;
        assert!(listed["data"].as_array().unwrap().len() >= 3, "{url}: {listed}");
        assert!(
            listed["data"][0]["webhookResponse"].get("statusCode").is_none(),
            "{url}: {listed}"
        );
    }
}

#[tokio::test]
async fn a_verification_tells_its_story_to_an_address_of_its_own() {
    use base64::Engine as _;
    use transak_client::webhooks::Event;

    let sandbox = frozen().await;
    let control = sandbox.control();
    let (orders, of_orders) = receiver(OK).await;
    let (kyc, of_kyc) = receiver(OK).await;
    control.update_settings(|settings| {
        settings.webhook_url = Some(orders);
        settings.kyc_webhook_url = Some(kyc);
    });
    let token = crate::common::login(&sandbox, EMAIL).await;
    let anybody = client(&sandbox);
    let user = anybody.with_credential(Credential::UserToken, token.as_str());
    let minted = anybody.refresh_access_token().body_map(|b| b.api_key(key(&sandbox)));
    minted.send().await.unwrap();
    let form = json!({
        "personalDetails": {"firstName": "Ada", "lastName": "Sample", "mobileNumber": "+33100000001", "dob": "1990-01-01"},
        "addressDetails": {"addressLine1": "1", "state": "S", "city": "C", "postCode": "1", "countryCode": "FR"},
    });
    let form: transak_client::types::PatchUserDetailsRequest = serde_json::from_value(form).unwrap();
    user.patch_user_details().body(form).send().await.unwrap();
    let form = json!({"purposeList": ["Buying NFTs"]});
    let form: transak_client::types::UpdatePurposeOfUsageRequest = serde_json::from_value(form).unwrap();
    user.update_purpose_of_usage().body(form).send().await.unwrap();
    // Nobody looks in meanwhile: the review ends by itself.
    control.advance(Duration::from_secs(31));
    let settled = tokio::time::timeout(Duration::from_secs(20), control.webhooks_settled()).await;
    settled.expect("webhooks are posted and reported");
    let mut kinds = Vec::new();
    for post in of_kyc.lock().unwrap().iter() {
        let body: Value = serde_json::from_str(post.split_once("\r\n\r\n").unwrap().1).unwrap();
        let claims = body["data"].as_str().unwrap().split('.').nth(1).unwrap();
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims).unwrap();
        let Event::Kyc(event) = Event::decode(&claims).unwrap() else {
            panic!("not a KYC event")
        };
        kinds.push(
            serde_json::to_value(&event).unwrap()["eventID"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        );
    }
    assert_eq!(kinds, ["KYC_SUBMITTED", "KYC_APPROVED"]);
    assert!(of_orders.lock().unwrap().is_empty());
}
