//! What a worker shows of the store, for whoever collects metrics.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::metrics::{DUE, LAPSING, SESSIONS};
use crate::transak::Transak;

/// Counting a million sessions takes a store about a tenth of a second.
const EVERY: Duration = Duration::from_secs(5 * 60);

const HORIZONS: [(&str, Duration); 3] = [
    ("24", Duration::from_secs(24 * 3600)),
    ("72", Duration::from_secs(72 * 3600)),
    ("168", Duration::from_secs(168 * 3600)),
];

/// Reads the forecast now and then until it is stopped. A forecast that cannot be had leaves the gauges as they are.
pub(super) async fn run(transak: Transak, stop: CancellationToken) {
    let horizons = HORIZONS.map(|(_, horizon)| horizon);
    loop {
        let env = transak.env();
        let forecast = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            forecast = transak.forecast(&horizons) => Some(forecast),
            () = env.clock.sleep(env.limits.deadline) => None,
        };
        match forecast {
            Some(Ok(forecast)) => {
                metrics::gauge!(SESSIONS).set(forecast.kept_alive as f64);
                metrics::gauge!(DUE).set(forecast.due as f64);
                for ((hours, _), lapsing) in HORIZONS.into_iter().zip(forecast.lapsing) {
                    metrics::gauge!(LAPSING, "within_hours" => hours).set(lapsing as f64);
                }
            }
            Some(Err(error)) => tracing::warn!(%error, "sessions that lapse could not be counted"),
            None => tracing::warn!("sessions that lapse could not be counted in time"),
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = env.clock.sleep(EVERY) => {}
        }
    }
}
