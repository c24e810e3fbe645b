//! The typed handle.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::clock::{ClockReading, OutOfRange};
use crate::counters::HttpCounts;
use crate::fault::{Fault, FaultError, WaitingFault};
use crate::sandbox::url;
use crate::state::{Addresses, Shared};
use crate::world::{Counters, Mail, Moment, SeedError, SeedOrder, SeedUser, Settings, WidgetOpened, WidgetRefusal};

/// A handle to a running sandbox. Copies are cheap and control the same one.
#[derive(Clone)]
pub struct Control {
    shared: Arc<Shared>,
}

/// Everything that is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// What the world did.
    pub world: Counters,
    /// How many entries each of the world's collections holds.
    pub sizes: BTreeMap<&'static str, usize>,
    /// What the HTTP layer did.
    pub http: HttpCounts,
    /// Calls hit by a fault, by operation id.
    pub faults: BTreeMap<&'static str, u64>,
    /// Webhooks that are waiting or being posted.
    pub webhooks_pending: usize,
}

impl Control {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    pub(crate) fn addresses(&self) -> Addresses {
        self.shared.addresses
    }

    pub(crate) fn now(&self) -> Moment {
        self.shared.clock.now()
    }

    /// What the clock shows.
    #[must_use]
    pub fn clock(&self) -> ClockReading {
        self.shared.clock.reading()
    }

    /// Moves the clock forward; tokens expire, orders walk and webhooks fall due before this returns.
    pub fn advance(&self, by: Duration) -> ClockReading {
        let reading = self.shared.clock.advance(by);
        self.shared.tick();
        reading
    }

    /// Sets the clock, forward or back.
    ///
    /// # Errors
    /// [`OutOfRange`] for a moment it cannot show.
    pub fn set_clock(&self, to: Moment) -> Result<ClockReading, OutOfRange> {
        let reading = self.shared.clock.set(to)?;
        self.shared.tick();
        Ok(reading)
    }

    /// Makes the clock stand still.
    pub fn freeze(&self) -> ClockReading {
        self.shared.clock.freeze()
    }

    /// Lets the clock run.
    pub fn run(&self) -> ClockReading {
        self.shared.clock.run()
    }

    /// All mails, newest last.
    #[must_use]
    pub fn mailbox(&self) -> Vec<Mail> {
        self.shared.with_world(|world, _| world.mailbox().to_vec())
    }

    /// Mails to one address, in whatever case it is written; newest last.
    #[must_use]
    pub fn mailbox_of(&self, email: &str) -> Vec<Mail> {
        let to = |mail: &&Mail| mail.to.eq_ignore_ascii_case(email);
        self.shared
            .with_world(|world, _| world.mailbox().iter().filter(to).cloned().collect())
    }

    /// The newest one-time password sent to an address.
    #[must_use]
    pub fn latest_code(&self, email: &str) -> Option<String> {
        self.mailbox_of(email).pop().map(|mail| mail.code)
    }

    /// Has a fault hit the next calls; gives its id. Of several that match a call, the oldest hits.
    ///
    /// # Errors
    /// [`FaultError`] for an unknown operation, a value out of range, or too many faults.
    pub fn inject(&self, fault: Fault) -> Result<u64, FaultError> {
        self.shared.faults.add(fault)
    }

    /// The faults that are waiting.
    #[must_use]
    pub fn faults(&self) -> Vec<WaitingFault> {
        self.shared.faults.waiting()
    }

    /// Takes all waiting faults back; gives their number.
    pub fn clear_faults(&self) -> usize {
        self.shared.faults.clear()
    }

    /// Takes one waiting fault back; `false` when there is none with this id.
    pub fn remove_fault(&self, id: u64) -> bool {
        self.shared.faults.remove(id)
    }

    /// Creates or overwrites a user; gives the user's id.
    ///
    /// # Errors
    /// [`SeedError`] when the user makes no sense.
    pub fn seed_user(&self, user: SeedUser) -> Result<String, SeedError> {
        self.shared.with_world(|world, now| world.seed_user(user, now))
    }

    /// Creates an order; gives its id.
    ///
    /// # Errors
    /// [`SeedError`] when the order makes no sense.
    pub fn seed_order(&self, order: SeedOrder) -> Result<String, SeedError> {
        self.shared.with_world(|world, now| world.seed_order(order, now))
    }

    /// Opens a widget session as the end user's browser would, which works once. The id is `sessionId` of the URL.
    ///
    /// # Errors
    /// [`WidgetRefusal`] when it is unknown, used or expired.
    pub fn open_widget_session(&self, id: &str) -> Result<WidgetOpened, WidgetRefusal> {
        self.shared
            .with_world(|world, now| world.consume_widget_session(id, now))
    }

    /// What was counted since the start or the last reset.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let (world, sizes) = self
            .shared
            .with_world(|world, _| (world.counters().clone(), world.sizes()));
        Counts {
            world,
            sizes,
            http: self.shared.http.counts(),
            faults: self.shared.faults.fired(),
            webhooks_pending: self.shared.outbox.pending(),
        }
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.shared.with_world(|world, _| world.settings().clone())
    }

    /// Replaces all settings, from the next call on; a new seed from the next reset on.
    pub fn set_settings(&self, settings: Settings) {
        self.shared.with_world(|world, _| world.set_settings(settings));
    }

    /// Changes some settings.
    pub fn update_settings(&self, change: impl FnOnce(&mut Settings)) {
        self.shared.with_world(|world, _| {
            let mut settings = world.settings().clone();
            change(&mut settings);
            world.set_settings(settings);
        });
    }

    /// Back to the beginning: users, tokens, orders, mails, faults and counters are gone, the clock shows what it
    /// showed at the start (or the present time, when none was chosen). Settings stay.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Waits until every webhook that fell due has been posted and reported. Webhooks fall due when the clock moves.
    pub async fn webhooks_settled(&self) {
        self.shared.tick();
        self.shared.outbox.settled().await;
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses = self.addresses();
        f.debug_struct("Control")
            .field("api", &url(addresses.api))
            .field("gateway", &url(addresses.gateway))
            .field("control", &url(addresses.control))
            .finish_non_exhaustive()
    }
}
