//! What a call through a user's session costs beside the same call written by hand with `reqwest`.
//!
//! ```text
//! cargo bench -p transak-session --bench overhead
//! ```
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

#[path = "../../transak-client/benches/support/mod.rs"]
mod support;

use criterion::{Criterion, criterion_group, criterion_main};
use support::{API_KEY, ByHand, USER_IP, client, compare, runtime, serve};
use transak_session::{Otp, Transak, UserIdentity, UserSession};

async fn logged_in(transak: &Transak) -> UserSession {
    let user = transak.user(UserIdentity::parse("user@example.com", USER_IP).expect("an identity"));
    let challenge = user.begin_login().await.expect("a mail");
    challenge
        .verify(Otp::parse("049175").expect("a code"))
        .await
        .expect("a login");
    user
}

fn overhead(criterion: &mut Criterion) {
    let server = serve();
    let runtime = runtime();
    let by_hand = ByHand::new(server);
    let transak = Transak::builder()
        .api_key(API_KEY)
        .http(client(server))
        .build()
        .expect("settings");
    let user = runtime.block_on(logged_in(&transak));
    let by_hand = || async { by_hand.call().await.expect("a user") };
    let ours = || async {
        let answer = user.call(|client| async move { client.get_user_details().api_key(API_KEY).send().await });
        answer.await.expect("a user")
    };
    compare(criterion, &runtime, "session", by_hand, ours);
}

criterion_group!(benches, overhead);
criterion_main!(benches);
