//! The whole path without windows: two clients, an accepted offer, a message, a call with picture and sound, measured.
//! One JSON line a step on standard output, everything else on standard error.
//!
//! Each client has a process of its own. The one that is started is the client's: it goes the path, starts the
//! provider's, and tells it what to do.

mod arguments;
mod call;
mod clock;
mod market;
mod partner;
mod path;
mod pictures;
mod provider;
mod report;
mod server;
mod sound;
mod talk;
mod usage;

use std::process::ExitCode;

use clap::Parser;

use crate::{arguments::Arguments, report::Report};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(arguments.log.as_str())
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    parley_client::install_crypto();
    if arguments.as_provider {
        return match provider::serve(&arguments).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "the provider's process");
                ExitCode::FAILURE
            }
        };
    }
    match path::walk(&arguments, &mut Report::new(std::io::stdout())).await {
        Ok(()) => ExitCode::SUCCESS,
        // Told as a line already.
        Err(report::Failed) => ExitCode::FAILURE,
    }
}
