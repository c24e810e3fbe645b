//! Trace ids.

use uuid::Uuid;

/// A UUID that no other call has. It names a call in logs and guards nothing, so it is not worth a question to the system's
/// source of randomness: the number of the call in this process, mixed under a key that the process drew when it started.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn id() -> Uuid {
    use std::hash::{BuildHasher as _, RandomState};
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static CALLS: AtomicU64 = AtomicU64::new(0);

    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    // The two halves come from different inputs: numbers do not get that far.
    let (high, low) = (KEY.hash_one(call), KEY.hash_one(!call));
    uuid::Builder::from_random_bytes(((u128::from(high) << 64) | u128::from(low)).to_be_bytes()).into_uuid()
}

/// In a browser, the standard library has no key of its own.
#[cfg(target_arch = "wasm32")]
pub(crate) fn id() -> Uuid {
    Uuid::new_v4()
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_random_uuids_and_differ() {
        let ids: BTreeSet<_> = (0..10_000).map(|_| super::id()).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.get_version_num() == 4));
        // Neither half alone repeats, so neither is a constant.
        let halves: BTreeSet<_> = ids.iter().map(|id| id.as_u64_pair().0).collect();
        assert_eq!(halves.len(), 10_000);
    }
}
