//! What takes effect by itself as time goes by: identity proofs, imports and reviews of users, and the webhooks they cause.

use std::collections::BTreeSet;

use super::state::Verdict;
use crate::world::{Moment, World, json::Object};

/// Users whose verification moves on, by the moment when it does.
#[derive(Default)]
pub(crate) struct Reviews {
    due: BTreeSet<(Moment, String)>,
}

/// The keys of users are e-mail addresses.
impl std::fmt::Debug for Reviews {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reviews").field("due", &self.due.len()).finish()
    }
}

/// How many moments one user can have under way: a proof, an import, a review and the rules of the FCA.
const PER_USER: usize = 4;

impl Reviews {
    pub(crate) fn len(&self) -> usize {
        self.due.len()
    }

    /// Notes that something of this user's takes effect then.
    fn watch(&mut self, at: Moment, user: &str, cap: usize) {
        self.due.insert((at, user.to_owned()));
        while self.due.len() > cap.saturating_mul(PER_USER) {
            // The one that is furthest away: it takes effect when somebody looks.
            self.due.pop_last();
        }
    }
}

impl World {
    /// Lets what is due by now take effect, in order.
    pub(crate) fn review_users(&mut self, now: Moment) {
        while let Some((at, key)) = self.reviews.due.first().filter(|(at, _)| *at <= now).cloned() {
            self.reviews.due.remove(&(at, key.clone()));
            self.settle_user(&key, at);
        }
    }

    /// Lets what is due take effect for one user, sends what is to be told of it, and watches what comes next.
    pub(crate) fn settle_user(&mut self, key: &str, now: Moment) {
        let Some(user) = self.users.by_key.get_mut(key) else {
            return;
        };
        user.kyc.settle(&self.settings, now);
        for at in user.kyc.moments(&self.settings).into_iter().flatten() {
            self.reviews.watch(at, key, self.settings.max_users);
        }
        for verdict in user.kyc.take_news() {
            let (status, event) = match verdict {
                Verdict::Submitted => ("SUBMITTED", "KYC_SUBMITTED"),
                Verdict::Approved => ("APPROVED", "KYC_APPROVED"),
                Verdict::Rejected => ("REJECTED", "KYC_REJECTED"),
            };
            let claims = Object::new()
                .text("kycStatus", status)
                .text("eventID", event)
                .text("partnerUserId", &user.id)
                .maybe("partnerCustomerId", user.customer.as_deref());
            self.webhooks
                .queue_kyc(event, claims, &self.settings, &mut self.counters, now);
        }
    }
}
