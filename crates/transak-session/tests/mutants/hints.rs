//! Hints with defects.

use transak_session::store::{Hint, Hints, SessionStore, StoreError, Version};
use transak_session::{RecordKey, TenantId};

use super::{Fault, Faulty};

fn of_another_tenant(key: RecordKey) -> RecordKey {
    let mut bytes = *key.as_bytes();
    bytes[0] ^= 1;
    RecordKey::from_bytes(bytes)
}

pub async fn hints(store: &Faulty, tenant: TenantId) -> Result<Option<Hints>, StoreError> {
    let Some(mut inner) = store.inner.hints(tenant).await? else {
        return Ok(None);
    };
    let (fault, (sender, hints)) = (store.fault, Hints::channel());
    tokio::spawn(async move {
        while let Some(hint) = inner.next().await {
            let changed = match fault {
                Fault::HintsAtNothing => continue,
                Fault::HintsAhead => Hint {
                    version: Version::new(hint.version.get() + 1),
                    ..hint
                },
                Fault::HintsToAll => Hint {
                    key: of_another_tenant(hint.key),
                    ..hint
                },
                _ => hint,
            };
            if !sender.send(changed) {
                return;
            }
        }
    });
    Ok(Some(hints))
}
