//! What a session costs in the memory store, counted by the allocator. The only test of its file: nothing else allocates.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use transak_session::store::MemoryStore;

#[path = "../benches/crowd/mod.rs"]
mod crowd;

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[tokio::test]
async fn an_idle_session_costs_less_than_400_bytes() {
    // Awkward numbers: the tables have just grown, and are half empty.
    for number in [18_000, 35_000] {
        let region = Region::new(COUNTING);
        let store = MemoryStore::new(number);
        let text = crowd::settle(&store, number).await;
        let change = region.change();
        let held = change.bytes_allocated - change.bytes_deallocated - text;
        let each = held as f64 / number as f64;
        println!(
            "{number} sessions: {each:.0} bytes each besides {} of token text",
            text / number
        );
        assert!(each < 400.0, "{each:.0} bytes for each of {number} sessions");

        crowd::unsettle(&store, number).await;
        let left = region.change();
        let left = left.bytes_allocated - left.bytes_deallocated;
        assert!(left < held, "deleted tokens are still held: {left} bytes");
    }
}
