//! The same lifecycle over real HTTP, against the mocks that are generated from the document.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use support::{DAY, EMAIL, IP, MINUTE, OTP, Person};
use transak_client::operations::Credential;
use transak_mock::examples::{
    get_user_details, logout_user, refresh_access_token, refresh_user_access_token, send_user_otp, verify_user_otp,
};
use transak_mock::httpmock::MockServer;
use transak_mock::{MockServerExt, Stub};
use transak_session::clock::{Clock, ManualClock, Timestamp};
use transak_session::issuer::IssuerErrorKind as Kind;
use transak_session::{
    CallError, LapseCause, LoginError, Otp, SessionError, TokenError, Transak, UserIdentity, UserSession,
};

const KEY: &str = "key-1";

struct Scene {
    server: MockServer,
    clock: ManualClock,
    transak: Transak,
}

impl Scene {
    fn new() -> Self {
        support::leaks::watch();
        let server = MockServer::start();
        let clock = ManualClock::new(Timestamp::from_unix_seconds(1_800_000_000));
        let transak = Transak::builder()
            .environment(transak_mock::environment(&server))
            .api_key(KEY)
            .api_secret("secret-1")
            .clock(clock.clone())
            .own_time_only()
            .build()
            .unwrap();
        Self { server, clock, transak }
    }

    fn user(&self) -> UserSession {
        self.transak.user(UserIdentity::parse(EMAIL, IP).unwrap())
    }

    fn jwt(&self, name: &str) -> String {
        let now = self.clock.now();
        let claims = format!(
            r#"{{"iat":{},"exp":{},"jti":"{name}"}}"#,
            now.unix_seconds(),
            (now + DAY * 30).unix_seconds()
        );
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    async fn logged_in(&self, token: &str) -> UserSession {
        Stub::of(&send_user_otp::OK_NEW_USER).on(&self.server);
        let body =
            format!(r#"{{"data":{{"ttl":2592000,"created":"2026-11-02T09:15:42.310Z","accessToken":"{token}"}}}}"#);
        Stub::of(&verify_user_otp::OK_LOGGED_IN).body(body).on(&self.server);
        let user = self.user();
        user.login(&Person::typing(&[OTP])).await.unwrap();
        user
    }
}

fn renewed(token: &str) -> String {
    format!(r#"{{"data":{{"accessToken":"{token}"}}}}"#)
}

#[tokio::test]
async fn each_call_brings_what_transak_asks_for() {
    let scene = Scene::new();
    let (first, second) = (scene.jwt("first"), scene.jwt("second"));
    let verify = scene.server.verify_user_otp(|when, then| {
        when.into_inner()
            .header("x-api-key", KEY)
            .header("x-user-ip", IP)
            .json_body_includes(format!(
                r#"{{"apiKey":"{KEY}","email":"{EMAIL}","otp":"{OTP}","stateToken":"5e8c1f70a94b4d2c9be3d6127f0a8845"}}"#
            ));
        then.into_inner().status(200).header("content-type", "application/json").body(format!(
            r#"{{"data":{{"ttl":2592000,"created":"2026-11-02T09:15:42.310Z","accessToken":"{first}"}}}}"#
        ));
    });
    let send = scene.server.send_user_otp(|when, then| {
        when.into_inner()
            .header("x-api-key", KEY)
            .header("x-user-ip", IP)
            .json_body_includes(format!(r#"{{"apiKey":"{KEY}","email":"{EMAIL}"}}"#));
        then.into_inner()
            .status(200)
            .header("content-type", "application/json")
            .body(send_user_otp::OK_NEW_USER.json());
    });
    let user = scene.user();
    let challenge = user.begin_login().await.unwrap();
    let token = challenge.verify(Otp::parse(OTP).unwrap()).await.unwrap();
    assert_eq!(token.expose(), first);
    assert_eq!(user.status().expires_at, Some(scene.clock.now() + DAY * 30));
    assert_eq!((send.calls(), verify.calls()), (1, 1));

    let refresh = Stub::of(&refresh_user_access_token::OK_REFRESHED)
        .body(renewed(&second))
        .demanding(Credential::UserToken, &first)
        .demanding(Credential::UserIp, IP)
        .demanding(Credential::ApiKey, KEY)
        .on(&scene.server);
    assert_eq!(user.refresh_now().await.unwrap().expose(), second);
    assert_eq!(refresh.calls(), 1);

    let logout = Stub::of(&logout_user::OK_TEXT)
        .demanding(Credential::UserToken, &second)
        .on(&scene.server);
    user.logout().await.unwrap();
    assert_eq!(logout.calls(), 1);

    let mint = scene.server.refresh_access_token(|when, then| {
        when.into_inner()
            .header("api-secret", "secret-1")
            .header("x-api-key", KEY)
            .header_missing("x-user-ip")
            .json_body_includes(format!(r#"{{"apiKey":"{KEY}"}}"#));
        let expires = (scene.clock.now() + DAY * 7).unix_seconds();
        then.into_inner()
            .status(200)
            .header("content-type", "application/json")
            .body(format!(
                r#"{{"data":{{"accessToken":"partner-1","expiresAt":{expires}}}}}"#
            ));
    });
    assert_eq!(scene.transak.partner().ready().await.unwrap().expose(), "partner-1");
    assert_eq!(
        scene.transak.partner().status().expires_at,
        Some(scene.clock.now() + DAY * 7)
    );
    assert_eq!(mint.calls(), 1);
}

#[tokio::test]
async fn answers_are_told_apart() {
    let scene = Scene::new();
    let first = scene.jwt("first");
    let user = scene.logged_in(&first).await;
    let raw = |status, kind: &str, body: &str| Stub::raw(&operations_table::REFRESH, status, kind, body);
    for (stub, kind) in [
        (
            Stub::of(&refresh_user_access_token::UNAUTHORIZED_REJECTED),
            Kind::Rejected,
        ),
        (
            Stub::of(&refresh_user_access_token::INTERNAL_SERVER_ERROR_INTERNAL),
            Kind::Unknown,
        ),
        (
            raw(
                400,
                "application/json",
                r#"{"error":{"statusCode":400,"message":"m","errorCode":1002}}"#,
            ),
            Kind::Rejected,
        ),
        (
            raw(404, "application/json", r#"{"error":{"statusCode":404,"message":"m"}}"#),
            Kind::Invalid,
        ),
        (raw(503, "text/html", "<h1>down</h1>"), Kind::Transient),
        (raw(502, "text/html", "<h1>bad gateway</h1>"), Kind::Unknown),
        (
            raw(429, "text/html", "<h1>slow down</h1>"),
            Kind::RateLimited { retry_after: None },
        ),
        (raw(200, "text/html", "<h1>hello</h1>"), Kind::Unknown),
    ] {
        let mut mock = stub.on(&scene.server);
        let error = user.refresh_now().await.unwrap_err();
        let SessionError::Token(error) = error else {
            panic!("{error:?}")
        };
        assert_eq!(error.issuer_kind(), Some(kind));
        assert_eq!(mock.calls(), 1, "{kind:?} was retried");
        mock.delete();
        assert_eq!(user.token().await.unwrap().expose(), first, "the token is still served");
    }
}

#[tokio::test]
async fn login_answers_are_told_apart() {
    let scene = Scene::new();
    let user = scene.user();
    let mut send = Stub::of(&send_user_otp::BAD_REQUEST_TOO_EARLY).on(&scene.server);
    assert!(matches!(user.begin_login().await, Err(LoginError::TooEarly { .. })));
    send.delete();
    Stub::of(&send_user_otp::OK_WITHOUT_ECHO).on(&scene.server);
    for (example, kind) in [
        (&verify_user_otp::UNAUTHORIZED_WRONG_PASSWORD, Kind::InvalidOtp),
        (&verify_user_otp::BAD_REQUEST_MISSING_FIELD, Kind::Invalid),
        (&verify_user_otp::INTERNAL_SERVER_ERROR_INTERNAL, Kind::Unknown),
    ] {
        let mut mock = Stub::of(example).on(&scene.server);
        let error = user
            .begin_login()
            .await
            .unwrap()
            .verify(Otp::parse(OTP).unwrap())
            .await
            .unwrap_err();
        let LoginError::Issuer(reason) = &error.reason else {
            panic!("{error:?}")
        };
        assert_eq!(reason.kind(), kind);
        assert_eq!(mock.calls(), 1);
        mock.delete();
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_a_transient_failure() {
    let server = MockServer::start();
    let nobody = transak_client::Environment::single("http://127.0.0.1:9").unwrap();
    drop(server);
    let transak = Transak::builder()
        .environment(nobody)
        .api_key(KEY)
        .api_secret("s")
        .build()
        .unwrap();
    let error = transak.partner().ready().await.unwrap_err();
    assert_eq!(error.issuer_kind(), Some(Kind::Transient));
}

#[tokio::test]
async fn a_minted_token_is_explained_when_it_is_refused() {
    let scene = Scene::new();
    let expires = (scene.clock.now() + DAY * 7).unix_seconds();
    let mint = Stub::of(&refresh_access_token::OK_MINTED)
        .body(format!(
            r#"{{"data":{{"accessToken":"partner-1","expiresAt":{expires}}}}}"#
        ))
        .on(&scene.server);
    let orders = Stub::raw(
        &operations_table::ORDERS,
        401,
        "application/json",
        r#"{"error":{"message":"no","errorCode":1002}}"#,
    )
    .demanding(Credential::PartnerToken, "partner-1")
    .on(&scene.server);
    for n in 1..4 {
        let error = scene
            .transak
            .partner()
            .call(|client| async move { client.get_orders().send().await })
            .await
            .unwrap_err();
        let CallError::Rejected { decision, .. } = &error else {
            panic!("{error:?}")
        };
        assert!(
            matches!(decision, SessionError::Token(TokenError::Refused { .. })),
            "{decision:?}"
        );
        assert!(error.to_string().contains("allow-list"));
        assert_eq!((mint.calls(), orders.calls()), (1, n));
    }
}

#[tokio::test]
async fn a_401_is_cured_once_if_the_table_allows_it() {
    let scene = Scene::new();
    let (first, second) = (scene.jwt("first"), scene.jwt("second"));
    let user = scene.logged_in(&first).await;
    let stale = Stub::of(&get_user_details::UNAUTHORIZED_REJECTED)
        .demanding(Credential::UserToken, &first)
        .on(&scene.server);
    let mut fresh = Stub::of(&get_user_details::OK_APPROVED)
        .demanding(Credential::UserToken, &second)
        .on(&scene.server);
    Stub::of(&refresh_user_access_token::OK_REFRESHED)
        .body(renewed(&second))
        .demanding(Credential::UserToken, &first)
        .on(&scene.server);
    let details = || user.call(|client| async move { client.get_user_details().api_key(KEY).send().await });
    details().await.unwrap();
    assert_eq!((stale.calls(), fresh.calls()), (1, 1));

    // The new token is refused as well, only moments after it was issued: nothing is renewed and nothing repeated.
    fresh.delete();
    let again = Stub::of(&get_user_details::UNAUTHORIZED_REJECTED)
        .demanding(Credential::UserToken, &second)
        .on(&scene.server);
    let error = details().await.unwrap_err();
    assert!(matches!(
        error,
        CallError::Rejected {
            decision: SessionError::Token(TokenError::Refused { .. }),
            ..
        }
    ));
    assert_eq!(again.calls(), 1);

    // Later it is Transak that ends the session.
    scene.clock.advance(MINUTE);
    Stub::of(&refresh_user_access_token::UNAUTHORIZED_REJECTED)
        .demanding(Credential::UserToken, &second)
        .on(&scene.server);
    assert!(details().await.unwrap_err().is_otp_required());
    // Once for the caller, and once to ask about the token before anybody is logged out.
    assert_eq!(again.calls(), 3);
}

#[tokio::test]
async fn an_operation_that_happens_once_is_not_repeated() {
    let scene = Scene::new();
    let (first, second) = (scene.jwt("first"), scene.jwt("second"));
    let user = scene.logged_in(&first).await;
    Stub::of(&refresh_user_access_token::OK_REFRESHED)
        .body(renewed(&second))
        .demanding(Credential::UserToken, &first)
        .on(&scene.server);
    // A login is such an operation; here it answers 401 for the sake of the argument.
    let mut calls = 0;
    let refused = Stub::of(&send_user_otp::UNAUTHORIZED_BAD_API_KEY);
    let other = MockServer::start();
    let refused = refused.on(&other);
    let elsewhere = Transak::builder()
        .environment(transak_mock::environment(&other))
        .api_key(KEY)
        .build()
        .unwrap();
    let error = user
        .call(|_| {
            calls += 1;
            let client = elsewhere.client().with_credential(Credential::UserIp, IP);
            async move {
                let email = transak_client::Personal::from(EMAIL);
                client
                    .send_user_otp()
                    .body_map(|b| b.api_key(KEY).email(email))
                    .send()
                    .await
            }
        })
        .await
        .unwrap_err();
    assert!(matches!(error, CallError::NotRepeated { .. }), "{error:?}");
    assert_eq!((calls, refused.calls()), (1, 1));
    assert_eq!(user.token().await.unwrap().expose(), second);
}

#[tokio::test]
async fn without_a_session_nothing_is_called() {
    let scene = Scene::new();
    let details = Stub::of(&get_user_details::OK_APPROVED).on(&scene.server);
    let error = scene
        .user()
        .call(|client| async move { client.get_user_details().api_key(KEY).send().await })
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        CallError::NoToken(SessionError::OtpRequired {
            cause: LapseCause::NeverLoggedIn
        })
    ));
    assert_eq!(details.calls(), 0);
}

mod operations_table {
    pub(crate) use transak_client::operations::{GET_ORDERS as ORDERS, REFRESH_USER_ACCESS_TOKEN as REFRESH};
}
