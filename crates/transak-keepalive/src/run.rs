//! From the start to the end of the program.

use std::error::Error;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;
use transak_session::Transak;
use transak_session::metrics::{ISSUER_SECONDS, STORE_SECONDS};
#[cfg(feature = "sqlite")]
use transak_session::store::JournaledStore;
use transak_session::store::SessionStore;

use crate::cli::Arguments;
use crate::endpoints::{self, Facts};
use crate::stores::Engine;
use crate::{housekeeping, secrets};

/// From a store at hand to one across an ocean, and from a quick Transak to its deadline.
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];
/// The exporter's histograms are folded that often.
const UPKEEP: Duration = Duration::from_secs(5);

pub(crate) fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(keep_alive(arguments))
}

fn exporter() -> Result<PrometheusHandle, Box<dyn Error>> {
    let mut builder = PrometheusBuilder::new();
    for name in [ISSUER_SECONDS, STORE_SECONDS] {
        builder = builder.set_buckets_for_metric(Matcher::Full(name.to_owned()), &SECONDS)?;
    }
    let handle = builder.install_recorder()?;
    transak_session::metrics::describe();
    Ok(handle)
}

async fn keep_alive(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let mut signals = Signals::new()?;
    let metrics = exporter()?;
    let engine = Engine::open(arguments).await?;
    let mut builder = Transak::builder()
        .environment(arguments.environment()?)
        .api_key(secrets::required("TRANSAK_API_KEY")?.to_string())
        .shared_store(store(&engine, arguments).await?);
    if let Some(secret) = secrets::optional("TRANSAK_API_SECRET")? {
        builder = builder.api_secret(secret.to_string());
    }
    let transak = builder.build()?;
    let listener = endpoints::listen(arguments.listen).await?;
    let address = listener.local_addr()?;
    let worker = transak
        .keep_alive()
        .rate(arguments.rate)?
        .concurrency(arguments.concurrency)?
        .start()?;
    let stop = CancellationToken::new();
    let facts = Arc::new(Facts {
        worker,
        metrics: metrics.clone(),
        stop: stop.clone(),
    });
    let serving = tokio::spawn(endpoints::serve(listener, Arc::clone(&facts)));
    let folding = tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            metrics.run_upkeep();
        }
    });
    let forgetting = arguments
        .forget()
        .map(|since| tokio::spawn(housekeeping::run(engine.clone(), since, stop.clone())));
    tracing::info!(%address, "keeping sessions alive");
    // For whoever started it with port 0. A closed stdout is no reason to stop.
    let _ = writeln!(io::stdout(), "listening on {address}");

    signals.next().await;
    tracing::info!("ending: waiting for what is under way");
    stop.cancel();
    let draining = async {
        // Ends the worker as well, and waits for it.
        transak.shutdown().await;
        if let Some(forgetting) = forgetting {
            let _ = forgetting.await;
        }
    };
    let drained = tokio::select! {
        drained = tokio::time::timeout(arguments.drain(), draining) => drained.is_ok(),
        () = signals.next() => false,
    };
    let health = facts.worker.health();
    serving.abort();
    folding.abort();
    if drained {
        engine.close().await?;
        tracing::info!(renewed = health.renewed, failed = health.failed, "ended");
        Ok(())
    } else {
        Err("renewals were still under way; their leases lapse within half a minute, and others take over".into())
    }
}

/// The engine, with a journal beside it if one is wanted.
async fn store(engine: &Engine, arguments: &Arguments) -> Result<Arc<dyn SessionStore>, Box<dyn Error>> {
    #[cfg(feature = "sqlite")]
    if let Some(path) = &arguments.journal {
        let journaled = JournaledStore::beside(engine.shared(), path, secrets::seal_keys()?).await?;
        return Ok(Arc::new(journaled));
    }
    #[cfg(not(feature = "sqlite"))]
    let _ = arguments;
    Ok(engine.shared())
}

/// The wish of the user or the system that the program end.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}
