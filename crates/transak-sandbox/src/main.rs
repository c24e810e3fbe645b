//! `transak-sandbox`: the sandbox as a program.

mod cli;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use transak_sandbox::Sandbox;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "transak-sandbox: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &cli::Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let builder = arguments.builder()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let sandbox = builder.start().await?;
        // A closed stdout is no reason to stop.
        let _ = introduce(&sandbox);
        stop_asked_for().await?;
        sandbox.shutdown().await;
        Ok(())
    })
}

fn introduce(sandbox: &Sandbox) -> io::Result<()> {
    let settings = sandbox.control().settings();
    let control = sandbox.control_url();
    let mut out = io::stdout().lock();
    writeln!(out, "api      {}", sandbox.api_url())?;
    writeln!(out, "gateway  {}", sandbox.gateway_url())?;
    writeln!(out, "control  {control}")?;
    writeln!(out, "x-api-key  {}", settings.api_key)?;
    writeln!(out, "api-secret {}", settings.api_secret)?;
    writeln!(out)?;
    writeln!(
        out,
        "1. Point your client at the two base URLs, with the key and secret above; any address does as x-user-ip."
    )?;
    writeln!(
        out,
        "2. Read one-time passwords:   curl '{control}/mailbox?email=you@example.com'"
    )?;
    writeln!(
        out,
        "3. Move the clock by 30 days: curl {control}/clock -H content-type:application/json \\"
    )?;
    writeln!(
        out,
        "                                -d '{{\"action\":\"advance\",\"millis\":2592000000}}'"
    )?;
    writeln!(
        out,
        "4. Break something:           curl {control}/faults -H content-type:application/json \\"
    )?;
    writeln!(
        out,
        "                                -d '{{\"operation\":\"getPrice\",\"effect\":{{\"kind\":\"dropBefore\"}}}}'"
    )?;
    writeln!(
        out,
        "5. Everything else:           curl {control}/openapi.yaml     Stop with Ctrl-C."
    )?;
    out.flush()
}

/// Returns when the user or the system wants the program to end.
async fn stop_asked_for() -> io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
