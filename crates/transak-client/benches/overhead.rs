//! What a call through the generated client costs beside the same call written by hand with `reqwest`.
//!
//! ```text
//! cargo bench -p transak-client --bench overhead
//! ```
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

mod support;

use criterion::{Criterion, criterion_group, criterion_main};
use support::{API_KEY, ByHand, client, compare, runtime, serve, token};
use transak_client::operations::Credential;

fn overhead(criterion: &mut Criterion) {
    let server = serve();
    let runtime = runtime();
    let (by_hand, control) = (ByHand::new(server), ByHand::new(server));
    let client = client(server).with_credential(Credential::UserToken, token());
    let by_hand = || async { by_hand.call().await.expect("a user") };
    let ours = || async { client.get_user_details().api_key(API_KEY).send().await.expect("a user") };
    // The same on both sides: how far from 1 a ratio is by chance.
    compare(criterion, &runtime, "control", by_hand, || async {
        control.call().await.expect("a user")
    });
    compare(criterion, &runtime, "client", by_hand, ours);
}

criterion_group!(benches, overhead);
criterion_main!(benches);
