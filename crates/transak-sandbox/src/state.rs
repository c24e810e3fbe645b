//! What all listeners and the control handle share.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use crate::clock::{ClockMode, SandboxClock};
use crate::counters::HttpCounters;
use crate::fault::FaultList;
use crate::http::BodyReader;
use crate::validate::Rules;
use crate::webhooks::Outbox;
use crate::world::{DeliveryOutcome, Moment, World};

pub(crate) struct Shared {
    /// Never held across an await: [`Shared::with_world`] is the only way in.
    world: Mutex<World>,
    pub(crate) clock: SandboxClock,
    pub(crate) faults: FaultList,
    pub(crate) rules: &'static Rules,
    pub(crate) http: HttpCounters,
    pub(crate) bodies: BodyReader,
    pub(crate) outbox: Outbox,
    pub(crate) addresses: Addresses,
    origin: Origin,
}

/// Where the sandbox listens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addresses {
    pub(crate) api: SocketAddr,
    pub(crate) gateway: SocketAddr,
    pub(crate) control: SocketAddr,
}

/// What the clock goes back to on a reset.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    /// `None` is the wall clock's time.
    pub(crate) start: Option<Moment>,
    pub(crate) mode: ClockMode,
}

impl Origin {
    pub(crate) fn clock(self) -> SandboxClock {
        SandboxClock::new(self.moment(), self.mode)
    }

    fn moment(self) -> Moment {
        self.start.unwrap_or_else(SandboxClock::wall)
    }
}

impl Shared {
    pub(crate) fn new(
        world: World,
        origin: Origin,
        rules: &'static Rules,
        bodies: BodyReader,
        outbox: Outbox,
        addresses: Addresses,
    ) -> Self {
        Self {
            world: Mutex::new(world),
            clock: origin.clock(),
            faults: FaultList::default(),
            rules,
            http: HttpCounters::default(),
            bodies,
            outbox,
            addresses,
            origin,
        }
    }

    /// Does something with the world at the present moment, which is read under the lock: the world never sees time
    /// go back between two calls. Webhooks that fell due are handed over on the way out.
    pub(crate) fn with_world<T>(&self, act: impl FnOnce(&mut World, Moment) -> T) -> T {
        // A panic in another call says nothing about this one.
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        world.tick(now);
        let result = act(&mut world, now);
        for delivery in world.take_deliveries() {
            if let Err(delivery) = self.outbox.offer(delivery) {
                let reason = "too many webhooks are waiting".to_owned();
                world.delivered(&delivery.id, DeliveryOutcome::Unreachable { reason }, now);
            }
        }
        result
    }

    /// Lets what fell due happen.
    pub(crate) fn tick(&self) {
        self.with_world(|_, _| ());
    }

    /// Back to the beginning, the clock included; settings stay.
    pub(crate) fn reset(&self) {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.reset();
        self.outbox.forget();
        self.faults.reset();
        self.http.reset();
        match self.origin.mode {
            ClockMode::Running => self.clock.run(),
            ClockMode::Frozen => self.clock.freeze(),
        };
        // The origin was brought into range when the clock was made.
        let _ = self.clock.set(self.origin.moment());
    }
}
