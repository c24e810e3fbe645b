//! Hints that a record was written: what lets a process with a copy of a token learn early that there is a newer one.
//!
//! Hints are only ever a reason to look. They may be lost, late, said twice or wrong, so stores send them outside of the
//! writes that they tell of, which they neither delay nor fail.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::Version;
use crate::clock::{Clock, SystemClock};
use crate::identity::{RecordKey, TenantId};

/// Record key and version.
const BYTES: usize = 48;
/// The same in base64.
const TEXT: usize = 64;
/// How long hints are collected before they are sent.
const SOON: Duration = Duration::from_millis(20);

/// It is said that a record was written.
///
/// [`HintOutbox`] shows its use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hint {
    /// Which record.
    pub key: RecordKey,
    /// Which writing: whoever knows this version, or a later one, has nothing to learn.
    pub version: Version,
}

impl Hint {
    fn to_bytes(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        let (key, version) = bytes.split_at_mut(BYTES - 8);
        key.copy_from_slice(self.key.as_bytes());
        version.copy_from_slice(&self.version.get().to_be_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (key, version) = bytes.split_at_checked(BYTES - 8)?;
        Some(Self {
            key: RecordKey::from_bytes(key.try_into().ok()?),
            version: Version::new(u64::from_be_bytes(version.try_into().ok()?)),
        })
    }

    /// Hints as a text of 64 characters each, for engines that carry text.
    #[must_use]
    pub fn to_text(hints: &[Self]) -> String {
        hints
            .iter()
            .map(|hint| URL_SAFE_NO_PAD.encode(hint.to_bytes()))
            .collect()
    }

    /// The hints of a text. What is none is passed over, since nobody relies on hints.
    pub fn from_text(text: &str) -> impl Iterator<Item = Self> {
        let pieces = text.as_bytes().chunks_exact(TEXT);
        pieces.filter_map(|piece| Self::from_bytes(&URL_SAFE_NO_PAD.decode(piece).ok()?))
    }
}

/// Hints as they come. Bounded: what comes faster than it is read is lost.
///
/// [`HintOutbox`] shows its use.
#[derive(Debug)]
pub struct Hints(mpsc::Receiver<Hint>);

/// Where a store puts hints for one listener.
///
/// [`HintOutbox`] shows its use.
#[derive(Clone, Debug)]
pub struct HintSender(mpsc::Sender<Hint>);

impl Hints {
    /// How many hints may wait for their listener.
    const CAPACITY: usize = 4_096;

    /// A new listener, and where its hints are put.
    #[must_use]
    pub fn channel() -> (HintSender, Self) {
        let (sender, receiver) = mpsc::channel(Self::CAPACITY);
        (HintSender(sender), Self(receiver))
    }

    /// The next hint. `None` when the store has lost its connection or was closed: then listen anew.
    ///
    /// Dropping the future loses no hint.
    pub async fn next(&mut self) -> Option<Hint> {
        self.0.recv().await
    }
}

impl HintSender {
    /// Hands a hint on, unless too many wait. `false` if nobody listens any more.
    pub fn send(&self, hint: Hint) -> bool {
        !matches!(self.0.try_send(hint), Err(mpsc::error::TrySendError::Closed(_)))
    }

    /// Hands on the hints of a text that are about a tenant's records. `false` if nobody listens any more.
    pub fn send_text(&self, text: &str, tenant: TenantId) -> bool {
        let mut ours = Hint::from_text(text).filter(|hint| hint.key.tenant() == tenant);
        ours.all(|hint| self.send(hint))
    }

    /// Waits until nobody listens any more.
    pub async fn closed(&self) {
        self.0.closed().await;
    }
}

/// Collects hints, so that a store sends many at once, behind its writes.
///
/// ```
/// use std::sync::Arc;
/// use transak_session::RecordKey;
/// use transak_session::store::{Hint, HintOutbox, Hints, Version};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// // Where somebody listens:
/// let (sender, mut hints) = Hints::channel();
///
/// // Behind each write, which does not wait for it:
/// let outbox = Arc::new(HintOutbox::new(1_000));
/// let hint = Hint { key: RecordKey::from_bytes([7; 40]), version: Version::new(1) };
/// let tenant = hint.key.tenant();
/// outbox.tell(hint, move |hints| async move {
///     let text = Hint::to_text(&hints);
///     // ... the engine carries the text ...
///     assert!(sender.send_text(&text, tenant));
/// });
/// assert_eq!(hints.next().await, Some(hint));
/// # }
/// ```
#[derive(Debug)]
pub struct HintOutbox {
    capacity: usize,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    hints: Vec<Hint>,
    /// Somebody is on the way to send them.
    courier: bool,
}

impl HintOutbox {
    /// An outbox for so many hints at a time; more are lost.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            waiting: Mutex::default(),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a hint in and returns. A fiftieth of a second later a task of its own delivers it with all that have come
    /// meanwhile. Outside of a tokio runtime it is lost.
    pub fn tell<F>(self: &Arc<Self>, hint: Hint, deliver: impl FnOnce(Vec<Hint>) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send,
    {
        if !self.push(hint) {
            return;
        }
        let courier = Courier(Some(Arc::clone(self)));
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                SystemClock.sleep(SOON).await;
                deliver(courier.arrive()).await;
            });
        }
    }

    /// `true` if nobody is on the way yet.
    fn push(&self, hint: Hint) -> bool {
        let mut waiting = self.waiting();
        if waiting.hints.len() < self.capacity {
            waiting.hints.push(hint);
        }
        !std::mem::replace(&mut waiting.courier, true)
    }
}

/// Whoever is on the way. If it never arrives, because its runtime has ended, the next hint finds another.
struct Courier(Option<Arc<HintOutbox>>);

impl Courier {
    /// Takes all that wait; from here on another may be sent.
    fn arrive(mut self) -> Vec<Hint> {
        let outbox = self.0.take();
        outbox.map_or_else(Vec::new, |outbox| std::mem::take(&mut *outbox.waiting()).hints)
    }
}

impl Drop for Courier {
    fn drop(&mut self) {
        if let Some(outbox) = &self.0 {
            outbox.waiting().courier = false;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hint() -> impl Strategy<Value = Hint> {
        (any::<[u8; 32]>(), any::<u64>()).prop_map(|(name, version)| {
            let mut key = [3; 40];
            key[8..].copy_from_slice(&name);
            Hint {
                key: RecordKey::from_bytes(key),
                version: Version::new(version),
            }
        })
    }

    proptest! {
        #[test]
        fn what_is_said_is_what_is_heard(hints in prop::collection::vec(hint(), 0..20)) {
            let text = Hint::to_text(&hints);
            prop_assert_eq!(text.len(), hints.len() * TEXT);
            prop_assert_eq!(Hint::from_text(&text).collect::<Vec<_>>(), hints);
        }

        #[test]
        fn nonsense_is_passed_over(text: String, hint in hint()) {
            let _ = Hint::from_text(&text).count();
            let after = format!("{}{}", "!".repeat(TEXT), Hint::to_text(&[hint]));
            prop_assert_eq!(Hint::from_text(&after).collect::<Vec<_>>(), [hint]);
        }
    }

    #[test]
    fn a_runtime_that_ends_takes_no_courier_with_it() {
        let hint = Hint {
            key: RecordKey::from_bytes([1; 40]),
            version: Version::new(1),
        };
        let outbox = Arc::new(HintOutbox::new(10));
        let runtime = || {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            builder.enable_time().build().unwrap()
        };
        runtime().block_on(async { outbox.tell(hint, |_| async { panic!("it was too quick") }) });
        outbox.tell(hint, |_| async { panic!("there is no runtime") });
        let heard = runtime().block_on(async {
            let (delivered, mut deliveries) = mpsc::channel(1);
            outbox.tell(hint, |hints| async move { delivered.send(hints.len()).await.unwrap() });
            deliveries.recv().await
        });
        assert_eq!(heard, Some(3));
    }

    #[tokio::test]
    async fn nothing_grows_without_bound() {
        let hint = Hint {
            key: RecordKey::from_bytes([1; 40]),
            version: Version::new(1),
        };
        let outbox = Arc::new(HintOutbox::new(3));
        let (delivered, mut deliveries) = mpsc::channel(10);
        for _ in 0..2 {
            for _ in 0..10 {
                let delivered = delivered.clone();
                outbox.tell(hint, move |hints| async move {
                    delivered.send(hints.len()).await.unwrap();
                });
            }
            assert_eq!(deliveries.recv().await, Some(3));
        }
        assert!(deliveries.is_empty());

        let (sender, mut hints) = Hints::channel();
        assert!((0..Hints::CAPACITY * 2).all(|_| sender.send(hint)));
        let mut heard = 0;
        while hints.0.try_recv().is_ok() {
            heard += 1;
        }
        assert_eq!(heard, Hints::CAPACITY);
        drop(hints);
        sender.closed().await;
        assert!(!sender.send(hint));
    }
}
