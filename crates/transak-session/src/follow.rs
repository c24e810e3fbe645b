//! Taking over early what other processes have renewed.
//!
//! Without hints a process with a copy of a token learns of a newer one at its own refresh window, when Transak answers 401,
//! or from the record under the lease. All of that stays as it is: a hint only brings the look at the store forward.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::background::Background;
use crate::engine::Engine;
use crate::error::TokenError;
use crate::identity::UserKey;
use crate::machine::Machine;
use crate::store::{Hint, Hints, StoreError, Version};
use crate::transak::Transak;
use crate::{partner, user};

/// So many records are read for hints at a time; meanwhile hints wait, and in the end are lost.
const LOOKS: usize = 16;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Listens to what other processes write. Dropping it ends that, without waiting.
///
/// [`Transak::follow_hints`] shows its use.
#[derive(Debug)]
pub struct HintFollower(Background);

impl Transak {
    /// Listens in the background to what other processes write to the store, and takes a newer token over as soon as one of
    /// them has it, for the partner and for the users at hand here. Logouts elsewhere arrive the same way.
    ///
    /// Worth it for processes that serve users, on the stores for a fleet. [`MemoryStore`](crate::store::MemoryStore) hints
    /// within its process, [`SqliteStore`](crate::store::SqliteStore) not at all: there this ends by itself. Hints may be
    /// lost, and nothing relies on them: without them a newer token is found when the old one is due or meets a 401. A hint
    /// renews and mints nothing, and does not count as a use of the session.
    ///
    /// Runs until its handle is dropped or the [`Transak`] is shut down; a store that fails is listened to again later.
    ///
    /// ```no_run
    /// # async fn run(transak: transak_session::Transak) -> Result<(), Box<dyn std::error::Error>> {
    /// let follower = transak.follow_hints()?;
    /// // ... the server serves ...
    /// follower.stop().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`TokenError::NoRuntime`] outside of a tokio runtime, [`TokenError::ShutDown`] after a shutdown.
    pub fn follow_hints(&self) -> Result<HintFollower, TokenError> {
        let transak = self.clone();
        Background::start(self.env(), |stop| follow(transak, stop)).map(HintFollower)
    }

    /// Looks at a record that is at hand here. Nothing is begun for others.
    async fn heed(self, Hint { key, version }: Hint) {
        if key == self.partner_key() {
            look(&self.partner().engine, version, partner::Event::Hinted).await;
        } else if let Some(user) = self.engine_at_hand(UserKey::of_record(key)) {
            look(&user, version, user::Event::Hinted).await;
        }
    }
}

/// What became of it is in the state, and nobody waits for it.
async fn look<M: Machine>(engine: &Arc<Engine<M>>, version: Version, hinted: impl Fn(Version) -> M::Event) {
    // What is under way may have read the record before it was written, so it is looked at again afterwards. Machines ignore
    // a version that they know.
    let under_way = engine.is_busy();
    let _ = engine.settle(hinted(version), || false).await;
    if under_way {
        let _ = engine.settle(hinted(version), || false).await;
    }
}

impl HintFollower {
    /// Whether it listens, or will again. It ends by itself only where the store has no hints.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.0.is_running()
    }

    /// Ends it and waits for what is under way. Dropping the future ends the wait, not the stop.
    pub async fn stop(self) {
        self.0.stop().await;
    }
}

async fn follow(transak: Transak, stop: CancellationToken) {
    let dice = RandomState::new();
    let mut failures: u32 = 0;
    loop {
        let listening = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            listening = listen(&transak) => listening,
        };
        match listening {
            Ok(Some(hints)) => {
                failures = 0;
                heed_all(&transak, hints, &stop).await;
                tracing::debug!("the hints of the store have ended");
            }
            Ok(None) => {
                tracing::info!("the store gives no hints, so none are followed");
                return;
            }
            Err(error) => tracing::warn!(%error, "hints of the store cannot be heard"),
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << failures.min(6)).min(LONGEST_PAUSE);
        failures = failures.saturating_add(1);
        // Half to all of it, so that a fleet does not come back in one moment.
        let draw = (dice.hash_one(failures) >> 32) as u32;
        let pause = pause / 2 + (pause / 2).mul_f64(f64::from(draw) / f64::from(u32::MAX));
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = transak.env().clock.sleep(pause) => {}
        }
    }
}

async fn listen(transak: &Transak) -> Result<Option<Hints>, StoreError> {
    let env = Arc::clone(transak.env());
    tokio::select! {
        biased;
        hints = env.store.hints(transak.tenant()) => hints,
        () = env.clock.sleep(env.limits.deadline) => Err(StoreError::new("no answer in time")),
    }
}

/// Until the hints end, or until it is told to stop.
async fn heed_all(transak: &Transak, mut hints: Hints, stop: &CancellationToken) {
    let mut looks = JoinSet::new();
    loop {
        while looks.try_join_next().is_some() {}
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(_) = looks.join_next(), if looks.len() >= LOOKS => {}
            hint = hints.next(), if looks.len() < LOOKS => match hint {
                Some(hint) => {
                    looks.spawn(transak.clone().heed(hint));
                }
                None => break,
            },
        }
    }
    while looks.join_next().await.is_some() {}
}
