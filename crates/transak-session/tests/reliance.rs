//! Auth Reliance over HTTP, against the sandbox.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::time::Duration;

use support::{DAY, EMAIL, IP, MINUTE, assert_clean};
use transak_client::operations::Credential;
use transak_sandbox::Sandbox;
use transak_sandbox::world::Moment;
use transak_session::clock::{ManualClock, Timestamp};
use transak_session::{
    AuthMethod, CallError, LoginError, RefusedHint, SessionError, TokenError, Transak, UserIdentity, VouchedUser,
};

const OTHER: &str = "someone.else@example.com";

struct Scene {
    sandbox: Sandbox,
    clock: ManualClock,
    key: String,
    transak: Transak,
}

impl Scene {
    async fn new() -> Self {
        support::leaks::watch();
        let start = 1_800_000_000;
        let sandbox = Sandbox::builder()
            .clock_start(Moment::from_seconds(start))
            .frozen()
            .start()
            .await
            .unwrap();
        let settings = sandbox.control().settings();
        let clock = ManualClock::new(Timestamp::from_unix_seconds(start));
        let transak = Transak::builder()
            .environment(sandbox.environment())
            .api_key(settings.api_key.as_str())
            .api_secret(settings.api_secret.as_str())
            .clock(clock.clone())
            .max_sessions_at_hand(64)
            .build()
            .unwrap();
        Self {
            sandbox,
            clock,
            key: settings.api_key,
            transak,
        }
    }

    fn user(&self, email: &str) -> VouchedUser {
        self.transak.vouch_for(UserIdentity::parse(email, IP).unwrap())
    }

    async fn email_of(&self, user: &VouchedUser) -> Result<String, CallError> {
        let key = self.key.as_str();
        let details = user.call(|client| async move { client.get_user_details().api_key(key).send().await });
        Ok(details.await?.into_inner().data.email.expose().to_owned())
    }

    /// Another program mints with the same key.
    async fn foreign_mint(&self) {
        let client = transak_client::Client::builder()
            .environment(self.sandbox.environment())
            .credentials(self.sandbox.credentials())
            .build()
            .unwrap();
        let key = self.key.as_str();
        client
            .refresh_access_token()
            .body_map(|b| b.api_key(key))
            .send()
            .await
            .unwrap();
    }

    fn pass(&self, span: Duration) {
        self.clock.advance(span);
        self.sandbox.control().advance(span);
    }

    fn mints(&self) -> u64 {
        self.sandbox.control().counts().world.mints
    }

    fn calls(&self, operation: &str) -> u64 {
        self.sandbox
            .control()
            .counts()
            .world
            .calls
            .get(operation)
            .copied()
            .unwrap_or(0)
    }
}

#[tokio::test]
async fn a_user_is_onboarded_once_and_then_served() {
    let scene = Scene::new().await;
    let jane = scene.user(EMAIL);
    let unknown = scene.email_of(&jane).await.unwrap_err();
    assert_eq!(unknown.answer().and_then(|a| a.status()).map(|s| s.as_u16()), Some(404));
    let onboarded = jane.onboard().await.unwrap();
    assert_eq!(jane.onboard().await.unwrap().partner_user_id, onboarded.partner_user_id);
    assert_eq!(scene.email_of(&jane).await.unwrap(), EMAIL);
    assert_eq!(scene.mints(), 1);
    assert_clean(&format!("{jane:?}"), "VouchedUser");
}

#[tokio::test]
async fn many_users_share_one_partner_token() {
    let scene = Scene::new().await;
    let calls: Vec<_> = (0..40)
        .map(|i| {
            let user = scene.user(&format!("user{i}@example.com"));
            tokio::spawn(async move { user.onboard().await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(scene.mints(), 1);
}

#[tokio::test]
async fn requests_carry_the_one_method_and_nothing_of_the_other() {
    let scene = Scene::new().await;
    let held = scene
        .user(EMAIL)
        .call(|client| async move { Ok::<_, transak_client::Error>(client.credentials().clone()) })
        .await
        .unwrap();
    for credential in [
        Credential::PartnerToken,
        Credential::UserIdentifier,
        Credential::UserIp,
        Credential::ApiKey,
    ] {
        assert!(held.get(credential).is_some(), "{credential:?}");
    }
    for credential in [Credential::UserToken, Credential::ApiSecret] {
        assert!(held.get(credential).is_none(), "{credential:?}");
    }
}

#[tokio::test]
async fn a_token_that_somebody_else_killed_is_replaced_once() {
    let scene = Scene::new().await;
    let jane = scene.user(EMAIL);
    jane.onboard().await.unwrap();
    scene.pass(DAY);
    scene.foreign_mint().await;
    assert_eq!(
        scene.email_of(&jane).await.unwrap(),
        EMAIL,
        "one 401, one mint, one repetition"
    );
    assert_eq!(scene.mints(), 3);
    // Killed again, only moments later: no loop of mints.
    scene.foreign_mint().await;
    for _ in 0..5 {
        let error = scene.email_of(&jane).await.unwrap_err();
        let CallError::Rejected { decision, .. } = &error else {
            panic!("{error:?}")
        };
        assert!(
            matches!(decision, SessionError::Token(TokenError::Refused { .. })),
            "{decision:?}"
        );
    }
    assert_eq!(scene.mints(), 4);
    scene.pass(MINUTE);
    assert_eq!(scene.email_of(&jane).await.unwrap(), EMAIL);
    // A week later the token has expired without a word from Transak.
    scene.pass(DAY * 8);
    assert_eq!(scene.email_of(&jane).await.unwrap(), EMAIL);
    assert_eq!(scene.mints(), 6);
}

#[tokio::test]
async fn a_server_that_is_not_on_the_allow_list_is_told_so() {
    let scene = Scene::new().await;
    scene.sandbox.control().update_settings(|settings| {
        settings.ip_allow_list = Some(Vec::new());
    });
    let jane = scene.user(EMAIL);
    for n in 1..4 {
        let error = jane.onboard().await.unwrap_err();
        let CallError::Rejected { decision, .. } = &error else {
            panic!("{error:?}")
        };
        let hint = match decision {
            SessionError::Token(TokenError::Refused { hint, .. }) => *hint,
            other => panic!("{other:?}"),
        };
        assert_eq!(hint, RefusedHint::AllowListOrActivation);
        assert_eq!((scene.mints(), scene.calls("onboardUser")), (1, n));
    }
}

fn is_refused(error: &TokenError, in_use: AuthMethod) -> bool {
    matches!(error, TokenError::OtherMethod { in_use: other } if *other == in_use)
}

#[tokio::test]
async fn one_user_is_served_by_one_method() {
    let scene = Scene::new().await;
    let (vouched, session) = (
        scene.user(EMAIL),
        scene.transak.user(UserIdentity::parse(EMAIL, IP).unwrap()),
    );
    vouched.onboard().await.unwrap();
    let Err(SessionError::Token(error)) = session.token().await else {
        panic!("a second method")
    };
    assert!(is_refused(&error, AuthMethod::AuthReliance), "{error:?}");
    assert!(session.current().is_none());
    let Err(LoginError::NotRun(error)) = session.begin_login().await else {
        panic!("a mail")
    };
    assert!(is_refused(&error, AuthMethod::AuthReliance), "{error:?}");
    assert!(scene.sandbox.control().mailbox().is_empty());

    // And the other way round; spelling does not matter.
    let session = scene.transak.user(UserIdentity::parse(OTHER, IP).unwrap());
    assert!(session.token().await.unwrap_err().is_otp_required());
    let before = scene.calls("onboardUser");
    let error = scene.user(&OTHER.to_uppercase()).onboard().await.unwrap_err();
    let CallError::NoToken(SessionError::Token(error)) = &error else {
        panic!("{error:?}")
    };
    assert!(is_refused(error, AuthMethod::TransakAuth), "{error:?}");
    assert!(error.to_string().contains("one-time passwords"));
    assert_eq!(scene.calls("onboardUser"), before);

    // What is not at hand any more is not remembered: memory is bounded.
    drop(session);
    for i in 0..2_000 {
        drop(scene.user(&format!("user{i}@example.com")));
    }
    scene.user(OTHER).onboard().await.unwrap();
}
