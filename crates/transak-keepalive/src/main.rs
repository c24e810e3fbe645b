//! `transak-keepalive`: renews sessions that are due in a shared store, so that users who stay away need not log in again.
//!
//! Run any number of it, beside or instead of workers within the application: they share the work through the store.

mod cli;
mod endpoints;
mod housekeeping;
mod run;
mod secrets;
// Each engine has uses for some of what others have none for.
#[cfg_attr(
    not(all(feature = "postgres", feature = "redis", feature = "sqlite")),
    allow(unused_imports, unused_variables)
)]
mod stores;

#[cfg(not(any(feature = "postgres", feature = "redis", feature = "sqlite")))]
compile_error!("a store is needed: turn on one of the features `postgres`, `redis` and `sqlite`");

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(io::stderr);
    let started = tracing_subscriber::registry()
        .with(arguments.log.clone())
        .with(lines)
        .try_init();
    match started.map_err(Into::into).and_then(|()| run::run(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = report(&*error);
            ExitCode::FAILURE
        }
    }
}

fn report(error: &(dyn std::error::Error + 'static)) -> io::Result<()> {
    let mut out = io::stderr().lock();
    write!(out, "transak-keepalive: {error}")?;
    let mut source = error.source();
    while let Some(cause) = source {
        write!(out, ": {cause}")?;
        source = cause.source();
    }
    writeln!(out)
}
