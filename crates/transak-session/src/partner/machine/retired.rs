//! Tokens that were replaced: they still verify what was signed with them.

use std::cmp::Reverse;

use crate::clock::Timestamp;
use crate::store::RetiredToken;
use crate::token::{Issued, TokenFingerprint};

/// Seven days hold one regular mint. More than this many live ones are the trace of somebody who mints all the time.
const MOST: usize = 8;

/// Former tokens, the latest first, each until its own expiry.
#[derive(Clone, Debug, Default)]
pub(super) struct Retired(Vec<RetiredToken>);

impl Retired {
    pub(super) fn retire(&mut self, former: Option<Issued>, current: Option<TokenFingerprint>, now: Timestamp) {
        let former = former.map(|issued| RetiredToken {
            token: issued.token,
            issued_at: issued.issued_at,
            expires_at: issued.expires_at,
        });
        self.merge(former.as_slice(), current, now);
    }

    /// Of tokens of the same second, `others` go first: two processes that keep different ones would otherwise write for ever.
    pub(super) fn merge(&mut self, others: &[RetiredToken], current: Option<TokenFingerprint>, now: Timestamp) {
        let mut all: Vec<RetiredToken> = others.iter().chain(&self.0).cloned().collect();
        all.sort_by_key(|t| Reverse(t.issued_at));
        let mut kept: Vec<RetiredToken> = Vec::new();
        for token in all {
            let known = Some(token.token.fingerprint()) == current || kept.iter().any(|k| k.token == token.token);
            if !known && now < token.expires_at && kept.len() < MOST {
                kept.push(token);
            }
        }
        self.0 = kept;
    }

    /// Whether a record with `others` lacks none of these.
    pub(super) fn all_in(&self, others: &[RetiredToken]) -> bool {
        self.0.iter().all(|t| others.iter().any(|o| o.token == t.token))
    }

    pub(super) fn list(&self, now: Timestamp) -> Vec<RetiredToken> {
        self.0.iter().filter(|t| now < t.expires_at).cloned().collect()
    }
}
