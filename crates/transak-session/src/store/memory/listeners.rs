//! Who in this process wants to hear of writes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::identity::TenantId;
use crate::store::{Hint, HintSender, Hints};

#[derive(Debug, Default)]
pub(super) struct Listeners {
    /// Whether there ever was one: writers meet at no lock where nobody listens.
    any: AtomicBool,
    all: Mutex<Vec<(TenantId, HintSender)>>,
}

impl Listeners {
    pub(super) fn add(&self, tenant: TenantId) -> Hints {
        let (sender, hints) = Hints::channel();
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.push((tenant, sender));
        self.any.store(true, Ordering::Release);
        hints
    }

    /// Hands a hint to all of its tenant. Who has gone is forgotten at the next hint for them.
    pub(super) fn tell(&self, hint: Hint) {
        if !self.any.load(Ordering::Acquire) {
            return;
        }
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(tenant, sender)| *tenant != hint.key.tenant() || sender.send(hint));
    }
}
