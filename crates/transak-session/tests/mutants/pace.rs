//! A bucket with defects.

use tokio::task::yield_now;
use transak_session::TenantId;
use transak_session::clock::{Clock, Timestamp};
use transak_session::store::{Allowance, Allowed, StoreError};

use super::{Fault, Faulty};

/// What it holds, and since when.
#[derive(Clone, Copy)]
pub struct Bucket {
    permits: f64,
    filled_at: Timestamp,
}

fn tenant(store: &Faulty, tenant: TenantId) -> TenantId {
    match store.fault {
        Fault::OneBucket => TenantId::from_bytes([0; 8]),
        _ => tenant,
    }
}

pub async fn draw(store: &Faulty, allowance: &Allowance) -> Result<Allowed, StoreError> {
    let (now, tenant, rate) = (store.clock.now(), tenant(store, allowance.tenant), allowance.per_second);
    let most = rate.max(1.0);
    let full = Bucket {
        permits: most,
        filled_at: now,
    };
    let mut bucket = store.memo().buckets.get(&tenant).copied().unwrap_or(full);
    if store.fault == Fault::DrawsBlindly {
        yield_now().await;
    }
    let passed = now.since(bucket.filled_at).as_secs_f64();
    let held = match store.fault {
        Fault::NeverFills => bucket.permits,
        Fault::CreditsIdleness => bucket.permits + passed * rate,
        _ => (bucket.permits + passed * rate).min(most),
    };
    let permits = match store.fault {
        Fault::IgnoresPace => allowance.wanted,
        Fault::RoundsUp => (held.ceil() as u32).min(allowance.wanted),
        _ => (held as u32).min(allowance.wanted),
    };
    bucket = Bucket {
        permits: (held - f64::from(permits)).max(0.0),
        filled_at: now,
    };
    store.memo().buckets.insert(tenant, bucket);
    let lacking = (1.0 - bucket.permits).max(0.0);
    Ok(Allowed {
        permits,
        next_in: std::time::Duration::from_secs_f64(lacking / rate),
    })
}

pub fn give_back(store: &Faulty, of: TenantId, permits: u32) {
    if store.fault != Fault::KeepsUnused
        && let Some(bucket) = store.memo().buckets.get_mut(&tenant(store, of))
    {
        bucket.permits += f64::from(permits);
    }
}
