//! How long is waited after a failure.

use std::time::Duration;

use super::held::{Health, Setback};
use super::{Note, Session, UserState};
use crate::clock::Timestamp;
use crate::issuer::{IssuerError, IssuerErrorKind};
use crate::machine::Pause;
use crate::policy::UserPolicy;
use crate::store::{FailureClass, Lane};

/// A server that asks for more patience than this is asked again earlier: a session is at stake.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3_600);
/// No pause is longer than this; a stored one that is was written by a wrong clock.
pub(super) const LONGEST: Duration = Duration::from_secs(6 * 3_600);
/// Clocks of processes that differ by less than this are not wrong.
pub(super) const DRIFT: Duration = Duration::from_secs(3_600);
/// Near the expiry the pauses shorten, but not below this.
const SHORTEST: Duration = Duration::from_secs(60);
/// Sessions whose pause ends where a lane begins are spread over this much of it.
const SPREAD: Duration = Duration::from_secs(1_800);

/// Shortens a pause so that it does not sleep through the beginning of a more urgent lane, nor through the last chances.
fn within_lane(pause: Duration, left: Duration, draw: u64) -> Duration {
    let spread = Duration::from_millis((SPREAD.as_millis().saturating_mul(u128::from(draw)) >> 64) as u64);
    let edges = [Lane::Urgent.ceiling(), Lane::Critical.ceiling()];
    match edges.into_iter().find(|edge| left > *edge) {
        Some(edge) => pause.min(left - edge + spread),
        None => pause.min((left / 2).max(SHORTEST)),
    }
}

fn capped(own: Duration, asked: Option<Duration>, session: &Session, draw: u64, now: Timestamp) -> Duration {
    let left = session.left(now);
    let asked = asked.unwrap_or_default().min(LONGEST_RETRY_AFTER);
    within_lane(own, left, draw).max(asked).min(LONGEST)
}

impl UserState {
    /// A renewal failed in something that says nothing about the session.
    pub(super) fn set_back(&mut self, error: &IssuerError, now: Timestamp, policy: &UserPolicy) {
        let asked = match error.kind() {
            IssuerErrorKind::RateLimited { retry_after } => retry_after,
            _ => None,
        };
        self.pause_after(error.kind().into(), asked, now, policy);
    }

    /// A renewal was refused: from 10 minutes up to about 5 hours, for as long as the token lives.
    pub(super) fn set_back_refused(&mut self, now: Timestamp, policy: &UserPolicy) {
        self.pause_after(FailureClass::Rejected, None, now, policy);
    }

    fn pause_after(&mut self, class: FailureClass, asked: Option<Duration>, now: Timestamp, policy: &UserPolicy) {
        let Some(session) = self.signed_mut() else { return };
        let failures = session.setback().map_or(0, |s| s.failures).saturating_add(1);
        let draw = session.issued.fingerprint().draw(failures);
        let own = match class {
            FailureClass::Rejected => policy.refused_pause.saturating_mul(1 << (failures - 1).min(5)),
            _ => policy.backoff.pause(failures, draw),
        };
        let pause = Pause::lasting(capped(own, asked, session, draw, now), now);
        let setback = Setback { failures, class, pause };
        match &mut session.health {
            Health::Suspect(suspicion) => suspicion.setback = Some(setback),
            health => *health = Health::Failing(setback),
        }
        session.look = None;
        self.mark(super::Change::Standing);
        self.note(Note::Failed {
            class,
            retry_at: pause.until(),
        });
    }

    /// The store failed: nothing can be written there, so only this process waits.
    pub(super) fn look_later(&mut self, span: Duration, now: Timestamp) {
        if let Some(session) = self.signed_mut() {
            session.look = Some(Pause::lasting(span, now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    proptest! {
        #[test]
        fn no_pause_sleeps_through_an_edge_or_the_end(left in 0_u64..2_592_000, pause in 1_u64..21_600, draw: u64) {
            let (left, pause) = (Duration::from_secs(left), Duration::from_secs(pause));
            let short = within_lane(pause, left, draw);
            prop_assert!(short <= pause);
            let after = left.saturating_sub(short);
            for edge in [HOUR * 72, HOUR * 24] {
                prop_assert!(left <= edge || after + SPREAD >= edge);
            }
            prop_assert!(left < SHORTEST * 2 || after > Duration::ZERO);
        }
    }
}
