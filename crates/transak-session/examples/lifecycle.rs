//! The life of a session, told step by step.
//!
//! Jane uses a shop that lets her buy crypto through Transak. The shop's server runs this code. Every call below is a real
//! HTTP request, but to an imitation of Transak on this machine, which remembers, refuses and counts like the real one; and
//! the clocks of both are pushed forward by hand, so that two months pass in a second.
//!
//! ```text
//! cargo run -p transak-session --example lifecycle
//! ```
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use transak_client::operations::Credential;
use transak_sandbox::world::{Counters, Moment};
use transak_sandbox::{Control, Sandbox};
use transak_session::clock::{Clock, ManualClock, Timestamp};
use transak_session::{
    GetOptions, Otp, OtpDeclined, OtpProvider, OtpRequest, SessionError, Transak, UserIdentity, UserSession,
};

const DAY: Duration = Duration::from_secs(86_400);
const EMAIL: &str = "jane@example.com";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    let story = Story::begin().await?;
    let api_key = story.api_key();
    let transak = Transak::builder()
        .environment(story.sandbox.environment())
        .api_key(api_key.as_str())
        .clock(story.clock.clone())
        .build()?;
    let jane = transak.user(UserIdentity::parse(EMAIL, "203.0.113.7")?);
    let look = async || {
        let key = api_key.as_str();
        jane.call(|client| async move { client.get_user_details().api_key(key).send().await })
            .await
    };

    story.chapter("Jane comes for the first time");
    if let Err(SessionError::OtpRequired { cause }) = jane.token().await {
        story.say(&format!(
            "no token: {cause}. Nothing has been mailed: that takes a wish of hers"
        ));
    }

    story.chapter("She logs in");
    jane.login(&Mailbox(story.sandbox.control().clone())).await?;
    story.say("Transak mailed a one-time password, she typed it, and we have a token");
    story.life_of(&jane);

    story.chapter("She looks at her account");
    let details = look().await?;
    story.say(&format!(
        "Transak answers {}; the token went along",
        details.status().as_u16()
    ));

    let due = jane.status().due_at.ok_or("a session has a due time")?;
    story.pass(due.since(story.clock.now()));
    story.chapter("The token still lives, but it is time for a new one");
    look().await?;
    story.say("her call does not wait for it: the renewal happens behind her back");
    // Only because the story wants to go on with the new token: who asks for much remaining life waits for the renewal.
    jane.token_with(GetOptions::default().min_remaining(DAY * 29)).await?;
    look().await?;
    story.say(&format!(
        "the next one brings the new token. Transak itself has counted renewals: {}, logins: {}",
        story.counts().refreshes,
        story.counts().logins
    ));
    story.life_of(&jane);

    story.pass(DAY * 31);
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
        story.counts().refreshes,
        story.counts().otps_sent
    ));

    story.chapter("She logs in again, this time on a page of two steps");
    let on_disk = jane.begin_login().await?.to_stored();
    story.say("first request: a password is mailed, and the challenge is put aside (it prints as a placeholder)");
    story.say(&format!("        {on_disk:?}"));
    let typed = story.sandbox.control().latest_code(EMAIL).ok_or("no mail")?;
    let challenge = jane.resume_login(&on_disk)?;
    challenge.verify(Otp::parse(&typed)?).await?;
    story.say(&format!(
        "second request: she types the password. Mails so far: {}",
        story.counts().otps_sent
    ));
    story.life_of(&jane);

    story.chapter("She logs out");
    jane.logout().await?;
    story.say(&format!(
        "Transak was told: {} logout; the token is gone from memory and store",
        story.counts().logouts
    ));
    if let Err(SessionError::OtpRequired { cause }) = jane.token().await {
        story.say(&format!("no token: {cause}"));
    }
    transak.shutdown().await;
    println!("\n{:.0} days in {} ms", story.day(), begun.elapsed().as_millis());
    story.sandbox.shutdown().await;
    Ok(())
}

/// Stands for the person who reads the mail.
struct Mailbox(Control);

#[async_trait]
impl OtpProvider for Mailbox {
    async fn one_time_password(&self, _: OtpRequest) -> Result<Otp, OtpDeclined> {
        let code = self.0.latest_code(EMAIL).ok_or(OtpDeclined)?;
        Otp::parse(&code).map_err(|_| OtpDeclined)
    }
}

/// The stage: a clock to push and a Transak to talk to.
struct Story {
    clock: ManualClock,
    sandbox: Sandbox,
    start: Timestamp,
}

impl Story {
    async fn begin() -> Result<Self, Box<dyn Error>> {
        let start = Timestamp::from_unix_seconds(1_796_083_200);
        let sandbox = Sandbox::builder()
            .clock_start(Moment::from_seconds(start.unix_seconds()))
            .frozen()
            .start()
            .await?;
        Ok(Self {
            clock: ManualClock::new(start),
            sandbox,
            start,
        })
    }

    fn api_key(&self) -> String {
        let credentials = self.sandbox.credentials();
        let key = credentials.get(Credential::ApiKey);
        key.map(|key| key.expose().to_owned()).unwrap_or_default()
    }

    /// Time passes for the shop and for Transak alike.
    fn pass(&self, span: Duration) {
        self.clock.advance(span);
        self.sandbox.control().advance(span);
    }

    /// What Transak has counted: the shop's word is not taken for it.
    fn counts(&self) -> Counters {
        self.sandbox.control().counts().world
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
}
