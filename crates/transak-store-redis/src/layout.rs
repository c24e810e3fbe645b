//! Names of keys.
//!
//! Everything about one record is below one hash tag, `{tenant.shard}`, so that a script finds all it needs on one node of a
//! cluster.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use transak_session::{RecordKey, TenantId};

/// The keys of a shard in the order in which scripts take them.
const SHARD_KEYS: [&str; 7] = ["marks", "expiry", "waiting", "ready", "normal", "leased", "rest"];
pub(crate) const EXPIRY: usize = 1;
pub(crate) const REST: usize = 6;

/// Where a store keeps its keys.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) namespace: String,
    pub(crate) shards: u16,
}

impl Layout {
    /// What is true of the whole store.
    pub(crate) fn meta(&self) -> String {
        format!("{}:meta", self.namespace)
    }

    /// The channel on which writes are told.
    pub(crate) fn hints(&self) -> String {
        format!("{}:hints", self.namespace)
    }

    /// The names of all tenants.
    pub(crate) fn tenants(&self) -> String {
        format!("{}:tenants", self.namespace)
    }

    /// The bucket from which a tenant's workers draw. It lies apart from the shards, and scripts about it touch nothing else.
    pub(crate) fn bucket(&self, tenant: TenantId) -> String {
        format!("{}:{{{tenant}}}:pace", self.namespace)
    }

    pub(crate) fn shard_of(&self, key: &RecordKey) -> u16 {
        let [_, _, _, _, _, _, _, _, high, low, ..] = *key.as_bytes();
        u16::from_be_bytes([high, low]) % self.shards
    }

    fn prefix(&self, tenant: TenantId, shard: u16) -> String {
        format!("{}:{{{tenant}.{shard}}}:", self.namespace)
    }

    pub(crate) fn shard_keys(&self, tenant: TenantId, shard: u16) -> Vec<String> {
        let prefix = self.prefix(tenant, shard);
        SHARD_KEYS.iter().map(|name| format!("{prefix}{name}")).collect()
    }

    /// The key of a record.
    pub(crate) fn record(&self, key: &RecordKey) -> String {
        let mut name = self.prefix(key.tenant(), self.shard_of(key));
        name.push_str("s:");
        write_member(key, &mut name);
        name
    }

    /// A record's own keys: itself and its lease.
    pub(crate) fn record_keys(&self, key: &RecordKey) -> [String; 2] {
        let prefix = self.prefix(key.tenant(), self.shard_of(key));
        let member = member(key);
        [format!("{prefix}s:{member}"), format!("{prefix}l:{member}")]
    }

    /// All that a script about one record may touch.
    pub(crate) fn keys(&self, key: &RecordKey) -> Vec<String> {
        let mut keys = self.shard_keys(key.tenant(), self.shard_of(key));
        keys.extend(self.record_keys(key));
        keys
    }
}

/// A record's name within its tenant, as the index holds it.
pub(crate) fn member(key: &RecordKey) -> String {
    let mut member = String::new();
    write_member(key, &mut member);
    member
}

fn write_member(key: &RecordKey, to: &mut String) {
    let (_, name) = key.as_bytes().split_at(8);
    URL_SAFE_NO_PAD.encode_string(name, to);
}

/// The record of a member.
pub(crate) fn key_of(tenant: TenantId, member: &str) -> Option<RecordKey> {
    let name: [u8; 32] = URL_SAFE_NO_PAD.decode(member).ok()?.try_into().ok()?;
    let mut bytes = [0; 40];
    let (head, tail) = bytes.split_at_mut(8);
    head.copy_from_slice(tenant.as_bytes());
    tail.copy_from_slice(&name);
    Some(RecordKey::from_bytes(bytes))
}

/// A tenant from its hexadecimal name.
pub(crate) fn tenant_of(name: &str) -> Option<TenantId> {
    if name.len() != 16 {
        return None;
    }
    let number = u64::from_str_radix(name, 16).ok()?;
    Some(TenantId::from_bytes(number.to_be_bytes()))
}
