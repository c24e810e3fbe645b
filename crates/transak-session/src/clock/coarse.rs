//! A clock that is read off a shared number instead of the machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;

use super::{Clock, SystemClock, Timestamp};

/// How far the number may lie behind.
const TICK: Duration = Duration::from_millis(5);

/// The machine's clock, for those who take tokens millions of times a second: a thread of its own reads the time every 5
/// milliseconds, and everybody else reads what it has written.
///
/// Time seems to stand still between two ticks, and for longer if the machine is too busy to run the thread. Tokens live for
/// days and are renewed days before their end, so nothing depends on it. The thread ends with the last clone.
///
/// ```
/// use transak_session::Transak;
/// use transak_session::clock::CoarseClock;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let transak = Transak::builder()
///     .api_key("your-api-key")
///     .clock(CoarseClock::start()?)
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct CoarseClock {
    face: Arc<Face>,
}

/// Milliseconds of [`SystemClock::elapsed`].
#[derive(Debug)]
struct Face(AtomicU64);

fn read() -> u64 {
    u64::try_from(SystemClock.elapsed().as_millis()).unwrap_or(u64::MAX)
}

impl CoarseClock {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// What the system says if it cannot start one.
    pub fn start() -> std::io::Result<Self> {
        let face = Arc::new(Face(AtomicU64::new(read())));
        let shown = Arc::downgrade(&face);
        thread::Builder::new().name("transak-clock".to_owned()).spawn(move || {
            while let Some(face) = shown.upgrade() {
                face.0.store(read(), Ordering::Relaxed);
                drop(face);
                thread::sleep(TICK);
            }
        })?;
        Ok(Self { face })
    }
}

#[async_trait]
impl Clock for CoarseClock {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.face.0.load(Ordering::Relaxed))
    }

    async fn sleep(&self, span: Duration) {
        SystemClock.sleep(span).await;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_the_machine_and_its_thread_ends_with_it() {
        let clock = CoarseClock::start().unwrap();
        let begun = clock.elapsed();
        while clock.elapsed() == begun {
            thread::yield_now();
        }
        assert!(SystemClock.elapsed() >= clock.elapsed());
        let face = Arc::downgrade(&clock.face);
        drop(clock);
        while face.upgrade().is_some() {
            thread::yield_now();
        }
    }
}
