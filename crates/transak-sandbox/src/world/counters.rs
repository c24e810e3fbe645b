//! What has happened so far.

use std::collections::BTreeMap;

use serde::Serialize;

/// Counts since the start or the last reset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counters {
    /// Calls that reached the domain, by operation id.
    pub calls: BTreeMap<&'static str, u64>,
    /// Of those, the ones answered with a status of 400 or more, by operation id.
    pub refusals: BTreeMap<&'static str, u64>,
    /// Partner access tokens minted.
    pub mints: u64,
    /// User access tokens renewed.
    pub refreshes: u64,
    /// One-time passwords mailed.
    pub otps_sent: u64,
    /// Logins that were completed with a one-time password.
    pub logins: u64,
    /// Sessions ended by logout.
    pub logouts: u64,
    /// Webhook deliveries queued.
    pub webhooks_queued: u64,
    /// Entries dropped because a cap was reached, by collection.
    pub evictions: BTreeMap<&'static str, u64>,
}

impl Counters {
    pub(crate) fn evicted(&mut self, collection: &'static str, count: u64) {
        if count > 0 {
            *self.evictions.entry(collection).or_default() += count;
        }
    }
}
