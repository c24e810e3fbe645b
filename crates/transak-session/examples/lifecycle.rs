//! The life of a session, told step by step.
//!
//! Jane uses a shop that lets her buy crypto through Transak. The shop's server runs this code. Every call below is a real
//! HTTP request, but to a mock of Transak on this machine; and the clock is one that we push forward by hand, so that two
//! months pass in a second.
//!
//! ```text
//! cargo run -p transak-session --example lifecycle
//! ```
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use transak_client::operations::Credential;
use transak_mock::Stub;
use transak_mock::examples::{
    get_user_details, logout_user, refresh_user_access_token, send_user_otp, verify_user_otp,
};
use transak_mock::httpmock::MockServer;
use transak_session::clock::{Clock, ManualClock, Timestamp};
use transak_session::{
    GetOptions, Otp, OtpDeclined, OtpProvider, OtpRequest, SessionError, Transak, UserIdentity, UserSession,
};

const API_KEY: &str = "the-shop's-api-key";
const DAY: Duration = Duration::from_secs(86_400);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let story = Story::begin();
    let server = &story.server;
    let transak = Transak::builder()
        .environment(transak_mock::environment(server))
        .api_key(API_KEY)
        .clock(story.clock.clone())
        .build()?;
    let jane = transak.user(UserIdentity::parse("jane@example.com", "203.0.113.7")?);

    story.chapter("Jane comes for the first time");
    if let Err(SessionError::OtpRequired { cause }) = jane.token().await {
        story.say(&format!(
            "no token: {cause}. Nothing has been mailed: that takes a wish of hers"
        ));
    }

    story.chapter("She logs in");
    let mails = Stub::of(&send_user_otp::OK_NEW_USER).on(server);
    let first = story.token("first");
    let mut login = Stub::of(&verify_user_otp::OK_LOGGED_IN)
        .body(logged_in(&first))
        .on(server);
    jane.login(&Typed("123456")).await?;
    story.say("Transak mailed a one-time password, she typed it, and we have a token");
    story.life_of(&jane);

    story.chapter("She looks at her account");
    let with_first = story.details_for(&first);
    let details = jane
        .call(|client| async move { client.get_user_details().api_key(API_KEY).send().await })
        .await?;
    story.say(&format!(
        "Transak answers {}; the token went along",
        details.status().as_u16()
    ));

    let due = jane.status().due_at.ok_or("a session has a due time")?;
    story.clock.advance(due.since(story.clock.now()));
    story.chapter("The token still lives, but it is time for a new one");
    let second = story.token("second");
    let with_second = story.details_for(&second);
    let renewal = Stub::of(&refresh_user_access_token::OK_REFRESHED)
        .body(renewed(&second))
        .demanding(Credential::UserToken, &first)
        .on(server);
    jane.call(|client| async move { client.get_user_details().api_key(API_KEY).send().await })
        .await?;
    story.say("her call goes out at once, with the old token; the renewal happens behind her back");
    // Only because the story wants to go on with the new token: who asks for much remaining life waits for the renewal.
    jane.token_with(GetOptions::default().min_remaining(DAY * 29)).await?;
    jane.call(|client| async move { client.get_user_details().api_key(API_KEY).send().await })
        .await?;
    story.say(&format!(
        "renewals: {}; calls with the old token: {}, with the new one: {}",
        renewal.calls(),
        with_first.calls(),
        with_second.calls()
    ));
    story.life_of(&jane);

    story.clock.advance(DAY * 31);
    story.chapter("She has stayed away for longer than a token lives");
    match jane.token().await {
        Err(SessionError::OtpRequired { cause }) => {
            story.say(&format!(
                "no token: {cause}. An expired token cannot be renewed, so we do not even try"
            ));
        }
        other => return Err(format!("unexpected: {other:?}").into()),
    }
    story.say(&format!(
        "renewals: still {}; mails so far: {}",
        renewal.calls(),
        mails.calls()
    ));

    story.chapter("She logs in again, this time on a page of two steps");
    login.delete();
    let third = story.token("third");
    Stub::of(&verify_user_otp::OK_LOGGED_IN)
        .body(logged_in(&third))
        .on(server);
    let on_disk = jane.begin_login().await?.to_stored();
    story.say("first request: a password is mailed, and the challenge is put aside (it prints as a placeholder)");
    story.say(&format!("        {on_disk:?}"));
    let challenge = jane.resume_login(&on_disk)?;
    challenge.verify(Otp::parse("654321")?).await?;
    story.say(&format!(
        "second request: she types the password. Mails so far: {}",
        mails.calls()
    ));
    story.life_of(&jane);

    story.chapter("She logs out");
    let logout = Stub::of(&logout_user::OK_RECEIPT)
        .demanding(Credential::UserToken, &third)
        .on(server);
    jane.logout().await?;
    story.say(&format!(
        "Transak was told: {} call; the token is gone from memory and store",
        logout.calls()
    ));
    if let Err(SessionError::OtpRequired { cause }) = jane.token().await {
        story.say(&format!("no token: {cause}"));
    }
    transak.shutdown().await;
    Ok(())
}

/// Stands for the person who reads the mail.
struct Typed(&'static str);

#[async_trait]
impl OtpProvider for Typed {
    async fn one_time_password(&self, _: OtpRequest) -> Result<Otp, OtpDeclined> {
        Otp::parse(self.0).map_err(|_| OtpDeclined)
    }
}

/// The stage: a clock to push and a Transak to talk to.
struct Story {
    clock: ManualClock,
    server: MockServer,
    start: Timestamp,
}

impl Story {
    fn begin() -> Self {
        let start = Timestamp::from_unix_seconds(1_796_083_200);
        Self {
            clock: ManualClock::new(start),
            server: MockServer::start(),
            start,
        }
    }

    fn day(&self) -> f64 {
        self.clock.now().since(self.start).as_secs_f64() / DAY.as_secs_f64()
    }

    fn chapter(&self, title: &str) {
        println!("\nday {:4.1}  {title}", self.day());
    }

    fn say(&self, text: &str) {
        println!("          {text}");
    }

    fn life_of(&self, session: &UserSession) {
        let status = session.status();
        if let (Some(name), Some(due), Some(end)) = (status.fingerprint, status.due_at, status.expires_at) {
            println!(
                "          token {name}: {:?}, to be renewed {due}, dead {end}",
                status.label
            );
        }
    }

    /// A token as Transak makes them, which begins now and lives for 30 days. (Nobody checks its signature but Transak.)
    fn token(&self, id: &str) -> String {
        let (from, until) = (self.clock.now(), self.clock.now() + DAY * 30);
        let claims = format!(
            r#"{{"jti":"{id}","iat":{},"exp":{}}}"#,
            from.unix_seconds(),
            until.unix_seconds()
        );
        format!(
            "{}.{}.signature",
            URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#),
            URL_SAFE_NO_PAD.encode(claims)
        )
    }

    fn details_for(&self, token: &str) -> transak_mock::httpmock::Mock<'_> {
        Stub::of(&get_user_details::OK_APPROVED)
            .demanding(Credential::UserToken, token)
            .demanding(Credential::ApiKey, API_KEY)
            .demanding(Credential::UserIp, "203.0.113.7")
            .on(&self.server)
    }
}

fn logged_in(token: &str) -> String {
    format!(r#"{{"data":{{"ttl":2592000,"created":"2026-12-01T00:00:00.000Z","accessToken":"{token}"}}}}"#)
}

fn renewed(token: &str) -> String {
    format!(r#"{{"data":{{"accessToken":"{token}"}}}}"#)
}
