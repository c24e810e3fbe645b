//! What is measured, under these names, through the `metrics` facade (feature `metrics`).
//!
//! Install a recorder of your choice before the [`Transak`](crate::Transak) is built, and call [`describe`] once:
//!
//! ```
//! transak_session::metrics::describe();
//! ```
//!
//! Labels have few values, all known beforehand: neither users nor tokens are labels.

use std::time::Duration;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

use crate::observe::Tier;

/// A counter: events, by the label `event`, which is the [name](crate::SessionEvent::name) of the event.
pub const EVENTS: &str = "transak_session_events_total";
/// A histogram, in seconds: calls of the [`Issuer`](crate::issuer::Issuer), which is Transak, by the labels `call` (as the
/// method is called) and `outcome` (`ok`, `dropped`, or the kind of failure).
pub const ISSUER_SECONDS: &str = "transak_session_issuer_seconds";
/// A histogram, in seconds: calls of the [store](crate::store::SessionStore), by the labels `call` and `outcome`.
pub const STORE_SECONDS: &str = "transak_session_store_seconds";
/// A gauge: sessions that are kept alive. It and the two below are read off the store every five minutes by each process
/// that runs a [`KeepAlive`](crate::KeepAlive) worker, and are of the whole store: take the greatest, not the sum.
pub const SESSIONS: &str = "transak_session_sessions";
/// A gauge: sessions that are due to be renewed.
pub const DUE: &str = "transak_session_due_sessions";
/// A gauge: sessions that lapse within the hours of the label `within_hours` (24, 72 and 168) if nothing renews them.
pub const LAPSING: &str = "transak_session_lapsing_sessions";
/// A gauge: renewals per second that the worker of this process allows itself at the moment.
pub const KEEP_ALIVE_RATE: &str = "transak_session_keep_alive_rate";
/// A gauge: renewals that the worker of this process has under way.
pub const KEEP_ALIVE_UNDER_WAY: &str = "transak_session_keep_alive_under_way";
/// A gauge: 1 while renewals pause because Transak refuses them all, otherwise 0.
pub const GUARDED: &str = "transak_session_guarded";

/// Tells the recorder what the names mean. Do it after the recorder was installed; more than once does no harm.
pub fn describe() {
    describe_counter!(EVENTS, "Events of token lifecycles, by kind");
    describe_histogram!(
        ISSUER_SECONDS,
        Unit::Seconds,
        "Calls of Transak that create, renew or end tokens"
    );
    describe_histogram!(STORE_SECONDS, Unit::Seconds, "Calls of the session store");
    describe_gauge!(SESSIONS, "Sessions in the store that are kept alive");
    describe_gauge!(DUE, "Sessions in the store that are due to be renewed");
    describe_gauge!(
        LAPSING,
        "Sessions in the store that lapse within the hours given if nothing renews them"
    );
    describe_gauge!(KEEP_ALIVE_RATE, "Renewals per second that the worker allows itself");
    describe_gauge!(KEEP_ALIVE_UNDER_WAY, "Renewals of the worker that are under way");
    describe_gauge!(GUARDED, "Whether renewals pause because Transak refuses them all");
}

pub(crate) fn measure(tier: Tier, call: &'static str, outcome: &'static str, took: Duration) {
    let name = match tier {
        Tier::Issuer => ISSUER_SECONDS,
        Tier::Store => STORE_SECONDS,
    };
    metrics::histogram!(name, "call" => call, "outcome" => outcome).record(took.as_secs_f64());
}

pub(crate) fn count(event: &'static str) {
    metrics::counter!(EVENTS, "event" => event).increment(1);
}
