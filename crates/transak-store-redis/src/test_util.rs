//! For benches and tests that look at a server past the store.

use transak_session::RecordKey;

use crate::layout::Layout;

/// The name of the key that holds a record.
#[must_use]
pub fn record_name(namespace: &str, shards: u16, key: &RecordKey) -> String {
    let layout = Layout {
        namespace: namespace.to_owned(),
        shards,
    };
    layout.record(key)
}
