//! Removing, now and then, what expired long ago.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::stores::Engine;

const EVERY: Duration = Duration::from_secs(3_600);
/// A little at a time, so that nobody waits for it.
const PORTION: usize = 500;
const BREATH: Duration = Duration::from_millis(200);

pub(crate) async fn run(engine: Engine, since: Duration, stop: CancellationToken) {
    loop {
        let mut removed = 0;
        let pause = loop {
            match engine.forget_expired(since, PORTION).await {
                Ok(some) => {
                    removed += some;
                    if some < PORTION {
                        break EVERY;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "expired sessions could not be removed");
                    break EVERY;
                }
            }
            if rests(BREATH, &stop).await {
                return;
            }
        };
        if removed > 0 {
            tracing::info!(removed, "sessions that expired long ago were removed");
        }
        if rests(pause, &stop).await {
            return;
        }
    }
}

/// Whether it was told to stop meanwhile.
async fn rests(span: Duration, stop: &CancellationToken) -> bool {
    tokio::time::timeout(span, stop.cancelled()).await.is_ok()
}
